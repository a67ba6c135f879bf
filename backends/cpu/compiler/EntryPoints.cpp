#include "backends/cpu/compiler/EntryPoints.h"

#include "backends/cpu/abi/ImageCheck.h"
#include "runtime/device/KernelAbi.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "llvm/IR/Module.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace mlir;

namespace hexin::cpu {
namespace {

/// `run` with numbers below the normal ones read and written as zeros: an operation on
/// one takes a hundred times as long.
void withoutSubnormals(llvm::IRBuilder<> &b, llvm::function_ref<void()> run) {
  constexpr uint32_t denormalsAreZeros = 1 << 6, flushToZero = 1 << 15;
  llvm::Type *i32 = b.getInt32Ty();
  llvm::Value *before = b.CreateAlloca(i32), *during = b.CreateAlloca(i32);
  b.CreateIntrinsic(b.getVoidTy(), llvm::Intrinsic::x86_sse_stmxcsr, {before});
  llvm::Value *control = b.CreateLoad(i32, before);
  b.CreateStore(b.CreateOr(control, denormalsAreZeros | flushToZero), during);
  b.CreateIntrinsic(b.getVoidTy(), llvm::Intrinsic::x86_sse_ldmxcsr, {during});
  run();
  b.CreateIntrinsic(b.getVoidTy(), llvm::Intrinsic::x86_sse_ldmxcsr, {before});
}

void addEntryPoint(llvm::Function &body, const KernelInfo &kernel) {
  llvm::Module &module = *body.getParent();
  body.setName(kernel.name + ".body");
  body.setLinkage(llvm::GlobalValue::InternalLinkage);
  body.addFnAttr(llvm::Attribute::AlwaysInline);
  body.addFnAttr(llvm::Attribute::NoUnwind);
  // Descriptor of binding i: arguments 5i (allocated), 5i + 1 (aligned), offset,
  // size, stride. Accesses go through the aligned pointer.
  for (unsigned i = 0; i < kernel.numBindings; ++i)
    body.addParamAttr(5 * i + 1, llvm::Attribute::NoAlias);

  llvm::IRBuilder<> b(module.getContext());
  llvm::Type *pointer = b.getPtrTy(), *i64 = b.getInt64Ty();
  auto *type =
      llvm::FunctionType::get(b.getVoidTy(), {pointer, pointer, i64, i64}, false);
  auto *entry = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage,
                                       kernel.name, module);
  entry->addFnAttr(llvm::Attribute::NoUnwind);
  entry->addFnAttr("prefer-vector-width", "512");
  entry->addParamAttr(0, llvm::Attribute::NoAlias);
  entry->addParamAttr(1, llvm::Attribute::NoAlias);
  b.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "", entry));
  llvm::Value *bindings = entry->getArg(0), *params = entry->getArg(1);

  // Neither table changes while a kernel runs.
  auto loadConstant = [&](llvm::Type *elementType, llvm::Value *table, unsigned i) {
    auto *load =
        b.CreateLoad(elementType, b.CreateConstInBoundsGEP1_64(elementType, table, i));
    load->setMetadata(llvm::LLVMContext::MD_invariant_load,
                      llvm::MDNode::get(module.getContext(), {}));
    return load;
  };
  SmallVector<llvm::Value *> arguments;
  for (unsigned i = 0; i < kernel.numBindings; ++i) {
    llvm::Value *memory = loadConstant(pointer, bindings, i);
    arguments.append(
        {memory, memory, b.getInt64(0), b.getInt64(INT64_MAX), b.getInt64(1)});
  }
  for (unsigned i = 0; i < kernel.numParams; ++i)
    arguments.push_back(loadConstant(i64, params, i));
  arguments.append({entry->getArg(2), entry->getArg(3)});
  auto run = [&] { b.CreateCall(&body, arguments); };
  kernel.flushesSubnormals ? withoutSubnormals(b, run) : run();
  b.CreateRetVoid();
}

void addVersion(llvm::Module &module) {
  auto *version = llvm::ConstantInt::get(llvm::Type::getInt32Ty(module.getContext()),
                                         kernelAbiVersion);
  new llvm::GlobalVariable(module, version->getType(), /*isConstant=*/true,
                           llvm::GlobalValue::ExternalLinkage, version, kernelAbiSymbol);
}

