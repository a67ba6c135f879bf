// RUN: hexin-opt %s | hexin-opt | FileCheck %s
// RUN: hexin-opt %s --mlir-print-op-generic | hexin-opt | FileCheck %s
// RUN: hexin-opt %s --emit-bytecode | hexin-opt | FileCheck %s

// Every op, printed and parsed again: as text, in generic form and as bytecode.

// CHECK-LABEL: func.func @constants
func.func @constants(%x: tensor<?x3xf32>, %sizes: tensor<2xi64>) {
  // CHECK: hx.constant dense<[1, -1]> : tensor<2xi64>
  %0 = hx.constant dense<[1, -1]> : tensor<2xi64>
  // CHECK: hx.constant dense<["a", "b"]> : tensor<2x!hx.string>
  %1 = hx.constant dense<["a", "b"]> : tensor<2x!hx.string>
  // CHECK: hx.weight "conv1.weight" : tensor<64x3x7x7xf32>
  %2 = hx.weight "conv1.weight" : tensor<64x3x7x7xf32>
  // CHECK: hx.state_read "cache" : tensor<?x64xf32>
  %3 = hx.state_read "cache" : tensor<?x64xf32>
  // CHECK: hx.state_write %{{.*}} to "cache" : tensor<?x64xf32>
  hx.state_write %3 to "cache" : tensor<?x64xf32>
  // CHECK: hx.shape_of %{{.*}} : (tensor<?x3xf32>) -> tensor<2xi64>
  %4 = hx.shape_of %x : (tensor<?x3xf32>) -> tensor<2xi64>
  // CHECK: hx.iota %{{.*}} {axis = 1 : i64} : (tensor<2xi64>) -> tensor<?x?xi32>
  %5 = hx.iota %sizes {axis = 1 : i64} : (tensor<2xi64>) -> tensor<?x?xi32>
  return
}

// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%x: tensor<?x3xf32>, %y: tensor<3xf32>, %n: tensor<3xi64>) {
  // CHECK: hx.unary <exp> %{{.*}} : (tensor<?x3xf32>) -> tensor<?x3xf32>
  %0 = hx.unary <exp> %x : (tensor<?x3xf32>) -> tensor<?x3xf32>
  // CHECK: hx.unary <is_nan> %{{.*}} : (tensor<?x3xf32>) -> tensor<?x3xi1>
  %1 = hx.unary <is_nan> %x : (tensor<?x3xf32>) -> tensor<?x3xi1>
  // CHECK: hx.binary <add> %{{.*}}, %{{.*}} : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  %2 = hx.binary <add> %x, %y : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  // CHECK: hx.binary <pow> %{{.*}}, %{{.*}} : (tensor<?x3xf32>, tensor<3xi64>) -> tensor<?x3xf32>
  %3 = hx.binary <pow> %x, %n : (tensor<?x3xf32>, tensor<3xi64>) -> tensor<?x3xf32>
  // CHECK: hx.compare <le> %{{.*}}, %{{.*}} : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xi1>
  %4 = hx.compare <le> %x, %y : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xi1>
  // CHECK: hx.select %{{.*}}, %{{.*}}, %{{.*}} : (tensor<?x3xi1>, tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  %5 = hx.select %4, %x, %y : (tensor<?x3xi1>, tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  // CHECK: hx.cast %{{.*}} : (tensor<?x3xf32>) -> tensor<?x3xui8>
  %6 = hx.cast %x : (tensor<?x3xf32>) -> tensor<?x3xui8>
  // CHECK: hx.cast %{{.*}} {round = "down", saturate = false} : (tensor<?x3xf32>) -> tensor<?x3xf8E8M0FNU>
  %7 = hx.cast %x {saturate = false, round = "down"} : (tensor<?x3xf32>) -> tensor<?x3xf8E8M0FNU>
  // CHECK: hx.activation <leaky_relu> %{{.*}} {alpha = 1.000000e-01 : f64} : (tensor<?x3xf32>) -> tensor<?x3xf32>
  %8 = hx.activation <leaky_relu> %x {alpha = 0.1 : f64} : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return
}

