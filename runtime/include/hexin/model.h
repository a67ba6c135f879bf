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
#include "hexin/value_type.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hexin {

/// A declared input or output.
struct PortInfo {
  std::string name;
  ValueKind kind = ValueKind::tensor;
  /// Of what holds others: the elements of the innermost tensors.
  DType dtype = DType::f32;
  std::vector<int64_t> dims;        ///< of tensors, elements per axis; -1: a symbol
  std::vector<std::string> symbols; ///< per axis: the symbol's name, or ""
  std::string doc;
  ValueType type; ///< all of it
};

struct StateInfo {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> dims; ///< elements per axis; -1 where it follows an input's size
};

/// Whether code inside a file may run. A .hxm holds code, for cpu as machine code and
/// for OpenCL as its source text, and code can do whatever the process can: opening
/// and verifying a file checks its structure and never what its code does. Run the
/// code of files that you, or those you trust, compiled; look at others under
/// noNative: they open, and no session that would run their code is created
/// (failedPrecondition).
enum class TrustPolicy {
  native,  ///< run the code in the file (default)
  noNative ///< refuse every program that holds code, machine code or source
};

struct OpenOptions {
  TrustPolicy trust = TrustPolicy::native;
  /// Read the whole file and check every section's hash: that finds damage, not
  /// intent, since whoever writes a file also writes its hashes.
  bool verifyHashes = false;
};

class HEXIN_EXPORT Model {
public:
  /// Maps and verifies `path`. Every offset, size and index in it is checked; a file
  /// whose structure is damaged or lies gives corruptData with the place. What its
  /// code does is not checked: see TrustPolicy. The file must not be changed in place
  /// while a copy of the Model lives (replacing it by a rename is no change).
  /// Thread-safe.
  ///   notFound         there is no such file
  ///   ioError          it cannot be read or mapped
  ///   corruptData      it is no .hxm, or one that contradicts itself
  ///   versionMismatch  its version or a feature that it needs is not known here
  static Result<Model> open(const std::string &path, const OpenOptions &options = {});

  // What the artifact declares. References live as long as any copy of the Model.
  const std::string &path() const; ///< as given to open()
  const std::string &name() const;
  const std::string &doc() const;
  const std::vector<PortInfo> &inputs() const;
  const std::vector<PortInfo> &outputs() const;
  const std::vector<StateInfo> &states() const;
  const std::map<std::string, std::string> &metadata() const; ///< of the source model
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
