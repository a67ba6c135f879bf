//===- Activation.h - activation functions of one element -------------------===//
#ifndef HEXIN_RUNTIME_REFERENCE_ACTIVATION_H
#define HEXIN_RUNTIME_REFERENCE_ACTIVATION_H

#include <string_view>

namespace hexin::reference {

using ScalarActivation = double (*)(double x, double alpha, double beta);

/// By keyword of the ActivationKind enum; nullptr when there is none.
ScalarActivation findActivation(std::string_view kind);

} // namespace hexin::reference

#endif // HEXIN_RUNTIME_REFERENCE_ACTIVATION_H
