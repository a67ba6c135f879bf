// Reads inputs from memory of the program and writes outputs into it: no copies.
//
//   zero_copy MODEL.hxm [DEVICE]
//
// The model has one f32 input and one f32 output, of the same number of elements.

#include "or_exit.h"

#include <hexin/hexin.h>

#include <algorithm>
#include <cstdio>
#include <vector>

int main(int argc, char **argv) {
  if (argc < 2)
    return std::fprintf(stderr, "usage: zero_copy MODEL.hxm [DEVICE]\n"), 2;
  hexin::Model model = orExit(hexin::Model::open(argv[1]));
  hexin::SessionOptions options;
  options.device = argc > 2 ? argv[2] : "cpu";
  hexin::Session session = orExit(hexin::Session::create(model, options));
  const hexin::PortInfo &input = model.inputs()[0], &output = model.outputs()[0];

  std::vector<int64_t> dims = input.dims;
  std::replace(dims.begin(), dims.end(), int64_t{-1}, int64_t{1});
  int64_t numElements = 1;
  for (int64_t dim : dims)
    numElements *= dim;

  // The program's own buffers. A wrapped Tensor borrows: the memory stays ours
  // and must live until the run has ended.
  std::vector<float> from(numElements, 1.0f), to(numElements);
  auto borrow = [&](std::vector<float> &memory) {
    return orExit(hexin::Tensor::wrap(hexin::DType::f32, dims, memory.data(),
                                      memory.size() * sizeof(float)));
  };
  hexin::NamedValues inputs = {{input.name, borrow(from)}};
  hexin::NamedValues outputs = {{output.name, borrow(to)}};

  for (float value : {1.0f, 2.0f}) {
    std::fill(from.begin(), from.end(), value);
    orExit(session.run(inputs, outputs));
    std::printf("%g -> %g\n", value, to[0]);
  }
}
