// RUN: hexin-opt %s --pass-pipeline='builtin.module(func.func(hx-project-recurrent,hx-pack-operands))' | FileCheck %s

// CHECK-LABEL: func.func @both_ways
func.func @both_ways(%x: tensor<?x1x5xf32>) -> tensor<?x2x1x3xf32> {
  %w = hx.weight "w" : tensor<2x12x5xf32>
  %r = hx.weight "r" : tensor<2x12x3xf32>
  // CHECK: %[[W:.*]] = hx.reshape %{{.*}} -> tensor<24x5xf32>
  // CHECK: %[[P:.*]] = hx.matmul %arg0, %{{.*}} -> tensor<?x1x24xf32>
  // CHECK: %[[R:.*]] = hx.reshape %{{.*}} -> tensor<8x3x3xf32>
  // CHECK: %[[G:.*]] = hx.pack <width = 8, groups = 1, transposed = true, conv = false> %[[R]]
  // CHECK: hx.lstm %[[P]] recurrence %[[G]]
  %0, %1, %2 = hx.lstm %x weights %w recurrence %r {activations = ["Sigmoid", "Tanh", "Tanh", "Sigmoid", "Tanh", "Tanh"], activationAlpha = array<f64>, activationBeta = array<f64>, direction = #hx.direction<bidirectional>, hiddenSize = 3 : i64}
      : (tensor<?x1x5xf32>, tensor<2x12x5xf32>, tensor<2x12x3xf32>) -> (tensor<?x2x1x3xf32>, tensor<2x1x3xf32>, tensor<2x1x3xf32>)
  return %0 : tensor<?x2x1x3xf32>
}

// What the run gives would be packed in every run; sums of halfs would be rounded once more.
// CHECK-LABEL: func.func @left_alone
func.func @left_alone(%x: tensor<4x1x5xf32>, %r: tensor<1x12x3xf32>, %y: tensor<4x1x5xf16>) -> (tensor<4x1x1x3xf32>, tensor<4x1x1x3xf16>) {
  %w = hx.weight "w" : tensor<1x12x5xf32>
  %wh = hx.weight "wh" : tensor<1x12x5xf16>
  %rh = hx.weight "rh" : tensor<1x12x3xf16>
  // CHECK: hx.lstm %arg0 weights
  %0, %1, %2 = hx.lstm %x weights %w recurrence %r {activations = ["Sigmoid", "Tanh", "Tanh"], activationAlpha = array<f64>, activationBeta = array<f64>, hiddenSize = 3 : i64}
      : (tensor<4x1x5xf32>, tensor<1x12x5xf32>, tensor<1x12x3xf32>) -> (tensor<4x1x1x3xf32>, tensor<1x1x3xf32>, tensor<1x1x3xf32>)
  // CHECK: hx.lstm %arg2 weights
  %3, %4, %5 = hx.lstm %y weights %wh recurrence %rh {activations = ["Sigmoid", "Tanh", "Tanh"], activationAlpha = array<f64>, activationBeta = array<f64>, hiddenSize = 3 : i64}
      : (tensor<4x1x5xf16>, tensor<1x12x5xf16>, tensor<1x12x3xf16>) -> (tensor<4x1x1x3xf16>, tensor<1x1x3xf16>, tensor<1x1x3xf16>)
  return %0, %3 : tensor<4x1x1x3xf32>, tensor<4x1x1x3xf16>
}
