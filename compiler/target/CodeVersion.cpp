//===- CodeVersion.cpp - which build of the compiler this is ------------------------===//
//
// The build id that the linker put into the file this code was loaded from: a hash
// of that file, so that a developer's next build never meets the kernels of the last.
//
//===----------------------------------------------------------------------===//

#include "compiler/target/KernelCache.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"

#include <link.h>

namespace hexin {
namespace {

struct Search {
  uintptr_t codeAddress;
  std::string buildId;
};

bool contains(const dl_phdr_info &file, uintptr_t address) {
  for (int i = 0; i < file.dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = file.dlpi_phdr[i];
    if (segment.p_type == PT_LOAD &&
        address - (file.dlpi_addr + segment.p_vaddr) < segment.p_memsz)
      return true;
  }
  return false;
}

std::string buildIdIn(llvm::StringRef notes) {
  auto padded = [](size_t bytes) { return (bytes + 3) & ~size_t(3); };
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    const auto *head = reinterpret_cast<const ElfW(Nhdr) *>(notes.data());
    llvm::StringRef rest = notes.drop_front(sizeof *head);
    size_t nameBytes = padded(head->n_namesz), idBytes = padded(head->n_descsz);
    if (rest.size() < nameBytes || rest.size() - nameBytes < idBytes)
      return {};
    if (head->n_type == NT_GNU_BUILD_ID && rest.starts_with(llvm::StringRef("GNU", 4)))
      return llvm::toHex(rest.substr(nameBytes, head->n_descsz), /*LowerCase=*/true);
    notes = rest.drop_front(nameBytes + idBytes);
  }
  return {};
}

int visit(dl_phdr_info *file, size_t, void *context) {
  auto &search = *static_cast<Search *>(context);
  if (!contains(*file, search.codeAddress))
    return 0;
  for (int i = 0; i < file->dlpi_phnum && search.buildId.empty(); ++i) {
    const ElfW(Phdr) &segment = file->dlpi_phdr[i];
    if (segment.p_type == PT_NOTE)
      search.buildId =
          buildIdIn({reinterpret_cast<const char *>(file->dlpi_addr + segment.p_vaddr),
                     segment.p_memsz});
  }
  return 1;
}

} // namespace

std::string codeVersion() {
  static const std::string version = [] {
    Search search{reinterpret_cast<uintptr_t>(&visit), {}};
    dl_iterate_phdr(visit, &search);
    return search.buildId.empty() ? "" : search.buildId + " LLVM " LLVM_VERSION_STRING;
  }();
  return version;
}

} // namespace hexin
