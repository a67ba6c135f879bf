//===- Sequence.td - sequences, optionals, maps -------------------------------===//
//
// The elements of a sequence have one type, the `elementType` of its own: a tensor
// whose `?` may differ from element to element, of unknown rank where the model says
// nothing of it. Positions are i32 or i64 scalars; one below 0 counts from the end, one
// outside is an error of the run.
//
//===----------------------------------------------------------------------===//

#ifndef HEXIN_IR_OPS_SEQUENCE_TD
#define HEXIN_IR_OPS_SEQUENCE_TD

include "compiler/ir/OpBase.td"

/// Runs on the host on any target; its operands may be values that are no tensors.
def HX_OnHost : NativeOpTrait<"HxOnHost"> { let cppNamespace = "::hexin::hx"; }

/// Not speculatable: a position outside of a sequence ends the run, so that none
/// leaves the branch it is in.
class HX_HostOp<string mnemonic, list<Trait> traits = []>
    : HX_Op<mnemonic, !listconcat([HX_OnHost, NoMemoryEffect], traits)>;

def HX_ShareOp : HX_HostOp<"share"> {
  let summary = "the same value under another name";
  let arguments = (ins HX_Value:$value);
  let results = (outs HX_Value:$result);
  let assemblyFormat = "$value attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_SeqMakeOp : HX_HostOp<"seq_make"> {
  let summary = "a sequence of the operands";
  let description = [{
    ```mlir
    %s = hx.seq_make %a, %b : (tensor<2xf32>, tensor<?xf32>) -> !hx.sequence<tensor<?xf32>>
    ```
  }];
  let arguments = (ins Variadic<HX_Value>:$elements);
  let results = (outs HX_SequenceType:$result);
  let assemblyFormat = "$elements attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_SeqAtOp : HX_HostOp<"seq_at"> {
  let summary = "one element of a sequence";
  let arguments = (ins HX_SequenceType:$sequence, HX_IndexTensor:$position);
  let results = (outs HX_Value:$result);
  let assemblyFormat = "$sequence `,` $position attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def HX_SeqInsertOp : HX_HostOp<"seq_insert"> {
  let summary = "the sequence with a value before a position, at the end without one";
  let arguments = (ins HX_SequenceType:$sequence, HX_Value:$value,
                       Optional<HX_IndexTensor>:$position);
  let results = (outs HX_SequenceType:$result);
  let assemblyFormat = [{
    $sequence `,` $value (`at` $position^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def HX_SeqEraseOp : HX_HostOp<"seq_erase"> {
  let summary = "the sequence without one element, the last without a position";
  let arguments = (ins HX_SequenceType:$sequence, Optional<HX_IndexTensor>:$position);
  let results = (outs HX_SequenceType:$result);
  let assemblyFormat = [{
    $sequence (`at` $position^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def HX_SeqLengthOp : HX_HostOp<"seq_length"> {
  let summary = "the number of elements, an i64 scalar";
  let arguments = (ins HX_SequenceType:$sequence);
  let results = (outs 0DTensorOf<[I64]>:$result);
  let assemblyFormat = "$sequence attr-dict `:` functional-type(operands, results)";
}

def HX_SeqSplitOp : HX_HostOp<"seq_split"> {
  let summary = "a tensor cut along an axis";
  let description = [{
    `sizes` is one size per part (rank 1), or the size of all parts but a smaller last
    one (rank 0); absent: parts of 1. Without `keepDim` (only where `sizes` is absent)
    the axis is gone from the parts.
  }];
  let arguments = (ins HX_Tensor:$input, Optional<HX_IndexTensor>:$sizes, I64Attr:$axis,
                       DefaultValuedAttr<BoolAttr, "true">:$keepDim);
  let results = (outs HX_SequenceType:$result);
  let assemblyFormat = [{
    $input (`by` $sizes^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def HX_SeqConcatOp : HX_HostOp<"seq_concat"> {
  let summary = "the tensors of a sequence one after the other, or on a new axis";
  let arguments = (ins HX_SequenceType:$sequence, I64Attr:$axis,
                       DefaultValuedAttr<BoolAttr, "false">:$newAxis);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$sequence attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def HX_OptMakeOp : HX_HostOp<"opt_make"> {
  let summary = "an optional of the operand, or an empty one";
  let arguments = (ins Optional<HX_Value>:$value);
  let results = (outs HX_OptionalType:$result);
  let assemblyFormat = "($value^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_OptGetOp : HX_HostOp<"opt_get"> {
  let summary = "what an optional holds; an error of the run when it is empty";
  let arguments = (ins HX_OptionalType:$optional);
  let results = (outs HX_Value:$result);
  let assemblyFormat = "$optional attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def HX_OptHasOp : HX_HostOp<"opt_has"> {
  let summary = "whether an optional holds a value, an i1 scalar";
  let arguments = (ins HX_OptionalType:$optional);
  let results = (outs 0DTensorOf<[I1]>:$result);
  let assemblyFormat = "$optional attr-dict `:` functional-type(operands, results)";
}

def HX_MapMakeOp : HX_HostOp<"map_make"> {
  let summary = "per row of a [N, keys] tensor a map from keys to its numbers";
  let description = [{Exactly one of the two lists of keys is there.}];
  let arguments = (ins HX_Tensor:$input, OptionalAttr<DenseI64ArrayAttr>:$intKeys,
                       OptionalAttr<StrArrayAttr>:$stringKeys);
  let results = (outs HX_SequenceType:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_MapReadOp : HX_HostOp<"map_read"> {
  let summary = "the values of a map as a [1, n] tensor";
  let description = [{
    With a list of keys: the value of each, 0 or "" where there is none. Without:
    `dense`, in the order of the keys; else the keys (i64) are positions, n is
    `length`, and the rest is 0. Values become the result's element type: numbers are
    parsed from strings.
  }];
  let arguments = (ins HX_MapType:$map, OptionalAttr<DenseI64ArrayAttr>:$intKeys,
                       OptionalAttr<StrArrayAttr>:$stringKeys,
                       DefaultValuedAttr<BoolAttr, "true">:$dense,
                       DefaultValuedAttr<I64Attr, "1">:$length);
  let results = (outs HX_Tensor:$result);
  let assemblyFormat = "$map attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif
