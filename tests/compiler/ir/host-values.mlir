// RUN: hexin-opt %s | hexin-opt | FileCheck %s
// RUN: hexin-opt %s --canonicalize | FileCheck %s --check-prefix=CANON
// RUN: hexin-opt %s --pass-pipeline='builtin.module(hx-infer-shapes{annotate})' | FileCheck %s --check-prefix=INFER

!seq = !hx.sequence<tensor<?x3xf32>>

// CHECK-LABEL: func.func @sequences
// INFER-LABEL: func.func @sequences
func.func @sequences(%s: !seq, %x: tensor<2x3xf32>, %i: tensor<i64>) -> (tensor<?x3xf32>, tensor<i64>, tensor<?x?xf32>) {
  // CHECK: hx.seq_insert %{{.*}}, %{{.*}} at %{{.*}} : (!hx.sequence<tensor<?x3xf32>>, tensor<2x3xf32>, tensor<i64>) -> !hx.sequence<tensor<?x3xf32>>
  %0 = hx.seq_insert %s, %x at %i : (!seq, tensor<2x3xf32>, tensor<i64>) -> !seq
  // CHECK: hx.seq_insert %{{.*}}, %{{.*}} : (
  %1 = hx.seq_insert %0, %x : (!seq, tensor<2x3xf32>) -> !seq
  // CHECK: hx.seq_erase %{{.*}} : (
  %2 = hx.seq_erase %1 : (!seq) -> !seq
  // CHECK: hx.seq_at
  // INFER: hx.seq_at {{.*}}hx.sizes = ["[r{{[0-9]+}}, 3]"]
  %3 = hx.seq_at %2, %i : (!seq, tensor<i64>) -> tensor<?x3xf32>
  // CHECK: hx.seq_length
  %4 = hx.seq_length %2 : (!seq) -> tensor<i64>
  // INFER: hx.seq_concat {{.*}} -> tensor<?x3xf32>
  %5 = hx.seq_concat %2 {axis = 0 : i64} : (!seq) -> tensor<?x?xf32>
  return %3, %4, %5 : tensor<?x3xf32>, tensor<i64>, tensor<?x?xf32>
}

// A sequence that is made here is not needed where its parts are known.
// CANON-LABEL: func.func @known
// CANON-SAME: (%[[X:.*]]: tensor<2x3xf32>, %[[Y:.*]]: tensor<4x3xf32>)
func.func @known(%x: tensor<2x3xf32>, %y: tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<6x3xf32>, tensor<2x3xf32>) {
  %last = hx.constant dense<-1> : tensor<i64>
  %s = hx.seq_make %x, %y : (tensor<2x3xf32>, tensor<4x3xf32>) -> !seq
  %0 = hx.seq_at %s, %last : (!seq, tensor<i64>) -> tensor<?x3xf32>
  // CANON: %[[A:.*]] = hx.unary <exp> %[[Y]]
  %1 = hx.unary <exp> %0 : (tensor<?x3xf32>) -> tensor<4x3xf32>
  // CANON: %[[B:.*]] = hx.concat %[[X]], %[[Y]] {axis = 0 : i64}
  %2 = hx.seq_concat %s {axis = 0 : i64} : (!seq) -> tensor<6x3xf32>
  %o = hx.opt_make %x : (tensor<2x3xf32>) -> !hx.optional<tensor<2x3xf32>>
  %3 = hx.opt_get %o : (!hx.optional<tensor<2x3xf32>>) -> tensor<2x3xf32>
  // CANON: return %[[A]], %[[B]], %[[X]]
  return %1, %2, %3 : tensor<4x3xf32>, tensor<6x3xf32>, tensor<2x3xf32>
}

