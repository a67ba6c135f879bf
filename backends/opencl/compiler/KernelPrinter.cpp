#include "backends/opencl/compiler/KernelPrinter.h"
#include "backends/opencl/abi/OpenclText.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;

namespace hexin::opencl {

// -- Values -----------------------------------------------------------------------

std::string KernelPrinter::ref(Value value) const {
  std::string name = names_.lookup(value);
  return signedValues_.contains(value) ? "(" + typeOf(value).name() + ")" + name : name;
}

std::string asSigned(CType type, const std::string &x) {
  return type.isVector() ? "as_" + type.signedName() + "(" + x + ")"
                         : "(" + type.signedName() + ")" + x;
}

std::string KernelPrinter::signedRef(Value value) const {
  std::string name = names_.lookup(value);
  return signedValues_.contains(value) ? name : asSigned(typeOf(value), name);
}

std::string KernelPrinter::computeRef(Value value) {
  CType type = typeOf(value);
  if (type.scalar == Scalar::f16)
    return helpers_.widenF16(type.lanes) + "(" + ref(value) + ")";
  if (type.scalar != Scalar::bf16)
    return ref(value);
  CType word = type.withScalar(Scalar::i32), real = type.withScalar(Scalar::f32);
  std::string wide = type.isVector() ? "convert_" + word.name() + "(" + ref(value) + ")"
                                     : "(uint)" + ref(value);
  return "as_" + real.name() + "(" + wide + " << 16)";
}

void KernelPrinter::bindSigned(Value value, std::string name) {
  bind(value, std::move(name));
  signedValues_.insert(value);
}

// -- Statements ---------------------------------------------------------------------

std::string KernelPrinter::fresh(llvm::StringRef prefix) {
  return prefix.str() + std::to_string(nextId_++);
}

void KernelPrinter::statement(const std::string &text) { os_ << text << '\n'; }

void KernelPrinter::open(const std::string &text) {
  statement(text.empty() ? "{" : text + " {");
}

void KernelPrinter::close(const std::string &tail) { statement(tail); }

std::string KernelPrinter::declare(CType type, const std::string &initial) {
  std::string name = fresh("v");
  statement(type.name() + " " + name + (initial.empty() ? "" : " = " + initial) + ";");
  return name;
}

/// Whether a value may stand as an expression in its only user instead of in a
/// variable. The text of most kernels is addresses, which shrink by half. What C
/// would compute in another type (narrow integers), what reads memory, and users
/// that name an operand twice keep the variable.
static bool isPrintedInUser(Value value, CType type) {
  bool keepsType =
      type.isVector() ? type.scalar == Scalar::f32 : type.bits() >= 32 || type.isMask();
  Operation *op = value.getDefiningOp();
  if (!keepsType || !op || !value.hasOneUse())
    return false;
  Operation *user = *value.user_begin();
  return user->getBlock() == op->getBlock() &&
         isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::IndexCastOp,
             arith::AndIOp, arith::OrIOp, arith::CmpIOp, arith::AddFOp, arith::MulFOp,
             arith::SelectOp, vector::BroadcastOp>(op) &&
         isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::IndexCastOp,
             arith::AndIOp, arith::OrIOp, arith::CmpIOp, arith::AddFOp, arith::MulFOp,
             arith::DivFOp, arith::SelectOp, math::FmaOp, memref::LoadOp, memref::StoreOp,
             vector::LoadOp, vector::StoreOp, vector::BroadcastOp>(user);
}

void KernelPrinter::define(Value result, const std::string &expression) {
  constexpr size_t maxInlineLength = 100;
  CType type = typeOf(result);
  if (expression.size() <= maxInlineLength && isPrintedInUser(result, type))
    bind(result, "(" + expression + ")");
  else
    bind(result, declare(type, expression));
}

void KernelPrinter::defineComputed(Value result, const std::string &expression) {
  CType type = typeOf(result);
  if (!type.isNarrowFloat())
    return define(result, expression);
  define(result, helpers_.narrow(type.computeType(), type) + "(" + expression + ")");
}

void KernelPrinter::assign(ArrayRef<std::string> targets, ValueRange values) {
  // A target that an earlier assignment overwrites is read through a copy.
  SmallVector<std::string> sources;
  bool overlaps = false;
  for (auto [index, value] : llvm::enumerate(values)) {
    sources.push_back(ref(value));
    for (size_t earlier = 0; earlier < index; ++earlier)
      overlaps |= sources.back() == targets[earlier];
  }
  if (overlaps)
    for (auto [source, value] : llvm::zip(sources, values))
      source = declare(typeOf(value), source);
  for (auto [target, source] : llvm::zip(targets, sources))
    if (target != source)
      statement(target + " = " + source + ";");
}

LogicalResult KernelPrinter::printBody(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(printOp(&op)))
      return failure();
  return success();
}

