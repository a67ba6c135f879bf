// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-channels-last),hx-fold-constants,canonicalize,cse)' | FileCheck %s

// Two convolutions with ops between them: one transpose in, one out.
// CHECK-LABEL: func.func @sink
func.func @sink(%x: tensor<1x3x8x8xf32>) -> tensor<1x4x8x8xf32> {
  // CHECK: hx.transpose %arg0 {perm = array<i64: 0, 2, 3, 1>}
  // CHECK: hx.conv {{.*}}layout = #hx.layout<nhwc>{{.*}} -> tensor<1x8x8x4xf32>
  // CHECK: hx.binary <add> {{.*}} : (tensor<1x8x8x4xf32>, tensor<1x1x1x4xf32>)
  // CHECK: hx.activation <relu>
  // CHECK-NOT: hx.transpose
  // CHECK: hx.conv {{.*}}layout = #hx.layout<nhwc>
  // CHECK: hx.transpose {{.*}} {perm = array<i64: 0, 3, 1, 2>}
  // CHECK-NOT: hx.transpose
  %w0 = hx.constant dense<1.0> : tensor<4x3x1x1xf32>
  %w1 = hx.constant dense<1.0> : tensor<4x4x1x1xf32>
  %c = hx.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %0 = hx.conv %x, %w0 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = hx.binary <add> %0, %c : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %2 = hx.activation <relu> %1 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %3 = hx.conv %2, %w1 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  return %3 : tensor<1x4x8x8xf32>
}

// A convolution over one axis becomes one over two.
// CHECK-LABEL: func.func @one_axis
func.func @one_axis(%x: tensor<?x3x9xf32>) -> tensor<?x4x7xf32> {
  // CHECK: hx.conv {{.*}}layout = #hx.layout<nhwc>{{.*}} : (tensor<?x1x9x3xf32>, tensor<4x3x1x3xf32>) -> tensor<?x1x7x4xf32>
  %w = hx.constant dense<1.0> : tensor<4x3x3xf32>
  %0 = hx.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<?x3x9xf32>, tensor<4x3x3xf32>) -> tensor<?x4x7xf32>
  return %0 : tensor<?x4x7xf32>
}
