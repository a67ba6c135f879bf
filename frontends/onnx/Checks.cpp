#include "frontends/onnx/Checks.h"

#include "compiler/ir/CheckOps.h"
#include "compiler/ir/SizeText.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {

/// Places {0}, {1}, ... in `message`: `text(i)` for each.
static std::string withPlaces(StringRef message, size_t count,
                              llvm::function_ref<std::string(size_t)> text) {
  std::string result = message.str();
  for (size_t i = count; i-- > 0;) {
    std::string place = "{" + std::to_string(i) + "}";
    for (size_t at = 0; (at = result.find(place, at)) != std::string::npos;) {
      std::string value = text(i);
      result.replace(at, place.size(), value);
      at += value.size();
    }
  }
  return result;
}

void check(OpBinder &b, Dim condition, const Twine &message, ArrayRef<Dim> shown) {
  if (b.failed())
    return;
  if (auto known = hx::SymbolTable::constantValue(condition)) {
    if (*known == 0)
      b.contradiction(withPlaces(message.str(), shown.size(), [&](size_t i) {
        return hx::describeSize(b.symbols(), shown[i]);
      }));
    return;
  }
  Dims numbers{condition};
  llvm::append_range(numbers, shown);
  Value built = b.shape.build(numbers);
  if (b.failed())
    return;
  // Element 0 is the condition.
  std::string text = withPlaces(message.str(), shown.size(), [](size_t i) {
    return "{" + std::to_string(i + 1) + "}";
  });
  auto op = hx::CheckOp::create(b.builder, b.loc, built, text);
  if (mlir::failed(b.shapes.infer(op)))
    b.markFailed();
}

void checkRange(OpBinder &b, Dim dim, int64_t lower, int64_t upper, const Twine &what) {
  if (b.failed())
    return;
  hx::SymbolTable &symbols = b.symbols();
  if (symbols.lowerBound(dim) >= lower && symbols.upperBound(dim) <= upper)
    return;
  Dim one = b.shape.constant(1), zero = b.shape.constant(0);
  Dim holds = symbols.eq(symbols.lt(dim, b.shape.constant(lower)), zero);
  std::string expected = "at least " + std::to_string(lower);
  if (upper != INT64_MAX) {
    holds = symbols.select(symbols.lt(b.shape.constant(upper), dim), zero, holds);
    expected = lower == upper ? std::to_string(lower)
                              : std::to_string(lower) + " to " + std::to_string(upper);
  }
  check(b, symbols.select(holds, one, zero), what + " is {0}, expected " + expected,
        {dim});
}

void checkEqual(OpBinder &b, Dim lhs, const Twine &whatLhs, Dim rhs,
                const Twine &whatRhs) {
  if (!b.failed() && lhs != rhs)
    check(b,
          b.symbols().isKnownDifferent(lhs, rhs) ? b.shape.constant(0)
                                                 : b.symbols().eq(lhs, rhs),
          whatLhs + " is {0}, but " + whatRhs + " is {1}: they must be equal",
          {lhs, rhs});
}

void checkMultiple(OpBinder &b, Dim dim, int64_t divisor, const Twine &what) {
  if (b.failed())
    return;
  Dim rest = b.symbols().mod(dim, b.shape.constant(divisor));
  check(b, b.symbols().eq(rest, b.shape.constant(0)),
        what + " is {0}, expected a multiple of " + Twine(divisor), {dim});
}

Dim readOne(OpBinder &b, Value operand, const Twine &what) {
  Dim one = b.shape.constant(1);
  if (b.failed())
    return one;
  Dim count = b.shapes.numElements(operand);
  if (!hx::SymbolTable::constantValue(count)) {
    check(b, b.symbols().eq(count, one), what + " must be one number, got {0} of them",
          {count});
    operand = b.reshape(b.cast(operand, b.builder.getI64Type()), b.ints({1}));
  } else if (count != one) {
    b.error(what + " must be one number");
  }
  if (b.failed())
    return one;
  FailureOr<Dims> elements = b.shape.read(operand);
  if (mlir::failed(elements)) {
    b.markFailed();
    return one;
  }
  return elements->front();
}

Value checkedLengths(OpBinder &b, Value lengths, Dim limit, StringRef name) {
  if (b.failed())
    return {};
  hx::SymbolTable &symbols = b.symbols();
  if (auto known = b.shapes.contents(lengths)) {
    Dim zero = b.shape.constant(0);
    for (auto [i, length] : llvm::enumerate(*known)) {
      Dim isWithin = symbols.select(symbols.lt(length, zero), zero,
                                    symbols.eq(symbols.lt(limit, length), zero));
      check(b, isWithin, name + "[" + Twine(i) + "] is {0}, expected 0 to {1}",
            {length, limit});
    }
    return lengths;
  }
  Value most = b.shape.build({limit});
  return b.failed()
             ? Value()
             : b.make<hx::CheckLengthsOp>(HxBuilder::elementType(lengths), lengths, most);
}

} // namespace hexin::onnx
