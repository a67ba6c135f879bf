// Regular expressions and pictures, by libhexin_hostops.
#include "runtime/host/Kernel.h"

#include "runtime/base/ValueCheck.h"
#include "runtime/device/Library.h"
#include "runtime/host/hexin_hostops.h"

#include <memory>

namespace hexin::host {
namespace {

/// Of one picture; four channels of it still fit any device's buffer.
constexpr uint64_t maxPixels = uint64_t(1) << 28;

Result<const hexin_hostops *> load() {
  auto symbol = loadSymbol(libraryFolders("HEXIN_BACKEND_PATH"), "libhexin_hostops.so",
                           "hexin_hostops_table");
  if (!symbol)
    return unavailable("regular expressions and pictures need libhexin_hostops, which "
                       "cannot be loaded: " +
                       symbol.status().message());
  const hexin_hostops *table = reinterpret_cast<hexin_hostops_fn>(*symbol)();
  if (!table || table->version != HEXIN_HOSTOPS_VERSION ||
      table->struct_size < sizeof(hexin_hostops))
    return versionMismatch("libhexin_hostops is of another version than libhexin");
  return table;
}

Result<const hexin_hostops *> library() {
  static const Result<const hexin_hostops *> loaded = load();
  return loaded;
}

} // namespace

Values runRegexMatch(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const StringTensor *input, call.strings(0));
  HEXIN_ASSIGN_OR_RETURN(const hexin_hostops *ops, library());
  std::string_view pattern = call.attributes.getString("pattern");
  void *compiled = nullptr;
  char error[256] = "";
  if (ops->compile_regex(pattern.data(), pattern.size(), &compiled, error, sizeof error))
    return invalidArgument("pattern '" + std::string(pattern.substr(0, 120)) +
                           "': " + error);
  std::unique_ptr<void, void (*)(void *)> regex(compiled, ops->release_regex);
  HEXIN_ASSIGN_OR_RETURN(Tensor matches, Tensor::allocate(DType::boolean, input->dims));
  for (size_t i = 0; i < input->elements.size(); ++i)
    matches.as<uint8_t>()[i] = ops->match_regex(regex.get(), input->elements[i].data(),
                                                input->elements[i].size()) != 0;
  return single(std::move(matches));
}

Values runDecodeImage(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(const Tensor *bytes, call.tensor(0));
  if (bytes->dtype() != DType::u8 || bytes->dims().size() != 1)
    return invalidArgument("expected the bytes of a file as u8[?], got " +
                           describe(*call.operands[0]));
  HEXIN_ASSIGN_OR_RETURN(const hexin_hostops *ops, library());
  std::string_view format = call.attributes.getString("pixelFormat", "RGB");
  hexin_pixel_format pixels = format == "BGR"         ? HEXIN_PIXELS_BGR
                              : format == "Grayscale" ? HEXIN_PIXELS_GRAY
                                                      : HEXIN_PIXELS_RGB;
  hexin_picture picture{};
  char error[256] = "";
  if (ops->decode_picture(bytes->as<uint8_t>(), bytes->byteLength(), pixels, maxPixels,
                          &picture, error, sizeof error))
    return resourceExhausted(error);
  std::shared_ptr<void> memory(
      picture.pixels, [picture, ops](void *) mutable { ops->release_picture(&picture); });
  int64_t channels = pixels == HEXIN_PIXELS_GRAY ? 1 : 3;
  int64_t dims[] = {picture.height, picture.width, channels};
  if (!picture.pixels || picture.channels != channels) {
    dims[0] = dims[1] = 0;
    HEXIN_ASSIGN_OR_RETURN(Tensor empty, Tensor::allocate(DType::u8, dims));
    return single(std::move(empty));
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor,
                         Tensor::wrap(DType::u8, dims, picture.pixels,
                                      static_cast<size_t>(dims[0] * dims[1] * channels),
                                      std::move(memory)));
  return single(std::move(tensor));
}

} // namespace hexin::host
