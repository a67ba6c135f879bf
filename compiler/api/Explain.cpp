#include "compiler/api/Explain.h"

#include <sstream>

namespace hexin::compiler {

/// " by teams of 256 threads with 8704 bytes of local memory"; or "".
static std::string teamOf(const fmt::KernelT &kernel) {
  if (kernel.team_threads == 0)
    return "";
  return " by teams of " + std::to_string(kernel.team_threads) + " threads with " +
         std::to_string(kernel.local_bytes) + " bytes of local memory";
}

/// "onednn.conv (guarded), else tiled k_1a2b by teams of ..., else k_3c4d": the
/// variants, best first.
static std::string candidates(const fmt::ProgramT &program,
                              const fmt::InstructionT &instruction) {
  std::string text;
  for (const auto &variant : instruction.variants) {
    text += (text.empty() ? "" : ", else ") + variant->name;
    if (variant->engine == fmt::Engine::kernel) {
      const fmt::KernelT &kernel = *program.kernels[variant->kernel];
      text += (variant->name.empty() ? "" : " ") + kernel.name + teamOf(kernel);
    }
    if (variant->guard >= 0)
      text += " (guarded)";
  }
  return text;
}

std::string explain(const fmt::ProgramT &program) {
  std::ostringstream os;
  size_t transfers = 0, hostOps = 0, syncs = 0, marks = 0;
  os << "target " << program.target << ": " << program.instructions.size()
     << " instructions, " << program.kernels.size() << " kernels\n";
  for (const auto &instruction : program.instructions) {
    if (instruction->kind == fmt::InstructionKind::loop_begin ||
        instruction->kind == fmt::InstructionKind::loop_end) {
      bool begins = instruction->kind == fmt::InstructionKind::loop_begin;
      ++marks;
      os << "  " << instruction->node << ": loop " << instruction->value
         << (begins ? " begins\n" : " ends\n");
      continue;
    }
    if (instruction->kind != fmt::InstructionKind::run) {
      bool toHost = instruction->kind == fmt::InstructionKind::to_host;
      ++transfers;
      syncs += toHost;
      os << "  " << (toHost ? "to host" : "to device") << "  value " << instruction->value
         << "\n";
      continue;
    }
    const fmt::VariantT &best = *instruction->variants.front();
    bool isHost = best.engine == fmt::Engine::host;
    hostOps += isHost;
    os << "  " << instruction->node << "\n      on " << (isHost ? "host" : program.target)
       << ", " << instruction->op << ", " << candidates(program, *instruction);
    if (!instruction->reason.empty())
      os << "\n      because " << instruction->reason;
    os << "\n";
  }
  for (const std::string &fallback : program.fallbacks)
    os << "  allowed fallback: " << fallback << "\n";
  os << "  per run: " << program.instructions.size() - transfers - hostOps - marks
     << " launches, " << hostOps << " host ops, " << transfers << " transfers, " << syncs
     << " syncs" << (marks > 0 ? ", of each iteration of a loop\n" : "\n");
  return os.str();
}

} // namespace hexin::compiler
