//===- Shim.cpp - hexin_onednn_query ----------------------------------------===//
#include "backends/cpu/abi/LibraryOps.h"
#include "backends/cpu/onednn/OmpTeam.h"
#include "backends/cpu/onednn/OneDnnShim.h"
#include "backends/cpu/onednn/Ops.h"

#include "hexin/status.h"

#include <algorithm>
#include <cstring>
#include <new>

using namespace hexin;
using namespace hexin::onednn;

struct hexin_onednn_op_t {
  std::string name;
  Op op;
};

namespace {

uint32_t report(StatusCode code, const std::string &message, hexin_error *error) {
  error->code = static_cast<uint32_t>(code);
  size_t length = std::min(message.size(), sizeof(error->message) - 1);
  std::memcpy(error->message, message.data(), length);
  error->message[length] = 0;
  return error->code;
}

StatusCode codeOf(dnnl_status_t status) {
  switch (status) {
  case dnnl_out_of_memory:
    return StatusCode::resourceExhausted;
  case dnnl_unimplemented:
  case dnnl_invalid_arguments: // of a problem that we have checked: it has no such
    return StatusCode::unsupported;
  default:
    return StatusCode::internal;
  }
}

/// Runs `body`; what it throws becomes an error that names the op.
template <typename Body>
uint32_t guarded(const std::string &op, hexin_error *error, Body &&body) {
  try {
    body();
    return 0;
  } catch (const OpError &e) {
    return report(e.isUnsupported ? StatusCode::unsupported : StatusCode::invalidArgument,
                  op + ": " + e.message, error);
  } catch (const dnnl::error &e) {
    return report(codeOf(e.status), op + ": oneDNN: " + e.what(), error);
  } catch (const std::bad_alloc &) {
    return report(StatusCode::resourceExhausted, op + ": out of memory", error);
  } catch (const std::exception &e) {
    return report(StatusCode::internal, op + ": " + e.what(), error);
  }
}

constexpr std::pair<std::string_view, PrepareFn *> ops[] = {
    {cpu::library::conv, prepareConv},
    {cpu::library::convTranspose, prepareConvTranspose},
    {cpu::library::matmul, prepareMatMul},
    {cpu::library::pool, preparePool},
};

uint32_t prepare(const hexin_command_desc *desc, const char *cacheFolder,
                 hexin_onednn_prepared *out, hexin_error *error) {
  std::string name = desc->name ? desc->name : "";
  return guarded(name, error, [&] {
    for (const auto &[opName, prepareOp] : ops) {
      if (opName != name)
        continue;
      auto op = std::make_unique<hexin_onednn_op_t>();
      op->name = name;
      PrepareContext context{cacheFolder, {}};
      prepareOp(*desc, context, op->op);
      op->op.finish();
      *out = {op.release(), context.counts.reordered, context.counts.cached};
      return;
    }
    throwUnsupported("there is no such library op");
  });
}

void destroy(hexin_onednn_op *op) { delete op; }

uint32_t execute(hexin_onednn_op *op, void *const *bindings, hexin_error *error) {
  return guarded(op->name, error, [&] { op->op.execute(bindings); });
}

void setMaxIsa(const char *arch) {
  // Refused once oneDNN has chosen; the header says so.
  if (std::strcmp(arch, "x86-64-v3") == 0)
    dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2);
  else if (std::strcmp(arch, "x86-64-v2") == 0)
    dnnl_set_max_cpu_isa(dnnl_cpu_isa_sse41);
}

std::string libraryVersion() {
  const dnnl_version_t *v = dnnl_version();
  return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." +
         std::to_string(v->patch);
}

} // namespace

extern "C" __attribute__((visibility("default"))) const hexin_onednn_api *
hexin_onednn_query(uint32_t version) {
  static const std::string library = libraryVersion();
  static const hexin_onednn_api api = {sizeof(hexin_onednn_api),
                                       library.c_str(),
                                       hexin_omp_set_threads,
                                       hexin_omp_with_threads,
                                       hexin_omp_parallel,
                                       setMaxIsa,
                                       prepare,
                                       destroy,
                                       execute};
  return version == HEXIN_ONEDNN_SHIM_VERSION ? &api : nullptr;
}
