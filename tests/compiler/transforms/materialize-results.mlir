// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-materialize-results))' | FileCheck %s

// An input, a constant and a second use of one value are copied; the first is not.
// CHECK-LABEL: func.func @results
func.func @results(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  // CHECK: %[[C:.*]] = hx.constant
  // CHECK: %[[Y:.*]] = hx.unary <exp>
  // CHECK: %[[X1:.*]] = hx.cast %arg0
  // CHECK: %[[Y1:.*]] = hx.cast %[[Y]]
  // CHECK: %[[C1:.*]] = hx.cast %[[C]]
  // CHECK: return %[[X1]], %[[Y]], %[[Y1]], %[[C1]]
  %c = hx.constant dense<1.0> : tensor<4xf32>
  %y = hx.unary <exp> %x : (tensor<4xf32>) -> tensor<4xf32>
  return %x, %y, %y, %c : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
