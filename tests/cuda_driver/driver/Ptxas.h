//===- Ptxas.h - asks the toolkit's assembler about a PTX text -----------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_DRIVER_PTXAS_H
#define HEXIN_TESTS_CUDA_DRIVER_DRIVER_PTXAS_H

#include <map>
#include <string>
#include <string_view>

namespace standin {

struct Verdict {
  bool isAccepted = false;
  std::string log;                      ///< what ptxas said, with -v
  std::map<std::string, int> registers; ///< by entry, of an accepted text
};

/// Assembles `text` for `arch` ("sm_80") with the program `ptxas`. Verdicts are kept in
/// memory, and under $HEXIN_CACHE_DIR/ptxas where that is set. A program that cannot be
/// run accepts nothing.
Verdict askPtxas(const std::string &ptxas, std::string_view text,
                 const std::string &arch);

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_DRIVER_PTXAS_H
