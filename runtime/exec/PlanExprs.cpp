// PlanBuilder: sizes and constraints.
#include "runtime/exec/PlanBuilder.h"

#include "runtime/artifact/Format.h"
#include "runtime/exec/HostElements.h"

#include <charconv>

namespace hexin {

using fmt::sizeOf;

std::string PlanBuilder::describeInstruction() const {
  const fmt::Instruction *instruction = program_.instructions()->Get(instruction_);
  std::string text = "instruction " + std::to_string(instruction_);
  if (sizeOf(instruction->op()) > 0)
    text += " (" + instruction->op()->str() + ")";
  if (sizeOf(instruction->node()) > 0)
    text += " of '" + instruction->node()->str() + "'";
  return text;
}

std::string PlanBuilder::where() const {
  return state_->position < info_.order.size() ? describeInstruction()
                                               : std::string("the end");
}

std::string PlanBuilder::describeValue(uint32_t value) const {
  const flatbuffers::String *name = program_.values()->Get(value)->name();
  return "value " + std::to_string(value) +
         (sizeOf(name) > 0 ? " '" + name->str() + "'" : std::string());
}

Status PlanBuilder::corrupt(const std::string &what) const {
  return corruptData("program '" + program_.target()->str() + "', " + where() + ": " +
                     what);
}

Status PlanBuilder::blocked() {
  blocked_ = true;
  return failedPrecondition("a size is not known yet");
}

Status PlanBuilder::need(int32_t expr, const std::string &what, int64_t &value) {
  const ExprResult &result = state_->exprs[expr];
  if (result.isKnown()) {
    value = result.value;
    return Status::success();
  }
  if (result.isPending()) {
    blockedOn_ = expr;
    return blocked();
  }
  Status failure = result.state == ExprState::outOfRange
                       ? outOfRange(what + " " + describeFailure(result.state))
                       : invalidArgument(what + " " + describeFailure(result.state) +
                                         " for these inputs");
  return failure.withContext(where());
}

Status PlanBuilder::needDims(uint32_t value, Dims &dims) {
  const auto *exprs = program_.values()->Get(value)->dims();
  dims.resize(sizeOf(exprs));
  for (uint32_t axis = 0; axis < dims.size(); ++axis) {
    HEXIN_RETURN_IF_ERROR(need(exprs->Get(axis), "a size", dims[axis]));
    if (dims[axis] < 0)
      return invalidArgument("axis " + std::to_string(axis) + " of " +
                             describeValue(value) + " gets size " +
                             std::to_string(dims[axis]) + " for these inputs")
          .withContext(where());
  }
  return Status::success();
}

bool PlanBuilder::tryDims(uint32_t value, Dims &dims) const {
  const auto *exprs = program_.values()->Get(value)->dims();
  dims.resize(sizeOf(exprs));
  for (uint32_t axis = 0; axis < dims.size(); ++axis) {
    const ExprResult &size = state_->exprs[exprs->Get(axis)];
    if (!size.isKnown() || size.value < 0)
      return false;
    dims[axis] = size.value;
  }
  return true;
}

ExprResult PlanBuilder::readNow(const fmt::ExprNode &node) const {
  if (node.op() == fmt::ExprOp::input_dim)
    return ExprResult::of(inputDims_[node.a()][node.b()]);
  if (node.op() == fmt::ExprOp::iteration) {
    for (const PlanState::Loop &loop : state_->loops)
      if (loop.loop == static_cast<uint32_t>(node.a()))
        return ExprResult::of(loop.iteration);
    return {};
  }
  // Weights are constants; anything else is read during the run.
  auto value = static_cast<uint32_t>(node.a());
  if (node.op() == fmt::ExprOp::element && info_.storage[value] == Storage::weight)
    return readElement(static_cast<DType>(program_.values()->Get(value)->dtype()),
                       context_.program.weightBytes(info_.storageIndex[value]), node.b());
  return {};
}

Status PlanBuilder::evaluate() {
  state_->exprs.evaluate(
      [&](int32_t, const fmt::ExprNode &node) { return readNow(node); });
  return checkConstraints();
}

/// The message of `constraint` with the values that it shows.
static std::string complete(const fmt::Constraint &constraint, const ExprTable &exprs) {
  const std::string message = constraint.message() ? constraint.message()->str() : "";
  std::string text;
  for (size_t at = 0; at < message.size(); ++at) {
    size_t end = message[at] == '{' ? message.find('}', at) : std::string::npos;
    uint32_t place = 0;
    bool isPlace =
        end != std::string::npos &&
        std::from_chars(&message[at + 1], &message[end], place).ptr == &message[end] &&
        end > at + 1 && place < sizeOf(constraint.shown());
    if (!isPlace) {
      text += message[at];
      continue;
    }
    const ExprResult &shown = exprs[constraint.shown()->Get(place)];
    text += shown.isKnown() ? std::to_string(shown.value) : "?";
    at = end;
  }
  return text;
}

Status PlanBuilder::checkConstraints() const {
  for (uint32_t i = 0; i < sizeOf(program_.constraints()); ++i) {
    const fmt::Constraint *constraint = program_.constraints()->Get(i);
    const ExprResult &left = state_->exprs[constraint->expr()];
    const ExprResult right =
        constraint->equal() >= 0 ? state_->exprs[constraint->equal()] : ExprResult::of(0);
    if (left.isPending() || right.isPending())
      continue;
    if (sizeOf(constraint->shown()) > 0) {
      if (!left.isKnown() || left.value < constraint->lo() ||
          left.value > constraint->hi())
        return invalidArgument(complete(*constraint, state_->exprs));
      continue;
    }
    std::string message = sizeOf(constraint->message()) > 0
                              ? constraint->message()->str()
                              : "a size does not fit the model";
    if (!left.isKnown() || !right.isKnown())
      return invalidArgument(message + ": it " +
                             describeFailure(left.isKnown() ? right.state : left.state));
    if (constraint->equal() >= 0) {
      if (left.value != right.value)
        return invalidArgument(message + ": " + std::to_string(left.value) +
                               " is not equal to " + std::to_string(right.value));
      continue;
    }
    if (left.value < constraint->lo() || left.value > constraint->hi())
      return invalidArgument(message + ": expected " + std::to_string(constraint->lo()) +
                             " to " + std::to_string(constraint->hi()) + ", got " +
                             std::to_string(left.value));
    if (left.value % constraint->divisor() != 0)
      return invalidArgument(message + ": expected a multiple of " +
                             std::to_string(constraint->divisor()) + ", got " +
                             std::to_string(left.value));
  }
  return Status::success();
}

bool PlanBuilder::hasPendingConstraint() const {
  for (uint32_t i = 0; i < sizeOf(program_.constraints()); ++i) {
    const fmt::Constraint *constraint = program_.constraints()->Get(i);
    if (state_->exprs[constraint->expr()].isPending() ||
        (constraint->equal() >= 0 && state_->exprs[constraint->equal()].isPending()))
      return true;
  }
  return false;
}

} // namespace hexin
