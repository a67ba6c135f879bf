#include "runtime/base/Packing.h"

#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"

namespace hexin::reference {
namespace {

Result<PanelShape> readPanelShape(const Call &call, std::span<const int64_t> plainDims) {
  std::string_view form = call.attributes.getString("form", "matmul");
  PlainForm plain;
  if (form == "matmul")
    plain = PlainForm::matmul;
  else if (form == "matmul_transposed")
    plain = PlainForm::matmulTransposed;
  else if (form == "conv")
    plain = PlainForm::conv;
  else
    return unknownKeyword("form", form);
  const Tensor &input = call.operand(0);
  if (call.resultTypes[0] != input.dtype())
    return invalidArgument("packing keeps the type " +
                           std::string(toString(input.dtype())));
  return makePanelShape(plain, plainDims, call.attributes.getInt("width"),
                        byteWidth(input.dtype()));
}

std::span<const std::byte> bytesOf(const Tensor &tensor) {
  return {static_cast<const std::byte *>(tensor.data()), tensor.byteLength()};
}

} // namespace

/// {form: "matmul" | "matmul_transposed" | "conv", width}; the result is
/// [batch x panels, K, width].
Results runPackPanels(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_ASSIGN_OR_RETURN(PanelShape shape, readPanelShape(call, input.dims()));
  HEXIN_ASSIGN_OR_RETURN(
      Tensor result,
      call.allocate(0, Dims{shape.batch * shape.numPanels(), shape.k, shape.width}));
  HEXIN_RETURN_IF_ERROR(
      packPanels(shape, bytesOf(input),
                 {static_cast<std::byte *>(result.data()), result.byteLength()}));
  return single(std::move(result));
}

/// The inverse; attribute `dims` has the sizes of the plain form.
Results runUnpackPanels(const Call &call) {
  Dims dims = call.attributes.getInts("dims");
  HEXIN_ASSIGN_OR_RETURN(PanelShape shape, readPanelShape(call, dims));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  HEXIN_RETURN_IF_ERROR(
      unpackPanels(shape, bytesOf(call.operand(0)),
                   {static_cast<std::byte *>(result.data()), result.byteLength()}));
  return single(std::move(result));
}

} // namespace hexin::reference
