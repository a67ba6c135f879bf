// Tensors of strings.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

#include "compiler/ir/HostOps.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;

namespace hexin::onnx {
namespace {

/// Whether input `index` is a tensor of strings; reports.
bool checkStrings(OpBinder &b, unsigned index) {
  if (isa<hx::StringType>(HxBuilder::elementType(b.input(index))))
    return true;
  b.error("input #" + Twine(index) + " must be a tensor of strings");
  return false;
}

ArrayAttr stringArray(OpBinder &b, ArrayRef<std::string> strings) {
  SmallVector<StringRef> views(strings.begin(), strings.end());
  return b.builder.getStrArrayAttr(views);
}

void importStringConcat(OpBinder &b) {
  if (checkStrings(b, 0) && checkStrings(b, 1))
    b.result(0, b.make<hx::StringConcatOp>(HxBuilder::elementType(b.input(0)), b.input(0),
                                           b.input(1)));
}

void importStringSplit(OpBinder &b) {
  int64_t maxSplit = b.hasAttribute("maxsplit") ? b.intAttr("maxsplit", 0) : -1;
  StringRef delimiter = b.stringAttr("delimiter", "");
  if (!checkStrings(b, 0) || b.failed())
    return;
  auto split = b.create<hx::StringSplitOp>(
      {HxBuilder::elementType(b.input(0)), b.builder.getI64Type()}, b.input(0), delimiter,
      maxSplit);
  if (!split)
    return;
  b.result(0, split.getParts());
  b.result(1, split.getCounts());
}

void importStringNormalizer(OpBinder &b) {
  std::string change = b.stringAttr("case_change_action", "NONE").lower();
  bool isSensitive = b.intAttr("is_case_sensitive", 0) != 0;
  SmallVector<std::string> stopWords = b.stringsAttr("stopwords");
  if (change != "none" && change != "lower" && change != "upper")
    return b.error("attribute 'case_change_action' is '" + change +
                   "', expected NONE, LOWER or UPPER");
  if (!checkStrings(b, 0) || b.failed())
    return;
  ArrayAttr words = stopWords.empty() ? ArrayAttr() : stringArray(b, stopWords);
  b.result(0, b.make<hx::StringNormalizeOp>(HxBuilder::elementType(b.input(0)),
                                            b.input(0), change, isSensitive, words));
}

void importRegexFullMatch(OpBinder &b) {
  if (!b.hasAttribute("pattern"))
    return b.error("attribute 'pattern' is missing");
  StringRef pattern = b.stringAttr("pattern", "");
  if (checkStrings(b, 0) && !b.failed())
    b.result(0, b.make<hx::RegexMatchOp>(b.builder.getI1Type(), b.input(0), pattern));
}

/// Counts (TF), whether there are any (IDF), or counts with weights (TFIDF).
void importTfIdfVectorizer(OpBinder &b) {
  StringRef mode = b.stringAttr("mode", "");
  SmallVector<int64_t> columns = b.intsAttr("ngram_indexes");
  SmallVector<int64_t> starts = b.intsAttr("ngram_counts");
  SmallVector<double> weights = b.floatsAttr("weights");
  SmallVector<int64_t> ints = b.intsAttr("pool_int64s");
  SmallVector<std::string> strings = b.stringsAttr("pool_strings");
  int64_t shortest = b.intAttr("min_gram_length", 1);
  int64_t longest = b.intAttr("max_gram_length", 1);
  int64_t skips = b.intAttr("max_skip_count", 0);
  if (b.failed())
    return;
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    return b.error("attribute 'mode' is '" + mode + "', expected TF, IDF or TFIDF");
  if (mode != "TF" && !weights.empty() && weights.size() != columns.size())
    return b.error("expected one weight for each of the " + Twine(columns.size()) +
                   " n-grams, got " + Twine(weights.size()));
  constexpr int64_t maxWidth = 1 << 24;
  int64_t width = 0;
  for (int64_t column : columns) {
    if (column < 0 || column >= maxWidth)
      return b.error("attribute 'ngram_indexes' has " + Twine(column));
    width = std::max(width, column + 1);
  }
  bool isString = isa<hx::StringType>(HxBuilder::elementType(b.input(0)));
  Value counts = b.make<hx::NgramCountOp>(
      b.builder.getF32Type(), b.input(0), shortest, longest, skips, starts, columns,
      width, isString ? DenseI64ArrayAttr() : b.builder.getDenseI64ArrayAttr(ints),
      isString ? stringArray(b, strings) : ArrayAttr());
  if (b.failed() || mode == "TF")
    return b.result(0, counts);
  if (mode == "IDF")
    counts = b.binary(hx::BinaryFn::min, counts, b.scalarLike(counts, 1));
  if (!weights.empty()) {
    SmallVector<float> byColumn(width, 1);
    for (auto [column, weight] : llvm::zip(columns, weights))
      byColumn[column] = static_cast<float>(weight);
    counts = b.mul(counts, b.constant(DenseElementsAttr::get(
                               RankedTensorType::get({width}, b.builder.getF32Type()),
                               ArrayRef<float>(byColumn))));
  }
  b.result(0, counts);
}

/// The pixels of a file's bytes.
void importImageDecoder(OpBinder &b) {
  StringRef format = b.stringAttr("pixel_format", "RGB");
  if (!HxBuilder::elementType(b.input(0)).isUnsignedInteger(8) ||
      HxBuilder::rank(b.input(0)) != 1)
    return b.error("expected the bytes of a file: one axis of uint8");
  b.result(0, b.makeTyped<hx::DecodeImageOp>(
                  RankedTensorType::get(SmallVector<int64_t>(3, ShapedType::kDynamic),
                                        HxBuilder::elementType(b.input(0))),
                  b.input(0), format));
}

} // namespace

void registerTextOps(OpTable &table) {
  table.add("", {
                    {"StringConcat", 20, 2, 2, importStringConcat},
                    {"StringSplit", 20, 1, 1, importStringSplit},
                    {"StringNormalizer", 10, 1, 1, importStringNormalizer},
                    {"RegexFullMatch", 20, 1, 1, importRegexFullMatch},
                    {"TfIdfVectorizer", 9, 1, 1, importTfIdfVectorizer},
                    {"ImageDecoder", 20, 1, 1, importImageDecoder},
                });
}

} // namespace hexin::onnx
