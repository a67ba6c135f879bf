//===- Check.td - what only a run knows, checked ---------------------------------===//
//
// Apart from Ops.td, so that only who deals with these ops sees their classes
// (compiler/ir/CheckOps.h).
//
//===----------------------------------------------------------------------===//

#ifndef HEXIN_IR_OPS_CHECK_TD
#define HEXIN_IR_OPS_CHECK_TD

include "compiler/ir/OpBase.td"

def HX_CheckOp : HX_Op<"check", [HX_HostReads]> {
  let summary = "ends a run with a typed error unless a condition holds";
  let description = [{
    Element 0 of `numbers` must not be 0; `message` shows element i in place of {i}. All
    are read on the host; in a branch or a loop's body, only in runs that take it. The
    error is invalidArgument, behind the name of the op's node. No instruction comes of
    it: the artifact holds it as a Constraint.

      hx.check %numbers "k is {1}, expected at most {2}" : tensor<3xi64>
  }];
  let arguments = (ins HX_ShapeTensor:$numbers, StrAttr:$message);
  let assemblyFormat = "$numbers $message attr-dict `:` type($numbers)";
}

def HX_CheckLengthsOp : HX_PureOp<"check_lengths", [HX_HostReads]> {
  let summary = "lengths as they are; outside of 0 to limit they are an error of the run";
  let description = [{
    For lengths that are read on the device only: a kernel goes on with what is clamped
    and reports a Fault of hexin.fbs. `limit` is one number that the host computes.
  }];
  let arguments = (ins HX_IndexTensor:$lengths, HX_ShapeTensor:$limit);
  let results = (outs HX_IndexTensor:$result);
  let assemblyFormat = "$lengths `,` $limit attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
