//===- Attributes.h - named op attributes outside of MLIR -------------------===//
//
// The one LLVM-free form of an op's attributes. The compiler converts an hx
// op's dictionary to it for folding; the artifact stores it for host and
// library instructions; reference kernels and library shims read it.
//
// Enums are strings (the keyword of the hx enum: "exp", "nhwc", ...), booleans
// are integers 0/1, types are strings ("f32").
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_BASE_ATTRIBUTES_H
#define HEXIN_RUNTIME_BASE_ATTRIBUTES_H

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hexin {

using Attribute = std::variant<int64_t, double, std::string, std::vector<int64_t>,
                               std::vector<double>, std::vector<std::string>>;

/// Attributes by name. Accessors return the fallback when the name is absent
/// or has another kind: writers are ours, files are verified on open.
class Attributes {
public:
  void set(std::string name, Attribute value) {
    map_.insert_or_assign(std::move(name), std::move(value));
  }

  int64_t getInt(std::string_view name, int64_t fallback = 0) const {
    const auto *v = find<int64_t>(name);
    return v ? *v : fallback;
  }
  double getFloat(std::string_view name, double fallback = 0) const {
    const auto *v = find<double>(name);
    return v ? *v : fallback;
  }
  std::string_view getString(std::string_view name,
                             std::string_view fallback = "") const {
    const auto *v = find<std::string>(name);
    return v ? std::string_view(*v) : fallback;
  }
  std::vector<int64_t> getInts(std::string_view name) const {
    const auto *v = find<std::vector<int64_t>>(name);
    return v ? *v : std::vector<int64_t>();
  }
  std::vector<double> getFloats(std::string_view name) const {
    const auto *v = find<std::vector<double>>(name);
    return v ? *v : std::vector<double>();
  }
  bool has(std::string_view name) const { return map_.find(name) != map_.end(); }

  auto begin() const { return map_.begin(); }
  auto end() const { return map_.end(); }
  size_t size() const { return map_.size(); }

private:
  template <typename T> const T *find(std::string_view name) const {
    auto it = map_.find(name);
    return it == map_.end() ? nullptr : std::get_if<T>(&it->second);
  }

  std::map<std::string, Attribute, std::less<>> map_;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_ATTRIBUTES_H
