// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-channels-last),hx-fold-constants,canonicalize,cse)' --verify-each | FileCheck %s

// Groups of three channels: pixels are summed for each channel, then channels of a group;
// a group's sum is repeated for its channels. Nothing large is transposed on the way.
// CHECK-LABEL: func.func @groups
func.func @groups(%x: tensor<?x6x4x5xf32>, %scale: tensor<6x1x1xf32>) -> tensor<?x6x4x5xf32> {
  // CHECK: %[[IMAGE:.*]] = hx.conv
  // CHECK-NOT: hx.transpose
  // CHECK: %[[SUMS:.*]] = hx.reduce <sum> %[[IMAGE]] {axes = array<i64: 1, 2>} : (tensor<?x4x5x6xf32>) -> tensor<?x1x1x6xf32>
  // CHECK: %[[APART:.*]] = hx.reshape %[[SUMS]], {{.*}} -> tensor<?x1x1x2x3xf32>
  // CHECK: hx.reduce <sum> %[[APART]] {axes = array<i64: 4>} : {{.*}} -> tensor<?x1x1x2x1xf32>
  // CHECK: hx.broadcast_to {{.*}} -> tensor<?x2x3x1x1xf32>
  // CHECK: %[[SPREAD:.*]] = hx.reshape {{.*}} -> tensor<?x1x1x6xf32>
  // CHECK: %[[CENTRED:.*]] = hx.binary <sub> %[[IMAGE]], %[[SPREAD]] : (tensor<?x4x5x6xf32>, tensor<?x1x1x6xf32>)
  // CHECK: hx.binary <mul> %[[CENTRED]], {{.*}} : (tensor<?x4x5x6xf32>, tensor<1x1x1x6xf32>)
  // CHECK: hx.conv
  // CHECK: hx.transpose {{.*}} {perm = array<i64: 0, 3, 1, 2>}
  %w = hx.constant dense<1.0> : tensor<6x6x1x1xf32>
  %rows = hx.constant dense<[-1, 2, 60]> : tensor<3xi64>
  %back = hx.constant dense<[-1, 6, 4, 5]> : tensor<4xi64>
  %0 = hx.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x6x4x5xf32>, tensor<6x6x1x1xf32>) -> tensor<?x6x4x5xf32>
  %1 = hx.reshape %0, %rows : (tensor<?x6x4x5xf32>, tensor<3xi64>) -> tensor<?x2x60xf32>
  %2 = hx.reduce <sum> %1 {axes = array<i64: 2>} : (tensor<?x2x60xf32>) -> tensor<?x2x1xf32>
  %3 = hx.binary <sub> %1, %2 : (tensor<?x2x60xf32>, tensor<?x2x1xf32>) -> tensor<?x2x60xf32>
  %4 = hx.reshape %3, %back : (tensor<?x2x60xf32>, tensor<4xi64>) -> tensor<?x6x4x5xf32>
  %5 = hx.binary <mul> %4, %scale : (tensor<?x6x4x5xf32>, tensor<6x1x1xf32>) -> tensor<?x6x4x5xf32>
  %6 = hx.conv %5, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x6x4x5xf32>, tensor<6x6x1x1xf32>) -> tensor<?x6x4x5xf32>
  return %6 : tensor<?x6x4x5xf32>
}

// One group, along one axis: everything is summed at once, and the operations stand on
// the convolution's own sizes, without a reshape between.
// CHECK-LABEL: func.func @one_group
func.func @one_group(%x: tensor<1x4x6xf32>) -> tensor<1x4x6xf32> {
  // CHECK: %[[IMAGE:.*]] = hx.conv {{.*}} -> tensor<1x1x6x4xf32>
  // CHECK-NEXT: %[[SUM:.*]] = hx.reduce <sum> %[[IMAGE]] {axes = array<i64: 0, 1, 2, 3>}
  // CHECK-NEXT: %[[CENTRED:.*]] = hx.binary <sub> %[[IMAGE]], %[[SUM]]
  // CHECK-NEXT: %[[SHIFTED:.*]] = hx.binary <add> %[[CENTRED]], {{.*}} : (tensor<1x1x6x4xf32>, tensor<1x1x1x4xf32>)
  // CHECK-NEXT: hx.conv %[[SHIFTED]]
  %w = hx.constant dense<1.0> : tensor<4x4x1xf32>
  %c = hx.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %rows = hx.constant dense<[1, 1, -1]> : tensor<3xi64>
  %back = hx.constant dense<[1, 4, 6]> : tensor<3xi64>
  %0 = hx.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x4x6xf32>, tensor<4x4x1xf32>) -> tensor<1x4x6xf32>
  %1 = hx.reshape %0, %rows : (tensor<1x4x6xf32>, tensor<3xi64>) -> tensor<1x1x24xf32>
  %2 = hx.reduce <sum> %1 {axes = array<i64: 2>} : (tensor<1x1x24xf32>) -> tensor<1x1x1xf32>
  %3 = hx.binary <sub> %1, %2 : (tensor<1x1x24xf32>, tensor<1x1x1xf32>) -> tensor<1x1x24xf32>
  %4 = hx.reshape %3, %back : (tensor<1x1x24xf32>, tensor<3xi64>) -> tensor<1x4x6xf32>
  %5 = hx.binary <add> %4, %c : (tensor<1x4x6xf32>, tensor<4x1xf32>) -> tensor<1x4x6xf32>
  %6 = hx.conv %5, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x4x6xf32>, tensor<4x4x1xf32>) -> tensor<1x4x6xf32>
  return %6 : tensor<1x4x6xf32>
}

// Rows that somebody else reads stay rows: the order of their elements counts.
// CHECK-LABEL: func.func @rows_are_read
func.func @rows_are_read(%x: tensor<1x6x4x5xf32>) -> (tensor<1x6x4x5xf32>, tensor<1x2x60xf32>) {
  // CHECK: hx.conv
  // CHECK: hx.transpose {{.*}} {perm = array<i64: 0, 3, 1, 2>}
  // CHECK: hx.reduce <sum> {{.*}} {axes = array<i64: 2>} : (tensor<1x2x60xf32>) -> tensor<1x2x1xf32>
  %w = hx.constant dense<1.0> : tensor<6x6x1x1xf32>
  %rows = hx.constant dense<[1, 2, 60]> : tensor<3xi64>
  %back = hx.constant dense<[1, 6, 4, 5]> : tensor<4xi64>
  %0 = hx.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x6x4x5xf32>, tensor<6x6x1x1xf32>) -> tensor<1x6x4x5xf32>
  %1 = hx.reshape %0, %rows : (tensor<1x6x4x5xf32>, tensor<3xi64>) -> tensor<1x2x60xf32>
  %2 = hx.reduce <sum> %1 {axes = array<i64: 2>} : (tensor<1x2x60xf32>) -> tensor<1x2x1xf32>
  %3 = hx.binary <sub> %1, %2 : (tensor<1x2x60xf32>, tensor<1x2x1xf32>) -> tensor<1x2x60xf32>
  %4 = hx.reshape %3, %back : (tensor<1x2x60xf32>, tensor<4xi64>) -> tensor<1x6x4x5xf32>
  return %4, %3 : tensor<1x6x4x5xf32>, tensor<1x2x60xf32>
}
