// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-split-complex),hx-fold-constants,canonicalize,cse)' | FileCheck %s

// One view at each end; what lies between them moves parts.
// CHECK-LABEL: func.func @moves
func.func @moves(%x: tensor<2x3xcomplex<f64>>) -> tensor<6x2xcomplex<f64>> {
  // CHECK: %[[PARTS:.*]] = hx.bitcast %arg0 : (tensor<2x3xcomplex<f64>>) -> tensor<2x3x2xf64>
  // CHECK: %[[TURNED:.*]] = hx.transpose %[[PARTS]] {perm = array<i64: 1, 0, 2>}
  // CHECK: %[[BOTH:.*]] = hx.concat %[[TURNED]], %[[TURNED]] {axis = 0 : i64} : {{.*}} -> tensor<6x2x2xf64>
  // CHECK: %[[WHOLE:.*]] = hx.bitcast %[[BOTH]] : (tensor<6x2x2xf64>) -> tensor<6x2xcomplex<f64>>
  // CHECK: return %[[WHOLE]]
  %0 = hx.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xcomplex<f64>>) -> tensor<3x2xcomplex<f64>>
  %1 = hx.concat %0, %0 {axis = 0 : i64} : (tensor<3x2xcomplex<f64>>, tensor<3x2xcomplex<f64>>) -> tensor<6x2xcomplex<f64>>
  return %1 : tensor<6x2xcomplex<f64>>
}

// A word of 64 bits holds those of f32: they stay.
// CHECK-LABEL: func.func @small
func.func @small(%x: tensor<2x3xcomplex<f32>>) -> tensor<3x2xcomplex<f32>> {
  // CHECK-NOT: hx.bitcast
  // CHECK: hx.transpose %arg0
  %0 = hx.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xcomplex<f32>>) -> tensor<3x2xcomplex<f32>>
  return %0 : tensor<3x2xcomplex<f32>>
}
