//===- Matrix.cpp - ldmatrix, stmatrix and mma ----------------------------------------------===//
//
// Tensor cores do not say how they round. Here products are exact, a row is summed in
// f64 with the accumulator, and the sum is rounded once.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/simt/Decoder.h"
#include "tests/cuda_driver/simt/Float.h"
#include "tests/cuda_driver/simt/Memory.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

using namespace standin;

namespace {

/// The rows of matrix m are at the addresses of lanes 8m to 8m + 7.
Places locateRows(Warp &warp, const Instruction &i, unsigned slot, unsigned matrices) {
  uint32_t rows = matrices == 4 ? allLanes : (1u << 8 * matrices) - 1;
  return locate(warp, i, rows, slot, 16);
}

/// Row and column of the pair that `lane` holds of a matrix of 8x8 halfs.
struct Position {
  unsigned row, column;
};
constexpr Position pairOf(unsigned lane) { return {lane / 4, lane % 4 * 2}; }

// Instruction::option: matrices | transposed << 8
constexpr unsigned transposedFlag = 1 << 8;

Flow loadMatrix(Warp &warp, const Instruction &i, uint32_t active) {
  unsigned matrices = i.option & 7;
  if (!warp.gather(i, active, allLanes))
    return Flow::Reschedule;
  Places rows = locateRows(warp, i, i.numDst, matrices);
  bool transposed = i.option & transposedFlag;
  for (unsigned m = 0; m < matrices; ++m) {
    uint32_t *dst = warp.lanes<uint32_t>(i.slot[m]);
    for (unsigned lane = 0; lane < numLanes; ++lane) {
      Position at = pairOf(lane);
      uint16_t pair[2];
      for (unsigned k = 0; k < 2; ++k) {
        unsigned row = transposed ? at.column + k : at.row;
        unsigned column = transposed ? at.row : at.column + k;
        std::memcpy(&pair[k], rows.host[8 * m + row] + 2 * column, 2);
      }
      dst[lane] = uint32_t(pair[1]) << 16 | pair[0];
    }
  }
  return Flow::Next;
}

Flow storeMatrix(Warp &warp, const Instruction &i, uint32_t active) {
  unsigned matrices = i.option & 7;
  if (!warp.gather(i, active, allLanes))
    return Flow::Reschedule;
  Places rows = locateRows(warp, i, 0, matrices);
  bool transposed = i.option & transposedFlag;
  for (unsigned m = 0; m < matrices; ++m) {
    const uint32_t *src = warp.lanes<uint32_t>(i.slot[1 + m]);
    for (unsigned lane = 0; lane < numLanes; ++lane) {
      Position at = pairOf(lane);
      for (unsigned k = 0; k < 2; ++k) {
        unsigned row = transposed ? at.column + k : at.row;
        unsigned column = transposed ? at.row : at.column + k;
        uint16_t half = uint16_t(src[lane] >> 16 * k);
        std::memcpy(rows.host[8 * m + row] + 2 * column, &half, 2);
      }
    }
  }
  return Flow::Next;
}

void decodeMatrixMove(Decoder &d) {
  bool isLoad = d.opcode() == "ldmatrix";
  d.requireTarget(isLoad ? 75 : 90);
  unsigned count = d.takeOneOf({"x1", "x2", "x4"});
  bool complete = d.take("sync") && d.take("aligned") && d.take("m8n8");
  if (d.take("trans"))
    d.out.option = transposedFlag;
  std::optional<Space> space = d.trySpace();
  d.out.space = space.value_or(Space::Generic);
  if (!complete || count == Decoder::none || d.takeType() != Type::B16 ||
      (space && *space != Space::Shared))
    d.failCombination();
  unsigned matrices = 1u << count;
  d.out.option |= matrices;
  const Operand &vector = d.operand(isLoad ? 0 : 1);
  std::vector<Operand> parts{vector};
  if (vector.kind == Operand::Kind::Vector)
    parts = vector.parts;
  if (parts.size() != matrices)
    d.fail("has " + std::to_string(parts.size()) + " registers, expected " +
           std::to_string(matrices));
  if (!isLoad)
    d.address(0, d.out.space);
  for (const Operand &part : parts)
    isLoad ? d.destination(part, Type::B32) : d.source(part, Type::B32);
  if (isLoad)
    d.address(1, d.out.space);
  d.handler(isLoad ? loadMatrix : storeMatrix);
}

// Fragments of m16n8kK. With E elements in a register of 32 bits, lane l has the group
// g = l / 4 and the place t = l % 4:
//   A: register r holds row g + 8 (r & 1), columns E t + 4 E (r >> 1) and on
//   B: register r holds rows E t + 4 E r and on, column g
//   C, D: register r holds row g + 8 (r >> 1), column 2 t + (r & 1)
//         (as f16: two columns in each register)
constexpr unsigned rowsM = 16, columnsN = 8, maxK = 32;

struct Shape {
  unsigned k = 0, elements = 0; ///< elements of A and B in a register
  unsigned registersA = 0, registersB = 0, registersC = 0;
};

double elementOf(uint32_t bits, unsigned at, Type type) {
  switch (type) {
  case Type::F16:
    return toFloat(Half{uint16_t(bits >> 16 * at)});
  case Type::BF16:
    return toFloat(BHalf{uint16_t(bits >> 16 * at)});
  case Type::S8:
    return int8_t(bits >> 8 * at);
  case Type::U8:
    return uint8_t(bits >> 8 * at);
  default: // tf32: the low 13 bits are not read
    return std::bit_cast<float>(bits & 0xffffe000);
  }
}

// Instruction: type of A, sourceType of B; option: k | C and D are f16 | s32 | satfinite
constexpr unsigned halfFlag = 1 << 8, integerFlag = 1 << 9, saturateFlag = 1 << 10;

Shape shapeOf(Type type, unsigned k, bool halfResult) {
  Shape shape;
  shape.k = k;
  shape.elements = type == Type::TF32                        ? 1
                   : type == Type::F16 || type == Type::BF16 ? 2
                                                             : 4;
  shape.registersB = k / (4 * shape.elements);
  shape.registersA = 2 * shape.registersB;
  shape.registersC = halfResult ? 2 : 4;
  return shape;
}

Flow multiply(Warp &warp, const Instruction &i, uint32_t active) {
  if (!warp.gather(i, active, allLanes))
    return Flow::Reschedule;
  const bool isHalf = i.option & halfFlag, isInteger = i.option & integerFlag;
  const Shape shape = shapeOf(i.type, i.option & 255, isHalf);
  const unsigned firstA = shape.registersC, firstB = firstA + shape.registersA,
                 firstC = firstB + shape.registersB;
  double a[rowsM][maxK], b[maxK][columnsN], sum[rowsM][columnsN];
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    unsigned group = lane / 4, place = lane % 4;
    for (unsigned r = 0; r < shape.registersA; ++r)
      for (unsigned e = 0; e < shape.elements; ++e)
        a[group + 8 * (r & 1)][shape.elements * (place + 4 * (r >> 1)) + e] =
            elementOf(warp.lanes<uint32_t>(i.slot[firstA + r])[lane], e, i.type);
    for (unsigned r = 0; r < shape.registersB; ++r)
      for (unsigned e = 0; e < shape.elements; ++e)
        b[shape.elements * (place + 4 * r) + e][group] =
            elementOf(warp.lanes<uint32_t>(i.slot[firstB + r])[lane], e, i.sourceType);
    for (unsigned r = 0; r < 4; ++r) {
      double &c = sum[group + 8 * (r >> 1)][2 * place + (r & 1)];
      uint32_t bits = warp.lanes<uint32_t>(i.slot[firstC + (isHalf ? r >> 1 : r)])[lane];
      c = isHalf      ? toFloat(Half{uint16_t(bits >> 16 * (r & 1))})
          : isInteger ? double(int32_t(bits))
                      : double(std::bit_cast<float>(bits));
    }
  }
  for (unsigned m = 0; m < rowsM; ++m)
    for (unsigned k = 0; k < shape.k; ++k)
      for (unsigned n = 0; n < columnsN; ++n)
        sum[m][n] += a[m][k] * b[k][n];
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    unsigned group = lane / 4, place = lane % 4;
    for (unsigned r = 0; r < 4; ++r) {
      double value = sum[group + 8 * (r >> 1)][2 * place + (r & 1)];
      if (isHalf) {
        auto bits = uint16_t(packFloat(formatHalf, value, Rounding::Nearest));
        std::memcpy(
            reinterpret_cast<std::byte *>(&warp.lanes<uint32_t>(i.slot[r >> 1])[lane]) +
                2 * (r & 1),
            &bits, 2);
        continue;
      }
      uint32_t bits = 0;
      if (!isInteger)
        bits = std::bit_cast<uint32_t>(fromFloat<float>(float(value)));
      else if (i.option & saturateFlag)
        bits = uint32_t(int32_t(std::clamp(value, -2147483648.0, 2147483647.0)));
      else
        bits = uint32_t(int64_t(value)); // wraps; exact in f64
      warp.lanes<uint32_t>(i.slot[r])[lane] = bits;
    }
  }
  return Flow::Next;
}

