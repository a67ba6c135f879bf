// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-conv-transpose-to-matmul),hx-fold-constants,canonicalize,cse)' | FileCheck %s

// CHECK-LABEL: func.func @upsample
func.func @upsample(%x: tensor<1x?x5x3xf32>) -> tensor<1x?x10x4xf32> {
  // CHECK: hx.matmul {{.*}} : (tensor<1x?x5x3xf32>, tensor<3x16xf32>) -> tensor<1x?x5x16xf32>
  // CHECK: hx.transpose {{.*}} {perm = array<i64: 0, 1, 3, 2, 4, 5>}
  // CHECK-NOT: hx.conv_transpose
  %w = hx.constant dense<1.0> : tensor<3x4x2x2xf32>
  %0 = hx.conv_transpose %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, outputPadding = array<i64: 0, 0>, layout = #hx.layout<nhwc>} : (tensor<1x?x5x3xf32>, tensor<3x4x2x2xf32>) -> tensor<1x?x10x4xf32>
  return %0 : tensor<1x?x10x4xf32>
}

// Sums of 16-bit floats are rounded when they have their bias.
// CHECK-LABEL: func.func @narrow
func.func @narrow(%x: tensor<1x5x5x3xf16>, %b: tensor<4xf16>) -> tensor<1x10x10x4xf16> {
  // CHECK: hx.matmul {{.*}} {accumulate = f32} : (tensor<1x5x5x3xf16>, tensor<3x16xf16>) -> tensor<1x5x5x16xf32>
  // CHECK: %[[BIAS:.*]] = hx.cast %arg1 {{.*}} -> tensor<4xf32>
  // CHECK: %[[SUM:.*]] = hx.binary <add> %{{.*}}, %[[BIAS]]
  // CHECK: hx.cast %[[SUM]] {{.*}} -> tensor<1x10x10x4xf16>
  %w = hx.constant dense<1.0> : tensor<3x4x2x2xf16>
  %0 = hx.conv_transpose %x, %w bias %b {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, outputPadding = array<i64: 0, 0>, layout = #hx.layout<nhwc>} : (tensor<1x5x5x3xf16>, tensor<3x4x2x2xf16>, tensor<4xf16>) -> tensor<1x10x10x4xf16>
  return %0 : tensor<1x10x10x4xf16>
}

// Windows that overlap stay.
// CHECK-LABEL: func.func @overlap
func.func @overlap(%x: tensor<1x5x5x3xf32>) -> tensor<1x11x11x4xf32> {
  // CHECK: hx.conv_transpose
  %w = hx.constant dense<1.0> : tensor<3x4x3x3xf32>
  %0 = hx.conv_transpose %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, outputPadding = array<i64: 0, 0>, layout = #hx.layout<nhwc>} : (tensor<1x5x5x3xf32>, tensor<3x4x3x3xf32>) -> tensor<1x11x11x4xf32>
  return %0 : tensor<1x11x11x4xf32>
}
