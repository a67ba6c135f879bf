// Movement, selection and comparison of strings: the kernel for numbers says where each
// element comes from, or which are equal, by moving and comparing their numbers.
#include "runtime/host/Kernel.h"

#include "runtime/base/ValueCheck.h"
#include "runtime/reference/Reference.h"

#include <algorithm>
#include <unordered_map>

namespace hexin::host {
namespace {

constexpr std::string_view moves[] = {
    "reshape", "transpose",  "broadcast_to",    "slice",     "concat",
    "pad",     "gather",     "gather_elements", "gather_nd", "scatter_elements",
    "select",  "scatter_nd", "compare"};

/// Stand-ins for the strings of all operands: their positions, one operand after the
/// other, or, to be compared, one number per distinct string.
class Numbers {
public:
  explicit Numbers(bool isCompared) : isCompared(isCompared) {}

  Result<Tensor> add(const StringTensor &strings) {
    HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(DType::i64, strings.dims));
    if (static_cast<size_t>(tensor.numElements()) != strings.elements.size())
      return invalidArgument(
          "a tensor of strings has " + std::to_string(strings.elements.size()) +
          " elements, its sizes say " + std::to_string(tensor.numElements()));
    int64_t *numbers = tensor.as<int64_t>();
    for (const std::string &text : strings.elements) {
      auto next = static_cast<int64_t>(all.size());
      int64_t number = isCompared ? distinct.emplace(text, next).first->second : next;
      if (number == next)
        all.push_back(&text);
      *numbers++ = number;
    }
    return tensor;
  }

  Result<StringTensor> strings(const Tensor &numbers) const {
    HEXIN_ASSIGN_OR_RETURN(StringTensor strings,
                           makeStrings({numbers.dims().begin(), numbers.dims().end()}));
    TextBudget budget;
    for (size_t i = 0; i < strings.elements.size(); ++i) {
      int64_t number = numbers.as<int64_t>()[i];
      if (number < 0 || number >= static_cast<int64_t>(all.size()))
        return internalError("a moved string comes from nowhere");
      const std::string &text = *all[static_cast<size_t>(number)];
      HEXIN_RETURN_IF_ERROR(budget.take(text.size()));
      strings.elements[i] = text;
    }
    return strings;
  }

private:
  bool isCompared;
  std::vector<const std::string *> all;
  std::unordered_map<std::string_view, int64_t> distinct;
};

} // namespace

bool movesStrings(std::string_view op) {
  return std::ranges::find(moves, op) != std::end(moves);
}

Values runMoves(const Call &call) {
  bool isCompared = call.op == "compare";
  std::string_view fn = call.attributes.getString("fn", "set");
  std::string_view predicate = call.attributes.getString("predicate", "eq");
  if (call.results.size() != 1 || (call.op.starts_with("scatter") && fn != "set") ||
      (isCompared && predicate != "eq"))
    return unsupported("strings are only moved and compared for equality");
  Numbers numbers(isCompared);
  std::vector<Tensor> made;
  made.reserve(call.operands.size());
  std::vector<const Tensor *> operands;
  for (size_t i = 0; i < call.operands.size(); ++i) {
    if (!call.operands[i]) {
      operands.push_back(nullptr);
      continue;
    }
    if (const StringTensor *strings = call.operands[i]->strings()) {
      HEXIN_ASSIGN_OR_RETURN(Tensor tensor, numbers.add(*strings));
      made.push_back(std::move(tensor));
      operands.push_back(&made.back());
      continue;
    }
    HEXIN_ASSIGN_OR_RETURN(const Tensor *tensor, call.tensor(i));
    operands.push_back(tensor);
  }
  DType dtype = isCompared ? DType::boolean : DType::i64;
  HEXIN_ASSIGN_OR_RETURN(auto results,
                         reference::run(call.op, call.attributes, operands, {&dtype, 1}));
  if (isCompared)
    return single(std::move(results[0]));
  HEXIN_ASSIGN_OR_RETURN(StringTensor strings, numbers.strings(results[0]));
  return single(std::move(strings));
}

} // namespace hexin::host
