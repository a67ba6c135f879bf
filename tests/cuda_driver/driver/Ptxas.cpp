//===- Ptxas.cpp - asks the toolkit's assembler about a PTX text ---------------------===//
#include "tests/cuda_driver/driver/Ptxas.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace standin;

extern char **environ;

namespace {

namespace fs = std::filesystem;

/// A folder that goes with everything in it.
struct TemporaryFolder {
  TemporaryFolder() {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "hexin-ptxas-XXXXXX").string();
    if (!error && mkdtemp(name.data()))
      path = name;
  }
  ~TemporaryFolder() {
    std::error_code error;
    if (!path.empty())
      fs::remove_all(path, error);
  }
  fs::path path; ///< empty: there is none
};

std::string readFile(const fs::path &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Two 64-bit FNV-1a hashes of all parts: names a file, is no protection.
std::string fingerprint(std::initializer_list<std::string_view> parts) {
  uint64_t hashes[2] = {0xCBF29CE484222325, 0x9E3779B97F4A7C15};
  for (std::string_view part : parts)
    for (uint64_t &hash : hashes) {
      for (unsigned char c : part)
        hash = (hash ^ c) * 0x100000001B3;
      hash = (hash ^ 0x1F) * 0x100000001B3;
    }
  char text[40];
  std::snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)hashes[0],
                (unsigned long long)hashes[1]);
  return text;
}

/// The exit status; -1: it could not be run, or was killed. Both outputs go to `log`.
int runProgram(const std::vector<std::string> &arguments, const fs::path &log) {
  std::vector<char *> argv;
  for (const std::string &argument : arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);
  // The preloads and library path of a test are not for the program.
  std::vector<char *> environment;
  for (char **variable = environ; *variable; ++variable)
    if (!std::string_view(*variable).starts_with("LD_"))
      environment.push_back(*variable);
  environment.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t child = 0;
  int error =
      posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error)
    return -1;
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// What ptxas says. When it could not be asked `problem` says why, which may be another
/// thing the next time.
Verdict assemble(const std::string &ptxas, std::string_view text, const std::string &arch,
                 std::string &problem) {
  TemporaryFolder folder;
  if (folder.path.empty()) {
    problem = "no temporary folder could be made for ptxas";
    return {};
  }
  fs::path source = folder.path / "module.ptx", log = folder.path / "log";
  std::ofstream(source, std::ios::binary) << text;
  int status = runProgram({ptxas, "-v", "-arch=" + arch, source.string(), "-o",
                           (folder.path / "module.cubin").string()},
                          log);
  if (status < 0)
    problem = "'" + ptxas + "' could not be run";
  return {status == 0, readFile(log), {}};
}

/// "Compiling entry function 'name' for", later "Used 14 registers".
void readRegisters(Verdict &verdict) {
  std::string entry;
  std::string_view log = verdict.log;
  while (!log.empty()) {
    std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(std::min(log.size(), line.size() + 1));
    constexpr std::string_view compiling = "Compiling entry function '", used = "Used ";
    if (size_t at = line.find(compiling); at != line.npos) {
      std::string_view rest = line.substr(at + compiling.size());
      entry = rest.substr(0, rest.find('\''));
    } else if (size_t at = line.find(used); at != line.npos && !entry.empty()) {
      verdict.registers[entry] = std::atoi(std::string(line.substr(at + 5)).c_str());
    }
  }
}

} // namespace

Verdict standin::askPtxas(const std::string &ptxas, std::string_view text,
                          const std::string &arch) {
  static std::map<std::string, Verdict> known; // the driver's lock guards it
  std::error_code error;
  std::string size = std::to_string(fs::file_size(ptxas, error));
  std::string name = fingerprint({ptxas, size, arch, text});
  if (auto found = known.find(name); found != known.end())
    return found->second;

  const char *cache = std::getenv("HEXIN_CACHE_DIR");
  fs::path kept = cache && *cache ? fs::path(cache) / "ptxas" / name : fs::path();
  Verdict verdict;
  std::string stored = kept.empty() ? "" : readFile(kept);
  if (!stored.empty()) {
    verdict = {stored[0] == '1', stored.substr(1), {}};
  } else {
    std::string problem;
    verdict = assemble(ptxas, text, arch, problem);
    if (!problem.empty())
      return {false, problem, {}}; // nothing to remember
    if (!kept.empty()) {
      fs::create_directories(kept.parent_path(), error);
      fs::path own = kept;
      own += "." + std::to_string(getpid());
      std::ofstream(own, std::ios::binary)
          << (verdict.isAccepted ? '1' : '0') << verdict.log;
      fs::rename(own, kept, error); // whole or not at all
    }
  }
  readRegisters(verdict);
  return known[name] = verdict;
}
