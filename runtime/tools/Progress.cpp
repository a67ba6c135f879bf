#include "runtime/tools/Progress.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace hexin::cli {

Progress::Progress(bool wanted)
    : isTerminal_(::isatty(STDERR_FILENO) == 1), isShown_(isTerminal_ || wanted) {}

Progress::~Progress() {
  if (hasLine_)
    std::fputs("\r\033[K", stderr);
}

void Progress::update(const std::string &phase, double fraction) {
  if (!isShown_)
    return;
  // Written so that NaN gives 0.
  int percent = fraction > 0 ? static_cast<int>(std::min(fraction, 1.0) * 100) : 0;
  std::lock_guard lock(mutex_);
  bool isNewPhase = phase != phase_;
  if (!isNewPhase && (percent == percent_ || !isTerminal_))
    return;
  phase_ = phase;
  percent_ = percent;
  if (isTerminal_) {
    std::fprintf(stderr, "\r\033[K[%3d%%] %s", percent, phase.c_str());
    hasLine_ = true;
  } else {
    std::fprintf(stderr, "[%3d%%] %s\n", percent, phase.c_str());
  }
  std::fflush(stderr);
}

} // namespace hexin::cli
