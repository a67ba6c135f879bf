// RUN: hexin-opt %s --pass-pipeline='builtin.module(hx-infer-shapes{annotate})' | FileCheck %s

// Branches that agree, and branches that differ: the condition decides the size.
// CHECK-LABEL: func.func @branches
func.func @branches(%rate: tensor<i64>, %x: tensor<?x4xf32> {hx.dim_names = ["N", ""]}) -> (tensor<?x?xf32>, tensor<?x?xf32>) {
  %k = hx.constant dense<16000> : tensor<i64>
  %c = hx.compare <eq> %rate, %k : (tensor<i64>, tensor<i64>) -> tensor<i1>
  // CHECK: hx.if {{.*}}hx.sizes = ["[N, 4]", "[select(eq(16000, [[E:e[0-9]+]]), N, 2*N), 4]"]{{.*}} -> (tensor<?x4xf32>, tensor<?x4xf32>)
  %0, %1 = hx.if %c : (tensor<i1>) -> (tensor<?x?xf32>, tensor<?x?xf32>) {
    %a = hx.unary <exp> %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
    hx.yield %a, %x : tensor<?x4xf32>, tensor<?x4xf32>
  } else {
    %b = hx.concat %x, %x {axis = 0 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    hx.yield %x, %b : tensor<?x4xf32>, tensor<?x4xf32>
  }
  return %0, %1 : tensor<?x?xf32>, tensor<?x?xf32>
}

// What a branch requires only binds runs that take it.
// CHECK-LABEL: func.func @guarded
// CHECK-SAME: hx.constraints = ["select([[C:e[0-9]+]], L - 3, 0) >= 0"]
func.func @guarded(%c: tensor<i1>, %x: tensor<1x4x?xf32> {hx.dim_names = ["", "", "L"]}, %w: tensor<4x4x3xf32>) {
  // CHECK: hx.if {{.*}}hx.sizes = ["[1, 4, select([[D:e[0-9]+]], L - 2, L)]"]
  %0 = hx.if %c : (tensor<i1>) -> tensor<?x?x?xf32> {
    %a = hx.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
      : (tensor<1x4x?xf32>, tensor<4x4x3xf32>) -> tensor<?x?x?xf32>
    hx.yield %a : tensor<?x?x?xf32>
  } else {
    hx.yield %x : tensor<1x4x?xf32>
  }
  return
}

// It is used there too: max(L, 3) is L in the first branch, not in the second.
// CHECK-LABEL: func.func @known_inside
func.func @known_inside(%c: tensor<i1>, %x: tensor<1x4x?xf32> {hx.dim_names = ["", "", "L"]}, %w: tensor<4x4x3xf32>) {
  %three = hx.constant dense<3> : tensor<1xi64>
  %shape = hx.shape_of %x : (tensor<1x4x?xf32>) -> tensor<3xi64>
  %two = hx.constant dense<2> : tensor<1xi64>
  %length = hx.gather %shape, %two {axis = 0 : i64} : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  hx.if %c : (tensor<i1>) -> () {
    %a = hx.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
      : (tensor<1x4x?xf32>, tensor<4x4x3xf32>) -> tensor<?x?x?xf32>
    // CHECK: hx.binary <max> {{.*}}hx.contents = ["[L]"]
    %0 = hx.binary <max> %length, %three : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
    hx.yield
  } else {
    // CHECK: hx.binary <max> {{.*}}hx.contents = ["[{{.*}}max({{.*}}]"]
    %1 = hx.binary <max> %length, %three : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
    hx.yield
  }
  return
}

// A size known only inside a branch is not known outside before the run.
// CHECK-LABEL: func.func @local
func.func @local(%c: tensor<i1>, %m: tensor<?xi1> {hx.dim_names = ["N"]}, %x: tensor<3xi64>) {
  // CHECK: hx.if {{.*}}hx.sizes = ["[r{{[0-9]+}}]"]
  %0 = hx.if %c : (tensor<i1>) -> tensor<?xi64> {
    %a = hx.compact %m : (tensor<?xi1>) -> tensor<?xi64>
    hx.yield %a : tensor<?xi64>
  } else {
    hx.yield %x : tensor<3xi64>
  }
  return
}

// A condition that sizes decide
// CHECK-LABEL: func.func @decided
func.func @decided(%x: tensor<2x4xf32>) {
  %s = hx.shape_of %x : (tensor<2x4xf32>) -> tensor<2xi64>
  %zero = hx.constant dense<0> : tensor<i64>
  %one = hx.constant dense<1> : tensor<i64>
  %n = hx.gather %s, %zero {axis = 0 : i64} : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  %c = hx.compare <eq> %n, %one : (tensor<i64>, tensor<i64>) -> tensor<i1>
  // CHECK: hx.if {{.*}} -> tensor<4x4xf32>
  %0 = hx.if %c : (tensor<i1>) -> tensor<?x?xf32> {
    hx.yield %x : tensor<2x4xf32>
  } else {
    %a = hx.concat %x, %x {axis = 0 : i64} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<?x?xf32>
    hx.yield %a : tensor<?x?xf32>
  }
  return
}

// CHECK-LABEL: func.func @loops
func.func @loops(%x: tensor<?x4xf32> {hx.dim_names = ["N", ""]}, %grow: tensor<?x4xf32> {hx.dim_names = ["M", ""]}, %c: tensor<i1>) {
  %s = hx.shape_of %x : (tensor<?x4xf32>) -> tensor<2xi64>
  %zero = hx.constant dense<0> : tensor<i64>
  %n = hx.gather %s, %zero {axis = 0 : i64} : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  // One carried value keeps its size, the other grows; N iterations are stacked.
  // CHECK: hx.loop {{.*}}hx.sizes = ["[N, 4]", "[r{{[0-9]+}}, 4]", "[N, 4]"]
  %0, %1, %2 = hx.loop trip %n carried %x, %grow {ignoreCondition = true}
      : (tensor<i64>, tensor<?x4xf32>, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) {
  ^bb0(%i: tensor<i64>, %y: tensor<?x4xf32>, %g: tensor<?x4xf32>):
    %next = hx.unary <exp> %y : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %more = hx.concat %g, %next {axis = 0 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    %row = hx.gather %y, %i {axis = 0 : i64} : (tensor<?x4xf32>, tensor<i64>) -> tensor<4xf32>
    hx.yield %c, %next, %more, %row : tensor<i1>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>
  }
  // Without a known end the number of slices is only known after the loop.
  // CHECK: hx.loop {{.*}}hx.sizes = ["[r{{[0-9]+}}, 4]"]
  %3 = hx.loop while %c : (tensor<i1>) -> tensor<?x4xf32> {
  ^bb0(%i: tensor<i64>):
    %row = hx.gather %x, %i {axis = 0 : i64} : (tensor<?x4xf32>, tensor<i64>) -> tensor<4xf32>
    hx.yield %c, %row : tensor<i1>, tensor<4xf32>
  }
  return
}

// A group sees its operands' sizes.
// CHECK-LABEL: func.func @groups
func.func @groups(%x: tensor<?x4xf32> {hx.dim_names = ["N", ""]}) {
  // CHECK: hx.group {{.*}}hx.sizes = ["[2*N, 4]"]
  %0 = hx.group "cpu" "map" (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> {
  ^bb0(%y: tensor<?x4xf32>):
    %a = hx.concat %y, %y {axis = 0 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    hx.yield %a : tensor<?x4xf32>
  }
  return
}
