// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-rows-last))' | FileCheck %s

// CHECK-LABEL: func.func @softmax
func.func @softmax(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  // CHECK: %[[T:.*]] = hx.transpose %arg0 {perm = array<i64: 0, 2, 1>}
  // CHECK: %[[S:.*]] = hx.softmax %[[T]] {axis = 2 : i64} : (tensor<2x4x3xf32>)
  // CHECK: hx.transpose %[[S]] {perm = array<i64: 0, 2, 1>}
  %0 = hx.softmax %x {axis = 1 : i64} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}

// CHECK-LABEL: func.func @norm
func.func @norm(%x: tensor<?x3x4xf32>, %s: tensor<3x4xf32>) -> tensor<?x3x4xf32> {
  // CHECK: hx.layer_norm {{.*}} {axis = 1 : i64, {{.*}}} : (tensor<?x12xf32>, tensor<12xf32>) -> tensor<?x12xf32>
  %0 = hx.layer_norm %x, %s {axis = 1 : i64, epsilon = 1.0e-05 : f64} : (tensor<?x3x4xf32>, tensor<3x4xf32>) -> tensor<?x3x4xf32>
  return %0 : tensor<?x3x4xf32>
}
