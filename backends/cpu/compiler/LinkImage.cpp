#include "backends/cpu/compiler/LinkImage.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

namespace hexin::cpu {
namespace {

/// A folder that is removed with its contents. lld reads and writes files only.
class TemporaryFolder {
public:
  TemporaryFolder() { ok_ = !llvm::sys::fs::createUniqueDirectory("hexin-link", path_); }
  ~TemporaryFolder() {
    if (ok_)
      llvm::sys::fs::remove_directories(path_);
  }
  bool ok() const { return ok_; }
  std::string file(llvm::StringRef name) const {
    llvm::SmallString<128> joined(path_);
    llvm::sys::path::append(joined, name);
    return std::string(joined);
  }

private:
  llvm::SmallString<128> path_;
  bool ok_;
};

bool writeFile(const std::string &path, std::string_view contents) {
  std::error_code code;
  llvm::raw_fd_ostream stream(path, code);
  if (code)
    return false;
  stream << llvm::StringRef(contents.data(), contents.size());
  stream.close();
  bool failed = stream.has_error();
  stream.clear_error();
  return !failed;
}

bool runLld(llvm::ArrayRef<std::string> inputs, const std::string &output,
            std::string &messages) {
  llvm::SmallVector<const char *> arguments = {
      "ld.lld", "-shared", "--gc-sections", "--icf=all", "--no-undefined", "--strip-all",
      // Code and constants on pages of their own, nothing writable, symbols found
      // by the hash table that the loader reads.
      "-z", "separate-code", "-z", "rodynamic", "-z", "norelro", "-z", "noexecstack",
      "-z", "text", "-z", "nosectionheader", "--hash-style=sysv", "--build-id=none",
      "--threads=1", "--no-eh-frame-hdr", "-o", output.c_str()};
  for (const std::string &input : inputs)
    arguments.push_back(input.c_str());
  static std::mutex onlyOne;
  static bool isUsable = true;
  std::lock_guard<std::mutex> lock(onlyOne);
  if (!isUsable) {
    messages = "the linker failed earlier and cannot run again in this process";
    return false;
  }
  std::string text;
  llvm::raw_string_ostream stream(text);
  lld::Result result =
      lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  isUsable = result.canRunAgain;
  messages = stream.str();
  return result.retCode == 0;
}

} // namespace

std::optional<std::string> linkImage(llvm::ArrayRef<std::string> objects,
                                     std::string &error) {
  TemporaryFolder folder;
  bool ok = folder.ok();
  llvm::SmallVector<std::string> inputs;
  for (size_t i = 0; ok && i < objects.size(); ++i) {
    inputs.push_back(folder.file(std::to_string(i) + ".o"));
    ok = writeFile(inputs.back(), objects[i]);
  }
  if (!ok) {
    error = "cannot write to the system's temporary folder (TMPDIR)";
    return std::nullopt;
  }
  std::string output = folder.file("kernels.so");
  if (!runLld(inputs, output, error))
    return std::nullopt;
  auto image = llvm::MemoryBuffer::getFile(output, /*IsText=*/false,
                                           /*RequiresNullTerminator=*/false);
  if (!image) {
    error = "cannot read the linked image: " + image.getError().message();
    return std::nullopt;
  }
  return (*image)->getBuffer().str();
}

} // namespace hexin::cpu
