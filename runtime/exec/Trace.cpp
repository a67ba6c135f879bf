#include "runtime/exec/Trace.h"

#include "runtime/artifact/Format.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

namespace hexin {
namespace {

using nlohmann::ordered_json;

ordered_json text(const flatbuffers::String *string) {
  return string ? string->str() : std::string();
}

/// "kernel matmul_f32_1a2b", "library onednn.conv"; what was refused before it.
ordered_json arguments(const fmt::Program &program, const TraceEvent &event) {
  const fmt::Instruction *instruction = program.instructions()->Get(event.instruction);
  ordered_json json = {{"node", text(instruction->node())},
                       {"instruction", event.instruction}};
  if (!event.isOnDevice || event.variant >= fmt::sizeOf(instruction->variants()))
    return json;
  const fmt::Variant *variant = instruction->variants()->Get(event.variant);
  json["engine"] = fmt::EnumNameEngine(variant->engine());
  json["name"] = text(variant->engine() == fmt::Engine::kernel
                          ? program.kernels()->Get(variant->kernel())->name()
                          : variant->name());
  json["operations"] = event.cost.operations;
  json["bytesRead"] = event.cost.bytesRead;
  json["bytesWritten"] = event.cost.bytesWritten;
  if (!event.passedOver.empty())
    json["passedOver"] = event.passedOver;
  return json;
}

ordered_json threadName(int row, const std::string &name) {
  return {{"ph", "M"},
          {"pid", 1},
          {"tid", row},
          {"name", "thread_name"},
          {"args", {{"name", name}}}};
}

} // namespace

uint64_t nowNs() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

std::string formatTrace(const fmt::Program &program, const std::string &deviceId,
                        const std::vector<TraceEvent> &events) {
  uint64_t start = UINT64_MAX;
  for (const TraceEvent &event : events)
    start = std::min(start, event.beginNs);
  auto list = ordered_json::array({threadName(1, "host"), threadName(2, deviceId)});
  for (const TraceEvent &event : events) {
    const fmt::Instruction *instruction = program.instructions()->Get(event.instruction);
    std::string name = instruction->op() ? instruction->op()->str() : std::string();
    if (name.empty())
      name = fmt::EnumNameInstructionKind(instruction->kind());
    uint64_t end = std::max(event.beginNs, event.endNs);
    list.push_back({{"ph", "X"},
                    {"pid", 1},
                    {"tid", event.isOnDevice ? 2 : 1},
                    {"name", name},
                    {"ts", static_cast<double>(event.beginNs - start) / 1000},
                    {"dur", static_cast<double>(end - event.beginNs) / 1000},
                    {"args", arguments(program, event)}});
  }
  ordered_json json = {{"displayTimeUnit", "ns"}, {"traceEvents", std::move(list)}};
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

} // namespace hexin
