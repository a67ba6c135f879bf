//===- Types.td - values that are not tensors --------------------------------===//

#ifndef HEXIN_IR_TYPES_TD
#define HEXIN_IR_TYPES_TD

include "mlir/IR/AttrTypeBase.td"
include "compiler/ir/Dialect.td"

class HX_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<HX_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

def HX_StringType : HX_Type<"String", "string"> {
  let summary = "element type of a tensor of UTF-8 strings (host)";
}

def HX_SequenceType : HX_Type<"Sequence", "sequence"> {
  let summary = "values in order, all of one type (host)";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def HX_OptionalType : HX_Type<"Optional", "optional"> {
  let summary = "a value or nothing (host)";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def HX_MapType : HX_Type<"Map", "map"> {
  let summary = "values by integer or string key (host)";
  let parameters = (ins "::mlir::Type":$keyType, "::mlir::Type":$valueType);
  let assemblyFormat = "`<` $keyType `,` $valueType `>`";
}

#endif
