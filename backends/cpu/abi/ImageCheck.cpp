#include "backends/cpu/abi/ImageCheck.h"

#include "runtime/base/Checked.h"
#include "runtime/device/KernelAbi.h"

#include <cstring>
#include <elf.h>

namespace hexin::cpu {
namespace {

constexpr uint64_t maxImageBytes = uint64_t(1) << 30;
constexpr unsigned maxProgramHeaders = 16;

/// Reads a T at `offset`, which the caller has checked.
template <typename T> T readAt(std::span<const uint8_t> bytes, uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// The System V ABI's hash of a symbol name.
uint32_t elfHash(std::string_view name) {
  uint32_t h = 0;
  for (unsigned char c : name) {
    h = (h << 4) + c;
    uint32_t top = h & 0xf0000000;
    h ^= top >> 24;
    h &= ~top;
  }
  return h;
}

bool isPageAligned(uint64_t value) { return value % imagePageBytes == 0; }

} // namespace

class ImageChecker {
public:
  ImageChecker(std::span<const uint8_t> bytes, std::string &error)
      : bytes(bytes), error(error) {}

  std::optional<ImageLayout> run() {
    if (!checkHeader() || !checkSegments() || !checkDynamic() || !checkSymbols() ||
        !checkAbiVersion())
      return std::nullopt;
    return std::move(layout);
  }

private:
  bool fail(std::string message) {
    error = std::move(message);
    return false;
  }

  bool checkHeader() {
    if (bytes.size() < sizeof(Elf64_Ehdr) || bytes.size() > maxImageBytes)
      return fail("expected an ELF file of 64 bytes to 1 GiB, got " +
                  std::to_string(bytes.size()) + " bytes");
    header = readAt<Elf64_Ehdr>(bytes, 0);
    const unsigned char ident[] = {ELFMAG0,    ELFMAG1,     ELFMAG2,   ELFMAG3,
                                   ELFCLASS64, ELFDATA2LSB, EV_CURRENT};
    if (std::memcmp(header.e_ident, ident, sizeof(ident)) != 0)
      return fail("not a little-endian ELF64 file");
    if (header.e_type != ET_DYN || header.e_machine != EM_X86_64)
      return fail("expected ELF type DYN for x86-64, got type " +
                  std::to_string(header.e_type) + ", machine " +
                  std::to_string(header.e_machine));
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > maxProgramHeaders ||
        !rangeFits(header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr), bytes.size()))
      return fail("program headers do not fit: " + std::to_string(header.e_phnum) +
                  " at offset " + std::to_string(header.e_phoff));
    return true;
  }