LogicalResult KernelPrinter::printOp(Operation *op) {
  for (auto *family : {printIntOp, printFloatOp, printCastOp, printVectorOp,
                       printMemoryOp, printTeamOp, printControlFlowOp})
    if (std::optional<LogicalResult> printed = family(op, *this))
      return *printed;
  return op->emitOpError(
      "cannot be said in OpenCL C: a kernel module holds only the ops listed "
      "in compiler/target/Target.h; lower it before emitImage");
}

// -- The kernel itself -----------------------------------------------------------------

static int64_t countAttr(func::FuncOp kernel, llvm::StringRef name) {
  auto attr = kernel->getAttrOfType<IntegerAttr>(name);
  return attr ? attr.getInt() : -1;
}

LogicalResult KernelPrinter::checkSignature(func::FuncOp kernel) {
  int64_t bindings = countAttr(kernel, "hx.bindings"),
          params = countAttr(kernel, "hx.params");
  auto writes = kernel->getAttrOfType<DenseBoolArrayAttr>("hx.writes");
  int64_t arguments = kernel.getNumArguments();
  if (kernel.isExternal() || bindings < 0 || params < 0 || !writes ||
      static_cast<int64_t>(writes.size()) != bindings || kernel.getNumResults() != 0 ||
      arguments < 2 || bindings > arguments || arguments - bindings - 2 != params)
    return kernel.emitOpError(
        "is no kernel: expected a body, no results, the attributes "
        "hx.bindings, hx.params and hx.writes, and hx.bindings memrefs, "
        "hx.params i64 and two index arguments");
  for (int64_t i = 0; i < arguments; ++i) {
    Type type = kernel.getArgument(i).getType();
    bool isRight = i < bindings            ? isa<MemRefType>(type)
                   : i < bindings + params ? type.isInteger(64)
                                           : type.isIndex();
    if (!isRight)
      return kernel.emitOpError("argument ")
             << i << " has type " << type
             << "; expected memrefs, then i64, then two index";
    if (i >= bindings || writes[i])
      continue;
    for (Operation *user : kernel.getArgument(i).getUsers())
      if (isa<memref::StoreOp, vector::StoreOp>(user))
        return user->emitOpError("writes binding ")
               << i << ", which hx.writes says is only read";
  }
  return success();
}

/// Of a team kernel; nullopt for others, 0 for what is no number of threads.
static std::optional<int64_t> teamThreads(func::FuncOp kernel) {
  constexpr int64_t maxThreads = 1 << 16;
  if (!kernel->hasAttr("hx.team_threads"))
    return std::nullopt;
  int64_t threads = countAttr(kernel, "hx.team_threads");
  return threads > maxThreads ? 0 : std::max<int64_t>(threads, 0);
}

/// Threads are asked for, and memory shared, in team kernels only.
static LogicalResult checkTeam(func::FuncOp kernel) {
  std::optional<int64_t> threads = teamThreads(kernel);
  if (threads)
    return *threads > 0 ? success()
                        : kernel.emitOpError("hx.team_threads is no number of threads");
  WalkResult walk = kernel->walk([](Operation *op) {
    auto alloca = dyn_cast<memref::AllocaOp>(op);
    bool isShared = alloca && alloca.getType().getMemorySpace();
    if (!isShared && !isa<gpu::BarrierOp, gpu::ThreadIdOp>(op))
      return WalkResult::advance();
    op->emitOpError("is for teams of threads; its kernel has no hx.team_threads");
    return WalkResult::interrupt();
  });
  return failure(walk.wasInterrupted());
}

static bool isMemory(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref || memref.getRank() != 1 || !memref.getLayout().isIdentity())
    return false;
  std::optional<CType> element = getCType(memref.getElementType());
  return element && !element->isMask() && !isa<VectorType>(memref.getElementType());
}

