// A session that remembers, and how it moves to another device while it runs.
//
//   state MODEL.hxm [DEVICE [OTHER_DEVICE]]
//
// The model was compiled with --state IN=OUT: it reads what its last run wrote.
// Here it sums up its f32 input.

#include "or_exit.h"

#include <hexin/hexin.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace {

void feed(hexin::Session &session, float value) {
  const hexin::PortInfo &input = session.model().inputs()[0];
  hexin::Tensor tensor = orExit(hexin::Tensor::allocate(input.dtype, input.dims));
  std::fill_n(tensor.as<float>(), tensor.numElements(), value);
  orExit(session.run({{input.name, tensor}}).status());
}

void print(const hexin::Session &session) {
  const std::string &name = session.model().states()[0].name;
  hexin::Tensor state = orExit(session.getState(name));
  std::printf("%s on %s: %g\n", name.c_str(), session.device().c_str(),
              state.as<float>()[0]);
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 2)
    return std::fprintf(stderr, "usage: state MODEL.hxm [DEVICE [OTHER_DEVICE]]\n"), 2;
  hexin::Model model = orExit(hexin::Model::open(argv[1]));
  if (model.states().empty())
    return std::fprintf(stderr, "the model has no state; compile it with --state\n"), 1;

  hexin::SessionOptions options;
  options.device = argc > 2 ? argv[2] : "cpu";
  hexin::Session session = orExit(hexin::Session::create(model, options));
  for (float value : {1.0f, 2.0f, 3.0f})
    feed(session, value);
  print(session); // 6

  // The exported form does not depend on the device that made it.
  std::vector<std::byte> exported = orExit(session.exportState());
  options.device = argc > 3 ? argv[3] : "cpu";
  hexin::Session other = orExit(hexin::Session::create(model, options));
  orExit(other.importState(exported));
  feed(other, 4.0f);
  print(other); // 10

  orExit(session.resetState());
  print(session); // 0
}
