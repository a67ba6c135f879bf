#include "compiler/artifact/ShapeExprs.h"

using namespace mlir;

namespace hexin {

int32_t ShapeExprs::append(fmt::ExprOp op, int32_t a, int32_t b, int32_t c,
                           int64_t value) {
  auto [it, isNew] = interned.try_emplace({op, a, b, c, value}, pool.size());
  if (isNew)
    pool.push_back(fmt::ExprNode(value, a, b, c, op));
  return it->second;
}

int32_t ShapeExprs::constant(int64_t value) {
  return append(fmt::ExprOp::constant, -1, -1, -1, value);
}

/// Where the branches know the size only inside of themselves it is the size in the
/// one that is taken: `select` looks at no other.
int32_t ShapeExprs::sizeOfChoice(hx::IfOp op, unsigned result, unsigned axis) {
  auto sizeIn = [&](Region &region) {
    auto yield = cast<hx::YieldOp>(region.front().getTerminator());
    return add(shapes.dims(yield.getValues()[result])[axis]);
  };
  int32_t condition = add(shapes.contents(op.getCondition())->front());
  int32_t onTrue = sizeIn(op.getThenRegion()), onFalse = sizeIn(op.getElseRegion());
  if (condition < 0 || onTrue < 0 || onFalse < 0)
    return -1;
  return append(fmt::ExprOp::select, condition, onTrue, onFalse, 0);
}

int32_t ShapeExprs::symbol(const hx::Symbol &symbol) {
  switch (symbol.kind) {
  case hx::Symbol::Kind::inputDim: {
    auto argument = dyn_cast<BlockArgument>(symbol.value);
    if (!argument)
      return -1;
    return append(fmt::ExprOp::input_dim, argument.getArgNumber(), symbol.index, -1, 0);
  }
  case hx::Symbol::Kind::element:
  case hx::Symbol::Kind::resultDim: {
    bool isSize = symbol.kind == hx::Symbol::Kind::resultDim;
    if (auto ifOp = isSize ? symbol.value.getDefiningOp<hx::IfOp>() : nullptr)
      return sizeOfChoice(ifOp, cast<OpResult>(symbol.value).getResultNumber(),
                          symbol.index);
    if (auto loop = loops.find(symbol.value); loop != loops.end())
      return append(fmt::ExprOp::iteration, loop->second, -1, -1, 0);
    int32_t value = valueId(symbol.value);
    bool isElement = symbol.kind == hx::Symbol::Kind::element;
    if (value < 0)
      return -1;
    return append(isElement ? fmt::ExprOp::element : fmt::ExprOp::result_dim, value,
                  symbol.index, -1, 0);
  }
  case hx::Symbol::Kind::derived:
    break;
  }
  SmallVector<int32_t, 3> operands;
  for (hx::Dim operand : symbol.operands) {
    operands.push_back(add(operand));
    if (operands.back() < 0)
      return -1;
  }
  using Function = hx::Symbol::Function;
  auto binary = [&](fmt::ExprOp op) {
    return append(op, operands[0], operands[1], -1, 0);
  };
  switch (symbol.function) {
  case Function::mul:
    return binary(fmt::ExprOp::mul);
  case Function::floorDiv:
    return binary(fmt::ExprOp::floordiv);
  case Function::ceilDiv:
    return binary(fmt::ExprOp::ceildiv);
  case Function::mod:
    return binary(fmt::ExprOp::mod);
  case Function::min:
    return binary(fmt::ExprOp::min);
  case Function::max:
    return binary(fmt::ExprOp::max);
  case Function::eq:
    return binary(fmt::ExprOp::eq);
  case Function::lt:
    return binary(fmt::ExprOp::lt);
  case Function::select:
    return append(fmt::ExprOp::select, operands[0], operands[1], operands[2], 0);
  default:
    return -1;
  }
}

int32_t ShapeExprs::add(hx::Dim dim) {
  if (auto it = known.find(dim); it != known.end())
    return it->second;
  int32_t node = -1;
  if (auto value = hx::SymbolTable::constantValue(dim)) {
    node = constant(*value);
  } else if (auto position = dyn_cast<AffineSymbolExpr>(dim)) {
    // A copy: adding operands may grow the table.
    hx::Symbol definition = shapes.symbols().symbols()[position.getPosition()];
    node = symbol(definition);
  } else if (auto pair = dyn_cast<AffineBinaryOpExpr>(dim)) {
    int32_t a = add(pair.getLHS()), b = add(pair.getRHS());
    if (a >= 0 && b >= 0) {
      fmt::ExprOp op = pair.getKind() == AffineExprKind::Add   ? fmt::ExprOp::add
                       : pair.getKind() == AffineExprKind::Mul ? fmt::ExprOp::mul
                       : pair.getKind() == AffineExprKind::Mod ? fmt::ExprOp::mod
                       : pair.getKind() == AffineExprKind::FloorDiv
                           ? fmt::ExprOp::floordiv
                           : fmt::ExprOp::ceildiv;
      node = append(op, a, b, -1, 0);
    }
  }
  if (node >= 0) // else its value may come yet
    known[dim] = node;
  return node;
}

static fmt::ExprOp toOp(codegen::KOp op) {
  switch (op) {
  case codegen::KOp::constant:
    return fmt::ExprOp::constant;
  case codegen::KOp::param:
    return fmt::ExprOp::param;
  case codegen::KOp::add:
    return fmt::ExprOp::add;
  case codegen::KOp::sub:
    return fmt::ExprOp::sub;
  case codegen::KOp::mul:
    return fmt::ExprOp::mul;
  case codegen::KOp::floorDiv:
    return fmt::ExprOp::floordiv;
  case codegen::KOp::ceilDiv:
    return fmt::ExprOp::ceildiv;
  case codegen::KOp::mod:
    return fmt::ExprOp::mod;
  case codegen::KOp::min:
    return fmt::ExprOp::min;
  case codegen::KOp::max:
    return fmt::ExprOp::max;
  }
  llvm_unreachable("no other op");
}

std::vector<fmt::ExprNode> toNodes(const codegen::KExprPool &pool,
                                   llvm::MutableArrayRef<int32_t> roots) {
  // Operands come before what uses them.
  llvm::ArrayRef<codegen::KNode> nodes = pool.nodes();
  auto hasOperands = [](const codegen::KNode &node) {
    return node.op != codegen::KOp::constant && node.op != codegen::KOp::param;
  };
  std::vector<bool> isNeeded(nodes.size());
  for (int32_t root : roots)
    if (root >= 0)
      isNeeded[root] = true;
  for (size_t i = nodes.size(); i-- > 0;)
    if (isNeeded[i] && hasOperands(nodes[i]))
      isNeeded[nodes[i].lhs] = isNeeded[nodes[i].rhs] = true;

  std::vector<fmt::ExprNode> kept;
  std::vector<int32_t> numbers(nodes.size(), -1);
  for (auto [i, node] : llvm::enumerate(nodes)) {
    if (!isNeeded[i])
      continue;
    numbers[i] = static_cast<int32_t>(kept.size());
    bool isInner = hasOperands(node);
    kept.push_back(fmt::ExprNode(node.value, isInner ? numbers[node.lhs] : node.lhs,
                                 isInner ? numbers[node.rhs] : node.rhs, -1,
                                 toOp(node.op)));
  }
  for (int32_t &root : roots)
    if (root >= 0)
      root = numbers[root];
  return kept;
}

} // namespace hexin
