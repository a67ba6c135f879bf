//===- Interfaces.td - what every hx op can be asked ------------------------===//

#ifndef HEXIN_IR_INTERFACES_TD
#define HEXIN_IR_INTERFACES_TD

include "mlir/IR/OpBase.td"

def ShapeOpInterface : OpInterface<"ShapeOpInterface"> {
  let cppNamespace = "::hexin::hx";
  let description = [{
    The op's one shape function. Inference, the verifier and the run-time shape
    expressions all come from it; nothing else writes result sizes.
  }];
  let methods = [
    InterfaceMethod<[{
        Computes the symbolic sizes of every result (and, for small integer
        results, their symbolic contents) from those of the operands. Reports a
        contradiction with emitOpError and fails.
      }],
      "::mlir::LogicalResult", "inferShapes", (ins "::hexin::hx::ShapeContext &":$context)>
  ];
  let verify = [{ return ::hexin::hx::verifyShapes($_op); }];
}

def HostReadOpInterface : OpInterface<"HostReadOpInterface"> {
  let cppNamespace = "::hexin::hx";
  let description = [{
    Marks operands whose contents are read on the host, at plan time or by the
    control flow. The residency of values follows from it.
  }];
  let methods = [
    InterfaceMethod<"Whether operand `index` is read on the host.",
      "bool", "isHostRead", (ins "unsigned":$index)>
  ];
}

#endif
