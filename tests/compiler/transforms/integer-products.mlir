// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-integer-products),hx-fold-constants,canonicalize)' | FileCheck %s

// One scale for the left side, one per column for the right: a factor per column.
// CHECK-LABEL: func.func @per_column
func.func @per_column(%x: tensor<?x4xui8>) -> tensor<?x2xf32> {
  // CHECK-DAG: %[[F:.*]] = hx.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  // CHECK-DAG: %[[Z:.*]] = hx.constant dense<3> : tensor<ui8>
  // CHECK: %[[S:.*]] = hx.matmul_integer %arg0, %{{.*}} lhs_zero %[[Z]] : (tensor<?x4xui8>, tensor<4x2xi8>, tensor<ui8>) -> tensor<?x2xi32>
  // CHECK: %[[R:.*]] = hx.cast %[[S]]
  // CHECK: hx.binary <mul> %[[R]], %[[F]]
  %sx = hx.constant dense<5.0e-01> : tensor<f32>
  %zx = hx.constant dense<3> : tensor<ui8>
  %w = hx.constant dense<1> : tensor<4x2xi8>
  %sw = hx.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %zw = hx.constant dense<0> : tensor<2xi8>
  %0 = hx.dequantize %x, %sx, %zx : (tensor<?x4xui8>, tensor<f32>, tensor<ui8>) -> tensor<?x4xf32>
  %1 = hx.dequantize %w, %sw, %zw : (tensor<4x2xi8>, tensor<2xf32>, tensor<2xi8>) -> tensor<4x2xf32>
  %2 = hx.matmul %0, %1 : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %2 : tensor<?x2xf32>
}

// Both sides computed, in batches, the right one as it lies transposed.
// CHECK-LABEL: func.func @batches
func.func @batches(%x: tensor<2x?x64xui8>, %y: tensor<2x?x64xi8>) -> tensor<2x?x?xf32> {
  // CHECK: %[[T:.*]] = hx.transpose %arg1 {perm = array<i64: 0, 2, 1>}
  // CHECK: hx.matmul_integer %arg0, %[[T]] :
  %s = hx.constant dense<5.0e-01> : tensor<f32>
  %0 = hx.dequantize %x, %s : (tensor<2x?x64xui8>, tensor<f32>) -> tensor<2x?x64xf32>
  %1 = hx.dequantize %y, %s : (tensor<2x?x64xi8>, tensor<f32>) -> tensor<2x?x64xf32>
  %2 = hx.matmul %0, %1 {transposeRhs = true} : (tensor<2x?x64xf32>, tensor<2x?x64xf32>) -> tensor<2x?x?xf32>
  return %2 : tensor<2x?x?xf32>
}

// The bias goes behind the scale, both along the channels.
// CHECK-LABEL: func.func @conv
func.func @conv(%x: tensor<1x4x8x8xui8>) -> tensor<1x2x6x6xf32> {
  // CHECK: %[[S:.*]] = hx.conv_integer %arg0
  // CHECK: %[[R:.*]] = hx.cast %[[S]]
  // CHECK: %[[P:.*]] = hx.binary <mul> %[[R]], %{{.*}} : (tensor<1x2x6x6xf32>, tensor<2x1x1xf32>)
  // CHECK: hx.binary <add> %[[P]], %{{.*}} : (tensor<1x2x6x6xf32>, tensor<2x1x1xf32>)
  %s = hx.constant dense<5.0e-01> : tensor<f32>
  %w = hx.constant dense<1> : tensor<2x4x3x3xi8>
  %sw = hx.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %b = hx.constant dense<[1.0, 3.0]> : tensor<2xf32>
  %0 = hx.dequantize %x, %s : (tensor<1x4x8x8xui8>, tensor<f32>) -> tensor<1x4x8x8xf32>
  %1 = hx.dequantize %w, %sw {axis = 0 : i64} : (tensor<2x4x3x3xi8>, tensor<2xf32>) -> tensor<2x4x3x3xf32>
  %2 = hx.conv %0, %1, %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>, tensor<2xf32>) -> tensor<1x2x6x6xf32>
  return %2 : tensor<1x2x6x6xf32>
}

// What stays in floats: scales per row of the right side, a scale that is not finite, zero
// points that differ, a depth whose sums may not fit, and one that is not known.
// CHECK-LABEL: func.func @others
// CHECK-NOT: hx.matmul_integer
func.func @others(%x: tensor<?x4xui8>, %long: tensor<?x40000xui8>, %any: tensor<?x?xui8>, %w: tensor<4x2xi8>, %wl: tensor<40000x2xi8>, %wa: tensor<?x2xi8>)
    -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %s = hx.constant dense<5.0e-01> : tensor<f32>
  %inf = hx.constant dense<0x7F800000> : tensor<f32>
  %rows = hx.constant dense<[2.0, 4.0, 8.0, 1.0]> : tensor<4xf32>
  %columns = hx.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %zeros = hx.constant dense<[1, 2]> : tensor<2xi8>
  %0 = hx.dequantize %x, %s : (tensor<?x4xui8>, tensor<f32>) -> tensor<?x4xf32>
  %1 = hx.dequantize %w, %rows {axis = 0 : i64} : (tensor<4x2xi8>, tensor<4xf32>) -> tensor<4x2xf32>
  %2 = hx.matmul %0, %1 : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  %3 = hx.dequantize %w, %inf : (tensor<4x2xi8>, tensor<f32>) -> tensor<4x2xf32>
  %4 = hx.matmul %0, %3 : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  %5 = hx.dequantize %w, %columns, %zeros : (tensor<4x2xi8>, tensor<2xf32>, tensor<2xi8>) -> tensor<4x2xf32>
  %6 = hx.matmul %0, %5 : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  %7 = hx.dequantize %long, %s : (tensor<?x40000xui8>, tensor<f32>) -> tensor<?x40000xf32>
  %8 = hx.dequantize %wl, %s : (tensor<40000x2xi8>, tensor<f32>) -> tensor<40000x2xf32>
  %9 = hx.matmul %7, %8 : (tensor<?x40000xf32>, tensor<40000x2xf32>) -> tensor<?x2xf32>
  %10 = hx.dequantize %any, %s : (tensor<?x?xui8>, tensor<f32>) -> tensor<?x?xf32>
  %11 = hx.dequantize %wa, %s : (tensor<?x2xi8>, tensor<f32>) -> tensor<?x2xf32>
  %12 = hx.matmul %10, %11 : (tensor<?x?xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %2, %4, %6, %9, %12 : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}
