// The reference kernels behind a C ABI, for the Python tests beside this file
// (hexin_reference.py declares the same structs).

#include "runtime/reference/Reference.h"

#include <cstring>
#include <sstream>
#include <string>

using namespace hexin;

namespace {

struct CTensor {
  int32_t dtype; ///< -1: absent
  int32_t rank;
  const int64_t *dims;
  void *data;
  uint64_t byteLength;
};

struct Outcome {
  Status status;
  std::vector<Tensor> results;
  std::string text;
};

template <typename T> std::vector<T> parseList(const std::string &text) {
  std::vector<T> values;
  std::stringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) {
    if constexpr (std::is_same_v<T, std::string>)
      values.push_back(item);
    else if constexpr (std::is_same_v<T, double>)
      values.push_back(std::stod(item));
    else
      values.push_back(std::stoll(item));
  }
  return values;
}

/// Lines of "name kind value"; kind is i, f or s, upper case for lists.
Attributes parseAttributes(const char *text) {
  Attributes attributes;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    size_t space = line.find(' ');
    std::string name = line.substr(0, space), value = line.substr(space + 3);
    switch (line[space + 1]) {
    case 'i':
      attributes.set(name, int64_t(std::stoll(value)));
      break;
    case 'f':
      attributes.set(name, std::stod(value));
      break;
    case 's':
      attributes.set(name, value);
      break;
    case 'I':
      attributes.set(name, parseList<int64_t>(value));
      break;
    case 'F':
      attributes.set(name, parseList<double>(value));
      break;
    case 'S':
      attributes.set(name, parseList<std::string>(value));
      break;
    }
  }
  return attributes;
}

} // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

/// box: begin of each axis of result 0, then end; nullptr for all of it.
EXPORT Outcome *hexin_reference_run(const char *op, const char *attributes,
                                    const CTensor *operands, int32_t numOperands,
                                    const int32_t *types, int32_t numTypes,
                                    const int64_t *box, int32_t boxRank) {
  std::vector<Tensor> tensors(static_cast<size_t>(numOperands));
  std::vector<const Tensor *> pointers;
  auto *outcome = new Outcome;
  for (int32_t i = 0; i < numOperands; ++i) {
    const CTensor &c = operands[i];
    pointers.push_back(nullptr);
    if (c.dtype < 0)
      continue;
    auto wrapped =
        Tensor::wrap(DType(c.dtype), {c.dims, size_t(c.rank)}, c.data, c.byteLength);
    if (!wrapped.ok()) {
      outcome->status = wrapped.status();
      return outcome;
    }
    tensors[size_t(i)] = *wrapped;
    pointers.back() = &tensors[size_t(i)];
  }
  std::vector<DType> resultTypes;
  for (int32_t i = 0; i < numTypes; ++i)
    resultTypes.push_back(DType(types[i]));
  reference::RunOptions options;
  if (box)
    options.box =
        reference::OutputBox{{box, box + boxRank}, {box + boxRank, box + 2 * boxRank}};
  auto results =
      reference::run(op, parseAttributes(attributes), pointers, resultTypes, options);
  outcome->status = results.status();
  if (results.ok())
    outcome->results = *std::move(results);
  outcome->text = outcome->status.message();
  return outcome;
}

EXPORT void hexin_reference_free(Outcome *outcome) { delete outcome; }
EXPORT uint32_t hexin_reference_code(const Outcome *outcome) {
  return uint32_t(outcome->status.code());
}
EXPORT const char *hexin_reference_message(const Outcome *outcome) {
  return outcome->text.c_str();
}
EXPORT int32_t hexin_reference_result(const Outcome *outcome, int32_t i,
                                      CTensor *result) {
  if (size_t(i) >= outcome->results.size())
    return 0;
  const Tensor &tensor = outcome->results[size_t(i)];
  *result = {int32_t(tensor.dtype()), int32_t(tensor.dims().size()), tensor.dims().data(),
             const_cast<void *>(tensor.data()), tensor.byteLength()};
  return 1;
}
EXPORT const char *hexin_reference_ops() {
  static const std::string names = [] {
    std::string text;
    for (std::string_view name : reference::ops())
      text += std::string(name) + " ";
    return text;
  }();
  return names.c_str();
}
