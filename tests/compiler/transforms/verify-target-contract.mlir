// RUN: hexin-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(hx-verify-target-contract))' | FileCheck %s

// What the contract allows: a product over panels, a row op, a view, host arithmetic.
// CHECK-LABEL: func.func @good
func.func @good(%x: tensor<?x8xf32> {hx.dim_names = ["N", ""]}, %w: tensor<8x16xf32>) -> (tensor<?x16xf32>, tensor<?x4x4xf32>) {
  %p = hx.pack <width = 16, groups = 1, transposed = false, conv = false> %w : (tensor<8x16xf32>) -> tensor<8x16xf32, #hx.panels<width = 16, groups = 1, transposed = false, conv = false>> loc("product")
  %y = hx.matmul %x, %p : (tensor<?x8xf32>, tensor<8x16xf32, #hx.panels<width = 16, groups = 1, transposed = false, conv = false>>) -> tensor<?x16xf32> loc("product")
  %s = hx.softmax %y {axis = 1 : i64} : (tensor<?x16xf32>) -> tensor<?x16xf32> loc("softmax")
  %t = hx.unary <exp> %y : (tensor<?x16xf32>) -> tensor<?x16xf32> loc("exp")
  %sizes = hx.shape_of %x : (tensor<?x8xf32>) -> tensor<2xi64> loc("shape")
  %i = hx.constant dense<0> : tensor<1xi64> loc("zero")
  %one = hx.constant dense<1> : tensor<1xi64> loc("one")
  %four = hx.constant dense<4> : tensor<2xi64> loc("four")
  %n = hx.slice %sizes, %i, %one {steps = array<i64: 1>} : (tensor<2xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64> loc("n")
  %shape = hx.concat %n, %four {axis = 0 : i64} : (tensor<1xi64>, tensor<2xi64>) -> tensor<3xi64> loc("concat")
  %v = hx.reshape %t, %shape : (tensor<?x16xf32>, tensor<3xi64>) -> tensor<?x4x4xf32> loc("reshape")
  return %s, %v : tensor<?x16xf32>, tensor<?x4x4xf32>
}

// -----

// The same by the caller's leave.
// CHECK-LABEL: func.func @allowed
func.func @allowed(%x: tensor<2x3x4xf32>, %p: tensor<?xf32>) -> tensor<2x3x4xf32> {
  %0 = hx.batch_norm %x, %p, %p, %p, %p {epsilon = 1.0e-05 : f64, hx.fallback = "no kernel"} : (tensor<2x3x4xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) -> tensor<2x3x4xf32> loc("bn1")
  return %0 : tensor<2x3x4xf32>
}