// CHECK-LABEL: func.func @movement
func.func @movement(%x: tensor<?x6xf32>, %s: tensor<2xi64>, %v: tensor<f32>) {
  // CHECK: hx.bitcast %{{.*}} : (tensor<?x6xf32>) -> tensor<?x6xi32>
  %0 = hx.bitcast %x : (tensor<?x6xf32>) -> tensor<?x6xi32>
  // CHECK: hx.reshape %{{.*}}, %{{.*}} : (tensor<?x6xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  %1 = hx.reshape %x, %s : (tensor<?x6xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  // CHECK: hx.transpose %{{.*}} {perm = array<i64: 1, 0>} : (tensor<?x6xf32>) -> tensor<6x?xf32>
  %2 = hx.transpose %x {perm = array<i64: 1, 0>} : (tensor<?x6xf32>) -> tensor<6x?xf32>
  // CHECK: hx.broadcast_to %{{.*}}, %{{.*}} : (tensor<?x6xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  %3 = hx.broadcast_to %x, %s : (tensor<?x6xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  // CHECK: hx.slice %{{.*}}, %{{.*}}, %{{.*}} {steps = array<i64: 1, -1>} : (tensor<?x6xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  %4 = hx.slice %x, %s, %s {steps = array<i64: 1, -1>} : (tensor<?x6xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  // CHECK: hx.concat %{{.*}}, %{{.*}} {axis = 1 : i64} : (tensor<?x6xf32>, tensor<?x6xf32>) -> tensor<?x12xf32>
  %5 = hx.concat %x, %x {axis = 1 : i64} : (tensor<?x6xf32>, tensor<?x6xf32>) -> tensor<?x12xf32>
  // CHECK: hx.pad <reflect> %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<?x6xf32>, tensor<2xi64>, tensor<2xi64>, tensor<f32>) -> tensor<?x?xf32>
  %6 = hx.pad <reflect> %x, %s, %s, %v : (tensor<?x6xf32>, tensor<2xi64>, tensor<2xi64>, tensor<f32>) -> tensor<?x?xf32>
  return
}

// CHECK-LABEL: func.func @check
func.func @check(%numbers: tensor<3xi64>, %lengths: tensor<?xi32>, %limit: tensor<1xi64>) {
  // CHECK: hx.check %{{.*}} "k is {1}, expected at most {2}" : tensor<3xi64>
  hx.check %numbers "k is {1}, expected at most {2}" : tensor<3xi64>
  // CHECK: hx.check_lengths %{{.*}}, %{{.*}} : (tensor<?xi32>, tensor<1xi64>) -> tensor<?xi32>
  %0 = hx.check_lengths %lengths, %limit : (tensor<?xi32>, tensor<1xi64>) -> tensor<?xi32>
  return
}

