//===- ModelFile.h - open what `run` and `bench` are given -------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_MODELFILE_H
#define HEXIN_RUNTIME_TOOLS_MODELFILE_H

#include "hexin/model.h"
#include "hexin/session.h"
#include "runtime/tools/Commands.h"

#include <string>

namespace hexin::cli {

/// The options of a session and of the file it runs.
struct SessionArguments {
  std::string path;
  SessionOptions session;
  bool noPin = false;
  bool noNative = false;
  bool verifyHashes = false;
};

/// Declares them on `command`.
void addSessionArguments(CLI::App &command, SessionArguments &arguments);

/// Opens a .hxm file. A file whose name ends in .onnx is first compiled for the
/// session's device into a temporary .hxm that is gone when this returns (its
/// mapping stays).
Result<Model> openModel(const SessionArguments &arguments, const Context &context);

/// A name for --dump that the model lacks is reported as invalidArgument.
Result<Session> createSession(const Model &model, const SessionArguments &arguments);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_MODELFILE_H
