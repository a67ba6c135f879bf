//===- HostOps.td - the families of values that live on the host, for tablegen ---===//
//
// Apart from Ops.td, so that only who deals with such values sees their classes.
//
//===----------------------------------------------------------------------===//
include "compiler/ir/ops/Sequence.td"
include "compiler/ir/ops/Text.td"
include "compiler/ir/ops/Image.td"
