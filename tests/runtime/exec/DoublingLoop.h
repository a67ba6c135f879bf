// A small program with a loop.
#ifndef HEXIN_TESTS_RUNTIME_EXEC_DOUBLINGLOOP_H
#define HEXIN_TESTS_RUNTIME_EXEC_DOUBLINGLOOP_H

#include "tests/runtime/ArtifactMaker.h"

namespace hexin::test {

/// y = x doubled `trips` times (at most; as long as `again`), steps = what each
/// iteration made; `trips` is an input on the host.
struct DoublingLoop {
  explicit DoublingLoop(const std::string &device) : m(device) {
    uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
    uint32_t trips = m.input("trips", DType::i64, {1}, {}, fmt::Residency::host);
    int32_t n = m.inputDim(0, 0), one = m.constant(1);
    scale = m.kernel("scale", {false, true}, 2);
    uint32_t entry = m.temp(DType::f32, {n});
    // Values of the loop have the sizes that they are handed on with.
    auto loopTemp = [&](uint32_t rank) {
      auto id = static_cast<uint32_t>(m.program().values.size());
      std::vector<int32_t> dims;
      for (uint32_t axis = 0; axis < rank; ++axis)
        dims.push_back(m.resultDim(id, static_cast<int32_t>(axis)));
      return m.temp(DType::f32, dims);
    };
    uint32_t carried = loopTemp(1);
    uint32_t next = m.temp(DType::f32, {n}), slice = m.temp(DType::f32, {n});
    uint32_t result = loopTemp(1), stack = loopTemp(2);
    uint32_t y = m.output("y", DType::f32, {n});
    uint32_t steps = m.output("steps", DType::f32, {m.resultDim(stack, 0), n});
    auto made = std::make_unique<fmt::LoopT>();
    made->trip_count = m.element(trips, 0);
    made->entries = {entry};
    made->carried = {carried};
    made->nexts = {next};
    made->results = {result};
    made->slices = {slice};
    made->stacks = {stack};
    m.program().loops.push_back(std::move(made));

    m.runKernel(scale, {x, entry}, {n, one});
    mark(fmt::InstructionKind::loop_begin, 0);
    m.runKernel(scale, {carried, next}, {n, m.constant(2)});
    m.runKernel(scale, {next, slice}, {n, m.op(fmt::ExprOp::iteration, 0, -1)});
    mark(fmt::InstructionKind::loop_end, 0);
    m.runKernel(scale, {slice, stack}, {n, one});
    m.runKernel(scale, {result, y}, {n, one});
    m.runKernel(scale, {stack, steps},
                {m.op(fmt::ExprOp::mul, m.resultDim(stack, 0), n), one});
  }

  void mark(fmt::InstructionKind kind, int32_t loop) {
    auto instruction = std::make_unique<fmt::InstructionT>();
    instruction->kind = kind;
    instruction->value = loop;
    m.program().instructions.push_back(std::move(instruction));
  }

  ArtifactMaker m;
  int32_t scale = 0;
};

} // namespace hexin::test

#endif // HEXIN_TESTS_RUNTIME_EXEC_DOUBLINGLOOP_H
