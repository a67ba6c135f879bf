//===- OpBase.td - what every hx op shares -----------------------------------===//

#ifndef HEXIN_IR_OPBASE_TD
#define HEXIN_IR_OPBASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "compiler/ir/Dialect.td"
include "compiler/ir/Enums.td"
include "compiler/ir/Interfaces.td"
include "compiler/ir/Types.td"

def HX_Tensor : RankedTensorOf<[AnyType]>;
def HX_BoolTensor : RankedTensorOf<[I1]>;
def HX_IndexTensor : RankedTensorOf<[I32, I64]>;
/// A small 1-D i64 tensor that is read on the host.
def HX_ShapeTensor : 1DTensorOf<[I64]>;
def HX_Value : AnyTypeOf<[HX_Tensor, HX_SequenceType, HX_OptionalType, HX_MapType]>;

class HX_Op<string mnemonic, list<Trait> traits = []>
    : Op<HX_Dialect, mnemonic,
         !listconcat([DeclareOpInterfaceMethods<ShapeOpInterface>], traits)>;

class HX_PureOp<string mnemonic, list<Trait> traits = []>
    : HX_Op<mnemonic, !listconcat([Pure], traits)>;

/// For ops some of whose operands are read on the host.
def HX_HostReads : DeclareOpInterfaceMethods<HostReadOpInterface>;

#endif
