// RUN: hexin-opt %s --pass-pipeline='builtin.module(hx-infer-shapes{annotate})' | FileCheck %s

// Shapes as exporters compute them: none of these leaves a run-time check behind.
// CHECK-NOT: hx.constraints

// Shape -> Gather -> Unsqueeze -> Concat -> Reshape
// CHECK-LABEL: func.func @flatten
func.func @flatten(%x: tensor<?x16x?x?xf32> {hx.dim_names = ["N", "", "H", "W"]}) {
  %zero = hx.constant dense<0> : tensor<i64>
  %one = hx.constant dense<1> : tensor<1xi64>
  %left = hx.constant dense<-1> : tensor<1xi64>
  // CHECK: hx.shape_of {{.*}}hx.contents = ["[N, 16, H, W]"]
  %0 = hx.shape_of %x : (tensor<?x16x?x?xf32>) -> tensor<4xi64>
  // CHECK: hx.gather {{.*}}hx.contents = ["[N]"]
  %1 = hx.gather %0, %zero {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %2 = hx.reshape %1, %one : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  // CHECK: hx.concat {{.*}}hx.contents = ["[N, -1]"]
  %3 = hx.concat %2, %left {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  // CHECK: hx.reshape {{.*}}hx.sizes = ["[N, 16*H*W]"]
  %4 = hx.reshape %x, %3 : (tensor<?x16x?x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return
}

// Attention heads: [B, S, 384] -> [B, S, 12, 32] -> [B, 12, S, 32] -> scores -> back
// CHECK-LABEL: func.func @heads
func.func @heads(%x: tensor<?x?x384xf32> {hx.dim_names = ["B", "S", ""]}) {
  %s = hx.shape_of %x : (tensor<?x?x384xf32>) -> tensor<3xi64>
  %i = hx.constant dense<[0, 1]> : tensor<2xi64>
  %bs = hx.gather %s, %i {axis = 0 : i64} : (tensor<3xi64>, tensor<2xi64>) -> tensor<2xi64>
  %split = hx.constant dense<[12, 32]> : tensor<2xi64>
  %shape = hx.concat %bs, %split {axis = 0 : i64} : (tensor<2xi64>, tensor<2xi64>) -> tensor<4xi64>
  // CHECK: hx.sizes = ["[B, S, 12, 32]"]{{.*}} -> tensor<?x?x12x32xf32>
  %0 = hx.reshape %x, %shape : (tensor<?x?x384xf32>, tensor<4xi64>) -> tensor<?x?x?x?xf32>
  %1 = hx.transpose %0 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  // CHECK: hx.matmul {{.*}}hx.sizes = ["[B, 12, S, S]"]
  %2 = hx.matmul %1, %1 {transposeRhs = true} : (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  %3 = hx.matmul %2, %1 : (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  %4 = hx.transpose %3 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  %rest = hx.constant dense<-1> : tensor<1xi64>
  %flat = hx.concat %bs, %rest {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<3xi64>
  // CHECK: hx.reshape {{.*}}hx.sizes = ["[B, S, 384]"]
  %5 = hx.reshape %4, %flat : (tensor<?x?x?x?xf32>, tensor<3xi64>) -> tensor<?x?x?xf32>
  // CHECK: hx.binary <add> {{.*}}hx.sizes = ["[B, S, 384]"]
  %6 = hx.binary <add> %5, %x : (tensor<?x?x?xf32>, tensor<?x?x384xf32>) -> tensor<?x?x384xf32>
  return
}

// Expand to Where(shape == -1, 1, shape), the mask of a BERT
// CHECK-LABEL: func.func @mask
func.func @mask(%ids: tensor<?x?xi64> {hx.dim_names = ["B", "S"]}) {
  %s = hx.shape_of %ids : (tensor<?x?xi64>) -> tensor<2xi64>
  %i0 = hx.constant dense<[0]> : tensor<1xi64>
  %i1 = hx.constant dense<[1]> : tensor<1xi64>
  %b = hx.gather %s, %i0 {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<1xi64>
  %l = hx.gather %s, %i1 {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<1xi64>
  %one = hx.constant dense<1> : tensor<1xi64>
  %want = hx.concat %b, %one, %l, %l {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %open = hx.constant dense<-1> : tensor<4xi64>
  %ones = hx.constant dense<1> : tensor<4xi64>
  %is = hx.compare <eq> %want, %open : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi1>
  // CHECK: hx.select {{.*}}hx.contents = ["[B, 1, S, S]"]
  %shape = hx.select %is, %ones, %want : (tensor<4xi1>, tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>
  %view = hx.concat %b, %one, %one, %l {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %m = hx.reshape %ids, %view : (tensor<?x?xi64>, tensor<4xi64>) -> tensor<?x1x1x?xi64>
  // CHECK: hx.broadcast_to {{.*}}hx.sizes = ["[B, 1, S, S]"]
  %e = hx.broadcast_to %m, %shape : (tensor<?x1x1x?xi64>, tensor<4xi64>) -> tensor<?x?x?x?xi64>
  // CHECK: hx.iota {{.*}}hx.sizes = ["[S]"]
  %p = hx.iota %l {axis = 0 : i64} : (tensor<1xi64>) -> tensor<?xi64>
  return
}

// A slice whose end is clamped: min(max(S - 2, 0), S) elements from 0, and the rest
// CHECK-LABEL: func.func @clamped
func.func @clamped(%x: tensor<?x4xf32> {hx.dim_names = ["S", ""]}) {
  %s = hx.shape_of %x : (tensor<?x4xf32>) -> tensor<2xi64>
  %i0 = hx.constant dense<[0]> : tensor<1xi64>
  %n = hx.gather %s, %i0 {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<1xi64>
  %two = hx.constant dense<2> : tensor<1xi64>
  %zero = hx.constant dense<0> : tensor<1xi64>
  %four = hx.constant dense<4> : tensor<1xi64>
  %a = hx.binary <sub> %n, %two : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %b = hx.binary <max> %a, %zero : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  // CHECK: hx.binary <min> {{.*}}hx.contents = ["[max(S - 2, 0)]"]
  %c = hx.binary <min> %b, %n : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %starts = hx.constant dense<0> : tensor<2xi64>
  %sizes = hx.concat %c, %four {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  // CHECK: hx.slice {{.*}}hx.sizes = ["[max(S - 2, 0), 4]"]
  %0 = hx.slice %x, %starts, %sizes {steps = array<i64: 1, 1>} : (tensor<?x4xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  %rest = hx.binary <sub> %n, %c : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %starts1 = hx.concat %c, %zero {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %sizes1 = hx.concat %rest, %four {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %1 = hx.slice %x, %starts1, %sizes1 {steps = array<i64: 1, 1>} : (tensor<?x4xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  // Both parts together are x again.
  // CHECK: hx.concat {{.*}}hx.sizes = ["[S, 4]"]{{.*}} -> tensor<?x4xf32>
  %2 = hx.concat %0, %1 {axis = 0 : i64} : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return
}

// A size that is scaled in f32: Shape -> Cast -> Mul -> Floor -> Cast -> Resize
// CHECK-LABEL: func.func @upsample
func.func @upsample(%x: tensor<1x8x?x?xf32> {hx.dim_names = ["", "", "H", "W"]}) {
  %s = hx.shape_of %x : (tensor<1x8x?x?xf32>) -> tensor<4xi64>
  %start = hx.constant dense<2> : tensor<1xi64>
  %count = hx.constant dense<2> : tensor<1xi64>
  // CHECK: hx.slice {{.*}}hx.contents = ["[H, W]"]
  %hw = hx.slice %s, %start, %count {steps = array<i64: 1>} : (tensor<4xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %f = hx.cast %hw : (tensor<2xi64>) -> tensor<2xf32>
  %k = hx.constant dense<2.0> : tensor<2xf32>
  %g = hx.binary <mul> %f, %k : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %h = hx.unary <floor> %g : (tensor<2xf32>) -> tensor<2xf32>
  %i = hx.cast %h : (tensor<2xf32>) -> tensor<2xi64>
  %nc = hx.constant dense<[1, 8]> : tensor<2xi64>
  %sizes = hx.concat %nc, %i {axis = 0 : i64} : (tensor<2xi64>, tensor<2xi64>) -> tensor<4xi64>
  %scales = hx.constant dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>
  // CHECK: hx.resize {{.*}}hx.sizes = ["[1, 8, 2*H, 2*W]"]
  %0 = hx.resize <nearest> %x, %sizes, %scales {coordinates = "asymmetric", nearest = "floor"} : (tensor<1x8x?x?xf32>, tensor<4xi64>, tensor<4xf32>) -> tensor<?x?x?x?xf32>
  return
}

// Arithmetic on sizes
// CHECK-LABEL: func.func @contents
func.func @contents(%x: tensor<?x?xf32> {hx.dim_names = ["N", "M"]}) {
  %s = hx.shape_of %x : (tensor<?x?xf32>) -> tensor<2xi64>
  %two = hx.constant dense<2> : tensor<i64>
  // CHECK: hx.binary <div> {{.*}}hx.contents = ["[(N floordiv 2), (M floordiv 2)]"]
  %0 = hx.binary <div> %s, %two : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
  // CHECK: hx.binary <mod> {{.*}}hx.contents = ["[(N mod 2), (M mod 2)]"]
  %1 = hx.binary <mod> %s, %two : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
  // CHECK: hx.reduce <prod> {{.*}}hx.contents = ["[N*M]"]
  %2 = hx.reduce <prod> %s {axes = array<i64: 0>, keepDims = false} : (tensor<2xi64>) -> tensor<i64>
  // CHECK: hx.reduce <sum> {{.*}}hx.contents = ["[N + M]"]
  %3 = hx.reduce <sum> %s {axes = array<i64: 0>} : (tensor<2xi64>) -> tensor<1xi64>
  // CHECK: hx.unary <neg> {{.*}}hx.contents = ["[-N, -M]"]
  %4 = hx.unary <neg> %s : (tensor<2xi64>) -> tensor<2xi64>
  // CHECK: hx.compare <lt> {{.*}}hx.contents = ["[0, 0]"]
  %zero = hx.constant dense<0> : tensor<i64>
  %5 = hx.compare <lt> %s, %zero : (tensor<2xi64>, tensor<i64>) -> tensor<2xi1>
  // CHECK: hx.unary <logical_not> {{.*}}hx.contents = ["[1, 1]"]
  %6 = hx.unary <logical_not> %5 : (tensor<2xi1>) -> tensor<2xi1>
  %n = hx.constant dense<[2, 2]> : tensor<2xi64>
  // CHECK: hx.broadcast_to {{.*}}hx.contents = ["[N, M, N, M]"]
  %7 = hx.broadcast_to %s, %n : (tensor<2xi64>, tensor<2xi64>) -> tensor<2x2xi64>
  // CHECK: hx.transpose {{.*}}hx.contents = ["[N, N, M, M]"]
  %8 = hx.transpose %7 {perm = array<i64: 1, 0>} : (tensor<2x2xi64>) -> tensor<2x2xi64>
  // CHECK: hx.iota {{.*}}hx.contents = ["[0, 1, 0, 1]"]
  %9 = hx.iota %n {axis = 1 : i64} : (tensor<2xi64>) -> tensor<2x2xi64>
  // CHECK: hx.cast {{.*}}hx.contents = ["[N, M]"]
  %10 = hx.cast %s : (tensor<2xi64>) -> tensor<2xi32>
  // CHECK: hx.slice {{.*}}hx.contents = ["[M, N]"]
  %one = hx.constant dense<1> : tensor<1xi64>
  %two1 = hx.constant dense<2> : tensor<1xi64>
  %11 = hx.slice %s, %one, %two1 {steps = array<i64: -1>} : (tensor<2xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  return
}

// Trimmed to 400 and padded to 400: always 400, whatever N is.
// CHECK-LABEL: func.func @trim_and_pad
func.func @trim_and_pad(%x: tensor<?xf32> {hx.dim_names = ["N"]}, %v: tensor<f32>) {
  %n = hx.shape_of %x : (tensor<?xf32>) -> tensor<1xi64>
  %k = hx.constant dense<400> : tensor<1xi64>
  %zero = hx.constant dense<0> : tensor<1xi64>
  %kept = hx.binary <min> %n, %k : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  // CHECK: hx.slice {{.*}}hx.sizes = ["[min(N, 400)]"]
  %0 = hx.slice %x, %zero, %kept {steps = array<i64: 1>} : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  %missing = hx.binary <sub> %k, %n : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %high = hx.binary <max> %missing, %zero : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  // CHECK: hx.pad {{.*}} -> tensor<400xf32>
  %1 = hx.pad <constant> %0, %zero, %high, %v : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>, tensor<f32>) -> tensor<?xf32>
  return
}

// The 0 of ONNX's Reshape copies a size; where that is the size itself nothing is left
// of the choice.
// CHECK-LABEL: func.func @copied
func.func @copied(%x: tensor<?x6x4xf32> {hx.dim_names = ["N", "", ""]}) {
  %s = hx.shape_of %x : (tensor<?x6x4xf32>) -> tensor<3xi64>
  %i = hx.constant dense<[0]> : tensor<1xi64>
  %n = hx.gather %s, %i {axis = 0 : i64} : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  %isZero = hx.compare <eq> %n, %i : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %isSize = hx.unary <logical_not> %isZero : (tensor<1xi1>) -> tensor<1xi1>
  // CHECK: hx.select {{.*}}hx.contents = ["[N]"]
  %0 = hx.select %isSize, %n, %n : (tensor<1xi1>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %clamped = hx.constant dense<1000> : tensor<1xi64>
  %d = hx.binary <min> %n, %clamped : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  // CHECK: hx.select {{.*}}hx.contents = ["[N]"]
  %1 = hx.select %isSize, %n, %d : (tensor<1xi1>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  return
}
