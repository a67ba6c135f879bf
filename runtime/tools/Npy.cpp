#include "runtime/tools/Npy.h"

#include "runtime/base/Checked.h"
#include "runtime/tools/NpyHeader.h"
#include "runtime/tools/Utf8.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <unistd.h>

namespace hexin::cli {
namespace {

constexpr uint32_t maxHeaderLength = 64 * 1024;

struct FileCloser {
  void operator()(std::FILE *file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

bool readExactly(std::FILE *file, void *data, size_t byteLength) {
  return byteLength == 0 || std::fread(data, 1, byteLength, file) == byteLength;
}

Result<NpyHeader> readHeader(std::FILE *file) {
  unsigned char start[8];
  if (!readExactly(file, start, sizeof(start)) || std::memcmp(start, "\x93NUMPY", 6) != 0)
    return corruptData("this is no .npy file: it does not begin with \\x93NUMPY");
  unsigned major = start[6];
  if (major < 1 || major > 3)
    return versionMismatch(".npy version " + std::to_string(major) +
                           " is unknown; expected 1, 2 or 3");
  unsigned char lengthBytes[4] = {};
  if (!readExactly(file, lengthBytes, major == 1 ? 2 : 4))
    return corruptData("the .npy file ends inside its header");
  uint32_t length = lengthBytes[0] | lengthBytes[1] << 8 | lengthBytes[2] << 16 |
                    uint32_t{lengthBytes[3]} << 24;
  if (length > maxHeaderLength)
    return corruptData("the .npy header claims " + std::to_string(length) +
                       " bytes; at most " + std::to_string(maxHeaderLength) +
                       " are read");
  std::string text(length, '\0');
  if (!readExactly(file, text.data(), length))
    return corruptData("the .npy file ends inside its header");
  return parseNpyHeader(text);
}

/// Bytes from the current position to the end.
Result<uint64_t> remainingBytes(std::FILE *file) {
  long position = std::ftell(file);
  if (position < 0 || std::fseek(file, 0, SEEK_END) != 0)
    return ioError("cannot seek: a .npy file must be a regular file");
  long end = std::ftell(file);
  if (end < position || std::fseek(file, position, SEEK_SET) != 0)
    return ioError("cannot seek: a .npy file must be a regular file");
  return static_cast<uint64_t>(end - position);
}

bool isOneByteBits(DType dtype) { return dtype >= DType::f8e4m3fn; }

Result<DType> tensorTypeOf(const NpyType &type, std::optional<DType> expected) {
  bool isBits = type.kind == 'u' || type.kind == 'i' || type.kind == 'V';
  if (expected && isBits) {
    if (*expected == DType::bf16 && type.width == 2)
      return DType::bf16;
    if (isOneByteBits(*expected) && type.width == 1)
      return *expected;
  }
  for (DType dtype : {DType::boolean, DType::i8, DType::i16, DType::i32, DType::i64,
                      DType::u8, DType::u16, DType::u32, DType::u64, DType::f16,
                      DType::f32, DType::f64, DType::c64, DType::c128}) {
    NpyType stored = npyTypeOf(dtype);
    if (stored.kind == type.kind && stored.width == type.width)
      return dtype;
  }
  return unsupported("no tensor has elements of " + std::to_string(type.width) +
                     " bytes of NumPy kind '" + std::string(1, type.kind) + "'");
}

/// Copies `src`, in which the first axis varies fastest, to row-major `dst`.
void transposeFortran(const std::byte *src, std::byte *dst,
                      const std::vector<int64_t> &dims, size_t width) {
  size_t rank = dims.size();
  std::vector<size_t> srcStrides(rank);
  size_t stride = width, numElements = 1;
  for (size_t axis = 0; axis < rank; ++axis) {
    srcStrides[axis] = stride;
    stride *= static_cast<size_t>(dims[axis]);
    numElements *= static_cast<size_t>(dims[axis]);
  }
  std::vector<int64_t> index(rank, 0);
  size_t srcOffset = 0;
  for (size_t i = 0; i < numElements; ++i, dst += width) {
    std::memcpy(dst, src + srcOffset, width);
    for (size_t axis = rank; axis-- > 0;) {
      srcOffset += srcStrides[axis];
      if (++index[axis] < dims[axis])
        break;
      srcOffset -= srcStrides[axis] * static_cast<size_t>(dims[axis]);
      index[axis] = 0;
    }
  }
}

/// The data as row-major bytes at `dst`, which has room for all of them.
Status readElements(std::FILE *file, const NpyHeader &header, size_t byteLength,
                    std::byte *dst) {
  bool needsTranspose = header.isFortranOrder && header.dims.size() > 1;
  std::vector<std::byte> columns(needsTranspose ? byteLength : 0);
  if (!readExactly(file, needsTranspose ? columns.data() : dst, byteLength))
    return ioError(std::string("cannot read the elements: ") + std::strerror(errno));
  if (needsTranspose && byteLength > 0)
    transposeFortran(columns.data(), dst, header.dims, header.type.width);
  return Status::success();
}

std::string decodeString(const std::byte *bytes, const NpyType &type) {
  if (type.kind == 'S') {
    const char *chars = reinterpret_cast<const char *>(bytes);
    size_t length = type.width;
    while (length > 0 && chars[length - 1] == '\0')
      --length;
    return std::string(chars, length);
  }
  std::u32string codes(type.width / 4, U'\0');
  std::memcpy(codes.data(), bytes, type.width);
  while (!codes.empty() && codes.back() == U'\0')
    codes.pop_back();
  return encodeUtf8(codes);
}

Result<NpyFile> readFrom(std::FILE *file, std::optional<DType> expected) {
  HEXIN_ASSIGN_OR_RETURN(NpyHeader header, readHeader(file));
  HEXIN_ASSIGN_OR_RETURN(uint64_t remaining, remainingBytes(file));
  auto numElements = checkedNumElements(header.dims);
  auto byteLength =
      numElements ? checkedMul(*numElements, static_cast<int64_t>(header.type.width))
                  : std::nullopt;
  if (!byteLength || static_cast<uint64_t>(*byteLength) != remaining ||
      (header.type.width == 0 && *numElements > 0))
    return corruptData("the .npy header announces " +
                       (byteLength ? std::to_string(*byteLength) + " bytes"
                                   : std::string("more than 2^63 bytes")) +
                       " of elements, the file holds " + std::to_string(remaining));
  NpyFile result;
  result.wasTransposed = header.isFortranOrder && header.dims.size() > 1;
  size_t length = static_cast<size_t>(*byteLength);

  if (header.type.kind == 'U' || header.type.kind == 'S') {
    std::vector<std::byte> bytes(length);
    HEXIN_RETURN_IF_ERROR(readElements(file, header, length, bytes.data()));
    StringTensor strings{header.dims, {}};
    for (size_t offset = 0; offset < length; offset += header.type.width)
      strings.elements.push_back(decodeString(bytes.data() + offset, header.type));
    result.value = std::move(strings);
    return result;
  }
  HEXIN_ASSIGN_OR_RETURN(DType dtype, tensorTypeOf(header.type, expected));
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(dtype, header.dims));
  if (tensor.byteLength() != length)
    return internalError("a tensor of " + std::string(toString(dtype)) + " has " +
                         std::to_string(tensor.byteLength()) + " bytes, expected " +
                         std::to_string(length));
  HEXIN_RETURN_IF_ERROR(
      readElements(file, header, length, static_cast<std::byte *>(tensor.data())));
  // Kernels rely on booleans being 0 or 1; a file may hold anything.
  if (dtype == DType::boolean)
    for (uint8_t &flag : std::span(tensor.as<uint8_t>(), length))
      flag = flag != 0;
  result.value = std::move(tensor);
  return result;
}

/// The elements of `strings` as UTF-32, each padded to the longest.
Result<std::string> encodeStrings(const StringTensor &strings, NpyType &type) {
  std::vector<std::u32string> decoded;
  size_t longest = 1;
  for (const std::string &element : strings.elements) {
    decoded.push_back(decodeUtf8(element));
    longest = std::max(longest, decoded.back().size());
  }
  type = {'U', longest * 4};
  auto byteLength =
      checkedMul(static_cast<int64_t>(decoded.size()), static_cast<int64_t>(type.width));
  if (!byteLength)
    return resourceExhausted("the strings do not fit a .npy file");
  std::string bytes(static_cast<size_t>(*byteLength), '\0');
  for (size_t i = 0; i < decoded.size(); ++i)
    std::memcpy(bytes.data() + i * type.width, decoded[i].data(), decoded[i].size() * 4);
  return bytes;
}

Status writeFile(const std::string &path, const NpyHeader &header, const void *data,
                 size_t byteLength) {
  File file(std::fopen(path.c_str(), "wb"));
  if (!file)
    return ioError("cannot create '" + path + "': " + std::strerror(errno));
  std::string preamble = formatNpyPreamble(header);
  bool isWritten =
      std::fwrite(preamble.data(), 1, preamble.size(), file.get()) == preamble.size() &&
      (byteLength == 0 || std::fwrite(data, 1, byteLength, file.get()) == byteLength);
  int error = errno;
  if (std::fclose(file.release()) != 0) {
    isWritten = false;
    error = errno;
  }
  if (isWritten)
    return Status::success();
  ::unlink(path.c_str());
  return ioError("cannot write '" + path + "': " + std::strerror(error));
}

} // namespace

Result<NpyFile> readNpy(const std::string &path, std::optional<DType> expected) {
  File file(std::fopen(path.c_str(), "rb"));
  if (!file) {
    std::string message = "cannot open '" + path + "': " + std::strerror(errno);
    return errno == ENOENT ? notFound(message) : ioError(message);
  }
  auto result = readFrom(file.get(), expected);
  if (!result.ok())
    return result.status().withContext("'" + path + "'");
  return result;
}

Status writeNpy(const std::string &path, const Value &value) {
  NpyHeader header;
  if (const Tensor *tensor = value.tensor()) {
    header.type = npyTypeOf(tensor->dtype());
    header.dims.assign(tensor->dims().begin(), tensor->dims().end());
    return writeFile(path, header, tensor->data(), tensor->byteLength());
  }
  if (const StringTensor *strings = value.strings()) {
    HEXIN_ASSIGN_OR_RETURN(std::string bytes, encodeStrings(*strings, header.type));
    header.dims = strings->dims;
    return writeFile(path, header, bytes.data(), bytes.size());
  }
  return invalidArgument("a .npy file holds a tensor, not a sequence, optional or map");
}

} // namespace hexin::cli
