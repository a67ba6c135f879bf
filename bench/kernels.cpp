// hexin-bench-kernels LIST [--benchmark_...]
//
// Times runs of artifacts with Google Benchmark, outputs in place. LIST is JSON, one
// object for each: {"name", "path", "threads", "operations"}, the latter of one run.
// bench/kernels.py writes it.
#include "hexin/hexin.h"

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>
#include <random>

namespace {

using nlohmann::json;

hexin::Result<hexin::NamedValues> randomInputs(const hexin::Model &model) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  hexin::NamedValues values;
  for (const hexin::PortInfo &port : model.inputs()) {
    auto tensor = hexin::Tensor::allocate(port.dtype, port.dims);
    if (!tensor)
      return tensor.status();
    for (int64_t i = 0; i < tensor->numElements(); ++i)
      tensor->as<float>()[i] = uniform(random);
    values.push_back({port.name, *std::move(tensor)});
  }
  return values;
}

/// The first failure ends a benchmark, with its message.
hexin::Status time(benchmark::State &state, const json &entry) {
  auto model = hexin::Model::open(entry["path"].get<std::string>());
  if (!model)
    return model.status();
  auto session = hexin::Session::create(*model, {.threads = entry.value("threads", 1u)});
  if (!session)
    return session.status();
  auto inputs = randomInputs(*model);
  if (!inputs)
    return inputs.status();
  auto outputs = session->run(*inputs);
  if (!outputs)
    return outputs.status();
  for (auto _ : state)
    if (hexin::Status status = session->run(*inputs, *outputs); !status)
      return status;
  if (double operations = entry.value("operations", 0.0); operations > 0)
    state.counters["flops"] =
        benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
  return hexin::Status::success();
}

} // namespace

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  std::ifstream file(argc == 2 ? argv[1] : "");
  json list = json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) {
    std::fprintf(stderr, "usage: hexin-bench-kernels LIST.json [--benchmark_...]\n");
    return 2;
  }
  for (const json &entry : list)
    benchmark::RegisterBenchmark(entry.value("name", "").c_str(),
                                 [&entry](benchmark::State &state) {
                                   if (hexin::Status status = time(state, entry); !status)
                                     state.SkipWithError(status.message().c_str());
                                 })
        ->UseRealTime();
  benchmark::RunSpecifiedBenchmarks();
}
