//===- Dialect.td - the hx dialect ------------------------------------------===//

#ifndef HEXIN_IR_DIALECT_TD
#define HEXIN_IR_DIALECT_TD

include "mlir/IR/OpBase.td"

def HX_Dialect : Dialect {
  let name = "hx";
  let cppNamespace = "::hexin::hx";
  let summary = "Tensor-level operations of a model, before and after optimisation.";
  let description = [{
    The one dialect of Hexin. Frontends build it, passes rewrite it, targets take
    groups of it. Tensors are builtin ranked tensors: signless integers are
    signed, `ui8` etc. are unsigned, `i1` is bool (one byte in memory). A `?` size
    stands for a symbolic expression that `SymbolicShapes` knows.

    Operands whose *values* decide shapes or control (a reshape's shape, an if's
    condition) implement `HostReadOpInterface`: they are read on the host.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
}

#endif
