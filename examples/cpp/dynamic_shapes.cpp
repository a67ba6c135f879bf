// Runs one artifact at several input sizes. Nothing is compiled for a new size.
//
//   dynamic_shapes MODEL.hxm [DEVICE]
//
// The model has one f32 input whose first size is dynamic.

#include "or_exit.h"

#include <hexin/hexin.h>

#include <algorithm>
#include <cstdio>
#include <vector>

int main(int argc, char **argv) {
  if (argc < 2)
    return std::fprintf(stderr, "usage: dynamic_shapes MODEL.hxm [DEVICE]\n"), 2;
  hexin::Model model = orExit(hexin::Model::open(argv[1]));
  hexin::SessionOptions options;
  options.device = argc > 2 ? argv[2] : "cpu";
  hexin::Session session = orExit(hexin::Session::create(model, options));
  const hexin::PortInfo &input = model.inputs()[0];

  for (int64_t batch : {1, 3, 8, 3}) {
    std::vector<int64_t> dims = input.dims;
    dims[0] = batch;

    // Optional: does what depends on the sizes now, so that the run below is as
    // quick as any later one.
    std::vector<std::vector<int64_t>> dimsPerInput = {dims};
    orExit(session.prepare(dimsPerInput));

    hexin::Tensor tensor = orExit(hexin::Tensor::allocate(input.dtype, dims));
    std::fill_n(tensor.as<float>(), tensor.numElements(), 1.0f);
    hexin::NamedValues outputs = orExit(session.run({{input.name, tensor}}));

    const hexin::Tensor *output = outputs[0].value.tensor();
    std::printf("batch %lld: %lld elements of output\n", static_cast<long long>(batch),
                static_cast<long long>(output ? output->numElements() : 0));
  }
  // Four runs, three sets of sizes: a size that came before costs nothing.
  std::printf("plans: %llu\n", static_cast<unsigned long long>(session.stats().plans));
}
