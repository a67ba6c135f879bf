// RUN: hexin-opt %s -split-input-file -verify-diagnostics

func.func @f() {
  %0 = hx.constant dense<> : tensor<0xi64>
  // expected-error @+1 {{hx.check: there is no number to check}}
  hx.check %0 "x" : tensor<0xi64>
  return
}

// -----
func.func @f(%numbers: tensor<?xi64>) {
  // expected-error @+1 {{the number of elements of an operand that is read on the host must be known}}
  hx.check %numbers "x" : tensor<?xi64>
  return
}

// -----
func.func @f(%lengths: tensor<3xi32>, %limit: tensor<2xi64>) {
  // expected-error @+1 {{limit must have 1 entries, got 2}}
  %0 = hx.check_lengths %lengths, %limit : (tensor<3xi32>, tensor<2xi64>) -> tensor<3xi32>
  return
}

// -----
func.func @f(%lengths: tensor<3xi32>, %limit: tensor<1xi64>) {
  // expected-error @+1 {{lengths and the result must have the same element type}}
  %0 = hx.check_lengths %lengths, %limit : (tensor<3xi32>, tensor<1xi64>) -> tensor<3xi64>
  return
}
