// RUN: hexin-opt %s --pass-pipeline='builtin.module(hx-infer-shapes{annotate})' | FileCheck %s

// A known size decides: the other one is that or 1.
// CHECK-LABEL: func.func @known
// CHECK-SAME: hx.constraints = ["select(eq(1, A), 8, A) == 8"]
func.func @known(%x: tensor<?x1xf32> {hx.dim_names = ["A", ""]}, %y: tensor<8x4xf32>) {
  // CHECK: hx.sizes = ["[8, 4]"]{{.*}} -> tensor<8x4xf32>
  %0 = hx.binary <add> %x, %y : (tensor<?x1xf32>, tensor<8x4xf32>) -> tensor<?x?xf32>
  return
}

// Two unknown sizes: either may be 1. Meeting one of them again adds nothing.
// CHECK-LABEL: func.func @unknown
// CHECK-SAME: hx.constraints = ["select(eq(1, B), select(eq(1, A), B, A), B) == select(eq(1, A), B, A)"]
func.func @unknown(%x: tensor<?xf32> {hx.dim_names = ["A"]}, %y: tensor<?xf32> {hx.dim_names = ["B"]}) {
  // CHECK: hx.sizes = ["[select(eq(1, A), B, A)]"]
  %0 = hx.binary <add> %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  // CHECK: hx.sizes = ["[select(eq(1, A), B, A)]"]
  %1 = hx.binary <add> %0, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  // CHECK: hx.sizes = ["[select(eq(1, A), B, A)]"]
  %2 = hx.binary <add> %y, %x : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// Equal names are equal sizes, and static types are kept.
// CHECK-LABEL: func.func @named
// CHECK-NOT: hx.constraints
func.func @named(%x: tensor<?x4xf32> {hx.dim_names = ["N", ""]}, %y: tensor<?x1xf32> {hx.dim_names = ["N", ""]}, %c: tensor<4xi1>) -> tensor<?x?xf32> {
  // CHECK: hx.select {{.*}}hx.sizes = ["[N, 4]"]{{.*}} -> tensor<?x4xf32>
  %0 = hx.select %c, %x, %y : (tensor<4xi1>, tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @matmul
// CHECK-SAME: hx.constraints = ["K == 64"]
func.func @matmul(%x: tensor<?x8x?x?xf32> {hx.dim_names = ["B", "", "S", "K"]}, %w: tensor<64x32xf32>) {
  // CHECK: hx.sizes = ["[B, 8, S, 32]"]
  %0 = hx.matmul %x, %w : (tensor<?x8x?x?xf32>, tensor<64x32xf32>) -> tensor<?x?x?x?xf32>
  return
}

// CHECK-LABEL: func.func @zero
func.func @zero(%x: tensor<0x4xf32>, %y: tensor<1x4xf32>) {
  // CHECK: -> tensor<0x4xf32>
  %0 = hx.binary <add> %x, %y : (tensor<0x4xf32>, tensor<1x4xf32>) -> tensor<?x?xf32>
  return
}

// A buffer of 512 positions, cut to S of them, joins S rows: the size is S.
// CHECK-LABEL: func.func @positions
// CHECK-SAME: hx.constraints = ["select(eq(min(S, 512), 1), S, min(S, 512)) == S"]
func.func @positions(%x: tensor<?x8xf32> {hx.dim_names = ["S", ""]}, %p: tensor<512x8xf32>) {
  %s = hx.shape_of %x : (tensor<?x8xf32>) -> tensor<2xi64>
  %most = hx.constant dense<[512, 8]> : tensor<2xi64>
  %zero = hx.constant dense<0> : tensor<2xi64>
  %count = hx.binary <min> %s, %most : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  // CHECK: hx.slice {{.*}}hx.sizes = ["[min(S, 512), 8]"]
  %0 = hx.slice %p, %zero, %count {steps = array<i64: 1, 1>} : (tensor<512x8xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  // CHECK: hx.binary <add> {{.*}}hx.sizes = ["[S, 8]"]
  %1 = hx.binary <add> %0, %x : (tensor<?x?xf32>, tensor<?x8xf32>) -> tensor<?x?xf32>
  return
}

// Down by 2 and up again joins the original: a size that cannot be 1 is the result's.
// CHECK-LABEL: func.func @pyramid
// CHECK-SAME: hx.constraints = ["L - 1 >= 0", "select(eq(1, L), 2, L) == 2*((L + 1) floordiv 2)"]
func.func @pyramid(%x: tensor<1x4x?xf32> {hx.dim_names = ["", "", "L"]}, %w: tensor<4x4x3xf32>) {
  %0 = hx.conv %x, %w {strides = array<i64: 2>, pads = array<i64: 1, 1>, dilations = array<i64: 1>}
    : (tensor<1x4x?xf32>, tensor<4x4x3xf32>) -> tensor<1x4x?xf32>
  %s = hx.shape_of %0 : (tensor<1x4x?xf32>) -> tensor<3xi64>
  %k = hx.constant dense<[1, 1, 2]> : tensor<3xi64>
  %scales = hx.constant dense<[1.0, 1.0, 2.0]> : tensor<3xf32>
  %sizes = hx.binary <mul> %s, %k : (tensor<3xi64>, tensor<3xi64>) -> tensor<3xi64>
  %1 = hx.resize <nearest> %0, %sizes, %scales {coordinates = "asymmetric", nearest = "floor"} : (tensor<1x4x?xf32>, tensor<3xi64>, tensor<3xf32>) -> tensor<?x?x?xf32>
  // CHECK: hx.binary <add> {{.*}}hx.sizes = ["[1, 4, 2*((L + 1) floordiv 2)]"]
  %2 = hx.binary <add> %x, %1 : (tensor<1x4x?xf32>, tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  return
}