void addVector(Decoder &d, size_t index, unsigned count, bool isDestination) {
  const Operand &vector = d.operand(index);
  std::vector<Operand> parts{vector};
  if (vector.kind == Operand::Kind::Vector)
    parts = vector.parts;
  if (parts.size() != count)
    d.fail("operand " + std::to_string(index + 1) + " has " +
           std::to_string(parts.size()) + " registers, expected " +
           std::to_string(count));
  for (const Operand &part : parts)
    isDestination ? d.destination(part, Type::B32) : d.source(part, Type::B32);
}

void decodeMultiply(Decoder &d) {
  static constexpr unsigned depths[] = {4, 8, 16, 32};
  unsigned depth = d.takeOneOf({"m16n8k4", "m16n8k8", "m16n8k16", "m16n8k32"});
  bool complete = d.take("sync") && d.take("aligned") && d.take("row") && d.take("col");
  if (!complete || depth == Decoder::none)
    d.failCombination();
  bool saturates = d.take("satfinite");
  unsigned k = depths[depth];
  Type result = d.takeType(), a = d.takeType(), b = d.takeType(), c = d.takeType();
  auto isByte = [](Type type) { return type == Type::S8 || type == Type::U8; };
  bool known = result == c;
  if (a == Type::F16)
    known &= b == a && (k == 8 || k == 16) && (c == Type::F32 || c == Type::F16);
  else if (a == Type::BF16)
    known &= b == a && (k == 8 || k == 16) && c == Type::F32;
  else if (a == Type::TF32)
    known &= b == a && (k == 4 || k == 8) && c == Type::F32;
  else
    known &= isByte(a) && isByte(b) && (k == 16 || k == 32) && c == Type::S32;
  if (!known || (saturates && c != Type::S32))
    d.failCombination();
  d.requireTarget(a == Type::F16 && k == 8 ? 75 : 80);
  d.out.option = k | (c == Type::F16 ? halfFlag : 0) |
                 (c == Type::S32 ? integerFlag : 0) | (saturates ? saturateFlag : 0);
  d.out.type = a;
  d.out.sourceType = b;
  d.out.counted = Counted::Mma;
  Shape shape = shapeOf(a, k, c == Type::F16);
  addVector(d, 0, shape.registersC, true);
  addVector(d, 1, shape.registersA, false);
  addVector(d, 2, shape.registersB, false);
  addVector(d, 3, shape.registersC, false);
  d.handler(multiply);
}

constexpr OpcodeRow rows[] = {
    {"ldmatrix", decodeMatrixMove},
    {"stmatrix", decodeMatrixMove},
    {"mma", decodeMultiply},
};

} // namespace

std::span<const OpcodeRow> standin::matrixRows() { return rows; }
