//===- hexin/model.h - an opened .hxm file ----------------------------------===//
//
// A Model is a mapped, verified artifact: immutable, cheap to copy (copies share
// the mapping), safe to use from several threads. Its weights are shared by all
// sessions, and by all processes that opened the same file.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_MODEL_H
#define HEXIN_MODEL_H

#include "hexin/status.h"
#include "hexin/value.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hexin {

/// A declared input or output.
struct PortInfo {
  std::string name;
  ValueKind kind = ValueKind::tensor;
  DType dtype = DType::f32;
  std::vector<int64_t> dims;        ///< -1 where the size is a symbol
  std::vector<std::string> symbols; ///< per axis: the symbol's name, or ""
  std::string doc;
};

struct StateInfo {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> dims; ///< -1 where it follows an input's size
};

/// Whether code inside a file may run.
enum class TrustPolicy {
  native,  ///< run the machine code in the file (default)
  noNative ///< refuse programs that hold machine code
};

struct OpenOptions {
  TrustPolicy trust = TrustPolicy::native;
  bool verifyHashes = false; ///< read the whole file and check every section
};

class HEXIN_EXPORT Model {
public:
  /// Maps and verifies `path`. Every offset, size and index in it is checked; a
  /// damaged or hostile file gives corruptData with the place.
  static Result<Model> open(const std::string &path, const OpenOptions &options = {});

  const std::string &path() const;
  const std::string &name() const;
  const std::string &doc() const;
  const std::vector<PortInfo> &inputs() const;
  const std::vector<PortInfo> &outputs() const;
  const std::vector<StateInfo> &states() const;
  const std::map<std::string, std::string> &metadata() const;
  /// Targets it holds a program for: "cpu", "opencl", ...
  std::vector<std::string> targets() const;

  /// Everything `hexin inspect` prints, as JSON: versions, sections with sizes,
  /// per target the instructions with kernel, device, reason, transfers.
  std::string describeJson() const;

  struct Impl;
  const std::shared_ptr<const Impl> &impl() const { return impl_; }

private:
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

} // namespace hexin

#endif // HEXIN_MODEL_H
