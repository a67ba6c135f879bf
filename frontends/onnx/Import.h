//===- Import.h - the ONNX frontend ---------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_IMPORT_H
#define HEXIN_FRONTENDS_ONNX_IMPORT_H

#include "frontends/Frontend.h"

namespace hexin {

/// Reads ONNX models: IR version 3 to 14, opset 6 to 28.
std::unique_ptr<Frontend> createOnnxFrontend();

} // namespace hexin

#endif // HEXIN_FRONTENDS_ONNX_IMPORT_H
