// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-drop-tiny-weights))' | FileCheck %s

// Either operand; what is small, and the sign of a zero, stay.
// CHECK-LABEL: func.func @products
func.func @products(%x: tensor<?x2xf32>) -> (tensor<?x3xf32>, tensor<1x2xf32>) {
  // CHECK-DAG: hx.constant dense<{{\[\[}}0.000000e+00, 1.000000e+00, 9.99{{.*}}E-21], [0.000000e+00, -0.000000e+00, 5.000000e-01]]>
  // CHECK-DAG: hx.constant dense<{{\[\[}}2.000000e+00, 0.000000e+00]]>
  %w = hx.constant dense<[[1.0e-40, 1.0, 1.0e-20], [-1.0e-35, -0.0, 0.5]]> : tensor<2x3xf32>
  %0 = hx.matmul %x, %w : (tensor<?x2xf32>, tensor<2x3xf32>) -> tensor<?x3xf32>
  %l = hx.constant dense<[[2.0, 3.0e-39]]> : tensor<1x2xf32>
  %s = hx.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %1 = hx.matmul %l, %s : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %0, %1 : tensor<?x3xf32>, tensor<1x2xf32>
}

// Where all are small each may matter, also beside what is no number.
// CHECK-LABEL: func.func @kept
func.func @kept(%x: tensor<?x1xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  // CHECK-DAG: hx.constant dense<{{\[\[}}9.99{{.*}}-41, 1.0{{.*}}-30]]>
  // CHECK-DAG: hx.constant dense<{{\[\[}}0x7FC00000, 9.99{{.*}}-41]]>
  %w = hx.constant dense<[[1.0e-40, 1.0e-30]]> : tensor<1x2xf32>
  %0 = hx.matmul %x, %w : (tensor<?x1xf32>, tensor<1x2xf32>) -> tensor<?x2xf32>
  %n = hx.constant dense<[[0x7FC00000, 1.0e-40]]> : tensor<1x2xf32>
  %1 = hx.matmul %x, %n : (tensor<?x1xf32>, tensor<1x2xf32>) -> tensor<?x2xf32>
  return %0, %1 : tensor<?x2xf32>, tensor<?x2xf32>
}

// A bias is part of the sum.
// CHECK-LABEL: func.func @bias
func.func @bias(%x: tensor<1x1x2x2xf32>, %w: tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32> {
  // CHECK: hx.constant dense<[0.000000e+00, 2.500000e-01]>
  %b = hx.constant dense<[1.0e-39, 0.25]> : tensor<2xf32>
  %0 = hx.conv %x, %w, %b {dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1>} : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  return %0 : tensor<1x2x2x2xf32>
}

// A sum is no product.
// CHECK-LABEL: func.func @sum
func.func @sum(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // CHECK: hx.constant dense<{{\[\[}}9.99{{.*}}-41, 1.000000e+00]]>
  %c = hx.constant dense<[[1.0e-40, 1.0]]> : tensor<1x2xf32>
  %0 = hx.binary <add> %x, %c : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}
