#include "compiler/codegen/KernelBuilder.h"

#include "runtime/device/KernelAbi.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"

#include <cmath>

using namespace mlir;

namespace hexin::codegen {

Type computeType(Type type) {
  if (type.isF16() || type.isBF16())
    return Float32Type::get(type.getContext());
  if (type.isInteger(1))
    return type;
  return storageType(type);
}

Type storageType(Type type) {
  MLIRContext *context = type.getContext();
  if (auto integer = dyn_cast<IntegerType>(type))
    return IntegerType::get(context, std::max(8u, integer.getWidth()));
  if (auto floating = dyn_cast<FloatType>(type); floating && floating.getWidth() <= 8)
    return IntegerType::get(context, 8);
  if (auto complex = dyn_cast<ComplexType>(type);
      complex && complex.getElementType().isF32())
    return IntegerType::get(context, 64);
  return type;
}

Type withLanes(Type type, unsigned lanes) {
  return lanes > 1 ? VectorType::get({lanes}, type) : type;
}

KernelBuilder::KernelBuilder(ModuleOp kernels, hx::SymbolicShapes &shapes,
                             const CodegenTraits &traits, Location loc, StringRef name)
    : kernels(kernels), givenName(name), symbolicShapes(shapes), codegenTraits(traits),
      location(loc), b(kernels.getContext()), top(kernels.getContext()) {
  b.setInsertionPointToEnd(kernels.getBody());
  Type indexType = b.getIndexType();
  // begin and end stay last: bindings and params are inserted before them.
  func = func::FuncOp::create(b, loc, "kernel",
                              b.getFunctionType({indexType, indexType}, {}));
  b.setInsertionPointToStart(func.addEntryBlock());
  auto end = func::ReturnOp::create(b, loc);
  b.setInsertionPoint(end);
  top.setInsertionPoint(end);
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

KExpr KernelBuilder::size(hx::Dim dim) {
  if (auto constant = hx::SymbolTable::constantValue(dim); constant && *constant <= 1)
    return constantExpr(*constant);
  return scalar(dim);
}

KExpr KernelBuilder::scalar(hx::Dim dim) {
  auto it = llvm::find(use.params, dim);
  unsigned number = it - use.params.begin();
  if (it == use.params.end()) {
    use.params.push_back(dim);
    func.getBody().front().insertArgument(bindingTypes.size() + number, b.getI64Type(),
                                          location);
  }
  return use.exprs.param(number);
}

Value KernelBuilder::value(KExpr e) {
  if (Value known = materialised.lookup(e.node))
    return known;
  KNode node = use.exprs.nodes()[e.node];
  Value result;
  switch (node.op) {
  case KOp::constant:
    return index(node.value);
  case KOp::param: {
    Value argument = func.getBody().front().getArgument(bindingTypes.size() + node.lhs);
    result = arith::IndexCastOp::create(top, location, top.getIndexType(), argument);
    break;
  }
  default: {
    Value lhs = value({node.lhs}), rhs = value({node.rhs});
    OpBuilder saved = b;
    b = top;
    switch (node.op) {
    case KOp::add:
      result = add(lhs, rhs);
      break;
    case KOp::sub:
      result = sub(lhs, rhs);
      break;
    case KOp::mul:
      result = mul(lhs, rhs);
      break;
    case KOp::floorDiv:
      result = div(lhs, rhs);
      break;
    case KOp::ceilDiv:
      result = div(add(lhs, sub(rhs, index(1))), rhs);
      break;
    case KOp::mod:
      result = rem(lhs, rhs);
      break;
    case KOp::min:
      result = min(lhs, rhs);
      break;
    default:
      result = max(lhs, rhs);
      break;
    }
    b = saved;
  }
  }
  materialised[e.node] = result;
  return result;
}

Value KernelBuilder::index(int64_t constant) {
  Value &known = constants[constant];
  if (!known) {
    OpBuilder entry(&func.getBody().front(), func.getBody().front().begin());
    known = arith::ConstantIndexOp::create(entry, location, constant);
  }
  return known;
}

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

Value KernelBuilder::foldIndex(Value x, Value y, KOp op) {
  std::optional<int64_t> cx = getConstantIntValue(x), cy = getConstantIntValue(y);
  switch (op) {
  case KOp::add:
    if (cx == 0)
      return y;
    if (cy == 0)
      return x;
    return cx && cy ? index(*cx + *cy) : Value();
  case KOp::sub:
    if (cy == 0)
      return x;
    return cx && cy ? index(*cx - *cy) : Value();
  case KOp::mul:
    if (cx == 0 || cy == 0)
      return index(0);
    if (cx == 1)
      return y;
    if (cy == 1)
      return x;
    return cx && cy ? index(*cx * *cy) : Value();
  case KOp::floorDiv:
    if (cy == 1)
      return x;
    return cx == 0 ? index(0) : Value();
  case KOp::mod:
    return cy == 1 || cx == 0 ? index(0) : Value();
  default:
    return {};
  }
}

#define HEXIN_INDEX_OP(name, kop, OpT)                                                   \
  Value KernelBuilder::name(Value x, Value y) {                                          \
    if (Value folded = foldIndex(x, y, kop))                                             \
      return folded;                                                                     \
    return OpT::create(b, location, x, y);                                               \
  }
HEXIN_INDEX_OP(add, KOp::add, arith::AddIOp)
HEXIN_INDEX_OP(sub, KOp::sub, arith::SubIOp)
HEXIN_INDEX_OP(mul, KOp::mul, arith::MulIOp)
// Non-negative by contract; signed division lets LLVM keep its range facts.
HEXIN_INDEX_OP(div, KOp::floorDiv, arith::DivUIOp)
HEXIN_INDEX_OP(rem, KOp::mod, arith::RemUIOp)
HEXIN_INDEX_OP(min, KOp::min, arith::MinSIOp)
HEXIN_INDEX_OP(max, KOp::max, arith::MaxSIOp)
#undef HEXIN_INDEX_OP

Value KernelBuilder::less(Value x, Value y) {
  return arith::CmpIOp::create(b, location, arith::CmpIPredicate::slt, x, y);
}

SmallVector<Value> KernelBuilder::delinearize(Value position, ArrayRef<KExpr> sizes) {
  SmallVector<Value> result(sizes.size());
  for (size_t axis = sizes.size(); axis-- > 0;) {
    if (use.exprs.constantValue(sizes[axis]) == 1) {
      result[axis] = index(0);
      continue;
    }
    bool isOutermost = true;
    for (size_t outer = 0; outer < axis; ++outer)
      isOutermost &= use.exprs.constantValue(sizes[outer]) == 1;
    if (isOutermost) {
      result[axis] = position;
      position = index(0);
      continue;
    }
    Value size = value(sizes[axis]);
    Value quotient = div(position, size);
    result[axis] = sub(position, mul(quotient, size));
    position = quotient;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value KernelBuilder::bind(Value hxValue, KExpr numElements, bool isWritten) {
  Type element = storageType(cast<ShapedType>(hxValue.getType()).getElementType());
  return bindMemory(hxValue, element, numElements, isWritten);
}

void KernelBuilder::reportFault(Value value, Value size, FaultKind kind) {
  Type i64 = b.getI64Type();
  Value row = bindMemory({}, i64, constantExpr(2), /*isWritten=*/true);
  auto put = [&](int64_t at, Value value) {
    store(row, index(at), arith::IndexCastOp::create(b, location, i64, value), i64);
  };
  put(1, value);
  Value sizeAndOne = add(size, index(1));
  switch (kind) {
  case FaultKind::index:
    return put(0, sizeAndOne);
  case FaultKind::indexFromStart:
    return put(0, sub(index(0), sizeAndOne));
  case FaultKind::length:
    return put(0, sub(size, index(lengthFault)));
  }
}

/// `element`: as it stands in memory.
Value KernelBuilder::bindMemory(Value hxValue, Type element, KExpr numElements,
                                bool isWritten) {
  Block &entry = func.getBody().front();
  auto [it, isNew] = bindingOf.try_emplace(hxValue, bindingTypes.size());
  if (!isNew) {
    use.writes[it->second] = use.writes[it->second] || isWritten;
    return entry.getArgument(it->second);
  }
  auto type = MemRefType::get({ShapedType::kDynamic}, element);
  entry.insertArgument(bindingTypes.size(), type, location);
  bindingTypes.push_back(type);
  use.bindings.push_back(hxValue);
  use.writes.push_back(isWritten);
  int64_t bytes = (element.getIntOrFloatBitWidth() + 7) / 8;
  use.footprints.push_back(use.exprs.mul(numElements, constantExpr(bytes)));
  return entry.getArgument(bindingTypes.size() - 1);
}

Value KernelBuilder::load(Value memref, Value position, unsigned lanes,
                          Type hxElementType) {
  Type storage = storageType(hxElementType), compute = computeType(hxElementType);
  Value loaded;
  if (lanes > 1)
    loaded = vector::LoadOp::create(b, location, VectorType::get({lanes}, storage),
                                    memref, ValueRange(position));
  else
    loaded = memref::LoadOp::create(b, location, memref, ValueRange(position));
  if (compute == storage)
    return loaded;
  Type result = withLanes(compute, lanes);
  if (compute.isInteger(1))
    return arith::CmpIOp::create(b, location, arith::CmpIPredicate::ne, loaded,
                                 intConstant(0, storage, lanes));
  if (isa<FloatType>(compute))
    return arith::ExtFOp::create(b, location, result, loaded);
  return arith::TruncIOp::create(b, location, result, loaded);
}

void KernelBuilder::store(Value memref, Value position, Value value, Type hxElementType) {
  Type storage = storageType(hxElementType), compute = computeType(hxElementType);
  auto vectorType = dyn_cast<VectorType>(value.getType());
  if (compute != storage) {
    Type stored = withLanes(storage, vectorType ? vectorType.getNumElements() : 1);
    if (isa<FloatType>(compute))
      value = arith::TruncFOp::create(b, location, stored, value);
    else
      value = arith::ExtUIOp::create(b, location, stored, value);
  }
  if (vectorType)
    vector::StoreOp::create(b, location, value, memref, ValueRange(position));
  else
    memref::StoreOp::create(b, location, value, memref, ValueRange(position));
}

Value KernelBuilder::scratch(unsigned count, Type elementType) {
  OpBuilder entry(&func.getBody().front(), func.getBody().front().begin());
  return memref::AllocaOp::create(entry, location, MemRefType::get({count}, elementType),
                                  entry.getI64IntegerAttr(64));
}

//===----------------------------------------------------------------------===//
// Teams
//===----------------------------------------------------------------------===//

Value KernelBuilder::beginTeamItems(KExpr items, unsigned threads) {
  use.teamThreads = threads;
  return beginItems(items);
}

Value KernelBuilder::thread() {
  if (!threadNumber) {
    OpBuilder entry(&func.getBody().front(), func.getBody().front().begin());
    threadNumber = gpu::ThreadIdOp::create(entry, location, gpu::Dimension::x);
  }
  return threadNumber;
}

Value KernelBuilder::local(unsigned count, Type elementType) {
  OpBuilder entry(&func.getBody().front(), func.getBody().front().begin());
  auto space = gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  auto type = MemRefType::get({count}, elementType, MemRefLayoutAttrInterface(), space);
  constexpr unsigned alignment = 16;
  unsigned bytes = count * ((elementType.getIntOrFloatBitWidth() + 7) / 8);
  use.localBytes += llvm::alignTo(bytes, alignment);
  return memref::AllocaOp::create(entry, location, type,
                                  entry.getI64IntegerAttr(alignment));
}

void KernelBuilder::barrier() { gpu::BarrierOp::create(b, location); }

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value KernelBuilder::splat(Value value, unsigned lanes) {
  if (lanes == 1 || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(b, location,
                                     VectorType::get({lanes}, value.getType()), value);
}

Value KernelBuilder::floatConstant(double value, Type type, unsigned lanes) {
  TypedAttr attr = FloatAttr::get(type, value);
  if (lanes > 1)
    attr = DenseElementsAttr::get(VectorType::get({lanes}, type), {Attribute(attr)});
  return arith::ConstantOp::create(b, location, attr);
}

/// Sixteenths of small integers: what a formula has, rather than a trained model.
static bool isOfAFormula(double value) {
  return !std::isfinite(value) ||
         (std::abs(value) <= 1024 && value * 16 == std::trunc(value * 16));
}

Value KernelBuilder::floatScalar(double value, Type type, unsigned lanes) {
  if (isOfAFormula(value) || (!type.isF32() && !type.isF64()))
    return floatConstant(value, type, lanes);
  bool isWide = type.isF64();
  int64_t bits =
      isWide ? llvm::bit_cast<int64_t>(value)
             : static_cast<int64_t>(llvm::bit_cast<uint32_t>(static_cast<float>(value)));
  Value &scalar = floatScalars[{type, bits}];
  if (!scalar) {
    KExpr param = this->scalar(symbolicShapes.symbols().constant(bits));
    unsigned number = use.exprs.nodes()[param.node].lhs;
    OpBuilder entry(&func.getBody().front(), func.getBody().front().begin());
    scalar = func.getBody().front().getArgument(bindingTypes.size() + number);
    if (!isWide)
      scalar = arith::TruncIOp::create(entry, location, entry.getI32Type(), scalar);
    scalar = arith::BitcastOp::create(entry, location, type, scalar);
  }
  return splat(scalar, lanes);
}

Value KernelBuilder::intConstant(int64_t value, Type type, unsigned lanes) {
  APInt bits =
      APInt(64, value, /*isSigned=*/true).sextOrTrunc(type.getIntOrFloatBitWidth());
  TypedAttr attr = IntegerAttr::get(type, bits);
  if (lanes > 1)
    attr = DenseElementsAttr::get(VectorType::get({lanes}, type), bits);
  return arith::ConstantOp::create(b, location, attr);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

Value KernelBuilder::beginItems(KExpr items) {
  use.items = items;
  Block &entry = func.getBody().front();
  Value begin = entry.getArgument(entry.getNumArguments() - 2);
  Value end = entry.getArgument(entry.getNumArguments() - 1);
  auto loop = scf::ForOp::create(b, location, begin, end, index(1));
  itemLoop = loop;
  top.setInsertionPoint(loop);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  return loop.getInductionVar();
}

SmallVector<Value> KernelBuilder::forLoop(Value lower, Value upper, Value step,
                                          ValueRange init, LoopBody body) {
  auto loop = scf::ForOp::create(b, location, lower, upper, step, init);
  OpBuilder::InsertionGuard guard(b);
  if (init.empty()) {
    b.setInsertionPoint(loop.getBody()->getTerminator());
    body(loop.getInductionVar(), {});
    return {};
  }
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(b, location, next);
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> KernelBuilder::ifElse(Value condition, TypeRange types, Branch onTrue,
                                         Branch onFalse) {
  auto ifOp = scf::IfOp::create(b, location, types, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  for (auto [block, branch] :
       {std::pair(ifOp.thenBlock(), &onTrue), std::pair(ifOp.elseBlock(), &onFalse)}) {
    b.setInsertionPointToStart(block);
    SmallVector<Value> results = (*branch)();
    if (!types.empty()) // without results MLIR has put the yield there
      scf::YieldOp::create(b, location, results);
  }
  return SmallVector<Value>(ifOp.getResults());
}

void KernelBuilder::ifThen(Value condition, function_ref<void()> body) {
  auto ifOp = scf::IfOp::create(b, location, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(ifOp.thenBlock()->getTerminator());
  body();
}

//===----------------------------------------------------------------------===//
// Closing
//===----------------------------------------------------------------------===//

/// What is written comes last, as the artifact wants it.
void KernelBuilder::moveResultsLast() {
  Block &entry = func.getBody().front();
  size_t count = use.bindings.size();
  for (size_t moved = 0, i = 0; moved < count; ++moved) {
    if (!use.writes[i]) {
      ++i;
      continue;
    }
    Value last = entry.insertArgument(count, bindingTypes[i], location);
    entry.getArgument(i).replaceAllUsesWith(last);
    entry.eraseArgument(i);
    auto rotate = [i](auto &list) {
      std::rotate(list.begin() + i, list.begin() + i + 1, list.end());
    };
    rotate(use.bindings);
    rotate(use.writes);
    rotate(use.footprints);
    rotate(bindingTypes);
  }
}

KernelUse KernelBuilder::finish() {
  moveResultsLast();
  Block &entry = func.getBody().front();
  func.setFunctionType(b.getFunctionType(entry.getArgumentTypes(), {}));
  func->setAttr("hx.bindings", b.getI64IntegerAttr(use.bindings.size()));
  func->setAttr("hx.params", b.getI64IntegerAttr(use.params.size()));
  func->setAttr("hx.writes", b.getDenseBoolArrayAttr(use.writes));
  if (use.teamThreads > 0) {
    func->setAttr("hx.team_threads", b.getI64IntegerAttr(use.teamThreads));
    func->setAttr("hx.local_bytes", b.getI64IntegerAttr(use.localBytes));
  }

  std::string name = givenName;
  if (name.empty()) {
    std::string text;
    llvm::raw_string_ostream os(text);
    func->print(os, OpPrintingFlags().useLocalScope());
    // What planning computes from the params is part of the kernel, too.
    for (const KNode &node : use.exprs.nodes())
      os << static_cast<int>(node.op) << ' ' << node.lhs << ' ' << node.rhs << ' '
         << node.value << '\n';
    os << use.items.node;
    for (KExpr footprint : use.footprints)
      os << ' ' << footprint.node;
    name = llvm::formatv("k_{0:x-16}", llvm::xxh3_64bits(text)).str();
  }
  if (auto known = kernels.lookupSymbol<func::FuncOp>(name)) {
    func.erase();
    func = known;
  } else {
    func.setName(name);
  }
  use.name = name;
  use.func = func;
  return std::move(use);
}

} // namespace hexin::codegen
