// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-pack-operands))' | FileCheck %s

// CHECK-LABEL: func.func @matmul
func.func @matmul(%a: tensor<?x8xf32>, %b: tensor<8x40xf32>) -> tensor<?x40xf32> {
  // CHECK: %[[P:.*]] = hx.pack <width = 32, groups = 1, transposed = false, conv = false> %arg1
  // CHECK: hx.matmul %arg0, %[[P]]
  %0 = hx.matmul %a, %b : (tensor<?x8xf32>, tensor<8x40xf32>) -> tensor<?x40xf32>
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
