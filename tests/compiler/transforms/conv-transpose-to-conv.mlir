// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-conv-transpose-to-conv),hx-fold-constants,canonicalize,cse)' | FileCheck %s

// Stride 10, 20 taps: two taps for each of 10 phases, which are channels of one conv.
// Each has the bias, so that f16 sums are rounded once.
// CHECK-LABEL: func.func @vocoder
func.func @vocoder(%x: tensor<1x1x?x3xf32>, %b: tensor<4xf32>) -> tensor<1x1x?x4xf32> {
  // CHECK: %[[TILED:.*]] = hx.broadcast_to %arg1, {{.*}} -> tensor<10x4xf32>
  // CHECK: %[[BIAS:.*]] = hx.reshape %[[TILED]], {{.*}} -> tensor<40xf32>
  // CHECK: hx.conv %arg0, %{{.*}}, %[[BIAS]] {{.*}} pads = array<i64: 0, 1, 0, 1>, {{.*}}(tensor<1x1x?x3xf32>, tensor<40x3x1x2xf32>, tensor<40xf32>) -> tensor<1x1x?x40xf32>
  // CHECK: hx.reshape {{.*}} -> tensor<1x1x?x1x10x4xf32>
  // CHECK: hx.reshape {{.*}} -> tensor<1x1x?x4xf32>
  // CHECK: hx.slice
  %w = hx.constant dense<1.0> : tensor<3x4x1x20xf32>
  %0 = hx.conv_transpose %x, %w bias %b {strides = array<i64: 1, 10>, pads = array<i64: 0, 5, 0, 5>, dilations = array<i64: 1, 1>, outputPadding = array<i64: 0, 0>, layout = #hx.layout<nhwc>} : (tensor<1x1x?x3xf32>, tensor<3x4x1x20xf32>, tensor<4xf32>) -> tensor<1x1x?x4xf32>
  return %0 : tensor<1x1x?x4xf32>
}

// Three taps at stride two are filled up to four.
// CHECK-LABEL: func.func @filled
func.func @filled(%x: tensor<1x5x5x3xf32>) -> tensor<1x10x10x4xf32> {
  // CHECK: hx.conv %arg0, {{.*}}(tensor<1x5x5x3xf32>, tensor<16x3x2x2xf32>) -> tensor<1x6x6x16xf32>
  // CHECK: hx.slice {{.*}} -> tensor<1x10x10x4xf32>
  %w = hx.constant dense<1.0> : tensor<3x4x3x3xf32>
  %0 = hx.conv_transpose %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, outputPadding = array<i64: 1, 1>, layout = #hx.layout<nhwc>} : (tensor<1x5x5x3xf32>, tensor<3x4x3x3xf32>) -> tensor<1x10x10x4xf32>
  return %0 : tensor<1x10x10x4xf32>
}

// Groups stay, and strides that leave most of a phase empty.
// CHECK-LABEL: func.func @stay
func.func @stay(%x: tensor<1x5x5x4xf32>) -> (tensor<1x10x10x4xf32>, tensor<1x13x13x4xf32>) {
  // CHECK: hx.conv_transpose
  // CHECK: hx.conv_transpose
  %w = hx.constant dense<1.0> : tensor<4x1x4x4xf32>
  %0 = hx.conv_transpose %x, %w {groups = 4 : i64, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, outputPadding = array<i64: 0, 0>, layout = #hx.layout<nhwc>} : (tensor<1x5x5x4xf32>, tensor<4x1x4x4xf32>) -> tensor<1x10x10x4xf32>
  %v = hx.constant dense<1.0> : tensor<4x4x1x1xf32>
  %1 = hx.conv_transpose %x, %v {strides = array<i64: 3, 3>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, outputPadding = array<i64: 0, 0>, layout = #hx.layout<nhwc>} : (tensor<1x5x5x4xf32>, tensor<4x4x1x1xf32>) -> tensor<1x13x13x4xf32>
  return %0, %1 : tensor<1x10x10x4xf32>, tensor<1x13x13x4xf32>
}
