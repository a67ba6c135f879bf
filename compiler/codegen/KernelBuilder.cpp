#include "compiler/codegen/KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"

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
    use.paramMultiples.push_back(1);
    func.getBody().front().insertArgument(numMemrefs() + number, b.getI64Type(),
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
    Value argument = func.getBody().front().getArgument(numMemrefs() + node.lhs);
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

Value KernelBuilder::firstItem() {
  Block &entry = func.getBody().front();
  return entry.getArgument(entry.getNumArguments() - 2);
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
    rotate(use.alignments);
    rotate(bindingTypes);
  }
}

static std::string textOf(func::FuncOp func) {
  std::string text;
  llvm::raw_string_ostream os(text);
  func->print(os, OpPrintingFlags().useLocalScope());
  return text;
}

KernelUse KernelBuilder::finish() {
  moveResultsLast();
  Block &entry = func.getBody().front();
  func.setFunctionType(b.getFunctionType(entry.getArgumentTypes(), {}));
  func->setAttr("hx.bindings", b.getI64IntegerAttr(numMemrefs()));
  func->setAttr("hx.params", b.getI64IntegerAttr(use.params.size()));
  func->setAttr("hx.writes", b.getDenseBoolArrayAttr(use.writes));
  if (use.flushesSubnormals)
    func->setAttr(flushesSubnormalsAttr, b.getUnitAttr());
  auto list = [&](ArrayRef<unsigned> values) {
    return b.getDenseI64ArrayAttr(SmallVector<int64_t>(values));
  };
  auto isMore = [](unsigned value) { return value > 1; };
  if (llvm::any_of(use.alignments, isMore))
    func->setAttr("hx.alignments", list(use.alignments));
  if (llvm::any_of(use.paramMultiples, isMore))
    func->setAttr("hx.param_multiples", list(use.paramMultiples));
  if (workspaceMemory)
    func->setAttr("hx.workspace", b.getUnitAttr());
  if (use.teamThreads > 0) {
    func->setAttr("hx.team_threads", b.getI64IntegerAttr(use.teamThreads));
    func->setAttr("hx.local_bytes", b.getI64IntegerAttr(use.localBytes));
  }

  std::string name = givenName;
  if (name.empty()) {
    std::string text = textOf(func);
    llvm::raw_string_ostream os(text);
    // What planning computes from the params is part of the kernel, too.
    for (const KNode &node : use.exprs.nodes())
      os << static_cast<int>(node.op) << ' ' << node.lhs << ' ' << node.rhs << ' '
         << node.value << '\n';
    os << use.items.node;
    for (KExpr footprint : use.footprints)
      os << ' ' << footprint.node;
    if (use.workspaceBytes)
      os << ' ' << use.workspaceBytes->node;
    name = llvm::formatv("k_{0:x-16}", llvm::xxh3_64bits(text)).str();
  }
  if (auto known = kernels.lookupSymbol<func::FuncOp>(name)) {
    // Kernels may be the same for one arch and not for another.
    func.setName(name);
    use.hasOtherName = !givenName.empty() && textOf(func) != textOf(known);
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
