// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-expand-compact))' | FileCheck %s
// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-expand-compact),hx-infer-shapes{annotate=true})' | FileCheck %s --check-prefix=SIZES

// Blocks of 512 are counted side by side; the sum of all is read on the host.
// CHECK-LABEL: func.func @positions
// CHECK: %[[ROWS:.*]] = hx.reshape %{{.*}} -> tensor<?x512xi1>
// CHECK: %[[ONES:.*]] = hx.cast %[[ROWS]]
// CHECK: %[[COUNTS:.*]] = hx.reduce <sum> %[[ONES]] {axes = array<i64: 1>
// CHECK: %[[STARTS:.*]] = hx.cumulative <sum> %[[COUNTS]] {axis = 0 : i64, exclusive = true}
// CHECK: %[[COUNT:.*]] = hx.slice %[[STARTS]]
// CHECK: hx.compact_fill %arg0, %[[STARTS]], %[[COUNT]] {block = 512 : i64}
// CHECK-NOT: hx.compact %

// The size of the result is that element, between 0 and the size of the mask.
// SIZES-LABEL: func.func @positions
// SIZES: hx.compact_fill {{.*}}hx.sizes = ["[e{{[0-9]+}}]"]
func.func @positions(%m: tensor<?xi1> {hx.dim_names = ["N"]}) -> tensor<?xi64> {
  %0 = hx.compact %m : (tensor<?xi1>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}

// CHECK-LABEL: func.func @static
// CHECK: hx.reshape %{{.*}} -> tensor<3x512xi1>
// CHECK: hx.compact_fill
func.func @static(%m: tensor<600xi1>) -> tensor<?xi64> {
  %0 = hx.compact %m : (tensor<600xi1>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}