// CHECK-LABEL: func.func @gather
func.func @gather(%x: tensor<?x6xf32>, %i: tensor<4x2xi64>, %u: tensor<4x2xf32>, %v: tensor<4xf32>) {
  // CHECK: hx.gather %{{.*}}, %{{.*}} {axis = 1 : i64} : (tensor<?x6xf32>, tensor<4x2xi64>) -> tensor<?x4x2xf32>
  %0 = hx.gather %x, %i {axis = 1 : i64} : (tensor<?x6xf32>, tensor<4x2xi64>) -> tensor<?x4x2xf32>
  // CHECK: hx.gather %{{.*}}, %{{.*}} {axis = 1 : i64, batchDims = 1 : i64} : (tensor<?x6xf32>, tensor<4x2xi64>) -> tensor<4x2xf32>
  %1 = hx.gather %x, %i {axis = 1 : i64, batchDims = 1 : i64} : (tensor<?x6xf32>, tensor<4x2xi64>) -> tensor<4x2xf32>
  // CHECK: hx.gather_elements %{{.*}}, %{{.*}} {axis = 0 : i64} : (tensor<?x6xf32>, tensor<4x2xi64>) -> tensor<4x2xf32>
  %2 = hx.gather_elements %x, %i {axis = 0 : i64} : (tensor<?x6xf32>, tensor<4x2xi64>) -> tensor<4x2xf32>
  // CHECK: hx.gather_nd %{{.*}}, %{{.*}} : (tensor<?x6xf32>, tensor<4x2xi64>) -> tensor<4xf32>
  %3 = hx.gather_nd %x, %i : (tensor<?x6xf32>, tensor<4x2xi64>) -> tensor<4xf32>
  // CHECK: hx.scatter_elements <add> %{{.*}}, %{{.*}}, %{{.*}} {axis = 0 : i64} : (tensor<?x6xf32>, tensor<4x2xi64>, tensor<4x2xf32>) -> tensor<?x6xf32>
  %4 = hx.scatter_elements <add> %x, %i, %u {axis = 0 : i64} : (tensor<?x6xf32>, tensor<4x2xi64>, tensor<4x2xf32>) -> tensor<?x6xf32>
  // CHECK: hx.scatter_nd <set> %{{.*}}, %{{.*}}, %{{.*}} : (tensor<?x6xf32>, tensor<4x2xi64>, tensor<4xf32>) -> tensor<?x6xf32>
  %5 = hx.scatter_nd <set> %x, %i, %v : (tensor<?x6xf32>, tensor<4x2xi64>, tensor<4xf32>) -> tensor<?x6xf32>
  return
}

// CHECK-LABEL: func.func @matmul
func.func @matmul(%a: tensor<?x8x64xf32>, %b: tensor<32x64xf32>, %qa: tensor<8x64xui8>,
                  %qb: tensor<64x32xi8>, %za: tensor<ui8>, %zb: tensor<32xi8>) {
  // CHECK: hx.matmul %{{.*}}, %{{.*}} {accumulate = f32, transposeRhs = true} : (tensor<?x8x64xf32>, tensor<32x64xf32>) -> tensor<?x8x32xf32>
  %0 = hx.matmul %a, %b {accumulate = f32, transposeRhs = true} : (tensor<?x8x64xf32>, tensor<32x64xf32>) -> tensor<?x8x32xf32>
  // CHECK: hx.matmul_integer %{{.*}}, %{{.*}} lhs_zero %{{.*}} rhs_zero %{{.*}} : (tensor<8x64xui8>, tensor<64x32xi8>, tensor<ui8>, tensor<32xi8>) -> tensor<8x32xi32>
  %1 = hx.matmul_integer %qa, %qb lhs_zero %za rhs_zero %zb : (tensor<8x64xui8>, tensor<64x32xi8>, tensor<ui8>, tensor<32xi8>) -> tensor<8x32xi32>
  // CHECK: hx.matmul_integer %{{.*}}, %{{.*}} rhs_zero %{{.*}} : (tensor<8x64xui8>, tensor<64x32xi8>, tensor<32xi8>) -> tensor<8x32xi32>
  %2 = hx.matmul_integer %qa, %qb rhs_zero %zb : (tensor<8x64xui8>, tensor<64x32xi8>, tensor<32xi8>) -> tensor<8x32xi32>
  // CHECK: hx.pack <width = 32, groups = 1, transposed = true, conv = false> %{{.*}} : (tensor<32x64xf32>) -> tensor<32x64xf32, #hx.panels<width = 32, groups = 1, transposed = true, conv = false>>
  %3 = hx.pack <width = 32, groups = 1, transposed = true, conv = false> %b : (tensor<32x64xf32>) -> tensor<32x64xf32, #hx.panels<width = 32, groups = 1, transposed = true, conv = false>>
  return
}