  bool checkSegments() {
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      auto entry = readAt<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
      switch (entry.p_type) {
      case PT_LOAD:
        if (!addSegment(entry))
          return false;
        break;
      case PT_DYNAMIC:
        if (hasDynamic)
          return fail("more than one dynamic section");
        hasDynamic = true;
        dynamic = entry;
        break;
      case PT_NULL:
      case PT_PHDR:
      case PT_NOTE:
      case PT_GNU_EH_FRAME:
        break;
      case PT_GNU_STACK:
        if (entry.p_flags & PF_X)
          return fail("asks for an executable stack");
        break;
      default:
        return fail("unexpected program header of type " + std::to_string(entry.p_type));
      }
    }
    if (layout.segments_.empty() || !hasDynamic)
      return fail("expected loadable segments and a dynamic section");
    return true;
  }

  bool addSegment(const Elf64_Phdr &entry) {
    if ((entry.p_flags & ~uint32_t(PF_R | PF_X)) != 0 || !(entry.p_flags & PF_R))
      return fail("expected segments that are R or R-X, got flags " +
                  std::to_string(entry.p_flags));
    if (!isPageAligned(entry.p_offset) || !isPageAligned(entry.p_vaddr))
      return fail("expected page-aligned segments, got file offset " +
                  std::to_string(entry.p_offset) + ", address " +
                  std::to_string(entry.p_vaddr));
    if (entry.p_filesz != entry.p_memsz || entry.p_filesz == 0 ||
        !rangeFits(entry.p_offset, entry.p_filesz, bytes.size()))
      return fail("segment at file offset " + std::to_string(entry.p_offset) + " with " +
                  std::to_string(entry.p_filesz) + " bytes in the file and " +
                  std::to_string(entry.p_memsz) + " in memory does not fit");
    // Gaps of address space are bounded so that a small file cannot ask for a
    // large mapping.
    if (entry.p_vaddr < layout.addressSpan_ ||
        entry.p_vaddr > layout.addressSpan_ + 16 * imagePageBytes)
      return fail("segments overlap, are out of order or far apart at address " +
                  std::to_string(entry.p_vaddr));
    layout.segments_.push_back(
        {entry.p_offset, entry.p_vaddr, entry.p_filesz, (entry.p_flags & PF_X) != 0});
    uint64_t end = entry.p_vaddr + entry.p_filesz;
    layout.addressSpan_ = (end + imagePageBytes - 1) / imagePageBytes * imagePageBytes;
    return true;
  }

  const ImageSegment *segmentOf(uint64_t address, uint64_t length) const {
    for (const ImageSegment &s : layout.segments_)
      if (address >= s.address && rangeFits(address - s.address, length, s.byteLength))
        return &s;
    return nullptr;
  }

  /// The file's bytes behind [address, address + length), or nullopt.
  std::optional<std::span<const uint8_t>> inMemory(uint64_t address,
                                                   uint64_t length) const {
    const ImageSegment *s = segmentOf(address, length);
    if (!s)
      return std::nullopt;
    return bytes.subspan(s->fileOffset + (address - s->address), length);
  }

  bool checkDynamic() {
    auto table = inMemory(dynamic.p_vaddr, dynamic.p_filesz);
    if (!table)
      return fail("the dynamic section is outside the loadable segments");
    std::optional<uint64_t> symbols, strings, stringBytes, hash;
    for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= table->size();
         at += sizeof(Elf64_Dyn)) {
      auto entry = readAt<Elf64_Dyn>(*table, at);
      switch (entry.d_tag) {
      case DT_NULL:
        return findTables(symbols, strings, stringBytes, hash);
      case DT_SYMTAB:
        symbols = entry.d_un.d_ptr;
        break;
      case DT_STRTAB:
        strings = entry.d_un.d_ptr;
        break;
      case DT_STRSZ:
        stringBytes = entry.d_un.d_val;
        break;
      case DT_HASH:
        hash = entry.d_un.d_ptr;
        break;
      case DT_SYMENT:
        if (entry.d_un.d_val != sizeof(Elf64_Sym))
          return fail("unexpected size of a symbol");
        break;
      case DT_SONAME:
        break;
      default:
        return fail("the dynamic section asks for linking (tag " +
                    std::to_string(entry.d_tag) +
                    "): no relocations, libraries or "
                    "initialisers are allowed");
      }
    }
    return fail("the dynamic section has no end");
  }

  bool findTables(std::optional<uint64_t> symbols, std::optional<uint64_t> strings,
                  std::optional<uint64_t> stringBytes, std::optional<uint64_t> hash) {
    if (!symbols || !strings || !stringBytes || !hash)
      return fail("expected a symbol table, strings and a SysV hash table");
    auto hashHeader = inMemory(*hash, 8);
    if (!hashHeader)
      return fail("the hash table is outside the loadable segments");
    uint64_t numBuckets = readAt<uint32_t>(*hashHeader, 0);
    numSymbols = readAt<uint32_t>(*hashHeader, 4);
    auto hashTable = inMemory(*hash, 8 + 4 * (numBuckets + numSymbols));
    auto symbolTable = inMemory(*symbols, numSymbols * sizeof(Elf64_Sym));
    auto stringTable = inMemory(*strings, *stringBytes);
    if (!hashTable || !symbolTable || !stringTable || numBuckets == 0 || numSymbols == 0)
      return fail("symbol table, strings or hash are outside the loadable segments");
    if (stringTable->empty() || stringTable->back() != 0)
      return fail("the string table does not end in a zero");
    for (uint64_t i = 0; i < numBuckets + numSymbols; ++i)
      if (readAt<uint32_t>(*hashTable, 8 + 4 * i) >= numSymbols)
        return fail("the hash table names a symbol that does not exist");
    layout.hash_ = *hashTable;
    layout.symbols_ = *symbolTable;
    layout.strings_ = *stringTable;
    return true;
  }

  bool checkSymbols() {
    for (uint64_t i = 1; i < numSymbols; ++i) {
      auto symbol = readAt<Elf64_Sym>(layout.symbols_, i * sizeof(Elf64_Sym));
      if (symbol.st_name >= layout.strings_.size())
        return fail("a symbol's name is outside the string table");
      std::string name(reinterpret_cast<const char *>(layout.strings_.data()) +
                       symbol.st_name);
      if (symbol.st_shndx == SHN_UNDEF)
        return fail("symbol '" + name + "' is not defined");
      unsigned type = ELF64_ST_TYPE(symbol.st_info);
      const ImageSegment *segment = segmentOf(symbol.st_value, 1);
      if (type == STT_FUNC
              ? !segment || !segment->isExecutable
              : type != STT_OBJECT || !segmentOf(symbol.st_value, symbol.st_size))
        return fail("symbol '" + name +
                    "' is neither code nor constant data of the image");
    }
    return true;
  }

  bool checkAbiVersion();

  std::span<const uint8_t> bytes;
  std::string &error;
  Elf64_Ehdr header{};
  bool hasDynamic = false;
  Elf64_Phdr dynamic{};
  uint64_t numSymbols = 0;
  ImageLayout layout;
};

