//===- Config.cpp - the stand-in's switches -----------------------------------------===//
#include "tests/cuda_driver/driver/Config.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>

using namespace standin;

namespace {

std::optional<uint64_t> parseNumber(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

bool setNumber(uint64_t &out, std::string_view text) {
  std::optional<uint64_t> value = parseNumber(text);
  if (value)
    out = *value;
  return value.has_value();
}

/// "512M", "2G" or plain bytes.
bool setBytes(uint64_t &out, std::string_view text) {
  int shift = text.ends_with('M') ? 20 : text.ends_with('G') ? 30 : 0;
  if (shift)
    text.remove_suffix(1);
  std::optional<uint64_t> value = parseNumber(text);
  if (!value || *value == 0 || *value > (uint64_t(1) << 40) >> shift)
    return false;
  out = *value << shift;
  return true;
}

bool setNth(Nth &out, std::string_view text) {
  if (text == "all")
    text = "1+";
  bool isOpenEnded = text.ends_with('+');
  if (isOpenEnded)
    text.remove_suffix(1);
  std::optional<uint64_t> first = text.empty() ? 0 : parseNumber(text);
  if (first)
    out = {*first, isOpenEnded, 0};
  return first.has_value();
}

bool setDevices(std::vector<const Profile *> &out, std::string_view text) {
  std::vector<const Profile *> devices;
  if (text != "none")
    for (std::string_view arch : split(text, ',')) {
      const Profile *profile = findProfile(arch);
      if (!profile)
        return false;
      devices.push_back(profile);
    }
  out = devices;
  return true;
}

/// "12.4"
bool setVersion(int &out, std::string_view text) {
  std::vector<std::string_view> parts = split(text, '.');
  if (parts.size() != 2)
    return false;
  std::optional<uint64_t> major = parseNumber(parts[0]), minor = parseNumber(parts[1]);
  if (!major || !minor || *major > 99 || *minor > 9)
    return false;
  out = int(*major * 1000 + *minor * 10);
  return true;
}

bool setSabotage(Sabotage &out, std::string_view text) {
  Sabotage sabotage;
  for (std::string_view what : split(text, ','))
    if (what == "barriers")
      sabotage.dropsBarriers = true;
    else if (what == "shuffles")
      sabotage.breaksShuffles = true;
    else if (what == "fma")
      sabotage.breaksFma = true;
    else if (what == "async-copies")
      sabotage.dropsAsyncCopies = true;
    else
      return false;
  out = sabotage;
  return true;
}

template <typename Enum>
bool setChoice(Enum &out, std::string_view text,
               std::initializer_list<std::pair<std::string_view, Enum>> choices) {
  for (const auto &[name, value] : choices)
    if (text == name)
      return out = value, true;
  return false;
}

bool setLostDevice(Config &config, std::string_view text) {
  std::vector<std::string_view> parts = split(text, ':'); // [ordinal:]n
  uint64_t ordinal = 0;
  if (parts.size() > 2 || (parts.size() == 2 && !setNumber(ordinal, parts[0])))
    return false;
  config.loseDeviceOrdinal = unsigned(ordinal);
  return setNth(config.loseDevice, parts.empty() ? "" : parts.back());
}

struct Switch {
  const char *name;
  const char *unset; ///< the value that stands for the default
  bool (*set)(Config &config, std::string_view value);
};

const Switch switches[] = {
    {"DEVICES", "sm_80",
     [](Config &c, std::string_view v) { return setDevices(c.devices, v); }},
    {"MEMORY", "8G",
     [](Config &c, std::string_view v) { return setBytes(c.memoryBytes, v); }},
    {"DRIVER", "13.0",
     [](Config &c, std::string_view v) { return setVersion(c.driverVersion, v); }},
    {"SEED", "0", [](Config &c, std::string_view v) { return setNumber(c.seed, v); }},
    {"SCHEDULE", "late",
     [](Config &c, std::string_view v) {
       return setChoice(c.schedule, v,
                        {{"late", Schedule::late},
                         {"early", Schedule::early},
                         {"mixed", Schedule::mixed}});
     }},
    {"LEAKS", "report",
     [](Config &c, std::string_view v) {
       return setChoice(
           c.leaks, v,
           {{"report", Leaks::report}, {"fail", Leaks::fail}, {"ignore", Leaks::ignore}});
     }},
    {"REPORT", "", [](Config &c, std::string_view v) { return c.reportFile = v, true; }},
    {"TRACE", "", [](Config &c, std::string_view v) { return c.traceFile = v, true; }},
    {"VERBOSE", "0",
     [](Config &c, std::string_view v) {
       return setChoice(c.isVerbose, v, {{"0", false}, {"1", true}});
     }},
    {"PEER_ACCESS", "0",
     [](Config &c, std::string_view v) {
       return setChoice(c.hasPeerAccess, v, {{"0", false}, {"1", true}});
     }},
    {"FAIL_INIT", "0",
     [](Config &c, std::string_view v) {
       uint64_t code = 0;
       return setNumber(code, v) && (c.failInit = unsigned(code), true);
     }},
    {"FAIL_ALLOCATION", "",
     [](Config &c, std::string_view v) { return setNth(c.failAllocation, v); }},
    {"FAIL_MODULE", "",
     [](Config &c, std::string_view v) { return setNth(c.failModule, v); }},
    {"REFUSE_LAUNCH", "",
     [](Config &c, std::string_view v) { return setNth(c.refuseLaunch, v); }},
    {"FAULT_LAUNCH", "",
     [](Config &c, std::string_view v) { return setNth(c.faultLaunch, v); }},
    {"LOSE_DEVICE", "", setLostDevice},
    {"LOSE_LAUNCH", "",
     [](Config &c, std::string_view v) { return setNth(c.loseLaunch, v); }},
    {"IGNORE_WAIT", "",
     [](Config &c, std::string_view v) { return setNth(c.ignoreWait, v); }},
    {"SABOTAGE", "",
     [](Config &c, std::string_view v) { return setSabotage(c.sabotage, v); }},
    {"PTXAS", "", [](Config &c, std::string_view v) { return c.ptxas = v, true; }},
};

} // namespace

bool standin::setSwitch(Config &config, std::string_view name, std::string_view value) {
  for (const Switch &known : switches)
    if (name == known.name)
      return known.set(config, value.empty() ? known.unset : value);
  return false;
}

Config standin::configFromEnvironment() {
  Config config;
  for (const Switch &known : switches) {
    setSwitch(config, known.name, "");
    std::string variable = std::string("HEXIN_STANDIN_") + known.name;
    const char *value = std::getenv(variable.c_str());
    if (value && !setSwitch(config, known.name, value))
      std::fprintf(stderr, "cuda stand-in: %s=%s is not understood and ignored\n",
                   variable.c_str(), value);
  }
  // The compiler's own tests use the same variable.
  if (const char *ptxas = std::getenv("HEXIN_PTXAS"); ptxas && config.ptxas.empty())
    config.ptxas = ptxas;
  return config;
}
