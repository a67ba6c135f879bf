// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-expand-resize))' | FileCheck %s

// Each axis that changes is a product with its weights.
// CHECK-LABEL: func.func @antialias
func.func @antialias(%x: tensor<1x4x4xf32>) -> tensor<1x2x4xf32> {
  // CHECK: %[[W:.*]] = hx.constant dense<{{.*}}> : tensor<4x2xf32>
  // CHECK: %[[T:.*]] = hx.transpose %arg0 {perm = array<i64: 0, 2, 1>}
  // CHECK: %[[P:.*]] = hx.matmul %{{.*}}, %[[W]] : (tensor<4x4xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  // CHECK-NOT: hx.matmul
  // CHECK-NOT: hx.resize
  %sizes = hx.constant dense<[1, 2, 4]> : tensor<3xi64>
  %scales = hx.constant dense<[1.0, 0.5, 1.0]> : tensor<3xf64>
  %0 = hx.resize <linear> %x, %sizes, %scales {coordinates = "half_pixel", nearest = "floor", antialias = true} : (tensor<1x4x4xf32>, tensor<3xi64>, tensor<3xf64>) -> tensor<1x2x4xf32>
  return %0 : tensor<1x2x4xf32>
}

// What a kernel does by itself stays, and so does what is not known.
// CHECK-LABEL: func.func @plain
func.func @plain(%x: tensor<4x4xf32>, %scales: tensor<2xf64>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  // CHECK-COUNT-2: hx.resize
  %sizes = hx.constant dense<[2, 4]> : tensor<2xi64>
  %known = hx.constant dense<[0.5, 1.0]> : tensor<2xf64>
  %0 = hx.resize <linear> %x, %sizes, %known {coordinates = "half_pixel", nearest = "floor"} : (tensor<4x4xf32>, tensor<2xi64>, tensor<2xf64>) -> tensor<2x4xf32>
  %1 = hx.resize <linear> %x, %sizes, %scales {coordinates = "half_pixel", nearest = "floor", antialias = true} : (tensor<4x4xf32>, tensor<2xi64>, tensor<2xf64>) -> tensor<2x4xf32>
  return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
}