namespace {

/// Looks `name` up in the checked tables. The chain is followed at most as often
/// as there are symbols: a looped chain ends.
std::optional<Elf64_Sym> findSymbol(std::span<const uint8_t> hash,
                                    std::span<const uint8_t> symbols,
                                    std::span<const uint8_t> strings,
                                    std::string_view name) {
  uint32_t numBuckets = readAt<uint32_t>(hash, 0);
  uint32_t numSymbols = readAt<uint32_t>(hash, 4);
  uint32_t index = readAt<uint32_t>(hash, 8 + 4 * uint64_t(elfHash(name) % numBuckets));
  for (uint32_t steps = 0; index != 0 && steps < numSymbols; ++steps) {
    auto symbol = readAt<Elf64_Sym>(symbols, index * sizeof(Elf64_Sym));
    if (name == reinterpret_cast<const char *>(strings.data()) + symbol.st_name)
      return symbol;
    index = readAt<uint32_t>(hash, 8 + 4 * (uint64_t(numBuckets) + index));
  }
  return std::nullopt;
}

} // namespace

bool ImageChecker::checkAbiVersion() {
  auto symbol =
      findSymbol(layout.hash_, layout.symbols_, layout.strings_, kernelAbiSymbol);
  if (!symbol || ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT)
    return fail(std::string("expected a constant ") + kernelAbiSymbol);
  auto contents = inMemory(symbol->st_value, sizeof(uint32_t));
  if (!contents)
    return fail(std::string(kernelAbiSymbol) + " is outside the image");
  auto version = readAt<uint32_t>(*contents, 0);
  if (version != kernelAbiVersion)
    return fail("kernel ABI version " + std::to_string(version) + ", this runtime has " +
                std::to_string(kernelAbiVersion) + ": compile the model again");
  return true;
}

std::optional<uint64_t> ImageLayout::findKernel(std::string_view name) const {
  auto symbol = findSymbol(hash_, symbols_, strings_, name);
  if (!symbol || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
    return std::nullopt;
  return symbol->st_value;
}

std::optional<ImageLayout> checkImage(std::span<const uint8_t> bytes,
                                      std::string &error) {
  return ImageChecker(bytes, error).run();
}

} // namespace hexin::cpu