/// void *name(void *dst, src or value, size_t length), byte by byte, upwards or
/// (for overlapping moves) downwards. Rarely called, never hot.
class MemoryFunction {
public:
  MemoryFunction(llvm::Module &module, StringRef name, llvm::Type *second)
      : b(module.getContext()) {
    llvm::Type *pointer = b.getPtrTy();
    auto *type =
        llvm::FunctionType::get(pointer, {pointer, second, b.getInt64Ty()}, false);
    function =
        llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, module);
    function->setVisibility(llvm::GlobalValue::HiddenVisibility);
    function->addFnAttr("no-builtins");
    function->addFnAttr(llvm::Attribute::NoUnwind);
    llvm::appendToCompilerUsed(module, {function});
    b.SetInsertPoint(newBlock());
  }

  llvm::IRBuilder<> b;
  llvm::Value *dst() { return function->getArg(0); }
  llvm::Value *src() { return function->getArg(1); }
  void finish() { b.CreateRet(dst()); }

  llvm::BasicBlock *newBlock() {
    return llvm::BasicBlock::Create(b.getContext(), "", function);
  }

  /// for (i = 0 .. length - 1) dst[at(i)] = byte(at(i)); continues behind the loop.
  void loop(bool isDownward, llvm::function_ref<llvm::Value *(llvm::Value *)> byte) {
    llvm::Value *length = function->getArg(2);
    llvm::BasicBlock *before = b.GetInsertBlock(), *body = newBlock(),
                     *after = newBlock();
    b.CreateCondBr(b.CreateIsNull(length), after, body);
    b.SetInsertPoint(body);
    llvm::PHINode *i = b.CreatePHI(length->getType(), 2);
    llvm::Value *next = b.CreateAdd(i, b.getInt64(1));
    llvm::Value *at = isDownward ? b.CreateSub(length, next) : i;
    b.CreateStore(byte(at), b.CreateGEP(b.getInt8Ty(), dst(), at));
    i->addIncoming(b.getInt64(0), before);
    i->addIncoming(next, body);
    b.CreateCondBr(b.CreateICmpEQ(next, length), after, body);
    b.SetInsertPoint(after);
  }

  void copy(bool isDownward) {
    loop(isDownward, [&](llvm::Value *at) {
      return b.CreateLoad(b.getInt8Ty(), b.CreateGEP(b.getInt8Ty(), src(), at));
    });
  }

private:
  llvm::Function *function;
};

void addMemoryFunctions(llvm::Module &module) {
  llvm::Type *pointer = llvm::PointerType::getUnqual(module.getContext());
  MemoryFunction set(module, "memset", llvm::Type::getInt32Ty(module.getContext()));
  llvm::Value *value = set.b.CreateTrunc(set.src(), set.b.getInt8Ty());
  set.loop(false, [&](llvm::Value *) { return value; });
  set.finish();

  MemoryFunction copy(module, "memcpy", pointer);
  copy.copy(false);
  copy.finish();

  MemoryFunction move(module, "memmove", pointer);
  llvm::BasicBlock *up = move.newBlock(), *down = move.newBlock();
  move.b.CreateCondBr(move.b.CreateICmpULT(move.dst(), move.src()), up, down);
  move.b.SetInsertPoint(up);
  move.copy(false);
  move.finish();
  move.b.SetInsertPoint(down);
  move.copy(true);
  move.finish();
}

} // namespace

LogicalResult addEntryPoints(llvm::Module &module, ArrayRef<KernelInfo> kernels) {
  for (const KernelInfo &kernel : kernels) {
    llvm::Function *body = module.getFunction(kernel.name);
    if (!body || body->isDeclaration() ||
        body->arg_size() != 5 * kernel.numBindings + kernel.numParams + 2)
      return failure();
    addEntryPoint(*body, kernel);
  }
  return success();
}

void addSupport(llvm::Module &module) {
  addVersion(module);
  addMemoryFunctions(module);
}

bool isSupportFunction(StringRef name) {
  return name == "memset" || name == "memcpy" || name == "memmove";
}

} // namespace hexin::cpu
