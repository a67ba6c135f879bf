// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-narrow-weights{quantise-inputs}),canonicalize)' | FileCheck %s

// Rows in 8 bits by their own scale, products of integers, one factor per row and one per column.
// CHECK-LABEL: func.func @rows
func.func @rows(%x: tensor<?x5xf32>) -> tensor<?x2xf32> {
  // CHECK: %[[M:.*]] = hx.reduce <max> %{{.*}} {axes = array<i64: 1>} : (tensor<?x5xf32>) -> tensor<?x1xf32>
  // CHECK: %[[R:.*]] = hx.binary <max> %[[M]]
  // CHECK: %[[Q:.*]] = hx.cast %{{.*}} : (tensor<?x5xf32>) -> tensor<?x5xui8>
  // CHECK: hx.matmul_integer %[[Q]], %{{.*}} lhs_zero %{{.*}} : (tensor<?x5xui8>, tensor<5x2xi8>, tensor<ui8>) -> tensor<?x2xi32>
  // CHECK: hx.binary <mul> %{{.*}}, %{{.*}} : (tensor<?x2xf32>, tensor<?x1xf32>)
  // CHECK: hx.binary <mul> %{{.*}}, %{{.*}} : (tensor<?x2xf32>, tensor<2xf32>)
  %w = hx.constant dense<3> : tensor<5x2xi8>
  %s = hx.constant dense<[[2.0, 4.0]]> : tensor<1x2xf32>
  %0 = hx.cast %w : (tensor<5x2xi8>) -> tensor<5x2xf32>
  %1 = hx.binary <mul> %0, %s : (tensor<5x2xf32>, tensor<1x2xf32>) -> tensor<5x2xf32>
  %2 = hx.matmul %x, %1 : (tensor<?x5xf32>, tensor<5x2xf32>) -> tensor<?x2xf32>
  return %2 : tensor<?x2xf32>
}

// Sums of more products would wrap around: by few bits, in f32.
// CHECK-LABEL: func.func @deep
// CHECK: hx.matmul_few_bits
func.func @deep(%x: tensor<?x65536xf32>) -> tensor<?x2xf32> {
  %w = hx.constant dense<3> : tensor<65536x2xi8>
  %s = hx.constant dense<2.0> : tensor<f32>
  %0 = hx.cast %w : (tensor<65536x2xi8>) -> tensor<65536x2xf32>
  %1 = hx.binary <mul> %0, %s : (tensor<65536x2xf32>, tensor<f32>) -> tensor<65536x2xf32>
  %2 = hx.matmul %x, %1 : (tensor<?x65536xf32>, tensor<65536x2xf32>) -> tensor<?x2xf32>
  return %2 : tensor<?x2xf32>
}
