#include "runtime/artifact/ProgramVerifier.h"

namespace hexin::verify {

Status ProgramVerifier::verifyPool(const ExprPool *pool, const fmt::Kernel *kernel,
                                   const char *what) {
  HEXIN_RETURN_IF_ERROR(budget.charge(pool));
  for (uint32_t i = 0; i < sizeOf(pool); ++i)
    HEXIN_RETURN_IF_ERROR(verifyNode(*pool->Get(i), i, kernel, what));
  return Status::success();
}

Status ProgramVerifier::verifyNode(const fmt::ExprNode &node, uint32_t id,
                                   const fmt::Kernel *kernel, const char *what) {
  auto isBelow = [&](int32_t other) {
    return other >= 0 && static_cast<uint32_t>(other) < id;
  };
  auto bad = [&](const char *why) { return corruptData(at(what, id) + why); };
  switch (node.op()) {
  case fmt::ExprOp::constant:
    return Status::success();
  case fmt::ExprOp::param:
    if (!kernel || node.a() < 0 ||
        static_cast<uint32_t>(node.a()) >= kernel->param_count())
      return bad(" reads a parameter that does not exist");
    return Status::success();
  case fmt::ExprOp::input_dim:
    if (kernel || node.a() < 0 ||
        static_cast<uint32_t>(node.a()) >= sizeOf(header.inputs()) || node.b() < 0 ||
        static_cast<uint32_t>(node.b()) >= sizeOf(header.inputs()->Get(node.a())->dims()))
      return bad(" reads an input axis that does not exist");
    return Status::success();
  case fmt::ExprOp::element: {
    if (kernel || !isValue(node.a()) || node.b() < 0)
      return bad(" reads a value that does not exist");
    auto dtype = static_cast<DType>(program.values()->Get(node.a())->dtype());
    if ((!isInteger(dtype) && dtype != DType::boolean) || !holdsNumbers(node.a()))
      return bad(" reads an element that is no integer");
    return Status::success();
  }
  case fmt::ExprOp::result_dim:
    if (kernel || !isValue(node.a()) || node.b() < 0 ||
        static_cast<uint32_t>(node.b()) >=
            sizeOf(program.values()->Get(node.a())->dims()))
      return bad(" reads an axis that does not exist");
    return Status::success();
  case fmt::ExprOp::iteration:
    if (kernel || node.a() < 0 ||
        static_cast<uint32_t>(node.a()) >= sizeOf(program.loops()))
      return bad(" counts a loop that does not exist");
    return Status::success();
  case fmt::ExprOp::add:
  case fmt::ExprOp::sub:
  case fmt::ExprOp::mul:
  case fmt::ExprOp::floordiv:
  case fmt::ExprOp::ceildiv:
  case fmt::ExprOp::mod:
  case fmt::ExprOp::min:
  case fmt::ExprOp::max:
  case fmt::ExprOp::eq:
  case fmt::ExprOp::lt:
    if (!isBelow(node.a()) || !isBelow(node.b()))
      return bad(" refers to a node that is not before it");
    return Status::success();
  case fmt::ExprOp::select:
    if (!isBelow(node.a()) || !isBelow(node.b()) || !isBelow(node.c()))
      return bad(" refers to a node that is not before it");
    return Status::success();
  }
  return versionMismatch(at(what, id) + " has an operation this build does not know");
}

} // namespace hexin::verify