// CHECK-LABEL: func.func @few_bits
func.func @few_bits(%x: tensor<?x8x64xf32>, %w: tensor<24x32xui8>, %s: tensor<24x2xf16>, %z: tensor<24x1xui8>) {
  // CHECK: hx.matmul_few_bits %{{.*}}, %{{.*}}, %{{.*}} zero %{{.*}} {bits = 4 : i64, block = 32 : i64} : (tensor<?x8x64xf32>, tensor<24x32xui8>, tensor<24x2xf16>, tensor<24x1xui8>) -> tensor<?x8x24xf32>
  %0 = hx.matmul_few_bits %x, %w, %s zero %z {bits = 4 : i64, block = 32 : i64} : (tensor<?x8x64xf32>, tensor<24x32xui8>, tensor<24x2xf16>, tensor<24x1xui8>) -> tensor<?x8x24xf32>
  // CHECK: hx.matmul_few_bits %{{.*}}, %{{.*}}, %{{.*}} {bits = 4 : i64, block = 32 : i64} :
  %1 = hx.matmul_few_bits %x, %w, %s {bits = 4 : i64, block = 32 : i64} : (tensor<?x8x64xf32>, tensor<24x32xui8>, tensor<24x2xf16>) -> tensor<?x8x24xf32>
  return
}

