// RUN: hexin-opt %s --pass-pipeline='builtin.module(hx-infer-shapes{annotate})' | FileCheck %s

// Shape operands whose values come with the run are symbols (e0, e1, ...): one per
// element of the value where integer arithmetic on the host begins. What they must
// satisfy is checked when they are known.

// The entry can be the -1 that stands for what is left.
// CHECK-LABEL: func.func @reshape
// CHECK-SAME: hx.constraints = ["6*N == select(eq(-1, [[E:e[0-9]+]]), 6*N, [[E]])"]
func.func @reshape(%x: tensor<?x6xf32> {hx.dim_names = ["N", ""]}, %s: tensor<1xi64>) {
  // CHECK: hx.sizes = ["[select(eq(-1, [[F:e[0-9]+]]), 6*N, [[F]])]"]
  %0 = hx.reshape %x, %s : (tensor<?x6xf32>, tensor<1xi64>) -> tensor<?xf32>
  return
}

// What is constant stays so, although it is joined with what is not.
// CHECK-LABEL: func.func @slice
// CHECK-SAME: hx.constraints = ["[[SIZE:e[0-9]+]] >= 0", "select(eq(0, [[SIZE]]), 0, [[START:e[0-9]+]]) >= 0", "select(eq(0, [[SIZE]]), 0, N - [[START]] - [[SIZE]]) >= 0"]
func.func @slice(%x: tensor<?x6xf32> {hx.dim_names = ["N", ""]}, %start: tensor<1xi64>, %size: tensor<1xi64>) {
  %zero = hx.constant dense<0> : tensor<1xi64>
  %six = hx.constant dense<6> : tensor<1xi64>
  %starts = hx.concat %start, %zero {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %sizes = hx.concat %size, %six {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  // CHECK: hx.slice {{.*}} -> tensor<?x6xf32>
  %0 = hx.slice %x, %starts, %sizes {steps = array<i64: 1, 1>} : (tensor<?x6xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  return
}

// ONNX's Slice with an end from outside: negative counts from the end, then clamped.
// CHECK-LABEL: func.func @clamp
// CHECK-NOT: hx.constraints
func.func @clamp(%x: tensor<?xf32> {hx.dim_names = ["N"]}, %end: tensor<1xi64>) {
  %zero = hx.constant dense<0> : tensor<1xi64>
  %n = hx.shape_of %x : (tensor<?xf32>) -> tensor<1xi64>
  %isNegative = hx.compare <lt> %end, %zero : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %wrapped = hx.binary <add> %end, %n : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %positive = hx.select %isNegative, %wrapped, %end : (tensor<1xi1>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %low = hx.binary <max> %positive, %zero : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %size = hx.binary <min> %low, %n : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  // CHECK: hx.slice {{.*}}hx.sizes = ["[min(N, max(0, select(lt([[E:e[0-9]+]], 0), N + [[E]], [[E]])))]"]
  %0 = hx.slice %x, %zero, %size {steps = array<i64: 1>} : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  return
}

// CHECK-LABEL: func.func @pad
func.func @pad(%x: tensor<?x6xf32> {hx.dim_names = ["N", ""]}, %low: tensor<2xi64>, %high: tensor<2xi64>, %v: tensor<f32>) {
  // CHECK: hx.pad {{.*}}hx.sizes = ["[N + e{{[0-9]+}} + e{{[0-9]+}}, e{{[0-9]+}} + e{{[0-9]+}} + 6]"]
  %0 = hx.pad <constant> %x, %low, %high, %v : (tensor<?x6xf32>, tensor<2xi64>, tensor<2xi64>, tensor<f32>) -> tensor<?x?xf32>
  return
}

// CHECK-LABEL: func.func @tables
func.func @tables(%x: tensor<?x6xf32> {hx.dim_names = ["N", ""]}, %i: tensor<2x?xi64> {hx.dim_names = ["", "I"]}, %u: tensor<?x6xf32>) {
  // CHECK: hx.gather {{.*}}hx.sizes = ["[N, 2, I]"]
  %0 = hx.gather %x, %i {axis = 1 : i64} : (tensor<?x6xf32>, tensor<2x?xi64>) -> tensor<?x?x?xf32>
  // CHECK: hx.gather {{.*}}hx.sizes = ["[2, I]"]
  %1 = hx.gather %x, %i {axis = 1 : i64, batchDims = 1 : i64} : (tensor<?x6xf32>, tensor<2x?xi64>) -> tensor<?x?xf32>
  // CHECK: hx.gather_elements {{.*}}hx.sizes = ["[2, I]"]
  %2 = hx.gather_elements %x, %i {axis = 0 : i64} : (tensor<?x6xf32>, tensor<2x?xi64>) -> tensor<?x?xf32>
  // CHECK: hx.scatter_elements {{.*}}hx.sizes = ["[N, 6]"]
  %3 = hx.scatter_elements <set> %x, %i, %2 {axis = 0 : i64} : (tensor<?x6xf32>, tensor<2x?xi64>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return
}

// A size that only the run can tell.
// CHECK-LABEL: func.func @compacted
func.func @compacted(%m: tensor<?xi1> {hx.dim_names = ["N"]}, %x: tensor<?x4xf32> {hx.dim_names = ["N", ""]}) {
  // CHECK: hx.compact {{.*}}hx.sizes = ["[[[R:r[0-9]+]]]"]
  %0 = hx.compact %m : (tensor<?xi1>) -> tensor<?xi64>
  // CHECK: hx.gather {{.*}}hx.sizes = ["[[[R]], 4]"]
  %1 = hx.gather %x, %0 {axis = 0 : i64} : (tensor<?x4xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  // CHECK: hx.shape_of {{.*}}hx.contents = ["[[[R]], 4]"]
  %2 = hx.shape_of %1 : (tensor<?x?xf32>) -> tensor<2xi64>
  return
}

// CHECK-LABEL: func.func @states
func.func @states(%x: tensor<?x4xf32>) {
  // CHECK: hx.state_read {{.*}}hx.sizes = ["[r{{[0-9]+}}, 4]"]
  %0 = hx.state_read "cache" : tensor<?x4xf32>
  // CHECK: hx.concat {{.*}}hx.sizes = ["[s{{[0-9]+}} + r{{[0-9]+}}, 4]"]
  %1 = hx.concat %x, %0 {axis = 0 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  hx.state_write %1 to "cache" : tensor<?x4xf32>
  return
}
