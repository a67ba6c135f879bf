// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-flatten-depth))' | FileCheck %s

// Three taps along the depth are three slices side by side.
// CHECK-LABEL: func.func @padded
// CHECK: %[[LAST:.*]] = hx.transpose %arg0 {perm = array<i64: 0, 2, 3, 4, 1>}
// CHECK: %[[PADDED:.*]] = hx.pad <constant> %[[LAST]]
// CHECK-SAME: tensor<?x10x9x7x6xf32>
// CHECK-COUNT-3: hx.slice %[[PADDED]]{{.*}}steps = array<i64: 1, 2, 1, 1, 1>{{.*}} tensor<?x4x9x7x6xf32>
// CHECK: %[[JOINED:.*]] = hx.concat {{.*}} {axis = 4 : i64} {{.*}} tensor<?x4x9x7x18xf32>
// CHECK: %[[FLAT:.*]] = hx.reshape %[[JOINED]]
// CHECK-SAME: tensor<?x9x7x18xf32>
// CHECK: hx.conv %[[FLAT]], %{{.*}} {
// CHECK-SAME: layout = #hx.layout<nhwc>
// CHECK-SAME: pads = array<i64: 1, 2, 3, 4>
// CHECK-SAME: tensor<5x18x3x2xf32>
// CHECK: hx.transpose %{{.*}} {perm = array<i64: 0, 4, 1, 2, 3>}
func.func @padded(%x: tensor<?x6x8x9x7xf32> {hx.dim_names = ["N"]}, %w: tensor<5x6x3x3x2xf32>) -> tensor<?x5x4x11x12xf32> {
  %0 = hx.conv %x, %w {strides = array<i64: 2, 1, 1>, pads = array<i64: 1, 1, 2, 1, 3, 4>, dilations = array<i64: 1, 1, 1>} : (tensor<?x6x8x9x7xf32>, tensor<5x6x3x3x2xf32>) -> tensor<?x5x4x11x12xf32>
  return %0 : tensor<?x5x4x11x12xf32>
}

// Nothing is put side by side for one tap.
// CHECK-LABEL: func.func @flat
// CHECK-NOT: hx.concat{{.*}}axis = 4
// CHECK: hx.conv
func.func @flat(%x: tensor<1x6x8x9x7xf32>, %w: tensor<5x6x1x3x3xf32>) -> tensor<1x5x8x7x5xf32> {
  %0 = hx.conv %x, %w {strides = array<i64: 1, 1, 1>, pads = array<i64: 0, 0, 0, 0, 0, 0>, dilations = array<i64: 1, 1, 1>} : (tensor<1x6x8x9x7xf32>, tensor<5x6x1x3x3xf32>) -> tensor<1x5x8x7x5xf32>
  return %0 : tensor<1x5x8x7x5xf32>
}

// Groups, and a depth that is not known, stay.
// CHECK-LABEL: func.func @stays
// CHECK: hx.conv %arg0
// CHECK: hx.conv %arg2
func.func @stays(%x: tensor<1x6x8x9x7xf32>, %w: tensor<6x1x1x3x3xf32>, %y: tensor<1x6x?x9x7xf32> {hx.dim_names = ["", "", "D"]}, %v: tensor<5x6x1x3x3xf32>) -> (tensor<1x6x8x7x5xf32>, tensor<1x5x?x7x5xf32>) {
  %0 = hx.conv %x, %w {groups = 6 : i64, strides = array<i64: 1, 1, 1>, pads = array<i64: 0, 0, 0, 0, 0, 0>, dilations = array<i64: 1, 1, 1>} : (tensor<1x6x8x9x7xf32>, tensor<6x1x1x3x3xf32>) -> tensor<1x6x8x7x5xf32>
  %1 = hx.conv %y, %v {strides = array<i64: 1, 1, 1>, pads = array<i64: 0, 0, 0, 0, 0, 0>, dilations = array<i64: 1, 1, 1>} : (tensor<1x6x?x9x7xf32>, tensor<5x6x1x3x3xf32>) -> tensor<1x5x?x7x5xf32>
  return %0, %1 : tensor<1x6x8x7x5xf32>, tensor<1x5x?x7x5xf32>
}
