// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-resolve-shapes))' | FileCheck %s

// The chain over an intermediate value is gone; the argument's size is read.
// CHECK-LABEL: func.func @flatten
func.func @flatten(%x: tensor<?x4x6xf32>) -> tensor<?x24xf32> {
  // CHECK: %[[S:.*]] = hx.shape_of %arg0
  // CHECK: %[[N:.*]] = hx.slice %[[S]]
  // CHECK: hx.concat %[[N]], {{.*}} {axis = 0 : i64}
  // CHECK: %[[Y:.*]] = hx.unary <exp> %arg0
  // CHECK-NOT: hx.shape_of %[[Y]]
  // CHECK: hx.reshape %[[Y]]
  %y = hx.unary <exp> %x : (tensor<?x4x6xf32>) -> tensor<?x4x6xf32>
  %s = hx.shape_of %y : (tensor<?x4x6xf32>) -> tensor<3xi64>
  %zero = hx.constant dense<[0]> : tensor<1xi64>
  %n = hx.gather %s, %zero {axis = 0 : i64} : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  %rest = hx.constant dense<[24]> : tensor<1xi64>
  %shape = hx.concat %n, %rest {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %0 = hx.reshape %y, %shape : (tensor<?x4x6xf32>, tensor<2xi64>) -> tensor<?x24xf32>
  return %0 : tensor<?x24xf32>
}

// A size that hangs on what the run makes is written before its reader, without the
// sizes of intermediate values.
// CHECK-LABEL: func.func @from_data
// CHECK: %[[TOTAL:.*]] = hx.reduce <sum>
// CHECK: %[[Y:.*]] = hx.unary <exp> %arg0
// CHECK-NOT: hx.shape_of %[[Y]]
// CHECK: %[[ROWS:.*]] = hx.slice
// CHECK: %[[SHAPE:.*]] = hx.concat %[[ROWS]], %{{.*}}
// CHECK: hx.broadcast_to %[[Y]], %[[SHAPE]]
func.func @from_data(%x: tensor<?xf32>, %i: tensor<?xi64>) -> tensor<?x?xf32> {
  %total = hx.reduce <sum> %i {axes = array<i64: 0>} : (tensor<?xi64>) -> tensor<1xi64>
  %y = hx.unary <exp> %x : (tensor<?xf32>) -> tensor<?xf32>
  %s = hx.shape_of %y : (tensor<?xf32>) -> tensor<1xi64>
  %shape = hx.concat %total, %s {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %0 = hx.broadcast_to %y, %shape : (tensor<?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
