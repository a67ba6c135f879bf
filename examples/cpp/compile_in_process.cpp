// Compiles an ONNX model without the command line.
//
//   compile_in_process MODEL.onnx OUT.hxm [TARGET ...]

#include "or_exit.h"

#include <hexin/hexin.h>

#include <cstdio>

int main(int argc, char **argv) {
  if (argc < 3)
    return std::fprintf(stderr,
                        "usage: compile_in_process MODEL.onnx OUT.hxm [TARGET ...]\n"),
           2;

  hexin::CompileOptions options;
  if (argc > 3)
    options.targets.assign(argv + 3, argv + argc);
  options.progress = [](const std::string &phase, double fraction) {
    std::fprintf(stderr, "%3.0f%% %s\n", fraction * 100, phase.c_str());
  };

  // The compiler is a library of its own, loaded by this call. Programs that only
  // run models never need it on the machine.
  hexin::CompileReport report = orExit(hexin::compile(argv[1], argv[2], options));
  std::printf("%llu kernels, %llu bytes, %.2f s\n",
              static_cast<unsigned long long>(report.kernels),
              static_cast<unsigned long long>(report.artifactBytes), report.seconds);

  hexin::Model model = orExit(hexin::Model::open(argv[2]));
  for (const std::string &target : model.targets())
    std::printf("runs on %s\n", target.c_str());
}
