// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-pack-operands))' | FileCheck %s
// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-pack-operands{pair-bfloats=true}))' | FileCheck %s --check-prefix=PAIRS

// CHECK-LABEL: func.func @matmul
func.func @matmul(%a: tensor<?x8xf32>, %b: tensor<8x40xf32>) -> tensor<?x40xf32> {
  // CHECK: %[[P:.*]] = hx.pack <width = 32, groups = 1, transposed = false, conv = false> %arg1
  // CHECK: hx.matmul %arg0, %[[P]]
  %0 = hx.matmul %a, %b : (tensor<?x8xf32>, tensor<8x40xf32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}

// Numbers of few bits, their scales and zero points have panels of the same columns.
// CHECK-LABEL: func.func @few_bits
func.func @few_bits(%a: tensor<?x96xf32>, %w: tensor<40x48xui8>, %s: tensor<40x3xf16>, %z: tensor<40x2xui8>) -> tensor<?x40xf32> {
  // CHECK-DAG: %[[W:.*]] = hx.pack <width = 32, groups = 1, transposed = true, conv = false> %arg1
  // CHECK-DAG: %[[S:.*]] = hx.pack <width = 32, groups = 1, transposed = true, conv = false> %arg2
  // CHECK-DAG: %[[Z:.*]] = hx.pack <width = 32, groups = 1, transposed = true, conv = false> %arg3
  // CHECK: hx.matmul_few_bits %arg0, %[[W]], %[[S]] zero %[[Z]]
  %0 = hx.matmul_few_bits %a, %w, %s zero %z {bits = 4 : i64, block = 32 : i64} : (tensor<?x96xf32>, tensor<40x48xui8>, tensor<40x3xf16>, tensor<40x2xui8>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}

// A narrow matrix gets narrow panels; a transposed left-hand side is transposed.
// CHECK-LABEL: func.func @narrow
func.func @narrow(%a: tensor<8x5xf32>, %b: tensor<4x8xf32>) -> tensor<5x4xf32> {
  // CHECK: %[[A:.*]] = hx.transpose %arg0 {perm = array<i64: 1, 0>}
  // CHECK: %[[P:.*]] = hx.pack <width = 8, groups = 1, transposed = true, conv = false> %arg1
  // CHECK: hx.matmul %[[A]], %[[P]] {transposeRhs = true}
  %0 = hx.matmul %a, %b {transposeLhs = true, transposeRhs = true} : (tensor<8x5xf32>, tensor<4x8xf32>) -> tensor<5x4xf32>
  return %0 : tensor<5x4xf32>
}

// Integers are not packed.
// CHECK-LABEL: func.func @integer
func.func @integer(%a: tensor<2x8xi32>, %b: tensor<8x4xi32>) -> tensor<2x4xi32> {
  // CHECK-NOT: hx.pack
  %0 = hx.matmul %a, %b : (tensor<2x8xi32>, tensor<8x4xi32>) -> tensor<2x4xi32>
  return %0 : tensor<2x4xi32>
}

// Constants that bf16 is multiplied by may stand in pairs, in panels of 16 columns at
// least; what is computed is packed by a kernel that makes none.
// CHECK-LABEL: func.func @bfloats
// PAIRS-LABEL: func.func @bfloats
func.func @bfloats(%a: tensor<?x8xbf16>, %b: tensor<8x8xbf16>) -> (tensor<?x8xbf16>, tensor<?x8xbf16>) {
  // CHECK-NOT: steps
  // PAIRS: hx.pack <width = 16, groups = 1, transposed = false, conv = false, steps = 2>
  // PAIRS: hx.pack <width = 8, groups = 1, transposed = false, conv = false> %arg1
  %w = hx.constant dense<1.0> : tensor<8x8xbf16>
  %0 = hx.matmul %a, %w : (tensor<?x8xbf16>, tensor<8x8xbf16>) -> tensor<?x8xbf16>
  %1 = hx.matmul %a, %b : (tensor<?x8xbf16>, tensor<8x8xbf16>) -> tensor<?x8xbf16>
  return %0, %1 : tensor<?x8xbf16>, tensor<?x8xbf16>
}
