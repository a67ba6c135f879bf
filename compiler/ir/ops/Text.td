//===- Text.td - tensors of UTF-8 strings --------------------------------------===//

#ifndef HEXIN_IR_OPS_TEXT_TD
#define HEXIN_IR_OPS_TEXT_TD

include "compiler/ir/ops/Sequence.td"

def HX_StringTensor : RankedTensorOf<[HX_StringType]>;

def HX_StringConcatOp : HX_HostOp<"string_concat"> {
  let summary = "lhs and rhs one after the other, element by element, broadcasting";
  let arguments = (ins HX_StringTensor:$lhs, HX_StringTensor:$rhs);
  let results = (outs HX_StringTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

def HX_StringSplitOp : HX_HostOp<"string_split"> {
  let summary = "the parts of each string, and how many there are";
  let description = [{
    The parts are on a new last axis as long as the most of them, filled with "".
    An empty delimiter: runs of white space, and none at the ends. `maxSplit`: how often
    a string is cut at most, -1 for any.
  }];
  let arguments = (ins HX_StringTensor:$input, DefaultValuedAttr<StrAttr, "\"\"">:$delimiter,
                       DefaultValuedAttr<I64Attr, "-1">:$maxSplit);
  let results = (outs HX_StringTensor:$parts, TensorOf<[I64]>:$counts);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def HX_StringNormalizeOp : HX_HostOp<"string_normalize"> {
  let summary = "strings without stop words, in one case";
  let description = [{
    [C] or [1, C] in, [C'] or [1, C'] out; what is left of nothing is one "".
    `caseChange` is "none", "lower" or "upper". Stop words are whole elements.
  }];
  let arguments = (ins HX_StringTensor:$input, DefaultValuedAttr<StrAttr, "\"none\"">:$caseChange,
                       DefaultValuedAttr<BoolAttr, "false">:$caseSensitive,
                       OptionalAttr<StrArrayAttr>:$stopWords);
  let results = (outs HX_StringTensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_RegexMatchOp : HX_HostOp<"regex_match"> {
  let summary = "whether all of a string matches a pattern in RE2's syntax";
  let arguments = (ins HX_StringTensor:$input, StrAttr:$pattern);
  let results = (outs HX_BoolTensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def HX_NgramCountOp : HX_HostOp<"ngram_count"> {
  let summary = "how often n-grams of a pool stand in each row";
  let description = [{
    `starts[n-1]` is where the n-grams of length n begin in the pool. The n-gram number
    i of the pool is counted in column `columns[i]` of `width`. Between the items of an
    n-gram up to `maxSkip` others may stand, equally many each time.
  }];
  let arguments = (ins HX_Tensor:$input, I64Attr:$minLength, I64Attr:$maxLength, I64Attr:$maxSkip,
                       DenseI64ArrayAttr:$starts, DenseI64ArrayAttr:$columns, I64Attr:$width,
                       OptionalAttr<DenseI64ArrayAttr>:$intPool,
                       OptionalAttr<StrArrayAttr>:$stringPool);
  let results = (outs TensorOf<[F32]>:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def HX_LookupOp : HX_HostOp<"lookup"> {
  let summary = "the position of each string among the keys, or -1";
  let description = [{Of equal keys the last one counts.}];
  let arguments = (ins HX_StringTensor:$input, StrArrayAttr:$keys);
  let results = (outs TensorOf<[I64]>:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

#endif
