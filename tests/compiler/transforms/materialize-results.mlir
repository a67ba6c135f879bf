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

// What a loop carries and stacks has memory of its own, before it and in its body.
// CHECK-LABEL: func.func @loop
func.func @loop(%n: tensor<i64>, %x: tensor<4xf32>, %c: tensor<i1>) -> (tensor<4xf32>, tensor<?x4xf32>) {
  // CHECK: %[[ENTRY:.*]] = hx.cast %arg1
  // CHECK: %[[LOOP:.*]]:2 = hx.loop trip %arg0 carried %[[ENTRY]]
  // CHECK: ^bb0(%{{.*}}: tensor<i64>, %[[CARRIED:.*]]: tensor<4xf32>)
  // CHECK: %[[NEXT:.*]] = hx.cast %[[CARRIED]]
  // CHECK: %[[SLICE:.*]] = hx.cast %[[CARRIED]]
  // CHECK: hx.yield %arg2, %[[NEXT]], %[[SLICE]]
  %0, %1 = hx.loop trip %n carried %x {ignoreCondition = true} : (tensor<i64>, tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<4xf32>):
    hx.yield %c, %a, %a : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  }
  // CHECK: hx.cast %[[LOOP]]#0
  // CHECK: hx.cast %[[LOOP]]#1
  return %0, %1 : tensor<4xf32>, tensor<?x4xf32>
}
