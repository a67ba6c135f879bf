// RUN: hexin-opt %s --pass-pipeline='builtin.module(hx-infer-shapes{annotate})' | FileCheck %s

// CHECK-LABEL: func.func @conv
// The image must hold a window: H + 2 - 3 >= 0.
// CHECK-SAME: hx.constraints = ["H - 1 >= 0", "W - 1 >= 0"]
func.func @conv(%x: tensor<?x3x?x?xf32> {hx.dim_names = ["N", "", "H", "W"]}, %w: tensor<16x3x3x3xf32>) {
  // CHECK: hx.conv {{.*}}hx.sizes = ["[N, 16, ((H + 1) floordiv 2), W]"]
  // CHECK-SAME: -> tensor<?x16x?x?xf32>
  %0 = hx.conv %x, %w {strides = array<i64: 2, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<?x3x?x?xf32>, tensor<16x3x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// Strides multiply: no nested divisions are left.
// CHECK-LABEL: func.func @conv_chain
func.func @conv_chain(%x: tensor<1x4x?xf32> {hx.dim_names = ["", "", "L"]}, %w: tensor<4x4x3xf32>) {
  // CHECK: hx.sizes = ["[1, 4, ((L + 1) floordiv 2)]"]
  %0 = hx.conv %x, %w {strides = array<i64: 2>, pads = array<i64: 1, 1>, dilations = array<i64: 1>}
    : (tensor<1x4x?xf32>, tensor<4x4x3xf32>) -> tensor<1x4x?xf32>
  // CHECK: hx.sizes = ["[1, 4, ((L + 3) floordiv 4)]"]
  %1 = hx.conv %0, %w {strides = array<i64: 2>, pads = array<i64: 1, 1>, dilations = array<i64: 1>}
    : (tensor<1x4x?xf32>, tensor<4x4x3xf32>) -> tensor<1x4x?xf32>
  // CHECK: hx.sizes = ["[1, 4, ((L + 7) floordiv 8)]"]
  %2 = hx.conv %1, %w {strides = array<i64: 2>, pads = array<i64: 1, 1>, dilations = array<i64: 1>}
    : (tensor<1x4x?xf32>, tensor<4x4x3xf32>) -> tensor<1x4x?xf32>
  return
}

// CHECK-LABEL: func.func @conv_nhwc_dilated
func.func @conv_nhwc_dilated(%x: tensor<2x10x12x4xf32>, %w: tensor<8x2x3x3xf32>) {
  // CHECK: hx.conv {{.*}} -> tensor<2x6x10x8xf32>
  %0 = hx.conv %x, %w {layout = #hx.layout<nhwc>, groups = 2 : i64, strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, dilations = array<i64: 2, 2>}
    : (tensor<2x10x12x4xf32>, tensor<8x2x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// CHECK-LABEL: func.func @same
func.func @same(%x: tensor<1x4x?xf32> {hx.dim_names = ["", "", "L"]}, %w: tensor<4x4x3xf32>) {
  // ceil(L / 2), whatever the window
  // CHECK: hx.conv {{.*}}hx.sizes = ["[1, 4, ((L + 1) floordiv 2)]"]
  %0 = hx.conv %x, %w {padPolicy = #hx.pad_policy<same_lower>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 5>}
    : (tensor<1x4x?xf32>, tensor<4x4x3xf32>) -> tensor<1x4x?xf32>
  // CHECK: hx.conv_transpose {{.*}}hx.sizes = ["[1, 4, 2*L]"]
  %1 = hx.conv_transpose %x, %w {outputPadding = array<i64: 0>, padPolicy = #hx.pad_policy<same_upper>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x?xf32>, tensor<4x4x3xf32>) -> tensor<1x4x?xf32>
  return
}

// CHECK-LABEL: func.func @transposed
func.func @transposed(%x: tensor<1x4x?xf32> {hx.dim_names = ["", "", "L"]}, %w: tensor<4x3x5xf32>, %s: tensor<1xi64>) {
  // 2*(L - 1) + outputPadding + 5 - pads
  // CHECK: hx.sizes = ["[1, 6, 2*L + 2]"]
  %0 = hx.conv_transpose %x, %w {groups = 2 : i64, outputPadding = array<i64: 1>, strides = array<i64: 2>, pads = array<i64: 1, 1>, dilations = array<i64: 1>}
    : (tensor<1x4x?xf32>, tensor<4x3x5xf32>) -> tensor<1x?x?xf32>
  // CHECK: hx.sizes = ["[1, 3, 9]"]
  %c = hx.constant dense<[9]> : tensor<1xi64>
  %1 = hx.conv_transpose %x, %w size %c {outputPadding = array<i64: 0>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x?xf32>, tensor<4x3x5xf32>, tensor<1xi64>) -> tensor<1x?x?xf32>
  // CHECK: hx.sizes = ["[1, 3, e{{[0-9]+}}]"]
  %2 = hx.conv_transpose %x, %w size %s {outputPadding = array<i64: 0>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x?xf32>, tensor<4x3x5xf32>, tensor<1xi64>) -> tensor<1x?x?xf32>
  return
}

// The last window counts when it overhangs, but not when it starts in the end padding.
// CHECK-LABEL: func.func @ceil_mode
func.func @ceil_mode(%a: tensor<1x1x6xf32>, %b: tensor<1x1x5xf32>, %c: tensor<1x1x?xf32> {hx.dim_names = ["", "", "L"]}) {
  // 6 elements, windows of 3 at 0, 2, 4
  // CHECK: hx.pool {{.*}} -> tensor<1x1x3xf32>
  %0 = hx.pool <max> %a {ceilMode = true, window = array<i64: 3>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x1x6xf32>) -> tensor<1x1x?xf32>
  // CHECK: hx.pool {{.*}} -> tensor<1x1x2xf32>
  %1 = hx.pool <max> %a {window = array<i64: 3>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x1x6xf32>) -> tensor<1x1x?xf32>
  // 5 elements padded to 7, windows of 2 at -1, 2 and 5: the last starts in the padding
  // CHECK: hx.pool {{.*}} -> tensor<1x1x2xf32>
  %2 = hx.pool <max> %b {ceilMode = true, window = array<i64: 2>, strides = array<i64: 3>, pads = array<i64: 1, 1>, dilations = array<i64: 1>}
    : (tensor<1x1x5xf32>) -> tensor<1x1x?xf32>
  // ceil((L - 3)/2) + 1, as the last window always starts inside
  // CHECK: hx.pool {{.*}}hx.sizes = ["[1, 1, (L floordiv 2)]"]
  %3 = hx.pool <max> %c {ceilMode = true, window = array<i64: 3>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x1x?xf32>) -> tensor<1x1x?xf32>
  // ceil((L - 1)/3) + 1, or one less: ceil((L + 1)/3) is the smaller
  // CHECK: hx.pool {{.*}}hx.sizes = ["[1, 1, (L floordiv 3) + 1]", "[1, 1, (L floordiv 3) + 1]"]
  %4, %5 = hx.pool <max> %c {ceilMode = true, window = array<i64: 3>, strides = array<i64: 3>, pads = array<i64: 1, 1>, dilations = array<i64: 1>}
    : (tensor<1x1x?xf32>) -> (tensor<1x1x?xf32>, tensor<1x1x?xi64>)
  return
}
