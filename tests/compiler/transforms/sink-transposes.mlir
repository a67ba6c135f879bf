// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-channels-last),hx-fold-constants,canonicalize,cse)' | FileCheck %s

// Squeeze and excite: the scale [N, C, 1, 1] moves no data on its way, so that nothing
// between the two convolutions is transposed.
// CHECK-LABEL: func.func @squeeze_excite
func.func @squeeze_excite(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> {
  // CHECK: hx.transpose %arg0 {perm = array<i64: 0, 2, 3, 1>}
  // CHECK-NEXT: hx.conv
  // CHECK-NOT: hx.transpose
  // CHECK: hx.reduce <max> {{.*}} {axes = array<i64: 1, 2>} : (tensor<?x8x8x4xf32>) -> tensor<?x1x1x4xf32>
  // CHECK-NOT: hx.reshape
  // CHECK: hx.conv {{.*}} -> tensor<?x1x1x4xf32>
  // CHECK: hx.binary <add> {{.*}} : (tensor<?x1x1x4xf32>, tensor<1x1x1x4xf32>)
  // CHECK: hx.binary <mul> {{.*}} : (tensor<?x8x8x4xf32>, tensor<?x1x1x4xf32>)
  // CHECK: hx.conv
  // CHECK: hx.transpose {{.*}} {perm = array<i64: 0, 3, 1, 2>}
  %w = hx.constant dense<1.0> : tensor<4x4x1x1xf32>
  %c = hx.constant dense<[[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]]> : tensor<1x4x1x1xf32>
  %0 = hx.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x8x8xf32>
  %1 = hx.reduce <max> %0 {axes = array<i64: 2, 3>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x1x1xf32>
  %2 = hx.conv %1, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x4x1x1xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x1x1xf32>
  %3 = hx.binary <add> %2, %c : (tensor<?x4x1x1xf32>, tensor<1x4x1x1xf32>) -> tensor<?x4x1x1xf32>
  %4 = hx.binary <mul> %0, %3 : (tensor<?x4x8x8xf32>, tensor<?x4x1x1xf32>) -> tensor<?x4x8x8xf32>
  %5 = hx.conv %4, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x8x8xf32>
  return %5 : tensor<?x4x8x8xf32>
}

// A channel shuffle: one transpose, of channels within a pixel.
// CHECK-LABEL: func.func @shuffle
func.func @shuffle(%x: tensor<?x6x5x7xf32>) -> tensor<?x6x5x7xf32> {
  // CHECK: hx.conv
  // CHECK: hx.reshape {{.*}} -> tensor<?x5x7x2x3xf32>
  // CHECK: hx.transpose {{.*}} {perm = array<i64: 0, 1, 2, 4, 3>}
  // CHECK: hx.reshape {{.*}} -> tensor<?x5x7x6xf32>
  // CHECK-NEXT: hx.conv
  %w = hx.constant dense<1.0> : tensor<6x6x1x1xf32>
  %apart = hx.constant dense<[-1, 2, 3, 5, 7]> : tensor<5xi64>
  %together = hx.constant dense<[-1, 6, 5, 7]> : tensor<4xi64>
  %0 = hx.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x6x5x7xf32>, tensor<6x6x1x1xf32>) -> tensor<?x6x5x7xf32>
  %1 = hx.reshape %0, %apart : (tensor<?x6x5x7xf32>, tensor<5xi64>) -> tensor<?x2x3x5x7xf32>
  %2 = hx.transpose %1 {perm = array<i64: 0, 2, 1, 3, 4>} : (tensor<?x2x3x5x7xf32>) -> tensor<?x3x2x5x7xf32>
  %3 = hx.reshape %2, %together : (tensor<?x3x2x5x7xf32>, tensor<4xi64>) -> tensor<?x6x5x7xf32>
  %4 = hx.conv %3, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x6x5x7xf32>, tensor<6x6x1x1xf32>) -> tensor<?x6x5x7xf32>
  return %4 : tensor<?x6x5x7xf32>
}

