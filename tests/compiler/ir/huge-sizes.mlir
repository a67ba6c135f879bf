// RUN: hexin-opt %s --pass-pipeline='builtin.module(hx-infer-shapes{annotate})' | FileCheck %s

// Sizes and attributes at the end of the number range: no overflow, no time, no memory.
// What cannot be computed is checked by the run.

// CHECK-LABEL: func.func @windows
func.func @windows(%x: tensor<1x1x?xf32> {hx.dim_names = ["", "", "L"]}, %w: tensor<1x1x3xf32>) {
  // CHECK: hx.conv
  %0 = hx.conv %x, %w {strides = array<i64: 9223372036854775807>, pads = array<i64: 9223372036854775807, 9223372036854775807>, dilations = array<i64: 4611686018427387904>}
    : (tensor<1x1x?xf32>, tensor<1x1x3xf32>) -> tensor<1x1x?xf32>
  return
}

// CHECK-LABEL: func.func @products
func.func @products(%x: tensor<9223372036854775807x9223372036854775807xf32>) {
  %s = hx.shape_of %x : (tensor<9223372036854775807x9223372036854775807xf32>) -> tensor<2xi64>
  // CHECK: hx.reduce {{.*}}hx.contents = ["[mul(9223372036854775807, 9223372036854775807)]"]
  %0 = hx.reduce <prod> %s {axes = array<i64: 0>} : (tensor<2xi64>) -> tensor<1xi64>
  // CHECK: hx.reshape
  %1 = hx.reshape %x, %0 : (tensor<9223372036854775807x9223372036854775807xf32>, tensor<1xi64>) -> tensor<?xf32>
  // CHECK: hx.concat {{.*}} -> tensor<?x9223372036854775807xf32>
  %2 = hx.concat %x, %x {axis = 0 : i64} : (tensor<9223372036854775807x9223372036854775807xf32>, tensor<9223372036854775807x9223372036854775807xf32>) -> tensor<?x?xf32>
  return
}

// CHECK-LABEL: func.func @empty
func.func @empty(%x: tensor<0x4611686018427387904x4xi64>) {
  %c = hx.constant dense<7> : tensor<4611686018427387904x4xi64>
  // CHECK: hx.reduce {{.*}} -> tensor<1x4611686018427387904x4xi64>
  %0 = hx.reduce <sum> %x {axes = array<i64: 0>} : (tensor<0x4611686018427387904x4xi64>) -> tensor<?x?x?xi64>
  // CHECK: hx.binary {{.*}} -> tensor<4611686018427387904x4xi64>
  %1 = hx.binary <add> %c, %c : (tensor<4611686018427387904x4xi64>, tensor<4611686018427387904x4xi64>) -> tensor<?x?xi64>
  return
}
