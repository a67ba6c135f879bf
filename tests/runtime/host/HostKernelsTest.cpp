// Kernels of values that live on the host, and what they refuse.
#include "runtime/host/HostKernels.h"

#include "tests/runtime/ArtifactMaker.h"

#include <gtest/gtest.h>

#include <limits>

namespace hexin {
namespace {

using test::floatsOf;
using test::makeInts;
using test::makeTensor;

Result<std::vector<Value>> run(std::string_view op, std::vector<Value> operands,
                               Attributes attributes = {},
                               std::vector<host::ResultType> results = {{}}) {
  std::vector<const Value *> pointers;
  for (const Value &operand : operands)
    pointers.push_back(&operand);
  return host::run(op, attributes, pointers, results);
}

Value strings(std::vector<int64_t> dims, std::vector<std::string> elements) {
  return StringTensor{std::move(dims), std::move(elements)};
}

std::vector<std::string> stringsOf(const Result<std::vector<Value>> &result) {
  return result.ok() && (*result)[0].strings() ? (*result)[0].strings()->elements
                                               : std::vector<std::string>{"error"};
}

Sequence sequenceOf(std::vector<Value> elements) {
  Sequence sequence;
  sequence.elements = std::move(elements);
  return sequence;
}

Value number(int64_t value) { return makeInts({}, {value}); }

#define EXPECT_CODE(code_, part, result)                                                 \
  do {                                                                                   \
    auto result_ = (result);                                                             \
    EXPECT_EQ(result_.status().code(), StatusCode::code_)                                \
        << result_.status().toString();                                                  \
    EXPECT_NE(result_.status().message().find(part), std::string::npos)                  \
        << result_.status().toString();                                                  \
  } while (false)

TEST(HostKernels, ElementsAreShared) {
  Tensor a = makeTensor({2}, {1, 2}), b = makeTensor({1}, {3});
  auto made = run("seq_make", {a, b}, {}, {{ValueKind::sequence}});
  ASSERT_TRUE(made.ok()) << made.status().toString();
  auto longer = run("seq_insert", {(*made)[0], makeTensor({0}, {}), number(-1)});
  ASSERT_TRUE(longer.ok()) << longer.status().toString();
  const auto &elements = (*longer)[0].sequence()->elements;
  ASSERT_EQ(elements.size(), 3u);
  EXPECT_EQ(elements[0].tensor()->data(), a.data());
  EXPECT_EQ(elements[1].tensor()->numElements(), 0);
  auto last = run("seq_at", {(*longer)[0], number(-1)});
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(floatsOf((*last)[0]), std::vector<float>{3});
  auto shorter = run("seq_erase", {(*longer)[0]});
  ASSERT_TRUE(shorter.ok());
  EXPECT_EQ((*shorter)[0].sequence()->elements.size(), 2u);
  auto length = run("seq_length", {(*shorter)[0]});
  ASSERT_TRUE(length.ok());
  EXPECT_EQ(*(*length)[0].tensor()->as<int64_t>(), 2);
}

TEST(HostKernels, SpentListsAreTaken) {
  Tensor a = makeTensor({2}, {1, 2});
  Value list = sequenceOf({a, a}), more = a;
  const Value *memory = list.sequence()->elements.data();
  std::vector<const Value *> operands = {&list, &more};
  std::vector<Value *> spent = {&list, nullptr};
  std::vector<host::ResultType> types = {{ValueKind::sequence}};
  auto shorter = host::run("seq_erase", {}, {&operands[0], 1}, types, {&spent[0], 1});
  ASSERT_TRUE(shorter.ok()) << shorter.status().toString();
  EXPECT_EQ((*shorter)[0].sequence()->elements.data(), memory);
  list = (*shorter)[0]; // a copy: what is not spent stays as it was
  auto longer = host::run("seq_insert", {}, operands, types);
  ASSERT_TRUE(longer.ok()) << longer.status().toString();
  EXPECT_EQ(list.sequence()->elements.size(), 1u);
  EXPECT_EQ((*longer)[0].sequence()->elements.size(), 2u);
  // A spent optional gives what it holds away, but not what another one holds, too.
  Value optional = (*run("opt_make", {sequenceOf({a})}, {}, {{ValueKind::optional}}))[0];
  memory = optional.optional()->value->sequence()->elements.data();
  Value other = optional;
  operands = {&optional}, spent = {&optional};
  auto copied = host::run("opt_get", {}, operands, types, spent);
  EXPECT_NE((*copied)[0].sequence()->elements.data(), memory);
  EXPECT_EQ(other.optional()->value->sequence()->elements.size(), 1u);
  other = Value();
  auto taken = host::run("opt_get", {}, operands, types, spent);
  EXPECT_EQ((*taken)[0].sequence()->elements.data(), memory);
}

TEST(HostKernels, BorrowedMemoryIsCopied) {
  float memory[] = {5, 6};
  auto borrowed = Tensor::wrap(DType::f32, std::vector<int64_t>{2}, memory, 8);
  auto made = run("seq_make", {*borrowed}, {}, {{ValueKind::sequence}});
  ASSERT_TRUE(made.ok());
  memory[0] = 0;
  EXPECT_EQ(floatsOf((*made)[0].sequence()->elements[0]), (std::vector<float>{5, 6}));
}

TEST(HostKernels, PositionsOutsideAreErrors) {
  Value s = sequenceOf({makeTensor({1}, {1}), makeTensor({1}, {2})});
  for (int64_t at : {int64_t(2), int64_t(-3), std::numeric_limits<int64_t>::min()}) {
    EXPECT_CODE(outOfRange, "of a sequence of 2", run("seq_at", {s, number(at)}));
    EXPECT_CODE(outOfRange, "erases position", run("seq_erase", {s, number(at)}));
  }
  EXPECT_CODE(outOfRange, "inserts at position 3",
              run("seq_insert", {s, makeTensor({}, {1}), number(3)}));
  EXPECT_TRUE(run("seq_insert", {s, makeTensor({}, {1}), number(2)}).ok());
  EXPECT_CODE(outOfRange, "empty", run("opt_get", {Optional{}}));
  EXPECT_CODE(outOfRange, "sequence of 0", run("seq_erase", {Sequence{}}));
}

TEST(HostKernels, OperandsOfOtherKindsAreErrors) {
  Value tensor = makeTensor({2}, {1, 2});
  for (const char *op : {"seq_length", "seq_concat", "opt_get", "opt_has", "map_read",
                         "string_split", "string_normalize", "lookup"})
    EXPECT_CODE(invalidArgument, "got f32[2]",
                run(op, {tensor}, {},
                    op == std::string("string_split")
                        ? std::vector<host::ResultType>(2)
                        : std::vector<host::ResultType>(1)));
  EXPECT_CODE(invalidArgument, "must be a sequence", run("seq_at", {tensor, number(0)}));
  EXPECT_CODE(invalidArgument, "operands", run("seq_at", {tensor}));
  EXPECT_CODE(invalidArgument, "operands", run("seq_length", {tensor, tensor}));
  EXPECT_CODE(unsupported, "no kernel", run("conv", {tensor}));
  EXPECT_CODE(unsupported, "only moved",
              run("scatter_elements",
                  {strings({1}, {"a"}), makeInts({1}, {0}), strings({1}, {"b"})}, [] {
                    Attributes a;
                    a.set("fn", std::string("add"));
                    return a;
                  }()));
  Value two = sequenceOf({makeTensor({2}, {1, 2}), makeTensor({1, 1}, {3})});
  EXPECT_CODE(invalidArgument, "f32[2] and f32[1, 1]", run("seq_concat", {two}));
  EXPECT_CODE(invalidArgument, "empty", run("seq_concat", {Sequence{}}));
}

TEST(HostKernels, SplitsAndJoins) {
  Attributes columns;
  columns.set("axis", int64_t(1));
  Tensor x = makeTensor({2, 3}, {1, 2, 3, 4, 5, 6});
  auto parts = run("seq_split", {x, makeInts({2}, {1, 2})}, columns);
  ASSERT_TRUE(parts.ok()) << parts.status().toString();
  const auto &elements = (*parts)[0].sequence()->elements;
  ASSERT_EQ(elements.size(), 2u);
  EXPECT_EQ(floatsOf(elements[0]), (std::vector<float>{1, 4}));
  EXPECT_EQ(floatsOf(elements[1]), (std::vector<float>{2, 3, 5, 6}));
  auto joined = run("seq_concat", {(*parts)[0]}, columns);
  ASSERT_TRUE(joined.ok());
  EXPECT_EQ(floatsOf((*joined)[0]), floatsOf(x));

  EXPECT_CODE(invalidArgument, "4 elements in all, the axis 3",
              run("seq_split", {x, makeInts({2}, {2, 2})}, columns));
  EXPECT_CODE(invalidArgument, "part of size -1",
              run("seq_split", {x, makeInts({2}, {-1, 4})}, columns));
  EXPECT_CODE(invalidArgument, "parts of size 0",
              run("seq_split", {x, number(0)}, columns));
  columns.set("axis", int64_t(2));
  EXPECT_CODE(invalidArgument, "axis 2", run("seq_split", {x}, columns));

  Attributes stack;
  stack.set("newAxis", int64_t(1));
  auto stacked =
      run("seq_concat", {sequenceOf({strings({1}, {"a"}), strings({1}, {"b"})})}, stack,
          {{ValueKind::strings, DType::string}});
  ASSERT_TRUE(stacked.ok()) << stacked.status().toString();
  EXPECT_EQ((*stacked)[0].strings()->dims, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(stringsOf(stacked), (std::vector<std::string>{"a", "b"}));
}

TEST(HostKernels, StringsSplit) {
  auto split = [](const std::string &text, const std::string &delimiter, int64_t most) {
    Attributes attributes;
    attributes.set("delimiter", delimiter);
    attributes.set("maxSplit", most);
    return stringsOf(
        run("string_split", {strings({}, {text})}, attributes,
            {{ValueKind::strings, DType::string}, {ValueKind::tensor, DType::i64}}));
  };
  using Parts = std::vector<std::string>;
  EXPECT_EQ(split("a,b,,c", ",", -1), (Parts{"a", "b", "", "c"}));
  EXPECT_EQ(split("a,b,,c", ",", 1), (Parts{"a", "b,,c"}));
  EXPECT_EQ(split("  a \t b  ", "", -1), (Parts{"a", "b"}));
  EXPECT_EQ(split(" a b  c ", "", 1), (Parts{"a", "b  c"}));
  EXPECT_EQ(split("a b", "", 0), (Parts{"a b"}));
  EXPECT_EQ(split("", ",", -1), Parts{});
  EXPECT_EQ(split("   ", "", -1), Parts{});
}

TEST(HostKernels, StringsInOneCase) {
  auto upper = [](std::vector<std::string> words, std::vector<std::string> stop) {
    Attributes attributes;
    attributes.set("caseChange", std::string("upper"));
    attributes.set("stopWords", std::move(stop));
    auto count = static_cast<int64_t>(words.size());
    return stringsOf(run("string_normalize", {strings({count}, std::move(words))},
                         attributes, {{ValueKind::strings, DType::string}}));
  };
  using Words = std::vector<std::string>;
  EXPECT_EQ(upper({"é", "ß", "жук", "aé", "the"}, {"THE"}),
            (Words{"É", "ß", "ЖУК", "AÉ"}));
  EXPECT_EQ(upper({"The"}, {"the"}), Words{""});
  // Bytes that are no UTF-8 stay, or stay as many.
  EXPECT_EQ(upper({"a\xC3"}, {}), Words{"A\xC3"});
  EXPECT_CODE(invalidArgument, "[C] or [1, C]",
              run("string_normalize", {strings({2, 1}, {"a", "b"})}));
}

TEST(HostKernels, NumbersReadBack) {
  Tensor x = makeTensor({5}, {0.1f, 1e-45f, 3.4028235e38f, -0.0f, 16777216.0f});
  auto texts = run("cast", {x}, {}, {{ValueKind::strings, DType::string}});
  EXPECT_EQ(stringsOf(texts), (std::vector<std::string>{"0.1", "1e-45", "3.4028235e+38",
                                                        "-0.0", "16777216.0"}));
  auto back = run("cast", {(*texts)[0]});
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(floatsOf((*back)[0]), floatsOf(x));
  for (const char *bad : {"", "1,5", "0x10", "1e", "one"})
    EXPECT_CODE(invalidArgument, "is no number of type f32",
                run("cast", {strings({1}, {bad})}));
  EXPECT_CODE(invalidArgument, "is no number of type i64",
              run("cast", {strings({1}, {"9223372036854775808"})}, {},
                  {{ValueKind::tensor, DType::i64}}));
}

TEST(HostKernels, LiesInAttributesAreErrors) {
  Attributes literal;
  literal.set("values", std::vector<std::string>{"a", "b"});
  literal.set("dims", std::vector<int64_t>{3});
  std::vector<host::ResultType> text{{ValueKind::strings, DType::string}};
  EXPECT_CODE(invalidArgument, "a literal of 3 strings",
              run("string_constant", {}, literal, text));
  literal.set("dims", std::vector<int64_t>{int64_t(1) << 40, 1 << 20});
  EXPECT_CODE(resourceExhausted, "strings", run("string_constant", {}, literal, text));
  literal.set("dims", std::vector<int64_t>{-2});
  EXPECT_FALSE(run("string_constant", {}, literal, text).ok());

  Attributes pool;
  pool.set("starts", std::vector<int64_t>{0, 5});
  pool.set("columns", std::vector<int64_t>{0});
  pool.set("intPool", std::vector<int64_t>{1, 2});
  pool.set("width", int64_t(1));
  EXPECT_CODE(invalidArgument, "outside of the pool",
              run("ngram_count", {makeInts({2}, {1, 2})}, pool));
  pool.set("starts", std::vector<int64_t>{0});
  EXPECT_CODE(invalidArgument, "n-gram 1 has no column",
              run("ngram_count", {makeInts({2}, {1, 2})}, pool));

  Map map;
  map.entries[int64_t(9)] = makeTensor({}, {1});
  Attributes sparse;
  sparse.set("dense", int64_t(0));
  sparse.set("length", int64_t(4));
  EXPECT_CODE(outOfRange, "no column of 4", run("map_read", {map}, sparse));
  sparse.set("length", int64_t(1) << 50);
  EXPECT_CODE(invalidArgument, "columns", run("map_read", {map}, sparse));

  // A tensor of strings whose sizes are not its own.
  EXPECT_FALSE(run("transpose", {strings({4}, {"a"})}).ok());
}

TEST(HostKernels, StringsMoveAsNumbersDo) {
  Attributes attributes;
  attributes.set("perm", std::vector<int64_t>{1, 0});
  std::vector<host::ResultType> text{{ValueKind::strings, DType::string}};
  EXPECT_EQ(stringsOf(run("transpose", {strings({2, 2}, {"a", "b", "c", "a"})},
                          attributes, text)),
            (std::vector<std::string>{"a", "c", "b", "a"}));
  Attributes rows;
  rows.set("axis", int64_t(0));
  EXPECT_EQ(stringsOf(run("gather", {strings({2}, {"a", "b"}), makeInts({3}, {1, -2, 1})},
                          rows, text)),
            (std::vector<std::string>{"b", "a", "b"}));
  EXPECT_CODE(outOfRange, "",
              run("gather", {strings({2}, {"a", "b"}), makeInts({1}, {2})}, rows, text));
  Attributes equal;
  equal.set("predicate", std::string("eq"));
  auto same = run("compare", {strings({2}, {"a", "b"}), strings({1}, {"b"})}, equal,
                  {{ValueKind::tensor, DType::boolean}});
  ASSERT_TRUE(same.ok()) << same.status().toString();
  EXPECT_EQ((*same)[0].tensor()->as<uint8_t>()[0], 0);
  EXPECT_EQ((*same)[0].tensor()->as<uint8_t>()[1], 1);
}

} // namespace
} // namespace hexin
