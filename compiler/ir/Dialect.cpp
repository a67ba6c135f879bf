#include "compiler/ir/CheckOps.h"
#include "compiler/ir/HostOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "compiler/ir/Dialect.cpp.inc"
#include "compiler/ir/Enums.cpp.inc"
#include "compiler/ir/Interfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/ir/Attributes.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/ir/Types.cpp.inc"

namespace hexin::hx {

void HXDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "compiler/ir/Ops.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "compiler/ir/HostOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "compiler/ir/CheckOps.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "compiler/ir/Attributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "compiler/ir/Types.cpp.inc"
      >();
}

Operation *HXDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                          Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, elements);
}

} // namespace hexin::hx
