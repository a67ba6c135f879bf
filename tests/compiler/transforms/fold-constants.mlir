// RUN: hexin-opt %s --hx-fold-constants | FileCheck %s

// CHECK-LABEL: func.func @chain
func.func @chain() -> tensor<2xf32> {
  // CHECK: hx.constant dense<[3.000000e+00, 6.000000e+00]>
  // CHECK-NOT: hx.binary
  %a = hx.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = hx.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %0 = hx.binary <add> %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// Repeating data makes it larger: that stays a step of the program.
// CHECK-LABEL: func.func @growth
func.func @growth() -> tensor<65536x3xf32> {
  // CHECK: hx.broadcast_to
  %a = hx.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %s = hx.constant dense<[65536, 3]> : tensor<2xi64>
  %0 = hx.broadcast_to %a, %s : (tensor<3xf32>, tensor<2xi64>) -> tensor<65536x3xf32>
  return %0 : tensor<65536x3xf32>
}

// What the reference kernel refuses is left for the run to report.
// CHECK-LABEL: func.func @refused
func.func @refused() -> tensor<1xf32> {
  // CHECK: hx.gather
  %a = hx.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %i = hx.constant dense<[7]> : tensor<1xi64>
  %0 = hx.gather %a, %i {axis = 0 : i64} : (tensor<2xf32>, tensor<1xi64>) -> tensor<1xf32>
  return %0 : tensor<1xf32>
}

// What folding adds in all is bounded: the first fits in 64 MiB, the second does not.
// CHECK-LABEL: func.func @budget
func.func @budget() -> tensor<33554432xf32> {
  // CHECK: hx.constant dense<1.000000e+00> : tensor<16777216xf32>
  // CHECK: hx.concat {{.*}} -> tensor<33554432xf32>
  %a = hx.constant dense<1.0> : tensor<8388608xf32>
  %0 = hx.concat %a, %a {axis = 0 : i64} : (tensor<8388608xf32>, tensor<8388608xf32>) -> tensor<16777216xf32>
  %1 = hx.concat %0, %0 {axis = 0 : i64} : (tensor<16777216xf32>, tensor<16777216xf32>) -> tensor<33554432xf32>
  return %1 : tensor<33554432xf32>
}