// Merging axes that a transpose took apart moves data in any case: it stays where it is.
// CHECK-LABEL: func.func @flatten
func.func @flatten(%x: tensor<?x6x5x7xf32>) -> tensor<?x210xf32> {
  // CHECK: hx.conv
  // CHECK: hx.transpose {{.*}} {perm = array<i64: 0, 3, 1, 2>}
  // CHECK-NEXT: hx.reshape {{.*}} -> tensor<?x210xf32>
  // CHECK-NEXT: return
  %w = hx.constant dense<1.0> : tensor<6x6x1x1xf32>
  %flat = hx.constant dense<[-1, 210]> : tensor<2xi64>
  %0 = hx.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x6x5x7xf32>, tensor<6x6x1x1xf32>) -> tensor<?x6x5x7xf32>
  %1 = hx.reshape %0, %flat : (tensor<?x6x5x7xf32>, tensor<2xi64>) -> tensor<?x210xf32>
  return %1 : tensor<?x210xf32>
}

// Through quantising: by one scale, or by one for each index of an axis, which moves.
// CHECK-LABEL: func.func @quantized
func.func @quantized(%x: tensor<1x8x?x4xf32>) -> (tensor<1x4x8x?xi8>, tensor<1x4x8x?xf32>) {
  // CHECK: %[[Q:.*]] = hx.quantize %arg0, %{{.*}} {axis = 3 : i64} : (tensor<1x8x?x4xf32>, tensor<4xf32>) -> tensor<1x8x?x4xi8>
  // CHECK: hx.transpose %[[Q]] {perm = array<i64: 0, 3, 1, 2>}
  // CHECK: %[[D:.*]] = hx.dequantize %[[Q]], %{{.*}} : (tensor<1x8x?x4xi8>, tensor<f32>) -> tensor<1x8x?x4xf32>
  // CHECK: hx.transpose %[[D]] {perm = array<i64: 0, 3, 1, 2>}
  %s = hx.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %one = hx.constant dense<0.5> : tensor<f32>
  %0 = hx.transpose %x {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x?x4xf32>) -> tensor<1x4x8x?xf32>
  %1 = hx.quantize %0, %s {axis = 1 : i64} : (tensor<1x4x8x?xf32>, tensor<4xf32>) -> tensor<1x4x8x?xi8>
  %2 = hx.dequantize %1, %one {axis = 1 : i64} : (tensor<1x4x8x?xi8>, tensor<f32>) -> tensor<1x4x8x?xf32>
  return %1, %2 : tensor<1x4x8x?xi8>, tensor<1x4x8x?xf32>
}

// Along one axis, of unknown length: what follows a convolution stands on its own sizes,
// so that it becomes its epilogue, and nothing is transposed between two.
// CHECK-LABEL: func.func @along_one_axis
func.func @along_one_axis(%x: tensor<1x4x?xf32>) -> tensor<1x4x?xf32> {
  // CHECK: hx.transpose
  // CHECK-NEXT: %[[FIRST:.*]] = hx.conv {{.*}} -> tensor<1x1x?x4xf32>
  // CHECK-NEXT: %[[TANH:.*]] = hx.unary <tanh> %[[FIRST]]
  // CHECK-NEXT: %[[SUM:.*]] = hx.binary <add> %[[TANH]], %[[FIRST]]
  // CHECK-NEXT: hx.conv %[[SUM]]
  // CHECK: hx.transpose
  %w = hx.constant dense<1.0> : tensor<4x4x1xf32>
  %0 = hx.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x4x?xf32>, tensor<4x4x1xf32>) -> tensor<1x4x?xf32>
  %1 = hx.unary <tanh> %0 : (tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
  %2 = hx.binary <add> %1, %0 : (tensor<1x4x?xf32>, tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
  %3 = hx.conv %2, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x4x?xf32>, tensor<4x4x1xf32>) -> tensor<1x4x?xf32>
  return %3 : tensor<1x4x?xf32>
}
