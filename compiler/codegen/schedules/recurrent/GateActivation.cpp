#include "compiler/codegen/schedules/recurrent/GateActivation.h"

#include "compiler/codegen/Scalars.h"

using namespace mlir;

namespace hexin::codegen::recurrent {

Value GateActivation::emit(KernelBuilder &k, Value x, Type type) const {
  if (form == Form::sigmoid)
    return emitUnary(k, hx::UnaryFn::sigmoid, x, type);
  if (form == Form::tanh)
    return emitUnary(k, hx::UnaryFn::tanh, x, type);
  return emitActivation(k, kind, x, alpha, beta);
}

FailureOr<SmallVector<GateActivation>> readActivations(Operation *op, ArrayAttr names,
                                                       ArrayRef<double> alphas,
                                                       ArrayRef<double> betas) {
  using Form = GateActivation::Form;
  using Kind = hx::ActivationKind;
  const struct {
    StringRef name; ///< lower case
    GateActivation activation;
    bool takesAlpha, takesBeta;
  } rows[] = {
      {"sigmoid", {Form::sigmoid, Kind::relu, 0, 0}, false, false},
      {"tanh", {Form::tanh, Kind::relu, 0, 0}, false, false},
      {"relu", {Form::other, Kind::relu, 0, 0}, false, false},
      {"softsign", {Form::other, Kind::softsign, 0, 0}, false, false},
      {"softplus", {Form::other, Kind::softplus, 0, 0}, false, false},
      {"affine", {Form::other, Kind::affine, 1, 0}, true, true},
      {"leakyrelu", {Form::other, Kind::leaky_relu, 0.01, 0}, true, false},
      {"thresholdedrelu", {Form::other, Kind::thresholded_relu, 1, 0}, true, false},
      {"scaledtanh", {Form::other, Kind::scaled_tanh, 1, 1}, true, true},
      {"hardsigmoid", {Form::other, Kind::hard_sigmoid, 0.2, 0.5}, true, true},
      {"elu", {Form::other, Kind::elu, 1, 0}, true, false},
  };
  SmallVector<GateActivation> result;
  for (StringAttr name : names.getAsRange<StringAttr>()) {
    auto row = llvm::find_if(
        rows, [&](auto &r) { return name.getValue().equals_insensitive(r.name); });
    if (row == std::end(rows)) {
      op->emitOpError("activation '") << name.getValue() << "' is not one of ONNX's";
      return failure();
    }
    GateActivation activation = row->activation;
    auto consume = [](ArrayRef<double> &list, double &value) {
      if (list.empty())
        return;
      value = list.front();
      list = list.drop_front();
    };
    if (row->takesAlpha)
      consume(alphas, activation.alpha);
    if (row->takesBeta)
      consume(betas, activation.beta);
    result.push_back(activation);
  }
  return result;
}

} // namespace hexin::codegen::recurrent
