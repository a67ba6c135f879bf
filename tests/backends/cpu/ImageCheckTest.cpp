//===- ImageCheckTest.cpp - damaged images are refused, or harmless ---------===//
#include "backends/cpu/abi/ImageCheck.h"
#include "tests/backends/cpu/KernelFixture.h"

#include <cstring>
#include <elf.h>
#include <gtest/gtest.h>
#include <random>

using namespace hexin::cpu;
using namespace hexin::test;

namespace {

const std::string &goodImage() {
  static const std::string image = compileKernels(R"(
    func.func @first(%x: memref<?xf32>, %begin: index, %end: index)
        attributes {hx.bindings = 1 : i64, hx.params = 0 : i64} {
      %v = memref.load %x[%begin] : memref<?xf32>
      %r = math.exp %v : f32
      memref.store %r, %x[%begin] : memref<?xf32>
      return
    }
    func.func @second(%begin: index, %end: index)
        attributes {hx.bindings = 0 : i64, hx.params = 0 : i64} { return })",
                                                  "x86-64-v2");
  return image;
}

std::optional<ImageLayout> check(const std::string &image, std::string *why = nullptr) {
  std::string error;
  auto layout =
      checkImage({reinterpret_cast<const uint8_t *>(image.data()), image.size()}, error);
  EXPECT_EQ(layout.has_value(), error.empty());
  if (why)
    *why = error;
  return layout;
}

template <typename T> T &at(std::string &image, size_t offset) {
  return *reinterpret_cast<T *>(image.data() + offset);
}

TEST(ImageCheck, goodImage) {
  auto layout = check(goodImage());
  ASSERT_TRUE(layout);
  EXPECT_TRUE(layout->findKernel("first"));
  EXPECT_TRUE(layout->findKernel("second"));
  EXPECT_FALSE(layout->findKernel("third"));
  EXPECT_FALSE(layout->findKernel(""));
  EXPECT_FALSE(layout->findKernel(kernelAbiSymbol)) << "data is no kernel";
  int executable = 0;
  for (const ImageSegment &s : layout->segments())
    executable += s.isExecutable;
  EXPECT_EQ(executable, 1);
}

TEST(ImageCheck, truncated) {
  // lld puts section headers behind all segments: what only they fill may go.
  const std::string &image = goodImage();
  auto layout = check(image);
  size_t needed = 0;
  for (const ImageSegment &s : layout->segments())
    needed = std::max<size_t>(needed, s.fileOffset + s.byteLength);
  for (size_t size = 0; size < image.size(); ++size)
    EXPECT_EQ(check(image.substr(0, size)).has_value(), size >= needed) << size;
}

TEST(ImageCheck, namedDamage) {
  auto refused = [](const char *what, auto damage) {
    std::string image = goodImage(), why;
    damage(image);
    EXPECT_FALSE(check(image, &why)) << what;
    EXPECT_NE(why.find(what), std::string::npos) << why;
  };
  auto header = [](std::string &i) -> Elf64_Ehdr & { return at<Elf64_Ehdr>(i, 0); };
  auto program = [&](std::string &i, uint32_t type) -> Elf64_Phdr & {
    for (unsigned n = 0; n < header(i).e_phnum; ++n) {
      auto &p = at<Elf64_Phdr>(i, header(i).e_phoff + n * sizeof(Elf64_Phdr));
      if (p.p_type == type)
        return p;
    }
    ADD_FAILURE();
    return at<Elf64_Phdr>(i, header(i).e_phoff);
  };
  refused("not a little-endian ELF64", [&](auto &i) { i[0] = 'M'; });
  refused("expected ELF type DYN", [&](auto &i) { header(i).e_machine = EM_AARCH64; });
  refused("program headers do not fit", [&](auto &i) { header(i).e_phoff = ~0ull; });
  refused("program headers do not fit", [&](auto &i) { header(i).e_phnum = 60000; });
  refused("R or R-X", [&](auto &i) { program(i, PT_LOAD).p_flags |= PF_W; });
  refused("page-aligned", [&](auto &i) { program(i, PT_LOAD).p_vaddr += 16; });
  refused("does not fit", [&](auto &i) { program(i, PT_LOAD).p_filesz += 1u << 30; });
  refused("does not fit", [&](auto &i) { program(i, PT_LOAD).p_memsz += 1; });
  refused("does not fit", [&](auto &i) { program(i, PT_LOAD).p_offset = ~0xfffull; });
  refused("executable stack", [&](auto &i) { program(i, PT_GNU_STACK).p_flags |= PF_X; });
  refused("asks for linking", [&](auto &i) {
    at<Elf64_Dyn>(i, program(i, PT_DYNAMIC).p_offset).d_tag = DT_RELA;
  });
  refused("asks for linking", [&](auto &i) {
    at<Elf64_Dyn>(i, program(i, PT_DYNAMIC).p_offset).d_tag = DT_NEEDED;
  });
}

// Every bit of the image, one at a time: accepted or refused, never read out of
// bounds (under ASan), and lookups end.
TEST(ImageCheck, everyBitFlipped) {
  std::string image = goodImage();
  // A copy that ends exactly at its allocation, so that ASan sees an overrun.
  std::vector<uint8_t> bytes(image.begin(), image.end());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= 1 << bit % 8;
    std::string error;
    if (auto layout = checkImage(bytes, error)) {
      layout->findKernel("first");
      layout->findKernel("absent");
    }
    bytes[bit / 8] ^= 1 << bit % 8;
  }
}

TEST(ImageCheck, randomDamage) {
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> bytes(goodImage().begin(), goodImage().end());
    for (int n = random() % 8 + 1; n > 0; --n)
      bytes[random() % 1024] = random();
    std::string error;
    if (auto layout = checkImage(bytes, error))
      layout->findKernel("second");
  }
}

} // namespace
