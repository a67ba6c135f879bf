// RUN: hexin-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @noop
// CHECK-SAME: (%[[X:.*]]: tensor<4x6xf32>)
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @noop(%x: tensor<4x6xf32>) -> (tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>) {
  %shape = hx.constant dense<[4, 6]> : tensor<2xi64>
  %zero = hx.constant dense<0> : tensor<2xi64>
  %0 = hx.reshape %x, %shape : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<4x6xf32>
  %1 = hx.transpose %x {perm = array<i64: 0, 1>} : (tensor<4x6xf32>) -> tensor<4x6xf32>
  %2 = hx.broadcast_to %x, %shape : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<4x6xf32>
  %3 = hx.slice %x, %zero, %shape {steps = array<i64: 1, 1>} : (tensor<4x6xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<4x6xf32>
  %4 = hx.concat %x {axis = 0 : i64} : (tensor<4x6xf32>) -> tensor<4x6xf32>
  %5 = hx.cast %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>
}

// A reversed slice has the same type and is not the same.
// CHECK-LABEL: func.func @reversed
// CHECK: hx.slice
func.func @reversed(%x: tensor<4xf32>) -> tensor<4xf32> {
  %start = hx.constant dense<[3]> : tensor<1xi64>
  %size = hx.constant dense<[4]> : tensor<1xi64>
  %0 = hx.slice %x, %start, %size {steps = array<i64: -1>} : (tensor<4xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @shape
// CHECK-NEXT: %[[S:.*]] = hx.constant dense<[4, 6]> : tensor<2xi64>
// CHECK-NEXT: return %[[S]]
func.func @shape(%x: tensor<4x6xf32>) -> tensor<2xi64> {
  %0 = hx.shape_of %x : (tensor<4x6xf32>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// CHECK-LABEL: func.func @twice
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>, %[[A:.*]]: tensor<2xi64>, %[[B:.*]]: tensor<1xi64>)
func.func @twice(%x: tensor<2x3x4xf32>, %a: tensor<2xi64>, %b: tensor<1xi64>) -> (tensor<?xf32>, tensor<3x2x4xf32>, tensor<2x3x4xf32>) {
  // CHECK: %[[R:.*]] = hx.reshape %[[X]], %[[B]] : (tensor<2x3x4xf32>, tensor<1xi64>) -> tensor<?xf32>
  %0 = hx.reshape %x, %a : (tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  %1 = hx.reshape %0, %b : (tensor<?x?xf32>, tensor<1xi64>) -> tensor<?xf32>
  // CHECK: %[[T:.*]] = hx.transpose %[[X]] {perm = array<i64: 1, 0, 2>} : (tensor<2x3x4xf32>) -> tensor<3x2x4xf32>
  %2 = hx.transpose %x {perm = array<i64: 2, 0, 1>} : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
  %3 = hx.transpose %2 {perm = array<i64: 2, 1, 0>} : (tensor<4x2x3xf32>) -> tensor<3x2x4xf32>
  %4 = hx.transpose %2 {perm = array<i64: 1, 2, 0>} : (tensor<4x2x3xf32>) -> tensor<2x3x4xf32>
  // CHECK: return %[[R]], %[[T]], %[[X]]
  return %1, %3, %4 : tensor<?xf32>, tensor<3x2x4xf32>, tensor<2x3x4xf32>
}

// CHECK-LABEL: func.func @arithmetic
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[N:.*]]: tensor<4xi64>)
func.func @arithmetic(%x: tensor<4xf32>, %n: tensor<4xi64>) -> (tensor<4xf32>, tensor<4xi64>, tensor<4xf32>, tensor<4xf32>) {
  %one = hx.constant dense<1.0> : tensor<f32>
  %zero = hx.constant dense<0> : tensor<i64>
  %zerof = hx.constant dense<0.0> : tensor<f32>
  %0 = hx.binary <mul> %x, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = hx.binary <add> %n, %zero : (tensor<4xi64>, tensor<i64>) -> tensor<4xi64>
  %2 = hx.unary <neg> %x : (tensor<4xf32>) -> tensor<4xf32>
  %3 = hx.unary <neg> %2 : (tensor<4xf32>) -> tensor<4xf32>
  // -0 + 0 is 0, so this one stays.
  // CHECK: %[[KEPT:.*]] = hx.binary <add>
  %4 = hx.binary <add> %x, %zerof : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  // CHECK: return %[[X]], %[[N]], %[[X]], %[[KEPT]]
  return %0, %1, %3, %4 : tensor<4xf32>, tensor<4xi64>, tensor<4xf32>, tensor<4xf32>
}
