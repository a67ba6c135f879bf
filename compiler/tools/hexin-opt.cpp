//===- hexin-opt.cpp - runs passes over hx text, for tests and for people -----------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry
      .insert<hexin::hx::HXDialect, mlir::func::FuncDialect, mlir::arith::ArithDialect>();
  mlir::registerTransformsPasses();
  hexin::hx::registerHxPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Hexin optimizer driver\n", registry));
}
