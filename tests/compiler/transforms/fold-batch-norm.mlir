// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-fold-batch-norm),hx-fold-constants)' | FileCheck %s

// Behind a convolution: into its weights and bias. scale/sqrt(variance + epsilon)
// is 2 here, so weights double and the bias is (0 - 1) * 2 + 3 = 1.
// CHECK-LABEL: func.func @conv
func.func @conv(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  // CHECK-DAG: %[[W:.*]] = hx.constant dense<1.000000e+01> : tensor<1x1x1x1xf32>
  // CHECK-DAG: %[[B:.*]] = hx.constant dense<1.000000e+00> : tensor<1xf32>
  // CHECK: hx.conv %arg0, %[[W]], %[[B]]
  // CHECK-NOT: hx.batch_norm
  %w = hx.constant dense<5.0> : tensor<1x1x1x1xf32>
  %scale = hx.constant dense<2.0> : tensor<1xf32>
  %bias = hx.constant dense<3.0> : tensor<1xf32>
  %mean = hx.constant dense<1.0> : tensor<1xf32>
  %variance = hx.constant dense<0.5> : tensor<1xf32>
  %0 = hx.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %1 = hx.batch_norm %0, %scale, %bias, %mean, %variance {epsilon = 0.5 : f64} : (tensor<1x1x4x4xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x4x4xf32>
  return %1 : tensor<1x1x4x4xf32>
}

// By itself: scale and shift per channel.
// CHECK-LABEL: func.func @alone
func.func @alone(%x: tensor<?x2x?xf32>) -> tensor<?x2x?xf32> {
  // CHECK: hx.binary <mul> %arg0, {{.*}} : (tensor<?x2x?xf32>, tensor<2x1xf32>)
  // CHECK: hx.binary <add> {{.*}} : (tensor<?x2x?xf32>, tensor<2x1xf32>)
  %s = hx.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = hx.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %0 = hx.batch_norm %x, %s, %b, %b, %s {epsilon = 1.0e-05 : f64} : (tensor<?x2x?xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x?xf32>
  return %0 : tensor<?x2x?xf32>
}
