// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-bfloat-products),hx-fold-constants,cse)' | FileCheck %s
// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-bfloat-products{with-signals=false}))' | FileCheck %s --check-prefix=SIGNALS

// One cast for two products; weights are rounded when compiling.
// CHECK-LABEL: func.func @two
func.func @two(%x: tensor<?x16xf32>) -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  // CHECK-DAG: %[[W:.*]] = hx.constant dense<1.000000e+00> : tensor<16x16xbf16>
  // CHECK-DAG: %[[X:.*]] = hx.cast %arg0 : (tensor<?x16xf32>) -> tensor<?x16xbf16>
  // CHECK: hx.matmul %[[X]], %[[W]] {accumulate = f32} : (tensor<?x16xbf16>, tensor<16x16xbf16>) -> tensor<?x16xf32>
  // CHECK-NOT: hx.cast
  // CHECK: hx.matmul %[[X]]
  %w = hx.constant dense<1.0009765625> : tensor<16x16xf32>
  %v = hx.constant dense<2.0> : tensor<16x16xf32>
  %0 = hx.matmul %x, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %1 = hx.matmul %x, %v {transposeRhs = true} : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  return %0, %1 : tensor<?x16xf32>, tensor<?x16xf32>
}

// The bias stays what the result is.
// CHECK-LABEL: func.func @conv
func.func @conv(%x: tensor<1x8x8x4xf32>, %b: tensor<16xf32>) -> tensor<1x6x6x16xf32> {
  // CHECK: hx.conv %{{.*}}, %{{.*}}, %arg1 {{.*}} : (tensor<1x8x8x4xbf16>, tensor<16x4x3x3xbf16>, tensor<16xf32>) -> tensor<1x6x6x16xf32>
  %w = hx.constant dense<1.0> : tensor<16x4x3x3xf32>
  %0 = hx.conv %x, %w, %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, layout = #hx.layout<nhwc>} : (tensor<1x8x8x4xf32>, tensor<16x4x3x3xf32>, tensor<16xf32>) -> tensor<1x6x6x16xf32>
  return %0 : tensor<1x6x6x16xf32>
}

