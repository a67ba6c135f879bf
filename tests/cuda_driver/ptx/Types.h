//===- Types.h - the fundamental types of PTX -----------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_PTX_TYPES_H
#define HEXIN_TESTS_CUDA_DRIVER_PTX_TYPES_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace standin {

enum class Type : uint8_t {
  None,
  Pred,
  B8,
  B16,
  B32,
  B64,
  B128,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  BF16,
  TF32,
  F32,
  F64,
  F16x2,
  BF16x2,
};

enum class Space : uint8_t { Generic, Param, Global, Shared, Local, Const };

/// "u32" -> Type::U32; nullopt for what is no type.
std::optional<Type> typeNamed(std::string_view name);
std::string_view nameOf(Type type);
/// "global" -> Space::Global; ".shared::cta" is ".shared".
std::optional<Space> spaceNamed(std::string_view name);

/// Bytes of a value; of a predicate 4, a bit for each lane of the warp.
unsigned bytesOf(Type type);
bool isFloat(Type type);   ///< all F, BF and TF types
bool isSigned(Type type);  ///< S types
bool isInteger(Type type); ///< U and S types
bool isBits(Type type);    ///< B types

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_PTX_TYPES_H
