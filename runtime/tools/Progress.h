//===- Progress.h - progress of long work on stderr -------------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_PROGRESS_H
#define HEXIN_RUNTIME_TOOLS_PROGRESS_H

#include <mutex>
#include <string>

namespace hexin::cli {

/// One line that is rewritten on a terminal; one line per phase elsewhere, and
/// then only when asked for with --progress. Thread-safe. The destructor clears
/// the line.
class Progress {
public:
  /// `wanted`: --progress was given.
  explicit Progress(bool wanted);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// `fraction` of the whole work, 0 to 1.
  void update(const std::string &phase, double fraction);

private:
  std::mutex mutex_;
  std::string phase_;
  int percent_ = -1;
  bool isTerminal_;
  bool isShown_;
  bool hasLine_ = false;
};

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_PROGRESS_H