// Taps of three channels are none of pairs: there is one more, of zeros, put where the
// picture comes from, but not for few products.
// CHECK-LABEL: func.func @picture
func.func @picture(%x: tensor<1x3x8x8xf32>) -> (tensor<1x2x2x64xf32>, tensor<1x6x6x16xf32>) {
  // CHECK-DAG: hx.pad <constant> %arg0, {{.*}} -> tensor<1x4x8x8xf32>
  // CHECK: hx.constant {{.*}} : tensor<64x4x7x7xbf16>
  // CHECK: hx.conv {{.*}} : (tensor<1x8x8x4xbf16>, tensor<64x4x7x7xbf16>) -> tensor<1x2x2x64xf32>
  // CHECK: hx.conv {{.*}} : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32>
  %w = hx.constant dense<1.0> : tensor<64x3x7x7xf32>
  %v = hx.constant dense<1.0> : tensor<16x3x3x3xf32>
  %0 = hx.transpose %x {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x3x8x8xf32>) -> tensor<1x8x8x3xf32>
  %1 = hx.conv %0, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, layout = #hx.layout<nhwc>} : (tensor<1x8x8x3xf32>, tensor<64x3x7x7xf32>) -> tensor<1x2x2x64xf32>
  %2 = hx.conv %0, %v {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, layout = #hx.layout<nhwc>} : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>) -> tensor<1x6x6x16xf32>
  return %1, %2 : tensor<1x2x2x64xf32>, tensor<1x6x6x16xf32>
}

// A row of taps is pairs. Transforms of signals may stay as they are.
// CHECK-LABEL: func.func @signal
// SIGNALS-LABEL: func.func @signal
func.func @signal(%x: tensor<1x1x99x1xf32>) -> tensor<1x1x11x16xf32> {
  // CHECK-NOT: hx.pad
  // CHECK: hx.conv {{.*}} : (tensor<1x1x99x1xbf16>, tensor<16x1x1x16xbf16>) -> tensor<1x1x11x16xf32>
  // SIGNALS-NOT: bf16
  // SIGNALS: return
  %w = hx.constant dense<1.0> : tensor<16x1x1x16xf32>
  %0 = hx.conv %x, %w {strides = array<i64: 1, 8>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, layout = #hx.layout<nhwc>} : (tensor<1x1x99x1xf32>, tensor<16x1x1x16xf32>) -> tensor<1x1x11x16xf32>
  return %0 : tensor<1x1x11x16xf32>
}

// A depth of 8, a right-hand side that is computed.
// CHECK-LABEL: func.func @none
// CHECK-NOT: bf16
func.func @none(%y: tensor<?x8xf32>, %z: tensor<16x16xf32>) -> (tensor<?x16xf32>, tensor<16x16xf32>) {
  %v = hx.constant dense<1.0> : tensor<8x16xf32>
  %1 = hx.matmul %y, %v : (tensor<?x8xf32>, tensor<8x16xf32>) -> tensor<?x16xf32>
  %2 = hx.matmul %z, %z : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  return %1, %2 : tensor<?x16xf32>, tensor<16x16xf32>
}

// Maxima of rounded numbers are rounded maxima, if nobody wants the others.
// CHECK-LABEL: func.func @maxima
func.func @maxima(%x: tensor<1x8x8x16xf32>, %y: tensor<1x8x8x16xf32>) -> (tensor<1x4x4x16xf32>, tensor<1x4x4x16xf32>) {
  // CHECK-DAG: %[[X:.*]] = hx.cast %arg0 : (tensor<1x8x8x16xf32>) -> tensor<1x8x8x16xbf16>
  // CHECK-DAG: %[[Y:.*]] = hx.cast %arg1 : (tensor<1x8x8x16xf32>) -> tensor<1x8x8x16xbf16>
  // CHECK: %[[C:.*]] = hx.concat %[[X]], %[[Y]] {{.*}} -> tensor<1x8x8x32xbf16>
  // CHECK: %[[P:.*]] = hx.pool <max> %[[C]] {{.*}} -> tensor<1x4x4x32xbf16>
  // CHECK: hx.conv %[[P]]
  // CHECK: %[[Q:.*]] = hx.pool <max> %arg0 {{.*}} -> tensor<1x4x4x16xf32>
  %w = hx.constant dense<1.0> : tensor<16x32x1x1xf32>
  %v = hx.constant dense<1.0> : tensor<16x16x1x1xf32>
  %0 = hx.concat %x, %y {axis = 3 : i64} : (tensor<1x8x8x16xf32>, tensor<1x8x8x16xf32>) -> tensor<1x8x8x32xf32>
  %1 = hx.pool <max> %0 {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, layout = #hx.layout<nhwc>} : (tensor<1x8x8x32xf32>) -> tensor<1x4x4x32xf32>
  %2 = hx.conv %1, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, layout = #hx.layout<nhwc>} : (tensor<1x4x4x32xf32>, tensor<16x32x1x1xf32>) -> tensor<1x4x4x16xf32>
  %3 = hx.pool <max> %x {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, layout = #hx.layout<nhwc>} : (tensor<1x8x8x16xf32>) -> tensor<1x4x4x16xf32>
  %4 = hx.conv %3, %v {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, layout = #hx.layout<nhwc>} : (tensor<1x4x4x16xf32>, tensor<16x16x1x1xf32>) -> tensor<1x4x4x16xf32>
  %5 = hx.binary <add> %3, %4 : (tensor<1x4x4x16xf32>, tensor<1x4x4x16xf32>) -> tensor<1x4x4x16xf32>
  return %2, %5 : tensor<1x4x4x16xf32>, tensor<1x4x4x16xf32>
}
