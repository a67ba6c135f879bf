// Runs a model once, with ones as its inputs.
//
//   run_model MODEL.hxm [DEVICE]

#include "or_exit.h"

#include <hexin/hexin.h>

#include <algorithm>
#include <cstdio>
#include <vector>

int main(int argc, char **argv) {
  if (argc < 2)
    return std::fprintf(stderr, "usage: run_model MODEL.hxm [DEVICE]\n"), 2;

  // A model is a mapped file. A session is a model on a device, ready to run;
  // several sessions share the model's weights.
  hexin::Model model = orExit(hexin::Model::open(argv[1]));
  hexin::SessionOptions options;
  options.device = argc > 2 ? argv[2] : "cpu";
  hexin::Session session = orExit(hexin::Session::create(model, options));

  // An input has a name, an element type and sizes; -1 is a size that the caller
  // chooses, here 1.
  hexin::NamedValues inputs;
  for (const hexin::PortInfo &port : model.inputs()) {
    if (port.dtype != hexin::DType::f32)
      return std::fprintf(stderr, "'%s' is not f32\n", port.name.c_str()), 1;
    std::vector<int64_t> dims = port.dims;
    std::replace(dims.begin(), dims.end(), int64_t{-1}, int64_t{1});
    hexin::Tensor tensor = orExit(hexin::Tensor::allocate(port.dtype, dims));
    std::fill_n(tensor.as<float>(), tensor.numElements(), 1.0f);
    inputs.push_back({port.name, tensor});
  }

  hexin::NamedValues outputs = orExit(session.run(inputs));

  for (const hexin::NamedValue &output : outputs) {
    const hexin::Tensor *tensor = output.value.tensor();
    if (!tensor || tensor->dtype() != hexin::DType::f32)
      continue; // a value may also be strings, a sequence, an optional or a map
    std::printf("%s:", output.name.c_str());
    for (int64_t i = 0; i < std::min<int64_t>(tensor->numElements(), 8); ++i)
      std::printf(" %g", tensor->as<float>()[i]);
    std::printf("\n");
  }
}
