// hexin-speed-probe open|run COUNT MODEL: does one thing COUNT times on the cpu, on the
// caller's thread alone, for test_instructions.py to count what each takes.
#include "hexin/hexin.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

using namespace hexin;

namespace {

Status openMany(const char *path, int count) {
  for (int i = 0; i < count; ++i)
    HEXIN_RETURN_IF_ERROR(Model::open(path).status());
  return Status::success();
}

/// Into tensors of the caller, as whoever counts microseconds does.
Status runMany(const char *path, int count) {
  HEXIN_ASSIGN_OR_RETURN(Model model, Model::open(path));
  SessionOptions options;
  options.threads = 1;
  options.cacheDir = "none";
  HEXIN_ASSIGN_OR_RETURN(Session session, Session::create(model, options));
  auto makeValues = [](const std::vector<PortInfo> &ports) -> Result<NamedValues> {
    NamedValues values;
    for (const PortInfo &port : ports) {
      HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(port.dtype, port.dims));
      std::memset(tensor.data(), 0, tensor.byteLength());
      values.push_back({port.name, tensor});
    }
    return values;
  };
  HEXIN_ASSIGN_OR_RETURN(NamedValues inputs, makeValues(model.inputs()));
  HEXIN_ASSIGN_OR_RETURN(NamedValues outputs, makeValues(model.outputs()));
  for (int i = 0; i < count; ++i)
    HEXIN_RETURN_IF_ERROR(session.run(inputs, outputs));
  return Status::success();
}

} // namespace

int main(int argc, char **argv) {
  std::string_view what = argc == 4 ? argv[1] : "";
  if (what != "open" && what != "run") {
    std::fprintf(stderr, "usage: hexin-speed-probe open|run COUNT MODEL\n");
    return 2;
  }
  int count = std::atoi(argv[2]);
  Status status = what == "open" ? openMany(argv[3], count) : runMany(argv[3], count);
  if (status.ok())
    return 0;
  std::fprintf(stderr, "%s\n", status.toString().c_str());
  return 1;
}
