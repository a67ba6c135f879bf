// Einsum as diagonals, sums and matrix products, operand by operand.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;

namespace hexin::onnx {
namespace {

/// Letters are themselves; axes under an ellipsis count from the right: -1 is the last.
using Labels = SmallVector<int>;

struct Term {
  Value value;
  Labels labels; ///< one per axis, all different
};

/// "ab...c" for `rank` axes. With a rank of -1 the ellipsis has `ellipsisRank` axes.
std::optional<Labels> parseTerm(OpBinder &b, StringRef text, int64_t rank,
                                int64_t ellipsisRank) {
  auto [before, after] = text.split("...");
  bool hasEllipsis = text.contains("...");
  Labels labels;
  int64_t numLetters = static_cast<int64_t>(text.size()) - (hasEllipsis ? 3 : 0);
  if (rank >= 0)
    ellipsisRank = rank - numLetters;
  bool isRight = llvm::all_of(before, llvm::isAlpha) &&
                 llvm::all_of(after, llvm::isAlpha) && ellipsisRank >= 0 &&
                 (hasEllipsis || rank < 0 || ellipsisRank == 0);
  if (!isRight) {
    b.error("'" + text + "' of the equation does not fit" +
            (rank >= 0 ? " an operand of rank " + Twine(rank) : Twine("")));
    return std::nullopt;
  }
  for (char letter : before)
    labels.push_back(letter);
  for (int64_t i = hasEllipsis ? ellipsisRank : 0; i > 0; --i)
    labels.push_back(static_cast<int>(-i));
  for (char letter : after)
    labels.push_back(letter);
  return labels;
}

SmallVector<int64_t> permutation(const Labels &from, const Labels &to) {
  SmallVector<int64_t> perm;
  for (int label : to)
    perm.push_back(llvm::find(from, label) - from.begin());
  return perm;
}

/// Axes of one label become one: its diagonal.
void takeDiagonals(OpBinder &b, Term &term) {
  for (size_t i = 0; i < term.labels.size() && !b.failed(); ++i) {
    auto *again = std::find(term.labels.begin() + static_cast<ptrdiff_t>(i) + 1,
                            term.labels.end(), term.labels[i]);
    if (again == term.labels.end())
      continue;
    size_t j = again - term.labels.begin();
    SmallVector<int64_t> perm{static_cast<int64_t>(i), static_cast<int64_t>(j)};
    Labels rest{term.labels[i]};
    for (size_t axis = 0; axis < term.labels.size(); ++axis)
      if (axis != i && axis != j) {
        perm.push_back(static_cast<int64_t>(axis));
        rest.push_back(term.labels[axis]);
      }
    Value square = b.transpose(term.value, perm);
    if (b.failed())
      return;
    Value positions = b.shape.iota({b.dims(square)[0]}, 0, b.builder.getI64Type());
    term.value = b.gather(square, positions, /*axis=*/1, /*batchDims=*/1);
    term.labels = rest;
    --i; // once more, for a third axis
  }
}

/// Sums over the axes whose label `isNeeded` does not want.
void sumOthers(OpBinder &b, Term &term, llvm::function_ref<bool(int)> isNeeded) {
  SmallVector<int64_t> axes;
  Labels kept;
  for (auto [axis, label] : llvm::enumerate(term.labels))
    if (isNeeded(label))
      kept.push_back(label);
    else
      axes.push_back(static_cast<int64_t>(axis));
  if (axes.empty() || b.failed())
    return;
  term.value = b.reduce(ReduceFn::sum, term.value, axes, /*keepDims=*/false);
  term.labels = kept;
}

/// Both in one, summed over what they share and nobody needs: a product of
/// [shared..., lhs only, summed] and [shared..., summed, rhs only].
Term contract(OpBinder &b, Term lhs, Term rhs, llvm::function_ref<bool(int)> isNeeded) {
  auto has = [](const Term &term, int label) {
    return llvm::is_contained(term.labels, label);
  };
  sumOthers(b, lhs, [&](int label) { return isNeeded(label) || has(rhs, label); });
  sumOthers(b, rhs, [&](int label) { return isNeeded(label) || has(lhs, label); });
  Labels shared, summed, ofLhs, ofRhs;
  for (int label : lhs.labels)
    (!has(rhs, label) ? ofLhs : isNeeded(label) ? shared : summed).push_back(label);
  for (int label : rhs.labels)
    if (!has(lhs, label))
      ofRhs.push_back(label);
  auto arranged = [&](const Term &term, const Labels &middle, const Labels &last) {
    Labels order = shared;
    order.append(middle);
    order.append(last);
    Value value = b.transpose(term.value, permutation(term.labels, order));
    if (b.failed())
      return Value();
    Dims dims = b.dims(value);
    Dims sizes(dims.begin(), dims.begin() + static_cast<ptrdiff_t>(shared.size()));
    ArrayRef<Dim> others = ArrayRef<Dim>(dims).drop_front(shared.size());
    sizes.push_back(b.shape.product(others.take_front(middle.size())));
    sizes.push_back(b.shape.product(others.drop_front(middle.size())));
    return b.shape.reshape(value, sizes);
  };
  auto sizesOf = [&](const Term &term, const Labels &labels, Dims &sizes) {
    Dims dims = b.dims(term.value);
    for (int64_t axis : permutation(term.labels, labels))
      sizes.push_back(dims[axis]);
  };
  Value left = arranged(lhs, ofLhs, summed), right = arranged(rhs, summed, ofRhs);
  Term result;
  if (b.failed())
    return result;
  Value product = b.matmul(left, right);
  if (b.failed())
    return result;
  Dims productDims = b.dims(product);
  Dims sizes(productDims.begin(),
             productDims.begin() + static_cast<ptrdiff_t>(shared.size()));
  sizesOf(lhs, ofLhs, sizes);
  sizesOf(rhs, ofRhs, sizes);
  result.labels = shared;
  result.labels.append(ofLhs);
  result.labels.append(ofRhs);
  result.value = b.shape.reshape(product, sizes);
  return result;
}

/// Without "->": the ellipsis, then letters that stand once, in order.
Labels impliedResult(ArrayRef<Term> terms, int64_t ellipsisRank) {
  std::map<int, int> count;
  for (const Term &term : terms)
    for (int label : term.labels)
      ++count[label];
  Labels result;
  for (int64_t i = ellipsisRank; i > 0; --i)
    result.push_back(static_cast<int>(-i));
  for (auto [label, times] : count)
    if (label > 0 && times == 1)
      result.push_back(label);
  return result;
}

void importEinsum(OpBinder &b) {
  std::string equation = b.stringAttr("equation", "").str();
  llvm::erase(equation, ' ');
  auto [inputs, output] = StringRef(equation).split("->");
  SmallVector<StringRef> texts;
  inputs.split(texts, ',');
  if (texts.size() != b.numInputs())
    return b.error("the equation '" + Twine(equation) + "' has " + Twine(texts.size()) +
                   " operands, the node " + Twine(b.numInputs()));
  SmallVector<Term> terms;
  int64_t ellipsisRank = 0;
  for (auto [i, text] : llvm::enumerate(texts)) {
    if (!b.has(static_cast<unsigned>(i)))
      return b.error("input #" + Twine(i) + " is left out");
    Value value = b.input(static_cast<unsigned>(i));
    std::optional<Labels> labels = parseTerm(b, text, HxBuilder::rank(value), 0);
    if (!labels)
      return;
    for (int label : *labels)
      ellipsisRank = std::max<int64_t>(ellipsisRank, -label);
    terms.push_back({value, *labels});
  }
  Labels result = impliedResult(terms, ellipsisRank);
  if (StringRef(equation).contains("->")) {
    std::optional<Labels> given = parseTerm(b, output, -1, ellipsisRank);
    if (!given)
      return;
    result = *given;
  }
  for (auto [i, label] : llvm::enumerate(result)) {
    auto isThere = [&](const Term &term) {
      return llvm::is_contained(term.labels, label);
    };
    if (!llvm::any_of(terms, isThere) ||
        llvm::is_contained(ArrayRef(result).take_front(i), label))
      return b.error("'" + output +
                     "' of the equation names an axis that no operand "
                     "has, or one twice");
  }
  for (Term &term : terms)
    takeDiagonals(b, term);
  Term sum = terms.front();
  for (size_t i = 1; i < terms.size() && !b.failed(); ++i)
    sum = contract(b, sum, terms[i], [&](int label) {
      return llvm::is_contained(result, label) ||
             llvm::any_of(ArrayRef(terms).drop_front(i + 1), [&](const Term &term) {
               return llvm::is_contained(term.labels, label);
             });
    });
  sumOthers(b, sum, [&](int label) { return llvm::is_contained(result, label); });
  if (!b.failed())
    b.result(0, b.transpose(sum.value, permutation(sum.labels, result)));
}

} // namespace

void registerEinsumOps(OpTable &table) {
  table.add("", {
                    {"Einsum", 12, 1, OpRow::any, importEinsum},
                });
}

} // namespace hexin::onnx
