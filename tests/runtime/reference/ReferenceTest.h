// What the tests of the reference kernels share: small tensors and calls.
#ifndef HEXIN_TESTS_RUNTIME_REFERENCE_REFERENCETEST_H
#define HEXIN_TESTS_RUNTIME_REFERENCE_REFERENCETEST_H

#include "runtime/reference/Reference.h"

#include <gtest/gtest.h>

#include <cstring>

namespace hexin::reference {

template <typename T>
Tensor makeTensor(DType dtype, std::vector<int64_t> dims, std::vector<T> values) {
  auto tensor = Tensor::allocate(dtype, dims);
  EXPECT_TRUE(tensor.ok()) << tensor.status().toString();
  EXPECT_EQ(tensor->byteLength(), values.size() * sizeof(T));
  if (!values.empty())
    std::memcpy(tensor->data(), values.data(), values.size() * sizeof(T));
  return *tensor;
}

inline Tensor shape(std::vector<int64_t> values) {
  return makeTensor(DType::i64, {int64_t(values.size())}, values);
}

inline Attributes attributes(std::vector<std::pair<std::string, Attribute>> entries) {
  Attributes result;
  for (auto &[name, value] : entries)
    result.set(name, value);
  return result;
}

inline Result<std::vector<Tensor>> call(std::string_view op, const Attributes &attributes,
                                        std::vector<const Tensor *> operands,
                                        std::vector<DType> types,
                                        const RunOptions &options = {}) {
  return run(op, attributes, operands, types, options);
}

template <typename T> std::vector<T> valuesOf(const Tensor &tensor) {
  return {tensor.as<T>(), tensor.as<T>() + tensor.numElements()};
}

inline std::vector<int64_t> dimsOf(const Tensor &tensor) {
  return {tensor.dims().begin(), tensor.dims().end()};
}

} // namespace hexin::reference

#endif // HEXIN_TESTS_RUNTIME_REFERENCE_REFERENCETEST_H