// What is outside, or whose type a terminator hangs on, stays.
// CANON-LABEL: func.func @kept
// CANON: hx.seq_at
// CANON: hx.seq_at
// CANON: hx.opt_get
func.func @kept(%x: tensor<2x3xf32>) -> (tensor<?x3xf32>, tensor<?x3xf32>, tensor<2x3xf32>) {
  %two = hx.constant dense<2> : tensor<i64>
  %zero = hx.constant dense<0> : tensor<i64>
  %s = hx.seq_make %x : (tensor<2x3xf32>) -> !seq
  %0 = hx.seq_at %s, %two : (!seq, tensor<i64>) -> tensor<?x3xf32>
  %1 = hx.seq_at %s, %zero : (!seq, tensor<i64>) -> tensor<?x3xf32>
  %o = hx.opt_make : () -> !hx.optional<tensor<2x3xf32>>
  %2 = hx.opt_get %o : (!hx.optional<tensor<2x3xf32>>) -> tensor<2x3xf32>
  return %0, %1, %2 : tensor<?x3xf32>, tensor<?x3xf32>, tensor<2x3xf32>
}

// CHECK-LABEL: func.func @rest
// INFER-LABEL: func.func @rest
func.func @rest(%x: tensor<?x2xf32>, %s: tensor<?x!hx.string>, %bytes: tensor<?xui8>, %m: !hx.map<i64, tensor<f32>>, %n: tensor<2xi64>) {
  // CHECK: hx.seq_split %{{.*}} by %{{.*}} {axis = 0 : i64}
  %0 = hx.seq_split %x by %n {axis = 0 : i64} : (tensor<?x2xf32>, tensor<2xi64>) -> !hx.sequence<tensor<?x2xf32>>
  // CHECK: hx.seq_split %{{.*}} {axis = 1 : i64, keepDim = false}
  %1 = hx.seq_split %x {axis = 1 : i64, keepDim = false} : (tensor<?x2xf32>) -> !hx.sequence<tensor<?xf32>>
  // CHECK: hx.map_make
  %2 = hx.map_make %x {intKeys = array<i64: 3, 4>} : (tensor<?x2xf32>) -> !hx.sequence<!hx.map<i64, tensor<f32>>>
  // INFER: hx.map_read {{.*}} -> tensor<1x2xf32>
  %3 = hx.map_read %m {intKeys = array<i64: 3, 4>} : (!hx.map<i64, tensor<f32>>) -> tensor<1x?xf32>
  // INFER: hx.string_split {{.*}} -> (tensor<?x?x!hx.string>, tensor<?xi64>)
  %4, %5 = hx.string_split %s {delimiter = ","} : (tensor<?x!hx.string>) -> (tensor<?x?x!hx.string>, tensor<?xi64>)
  %6 = hx.string_normalize %s {caseChange = "lower", stopWords = ["a"]} : (tensor<?x!hx.string>) -> tensor<?x!hx.string>
  %7 = hx.regex_match %s {pattern = "a+"} : (tensor<?x!hx.string>) -> tensor<?xi1>
  // INFER: hx.ngram_count {{.*}} -> tensor<3xf32>
  %8 = hx.ngram_count %s {minLength = 1 : i64, maxLength = 1 : i64, maxSkip = 0 : i64, starts = array<i64: 0>, columns = array<i64: 0, 2>, width = 3 : i64, stringPool = ["a", "b"]} : (tensor<?x!hx.string>) -> tensor<?xf32>
  // INFER: hx.decode_image {{.*}} -> tensor<?x?x1xui8>
  %9 = hx.decode_image %bytes {pixelFormat = "Grayscale"} : (tensor<?xui8>) -> tensor<?x?x?xui8>
  %10 = hx.lookup %s {keys = ["a"]} : (tensor<?x!hx.string>) -> tensor<?xi64>
  %11 = hx.string_concat %s, %s : (tensor<?x!hx.string>, tensor<?x!hx.string>) -> tensor<?x!hx.string>
  // CHECK: hx.constant dense<["a", "b"]> : tensor<2x!hx.string>
  %12 = hx.constant dense<["a", "b"]> : tensor<2x!hx.string>
  return
}
