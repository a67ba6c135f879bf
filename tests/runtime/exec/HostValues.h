//===- HostValues.h - programs with values that are no tensors -------------------===//
#ifndef HEXIN_TESTS_RUNTIME_EXEC_HOSTVALUES_H
#define HEXIN_TESTS_RUNTIME_EXEC_HOSTVALUES_H

#include "tests/runtime/ArtifactMaker.h"

#include <algorithm>
#include <memory>

namespace hexin::test {

inline std::unique_ptr<fmt::TypeDefT> tensorType(DType dtype, int rank) {
  auto type = std::make_unique<fmt::TypeDefT>();
  type->dtype = static_cast<uint8_t>(dtype);
  type->rank = rank;
  type->dims.assign(static_cast<size_t>(std::max(rank, 0)), -1);
  return type;
}

inline std::unique_ptr<fmt::TypeDefT> holding(ValueKind kind,
                                              std::unique_ptr<fmt::TypeDefT> held) {
  auto type = std::make_unique<fmt::TypeDefT>();
  type->kind = static_cast<uint8_t>(kind);
  type->held = std::move(held);
  return type;
}

inline void makeHost(fmt::ValueDefT &value, ValueKind kind) {
  value.holds = static_cast<uint8_t>(kind);
  value.residency = fmt::Residency::host;
  if (kind != ValueKind::strings)
    value.dtype = 0;
}

inline void makePort(fmt::PortT &port, ValueKind kind) {
  port.kind = static_cast<uint8_t>(kind);
  if (kind != ValueKind::strings)
    port.type = holding(kind, tensorType(static_cast<DType>(port.dtype), 1));
}

inline uint32_t valueInput(ArtifactMaker &m, const std::string &name, ValueKind kind,
                           DType dtype = DType::f32, std::vector<int64_t> dims = {}) {
  uint32_t value = m.input(name, dtype, std::move(dims));
  makeHost(*m.program().values[value], kind);
  makePort(*m.header.inputs.back(), kind);
  return value;
}

inline uint32_t valueOutput(ArtifactMaker &m, const std::string &name, ValueKind kind,
                            DType dtype = DType::f32, std::vector<int32_t> dims = {}) {
  uint32_t value = m.output(name, dtype, std::move(dims));
  makeHost(*m.program().values[value], kind);
  makePort(*m.header.outputs.back(), kind);
  return value;
}

inline uint32_t valueTemp(ArtifactMaker &m, ValueKind kind) {
  uint32_t value = m.temp(DType::f32, {});
  makeHost(*m.program().values[value], kind);
  return value;
}

inline Sequence sequenceOf(std::vector<Value> elements) {
  Sequence sequence;
  sequence.elements = std::move(elements);
  return sequence;
}

/// t = s with 2 x s[at] at its end
inline ArtifactMaker makeTakeAndPut(const std::string &device) {
  ArtifactMaker m(device);
  uint32_t s = valueInput(m, "s", ValueKind::sequence);
  uint32_t at = m.input("at", DType::i64, {});
  auto x = static_cast<uint32_t>(m.program().values.size());
  int32_t size = m.resultDim(x, 0);
  m.temp(DType::f32, {size}, fmt::Residency::both);
  uint32_t y = m.temp(DType::f32, {size}, fmt::Residency::both);
  uint32_t t = valueOutput(m, "t", ValueKind::sequence);
  m.runHost("seq_at", {}, {s, at}, {x});
  m.toDevice(x);
  int32_t scale = m.kernel("scale", {false, true}, 2);
  m.runKernel(scale, {x, y}, {size, m.constant(2)});
  m.toHost(y);
  m.runHost("seq_insert", {}, {s, y}, {t});
  return m;
}

/// t = s with x at its end, `trips` times
inline ArtifactMaker makeGrowing(const std::string &device) {
  ArtifactMaker m(device);
  uint32_t s = valueInput(m, "s", ValueKind::sequence);
  uint32_t x = m.input("x", DType::f32, {-1});
  uint32_t trips = m.input("trips", DType::i64, {1}, {}, fmt::Residency::both);
  uint32_t entry = valueTemp(m, ValueKind::sequence);
  uint32_t carried = valueTemp(m, ValueKind::sequence);
  uint32_t next = valueTemp(m, ValueKind::sequence);
  uint32_t result = valueTemp(m, ValueKind::sequence);
  uint32_t t = valueOutput(m, "t", ValueKind::sequence);
  auto mark = [&](fmt::InstructionKind kind) {
    auto instruction = std::make_unique<fmt::InstructionT>();
    instruction->kind = kind;
    instruction->value = 0;
    m.program().instructions.push_back(std::move(instruction));
  };
  m.runHost("share", {}, {s}, {entry});
  mark(fmt::InstructionKind::loop_begin);
  m.runHost("seq_insert", {}, {carried, x}, {next});
  mark(fmt::InstructionKind::loop_end);
  m.runHost("share", {}, {result}, {t});
  auto loop = std::make_unique<fmt::LoopT>();
  loop->trip_count = m.element(trips, 0);
  loop->entries = {entry};
  loop->carried = {carried};
  loop->nexts = {next};
  loop->results = {result};
  m.program().loops.push_back(std::move(loop));
  return m;
}

} // namespace hexin::test

#endif // HEXIN_TESTS_RUNTIME_EXEC_HOSTVALUES_H
