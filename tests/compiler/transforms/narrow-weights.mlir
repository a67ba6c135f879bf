// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-narrow-weights),canonicalize)' | FileCheck %s

// A scale per column, said once more for every block of the depth.
// CHECK-LABEL: func.func @cast
func.func @cast(%x: tensor<?x48xf32>) -> tensor<?x2xf32> {
  // CHECK-DAG: %[[W:.*]] = hx.constant dense<3> : tensor<48x2xi8>
  // CHECK-DAG: %[[S:.*]] = hx.constant dense<{{\[\[}}2.000000e+00, 2.000000e+00, 2.000000e+00], [4.000000e+00, 4.000000e+00, 4.000000e+00]]> : tensor<2x3xf32>
  // CHECK: hx.matmul_few_bits %arg0, %[[W]], %[[S]] {bits = 8 : i64, block = 16 : i64, depthFirst = true}
  %w = hx.constant dense<3> : tensor<48x2xi8>
  %s = hx.constant dense<[[2.0, 4.0]]> : tensor<1x2xf32>
  %0 = hx.cast %w : (tensor<48x2xi8>) -> tensor<48x2xf32>
  %1 = hx.binary <mul> %0, %s : (tensor<48x2xf32>, tensor<1x2xf32>) -> tensor<48x2xf32>
  %2 = hx.matmul %x, %1 : (tensor<?x48xf32>, tensor<48x2xf32>) -> tensor<?x2xf32>
  return %2 : tensor<?x2xf32>
}

// The scale first, rows of weights for columns of the result.
// CHECK-LABEL: func.func @transposed
func.func @transposed(%x: tensor<4x?x64xf32>) -> tensor<4x?x2xf32> {
  // CHECK: hx.matmul_few_bits %arg0, {{.*}} {bits = 8 : i64, block = 64 : i64} : (tensor<4x?x64xf32>, tensor<2x64xi8>, tensor<2x1xf32>)
  %w = hx.constant dense<3> : tensor<2x64xi8>
  %s = hx.constant dense<[[2.0], [4.0]]> : tensor<2x1xf32>
  %0 = hx.cast %w : (tensor<2x64xi8>) -> tensor<2x64xf32>
  %1 = hx.binary <mul> %s, %0 : (tensor<2x1xf32>, tensor<2x64xf32>) -> tensor<2x64xf32>
  %2 = hx.matmul %x, %1 {transposeRhs = true} : (tensor<4x?x64xf32>, tensor<2x64xf32>) -> tensor<4x?x2xf32>
  return %2 : tensor<4x?x2xf32>
}

// CHECK-LABEL: func.func @dequantized
func.func @dequantized(%x: tensor<?x16xf32>) -> tensor<?x2xf32> {
  // CHECK: hx.matmul_few_bits %arg0, {{.*}} {bits = 8 : i64, block = 16 : i64, depthFirst = true}
  %w = hx.constant dense<3> : tensor<16x2xi8>
  %s = hx.constant dense<5.0e-01> : tensor<f32>
  %0 = hx.dequantize %w, %s : (tensor<16x2xi8>, tensor<f32>) -> tensor<16x2xf32>
  %1 = hx.matmul %x, %0 : (tensor<?x16xf32>, tensor<16x2xf32>) -> tensor<?x2xf32>
  return %1 : tensor<?x2xf32>
}

// As they are: scales along the depth, no block of 16, weights that are not constant, unsigned ones.
// CHECK-LABEL: func.func @others
// CHECK-NOT: hx.matmul_few_bits
func.func @others(%x: tensor<?x16xf32>, %y: tensor<?x24xf32>, %any: tensor<16x2xi8>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = hx.constant dense<3> : tensor<16x2xi8>
  %rows = hx.constant dense<[[1.0],[2.0],[3.0],[4.0],[1.0],[2.0],[3.0],[4.0],[1.0],[2.0],[3.0],[4.0],[1.0],[2.0],[3.0],[4.0]]> : tensor<16x1xf32>
  %0 = hx.cast %w : (tensor<16x2xi8>) -> tensor<16x2xf32>
  %1 = hx.binary <mul> %0, %rows : (tensor<16x2xf32>, tensor<16x1xf32>) -> tensor<16x2xf32>
  %2 = hx.matmul %x, %1 : (tensor<?x16xf32>, tensor<16x2xf32>) -> tensor<?x2xf32>
  %s = hx.constant dense<5.0e-01> : tensor<f32>
  %w24 = hx.constant dense<3> : tensor<24x2xi8>
  %3 = hx.dequantize %w24, %s : (tensor<24x2xi8>, tensor<f32>) -> tensor<24x2xf32>
  %4 = hx.matmul %y, %3 : (tensor<?x24xf32>, tensor<24x2xf32>) -> tensor<?x2xf32>
  %5 = hx.dequantize %any, %s : (tensor<16x2xi8>, tensor<f32>) -> tensor<16x2xf32>
  %6 = hx.matmul %x, %5 : (tensor<?x16xf32>, tensor<16x2xf32>) -> tensor<?x2xf32>
  %u = hx.constant dense<3> : tensor<16x2xui8>
  %7 = hx.dequantize %u, %s : (tensor<16x2xui8>, tensor<f32>) -> tensor<16x2xf32>
  %8 = hx.matmul %x, %7 : (tensor<?x16xf32>, tensor<16x2xf32>) -> tensor<?x2xf32>
  return %2, %4, %6, %8 : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}