LogicalResult KernelPrinter::checkTypes(func::FuncOp kernel) {
  auto isKnown = [](Type type) { return isMemory(type) || getCType(type); };
  WalkResult walk = kernel->walk([&](Operation *op) {
    auto refuse = [&](Type type) {
      op->emitOpError("has a value of type ")
          << type
          << "; OpenCL C kernels take i1, i8, i16, i32, i64, index, f16, bf16, f32, f64, "
             "vectors of 2, 4, 8 or 16 of them, and memrefs of rank 1 (bool stored as "
             "i8)";
      return WalkResult::interrupt();
    };
    for (Type type : op->getResultTypes())
      if (!isKnown(type))
        return refuse(type);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Type type : block.getArgumentTypes())
          if (!isKnown(type))
            return refuse(type);
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

/// True when a loop hands one carried value on as another (a, b = b, a + b).
static bool rotatesCarriedValues(func::FuncOp kernel) {
  WalkResult walk = kernel->walk([](Operation *op) {
    auto loop = dyn_cast<LoopLikeOpInterface>(op);
    if (!loop)
      return WalkResult::advance();
    auto carried = loop.getRegionIterArgs();
    for (auto [index, yielded] : llvm::enumerate(loop.getYieldedValues()))
      for (auto [other, argument] : llvm::enumerate(carried))
        if (yielded == argument && index != other)
          return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return walk.wasInterrupted();
}

void KernelPrinter::printSignature(func::FuncOp kernel) {
  unsigned bindings = static_cast<unsigned>(countAttr(kernel, "hx.bindings"));
  unsigned params = static_cast<unsigned>(countAttr(kernel, "hx.params"));
  ArrayRef<bool> writes =
      kernel->getAttrOfType<DenseBoolArrayAttr>("hx.writes").asArrayRef();
  std::string signature = "__kernel ";
  // Intel's CPU compiler dies when it vectorises such a loop across work items;
  // a kernel that says it is written in vectors is left alone.
  if (rotatesCarriedValues(kernel))
    signature += "__attribute__((vec_type_hint(float16))) ";
  std::optional<int64_t> threads = teamThreads(kernel);
  if (threads)
    signature +=
        "__attribute__((reqd_work_group_size(" + std::to_string(*threads) + ", 1, 1))) ";
  signature += "void " + kernelSymbol(kernel.getName()) + "(";
  for (unsigned i = 0; i < bindings; ++i) {
    // Two bindings may name the same memory (an op that works in place), so
    // `restrict` needs the word of whoever wrote the kernel.
    bool noAlias = kernel.getArgAttr(i, "llvm.noalias") != nullptr;
    std::string id = std::to_string(i);
    signature += std::string("__global ") + (writes[i] ? "" : "const ") + "uchar *" +
                 (noAlias ? "restrict " : "") + "b" + id + ", ulong o" + id + ", ";
  }
  for (unsigned i = 0; i < params; ++i) {
    signature += "long p" + std::to_string(i) + ", ";
    bindSigned(kernel.getArgument(bindings + i), "p" + std::to_string(i));
  }
  open(signature + "long items)");
  statement(threads ? "const long begin = get_group_id(0);"
                    : "const long begin = get_global_id(0);");
  statement("if (begin >= items)");
  statement("  return;");
  for (unsigned i = 0; i < bindings; ++i) {
    BlockArgument argument = kernel.getArgument(i);
    if (argument.use_empty())
      continue;
    Type element = cast<MemRefType>(argument.getType()).getElementType();
    std::string pointer = std::string("__global ") + (writes[i] ? "" : "const ") +
                          getCType(element)->name() + " *";
    std::string name = "m" + std::to_string(i);
    statement(pointer + name + " = (" + pointer + ")(b" + std::to_string(i) + " + o" +
              std::to_string(i) + ");");
    bind(argument, name);
  }
  begin_ = kernel.getArgument(bindings + params);
  end_ = kernel.getArgument(bindings + params + 1);
  bindSigned(begin_, "begin");
  bindSigned(end_, "(begin + 1)");
}

LogicalResult KernelPrinter::printKernel(func::FuncOp kernel) {
  if (failed(checkSignature(kernel)) || failed(checkTypes(kernel)) ||
      failed(checkTeam(kernel)))
    return failure();
  if (!kernel.getBody().hasOneBlock())
    return kernel.emitOpError(
        "has branches between blocks; expected structured control flow (scf)");
  printSignature(kernel);
  if (failed(printBody(kernel.getBody().front())))
    return failure();
  close();
  return success();
}

} // namespace hexin::opencl
