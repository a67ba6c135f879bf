// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-resolve-shapes))' | FileCheck %s

// A condition over the size of something computed asks the argument instead, at
// the top of the function.
// CHECK-LABEL: func.func @size
// CHECK: hx.shape_of %arg0
// CHECK: hx.compare <lt>
// CHECK: %[[TRUTH:.*]] = hx.cast {{.*}} -> tensor<1xi1>
// CHECK: %[[C:.*]] = hx.reshape %[[TRUTH]]
// CHECK: hx.unary <exp>
// CHECK-NOT: hx.shape_of
// CHECK: hx.if %[[C]]
func.func @size(%x: tensor<?xf32> {hx.dim_names = ["N"]}) -> tensor<?xf32> {
  %y = hx.unary <exp> %x : (tensor<?xf32>) -> tensor<?xf32>
  %shape = hx.shape_of %y : (tensor<?xf32>) -> tensor<1xi64>
  %zero = hx.constant dense<0> : tensor<i64>
  %n = hx.gather %shape, %zero {axis = 0 : i64} : (tensor<1xi64>, tensor<i64>) -> tensor<i64>
  %few = hx.constant dense<8> : tensor<i64>
  %c = hx.compare <lt> %n, %few : (tensor<i64>, tensor<i64>) -> tensor<i1>
  %0 = hx.if %c : (tensor<i1>) -> tensor<?xf32> {
    hx.yield %y : tensor<?xf32>
  } else {
    hx.yield %x : tensor<?xf32>
  }
  return %0 : tensor<?xf32>
}

// So does one over the contents of an argument.
// CHECK-LABEL: func.func @contents
// CHECK: %[[FLAT:.*]] = hx.reshape %arg0
// CHECK: hx.slice %[[FLAT]]
// CHECK: hx.compare <eq>
// CHECK: hx.if
func.func @contents(%rate: tensor<i64>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %k = hx.constant dense<16000> : tensor<i64>
  %c = hx.compare <eq> %rate, %k : (tensor<i64>, tensor<i64>) -> tensor<i1>
  %0 = hx.if %c : (tensor<i1>) -> tensor<4xf32> {
    %a = hx.unary <exp> %x : (tensor<4xf32>) -> tensor<4xf32>
    hx.yield %a : tensor<4xf32>
  } else {
    hx.yield %x : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
