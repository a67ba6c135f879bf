// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-fold-if))' | FileCheck %s

// A constant decides; what used the result gets the sizes of the branch.
// CHECK-LABEL: func.func @constant
// CHECK-SAME: -> tensor<8xf32>
func.func @constant(%x: tensor<4xf32>) -> tensor<?xf32> {
  %c = hx.constant dense<true> : tensor<i1>
  // CHECK-NOT: hx.if
  // CHECK: %[[TWICE:.*]] = hx.concat
  // CHECK: %[[Y:.*]] = hx.unary <exp> %[[TWICE]] : (tensor<8xf32>) -> tensor<8xf32>
  // CHECK: return %[[Y]] : tensor<8xf32>
  %0 = hx.if %c : (tensor<i1>) -> tensor<?xf32> {
    %a = hx.concat %x, %x {axis = 0 : i64} : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
    hx.yield %a : tensor<8xf32>
  } else {
    hx.yield %x : tensor<4xf32>
  }
  %y = hx.unary <exp> %0 : (tensor<?xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// A size that is known although the condition is computed from it.
// CHECK-LABEL: func.func @size
func.func @size(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %shape = hx.shape_of %x : (tensor<4x?xf32>) -> tensor<2xi64>
  %zero = hx.constant dense<0> : tensor<i64>
  %n = hx.gather %shape, %zero {axis = 0 : i64} : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  %five = hx.constant dense<5> : tensor<i64>
  %c = hx.compare <eq> %n, %five : (tensor<i64>, tensor<i64>) -> tensor<i1>
  // CHECK-NOT: hx.unary <exp>
  // CHECK: hx.unary <tanh>
  // CHECK-NOT: hx.if
  %0 = hx.if %c : (tensor<i1>) -> tensor<4x?xf32> {
    %a = hx.unary <exp> %x : (tensor<4x?xf32>) -> tensor<4x?xf32>
    hx.yield %a : tensor<4x?xf32>
  } else {
    %b = hx.unary <tanh> %x : (tensor<4x?xf32>) -> tensor<4x?xf32>
    hx.yield %b : tensor<4x?xf32>
  }
  return %0 : tensor<4x?xf32>
}

// The same question inside of a branch has been answered.
// CHECK-LABEL: func.func @asked_again
func.func @asked_again(%rate: tensor<i64>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %k = hx.constant dense<16000> : tensor<i64>
  %c = hx.compare <eq> %rate, %k : (tensor<i64>, tensor<i64>) -> tensor<i1>
  // CHECK: hx.if
  // CHECK: hx.unary <tanh>
  // CHECK-NEXT: hx.yield
  // CHECK-NEXT: } else {
  // CHECK-NEXT: hx.unary <abs>
  // CHECK-NEXT: hx.yield
  // CHECK-NOT: hx.if
  %0 = hx.if %c : (tensor<i1>) -> tensor<4xf32> {
    %d = hx.compare <eq> %rate, %k : (tensor<i64>, tensor<i64>) -> tensor<i1>
    %1 = hx.if %d : (tensor<i1>) -> tensor<4xf32> {
      %a = hx.unary <tanh> %x : (tensor<4xf32>) -> tensor<4xf32>
      hx.yield %a : tensor<4xf32>
    } else {
      hx.yield %x : tensor<4xf32>
    }
    hx.yield %1 : tensor<4xf32>
  } else {
    %2 = hx.if %c : (tensor<i1>) -> tensor<4xf32> {
      hx.yield %x : tensor<4xf32>
    } else {
      %b = hx.unary <abs> %x : (tensor<4xf32>) -> tensor<4xf32>
      hx.yield %b : tensor<4xf32>
    }
    hx.yield %2 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
