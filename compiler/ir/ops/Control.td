//===- Control.td - regions, and groups of ops that become one kernel ------------===//

#ifndef HEXIN_IR_OPS_CONTROL_TD
#define HEXIN_IR_OPS_CONTROL_TD

include "compiler/ir/OpBase.td"

def HX_IfOp : HX_Op<"if", [HX_HostReads, NoRegionArguments, RecursiveMemoryEffects,
                           RecursivelySpeculatable,
                           SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "one of two regions, decided on the host";
  let arguments = (ins HX_BoolTensor:$condition);
  let results = (outs Variadic<HX_Value>:$results);
  let regions = (region SizedRegion<1>:$thenRegion, SizedRegion<1>:$elseRegion);
  let assemblyFormat = [{
    $condition attr-dict `:` functional-type(operands, results) $thenRegion `else` $elseRegion
  }];
  let hasVerifier = 1;
}

def HX_LoopOp : HX_Op<"loop", [HX_HostReads, AttrSizedOperandSegments,
                               RecursiveMemoryEffects,
                               SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "carried values and stacked results, driven by the host";
  let description = [{
    Body arguments: iteration (i64 scalar), then the carried values. It yields
    the condition to go on (i1 scalar), the carried values, then one slice per
    stacked result. Absent tripCount: no limit; absent condition: starts true,
    and the yielded one is ignored when `ignoreCondition`.
  }];
  let arguments = (ins Optional<HX_Tensor>:$tripCount, Optional<HX_Tensor>:$condition,
                       Variadic<HX_Value>:$carried,
                       DefaultValuedAttr<BoolAttr, "false">:$ignoreCondition);
  let results = (outs Variadic<HX_Value>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    (`trip` $tripCount^)? (`while` $condition^)? (`carried` $carried^)? attr-dict
    `:` functional-type(operands, results) $body
  }];
  let hasVerifier = 1;
}

def HX_GroupOp : HX_Op<"group", [RecursiveMemoryEffects, RecursivelySpeculatable,
                                 SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "ops that become one kernel";
  let description = [{
    Made by `hx-partition`. The region's arguments are the operands; what is
    yielded are the results. At most one heavy op. `target` says who runs it,
    `schedule` names the skeleton or tuned schedule ("map", "reduce", "row",
    "matmul_packed", ...), `reason` why not a better one. `team_schedule` names one for
    devices whose threads share memory on the chip, beside the other.
  }];
  let arguments = (ins Variadic<HX_Value>:$inputs, StrAttr:$target, StrAttr:$schedule,
                       OptionalAttr<StrAttr>:$reason, OptionalAttr<StrAttr>:$team_schedule);
  let results = (outs Variadic<HX_Value>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $target $schedule `(` $inputs `)` attr-dict `:` functional-type(operands, results) $body
  }];
  let hasVerifier = 1;
}

def HX_YieldOp : Op<HX_Dialect, "yield", [Pure, ReturnLike, Terminator]> {
  let summary = "ends a region";
  let arguments = (ins Variadic<HX_Value>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}

#endif