// CHECK-LABEL: func.func @windows
func.func @windows(%x: tensor<?x4x8xf32>, %w: tensor<6x4x3xf32>, %t: tensor<4x6x3xf32>, %b: tensor<6xf32>,
                   %s: tensor<1xi64>, %q: tensor<?x4x8xui8>, %qw: tensor<6x4x3xi8>, %z: tensor<ui8>) {
  // CHECK: hx.conv %{{.*}}, %{{.*}}, %{{.*}} {dilations = array<i64: 1>, pads = array<i64: 1, 1>, strides = array<i64: 1>} : (tensor<?x4x8xf32>, tensor<6x4x3xf32>, tensor<6xf32>) -> tensor<?x6x8xf32>
  %0 = hx.conv %x, %w, %b {strides = array<i64: 1>, pads = array<i64: 1, 1>, dilations = array<i64: 1>}
    : (tensor<?x4x8xf32>, tensor<6x4x3xf32>, tensor<6xf32>) -> tensor<?x6x8xf32>
  // CHECK: hx.conv %{{.*}}, %{{.*}} {dilations = array<i64: 1>, padPolicy = #hx.pad_policy<same_upper>, pads = array<i64: 0, 0>, strides = array<i64: 2>} : (tensor<?x4x8xf32>, tensor<6x4x3xf32>) -> tensor<?x6x4xf32>
  %1 = hx.conv %x, %w {padPolicy = #hx.pad_policy<same_upper>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<?x4x8xf32>, tensor<6x4x3xf32>) -> tensor<?x6x4xf32>
  // CHECK: hx.conv_transpose %{{.*}}, %{{.*}} bias %{{.*}} size %{{.*}} {dilations = array<i64: 1>, outputPadding = array<i64: 0>, pads = array<i64: 0, 0>, strides = array<i64: 2>} : (tensor<?x4x8xf32>, tensor<4x6x3xf32>, tensor<6xf32>, tensor<1xi64>) -> tensor<?x6x?xf32>
  %2 = hx.conv_transpose %x, %t bias %b size %s {outputPadding = array<i64: 0>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<?x4x8xf32>, tensor<4x6x3xf32>, tensor<6xf32>, tensor<1xi64>) -> tensor<?x6x?xf32>
  // CHECK: hx.conv_integer %{{.*}}, %{{.*}} input_zero %{{.*}} {dilations = array<i64: 1>, pads = array<i64: 0, 0>, strides = array<i64: 1>} : (tensor<?x4x8xui8>, tensor<6x4x3xi8>, tensor<ui8>) -> tensor<?x6x6xi32>
  %3 = hx.conv_integer %q, %qw input_zero %z {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<?x4x8xui8>, tensor<6x4x3xi8>, tensor<ui8>) -> tensor<?x6x6xi32>
  // CHECK: hx.pool <avg> %{{.*}} {dilations = array<i64: 1>, layout = #hx.layout<nhwc>, pads = array<i64: 0, 0>, strides = array<i64: 2>, window = array<i64: 2>} : (tensor<?x4x8xf32>) -> tensor<?x2x8xf32>
  %4 = hx.pool <avg> %x {window = array<i64: 2>, layout = #hx.layout<nhwc>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<?x4x8xf32>) -> tensor<?x2x8xf32>
  // CHECK: hx.pool <max> %{{.*}} {{.*}} : (tensor<?x4x8xf32>) -> (tensor<?x4x4xf32>, tensor<?x4x4xi64>)
  %5, %6 = hx.pool <max> %x {window = array<i64: 2>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<?x4x8xf32>) -> (tensor<?x4x4xf32>, tensor<?x4x4xi64>)
  return
}

// CHECK-LABEL: func.func @reductions
func.func @reductions(%x: tensor<?x6xf32>, %m: tensor<6xi1>, %k: tensor<1xi64>) {
  // CHECK: hx.reduce <sum> %{{.*}} {axes = array<i64: 1>} : (tensor<?x6xf32>) -> tensor<?x1xf32>
  %0 = hx.reduce <sum> %x {axes = array<i64: 1>} : (tensor<?x6xf32>) -> tensor<?x1xf32>
  // CHECK: hx.reduce <max> %{{.*}} {axes = array<i64: 0, 1>, keepDims = false} : (tensor<?x6xf32>) -> tensor<f32>
  %1 = hx.reduce <max> %x {axes = array<i64: 0, 1>, keepDims = false} : (tensor<?x6xf32>) -> tensor<f32>
  // CHECK: hx.arg_reduce <min> %{{.*}} {axis = 1 : i64, keepDims = false, last = true} : (tensor<?x6xf32>) -> tensor<?xi64>
  %2 = hx.arg_reduce <min> %x {axis = 1 : i64, keepDims = false, last = true} : (tensor<?x6xf32>) -> tensor<?xi64>
  // CHECK: hx.cumulative <sum> %{{.*}} {axis = 0 : i64, exclusive = true} : (tensor<?x6xf32>) -> tensor<?x6xf32>
  %3 = hx.cumulative <sum> %x {axis = 0 : i64, exclusive = true} : (tensor<?x6xf32>) -> tensor<?x6xf32>
  // CHECK: hx.sort %{{.*}} {axis = 1 : i64, descending = true} : (tensor<?x6xf32>) -> (tensor<?x6xf32>, tensor<?x6xi64>)
  %4, %5 = hx.sort %x {axis = 1 : i64, descending = true} : (tensor<?x6xf32>) -> (tensor<?x6xf32>, tensor<?x6xi64>)
  // CHECK: hx.compact %{{.*}} : (tensor<6xi1>) -> tensor<?xi64>
  %6 = hx.compact %m : (tensor<6xi1>) -> tensor<?xi64>
  // CHECK: hx.top_k %{{.*}}, %{{.*}} {axis = 1 : i64} : (tensor<?x6xf32>, tensor<1xi64>) -> (tensor<?x2xf32>, tensor<?x2xi64>)
  %7, %8 = hx.top_k %x, %k {axis = 1 : i64} : (tensor<?x6xf32>, tensor<1xi64>) -> (tensor<?x2xf32>, tensor<?x2xi64>)
  %starts = hx.constant dense<[0, 2, 3]> : tensor<3xi64>
  %count = hx.constant dense<3> : tensor<1xi64>
  // CHECK: hx.compact_fill %{{.*}}, %{{.*}}, %{{.*}} {block = 4 : i64} : (tensor<6xi1>, tensor<3xi64>, tensor<1xi64>) -> tensor<3xi64>
  %filled = hx.compact_fill %m, %starts, %count {block = 4 : i64} : (tensor<6xi1>, tensor<3xi64>, tensor<1xi64>) -> tensor<3xi64>
  return
}

// CHECK-LABEL: func.func @tables
func.func @tables(%x: tensor<?x6xf32>, %keys: tensor<9xf32>, %nodes: tensor<7x4xi32>, %thresholds: tensor<7xf32>,
                  %entries: tensor<3x2xi32>, %starts: tensor<3xi32>, %weights: tensor<5xf32>, %pairs: tensor<?x3x3xf32>) {
  // CHECK: hx.sorted_search %{{.*}}, %{{.*}} : (tensor<?x6xf32>, tensor<9xf32>) -> tensor<?x6xi64>
  %0 = hx.sorted_search %x, %keys : (tensor<?x6xf32>, tensor<9xf32>) -> tensor<?x6xi64>
  // CHECK: hx.tree_ensemble <max> %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<?x6xf32>, tensor<7x4xi32>, tensor<7xf32>, tensor<3x2xi32>, tensor<3xi32>, tensor<5xf32>) -> tensor<?x2xf32>
  %1 = hx.tree_ensemble <max> %x, %nodes, %thresholds, %entries, %starts, %weights
    : (tensor<?x6xf32>, tensor<7x4xi32>, tensor<7xf32>, tensor<3x2xi32>, tensor<3xi32>, tensor<5xf32>) -> tensor<?x2xf32>
  // CHECK: hx.couple_pairs %{{.*}} {maxRounds = 7 : i64} : (tensor<?x3x3xf32>) -> tensor<?x3xf32>
  %2 = hx.couple_pairs %pairs {maxRounds = 7 : i64} : (tensor<?x3x3xf32>) -> tensor<?x3xf32>
  return
}

// CHECK-LABEL: func.func @norms
func.func @norms(%x: tensor<?x6x4xf32>, %c: tensor<6xf32>, %l: tensor<4xf32>) {
  // CHECK: hx.softmax %{{.*}} {axis = 2 : i64} : (tensor<?x6x4xf32>) -> tensor<?x6x4xf32>
  %0 = hx.softmax %x {axis = 2 : i64} : (tensor<?x6x4xf32>) -> tensor<?x6x4xf32>
  // CHECK: hx.log_softmax %{{.*}} {axis = 1 : i64} : (tensor<?x6x4xf32>) -> tensor<?x6x4xf32>
  %1 = hx.log_softmax %x {axis = 1 : i64} : (tensor<?x6x4xf32>) -> tensor<?x6x4xf32>
  // CHECK: hx.batch_norm %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {epsilon = 1.000000e-05 : f64} : (tensor<?x6x4xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<?x6x4xf32>
  %2 = hx.batch_norm %x, %c, %c, %c, %c {epsilon = 1.0e-05 : f64} : (tensor<?x6x4xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<?x6x4xf32>
  // CHECK: hx.layer_norm %{{.*}}, %{{.*}}, %{{.*}} {axis = 2 : i64, epsilon = 1.000000e-05 : f64} : (tensor<?x6x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x6x4xf32>
  %3 = hx.layer_norm %x, %l, %l {axis = 2 : i64, epsilon = 1.0e-05 : f64} : (tensor<?x6x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x6x4xf32>
  // CHECK: hx.layer_norm %{{.*}}, %{{.*}} {axis = 2 : i64, centred = false, epsilon = 1.000000e-05 : f64}
  %4 = hx.layer_norm %x, %l {axis = 2 : i64, epsilon = 1.0e-05 : f64, centred = false} : (tensor<?x6x4xf32>, tensor<4xf32>) -> tensor<?x6x4xf32>
  return
}

// CHECK-LABEL: func.func @quantized
func.func @quantized(%x: tensor<?x6xf32>, %s: tensor<6xf32>, %z: tensor<6xi8>) {
  // CHECK: hx.quantize %{{.*}}, %{{.*}}, %{{.*}} : (tensor<?x6xf32>, tensor<6xf32>, tensor<6xi8>) -> tensor<?x6xi8>
  %0 = hx.quantize %x, %s, %z : (tensor<?x6xf32>, tensor<6xf32>, tensor<6xi8>) -> tensor<?x6xi8>
  // CHECK: hx.dequantize %{{.*}}, %{{.*}} : (tensor<?x6xi8>, tensor<6xf32>) -> tensor<?x6xf32>
  %1 = hx.dequantize %0, %s {axis = 1 : i64} : (tensor<?x6xi8>, tensor<6xf32>) -> tensor<?x6xf32>
  // CHECK: hx.dynamic_quantize %{{.*}} : (tensor<?x6xf32>) -> (tensor<?x6xui8>, tensor<f32>, tensor<ui8>)
  %2, %3, %4 = hx.dynamic_quantize %x : (tensor<?x6xf32>) -> (tensor<?x6xui8>, tensor<f32>, tensor<ui8>)
  return
}

// CHECK-LABEL: func.func @recurrent
func.func @recurrent(%x: tensor<?x?x5xf32>, %w: tensor<1x12x5xf32>, %r: tensor<1x12x3xf32>, %h: tensor<1x?x3xf32>) {
  // CHECK: hx.lstm %{{.*}} weights %{{.*}} recurrence %{{.*}} initial_h %{{.*}} {activationAlpha = array<f64>, activationBeta = array<f64>, activations = ["Sigmoid", "Tanh", "Tanh"], direction = #hx.direction<reverse>, hiddenSize = 3 : i64}
  %0, %1, %2 = hx.lstm %x weights %w recurrence %r initial_h %h
    {activations = ["Sigmoid", "Tanh", "Tanh"], activationAlpha = array<f64>, activationBeta = array<f64>,
     direction = #hx.direction<reverse>, hiddenSize = 3 : i64}
    : (tensor<?x?x5xf32>, tensor<1x12x5xf32>, tensor<1x12x3xf32>, tensor<1x?x3xf32>)
    -> (tensor<?x1x?x3xf32>, tensor<1x?x3xf32>, tensor<1x?x3xf32>)
  return
}

// CHECK-LABEL: func.func @recurrence
func.func @recurrence(%x: tensor<?x?x18xf32>, %r: tensor<6x3x3xf32>, %b: tensor<2x3xf32>, %y: tensor<4x1x3xf32>, %s: tensor<1x3x3xf32>) {
  // CHECK: hx.recurrence <gru> %{{.*}} recurrence %{{.*}} reset_bias %{{.*}} {activationAlpha = array<f64>, activationBeta = array<f64>, activations = ["Sigmoid", "Tanh", "Sigmoid", "Tanh"], direction = #hx.direction<bidirectional>, hiddenSize = 3 : i64}
  %0, %1 = hx.recurrence <gru> %x recurrence %r reset_bias %b
    {activations = ["Sigmoid", "Tanh", "Sigmoid", "Tanh"], activationAlpha = array<f64>, activationBeta = array<f64>,
     direction = #hx.direction<bidirectional>, hiddenSize = 3 : i64}
    : (tensor<?x?x18xf32>, tensor<6x3x3xf32>, tensor<2x3xf32>) -> (tensor<?x2x?x3xf32>, tensor<2x?x3xf32>)
  // CHECK: hx.recurrence <rnn>
  %2, %3 = hx.recurrence <rnn> %y recurrence %s {activations = ["Tanh"], activationAlpha = array<f64>, activationBeta = array<f64>, hiddenSize = 3 : i64}
    : (tensor<4x1x3xf32>, tensor<1x3x3xf32>) -> (tensor<4x1x1x3xf32>, tensor<1x1x3xf32>)
  return
}

// CHECK-LABEL: func.func @resize
func.func @resize(%x: tensor<?x?xf32>, %sizes: tensor<2xi64>, %scales: tensor<2xf32>) {
  // CHECK: hx.resize <linear> %{{.*}}, %{{.*}}, %{{.*}} {coordinates = "half_pixel", nearest = "floor"} : (tensor<?x?xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<?x?xf32>
  %0 = hx.resize <linear> %x, %sizes, %scales {coordinates = "half_pixel", nearest = "floor"} : (tensor<?x?xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<?x?xf32>
  return
}

// CHECK-LABEL: func.func @roi_and_random
func.func @roi_and_random(%x: tensor<?x?x?x?xf32>, %rois: tensor<?x4xf32>, %batch: tensor<?xi64>, %s: tensor<2xi64>, %sizes: tensor<2xi64>) {
  // CHECK: hx.roi_pool <align_avg> %{{.*}}, %{{.*}}, %{{.*}} {halfPixel = true, scale = 2.500000e-01 : f64, size = array<i64: 3, 2>} : (tensor<?x?x?x?xf32>, tensor<?x4xf32>, tensor<?xi64>) -> tensor<?x?x3x2xf32>
  %0 = hx.roi_pool <align_avg> %x, %rois, %batch {halfPixel = true, scale = 2.500000e-01 : f64, size = array<i64: 3, 2>} : (tensor<?x?x?x?xf32>, tensor<?x4xf32>, tensor<?xi64>) -> tensor<?x?x3x2xf32>
  // CHECK: hx.random_bits %{{.*}}, %{{.*}} {node = 3 : i64, word = 1 : i64} : (tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xui32>
  %1 = hx.random_bits %s, %sizes {node = 3 : i64, word = 1 : i64} : (tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xui32>
  return
}

// CHECK-LABEL: func.func @control
func.func @control(%c: tensor<i1>, %n: tensor<i64>, %x: tensor<4xf32>, %s: !hx.sequence<tensor<4xf32>>,
                   %o: !hx.optional<tensor<f32>>, %m: !hx.map<i64, f32>) {
  // CHECK: hx.if %{{.*}} : (tensor<i1>) -> tensor<4xf32> {
  // CHECK:   hx.yield %{{.*}} : tensor<4xf32>
  // CHECK: } else {
  %0 = hx.if %c : (tensor<i1>) -> tensor<4xf32> {
    %a = hx.unary <exp> %x : (tensor<4xf32>) -> tensor<4xf32>
    hx.yield %a : tensor<4xf32>
  } else {
    hx.yield %x : tensor<4xf32>
  }
  // CHECK: hx.loop trip %{{.*}} while %{{.*}} carried %{{.*}} {ignoreCondition = true} : (tensor<i64>, tensor<i1>, tensor<4xf32>) -> (tensor<4xf32>, tensor<?xi64>) {
  // CHECK: ^bb0(%{{.*}}: tensor<i64>, %{{.*}}: tensor<4xf32>):
  %1, %2 = hx.loop trip %n while %c carried %x {ignoreCondition = true} : (tensor<i64>, tensor<i1>, tensor<4xf32>) -> (tensor<4xf32>, tensor<?xi64>) {
  ^bb0(%i: tensor<i64>, %y: tensor<4xf32>):
    hx.yield %c, %y, %i : tensor<i1>, tensor<4xf32>, tensor<i64>
  }
  // CHECK: hx.loop carried %{{.*}} : (!hx.sequence<tensor<4xf32>>) -> !hx.sequence<tensor<4xf32>> {
  %3 = hx.loop carried %s : (!hx.sequence<tensor<4xf32>>) -> !hx.sequence<tensor<4xf32>> {
  ^bb0(%i: tensor<i64>, %y: !hx.sequence<tensor<4xf32>>):
    hx.yield %c, %y : tensor<i1>, !hx.sequence<tensor<4xf32>>
  }
  // CHECK: hx.group "cpu" "map"(%{{.*}}) {reason = "fused"} : (tensor<4xf32>) -> tensor<4xf32> {
  %4 = hx.group "cpu" "map" (%x) {reason = "fused"} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%y: tensor<4xf32>):
    %a = hx.unary <exp> %y : (tensor<4xf32>) -> tensor<4xf32>
    hx.yield %a : tensor<4xf32>
  }
  return
}
