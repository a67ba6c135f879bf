// RUN: hexin-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @+1 {{hx.reduce: an entry of axes=2 is not an axis of a tensor of rank 2}}
  %0 = hx.reduce <sum> %x {axes = array<i64: 2>} : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @+1 {{axes must ascend without repeats, got 1 after 1}}
  %0 = hx.reduce <sum> %x {axes = array<i64: 1, 1>} : (tensor<4x6xf32>) -> tensor<4x1xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xi1>) {
  // expected-error @+1 {{the operand must be a number, got 'i1'}}
  %0 = hx.reduce <sum> %x {axes = array<i64: 1>} : (tensor<4x6xi1>) -> tensor<4x1xi1>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @+1 {{expected max or min, got sum}}
  %0 = hx.arg_reduce <sum> %x {axis = 1 : i64} : (tensor<4x6xf32>) -> tensor<4x1xi64>
  return
}

// -----
func.func @f(%x: tensor<4x0xf32>) {
  // expected-error @+1 {{the size to search is 0, expected at least 1}}
  %0 = hx.arg_reduce <max> %x {axis = 1 : i64} : (tensor<4x0xf32>) -> tensor<4x1xi64>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @+1 {{expected sum or prod, got max}}
  %0 = hx.cumulative <max> %x {axis = 1 : i64} : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @+1 {{axis=2 is not an axis of a tensor of rank 2}}
  %0 = hx.cumulative <sum> %x {axis = 2 : i64} : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @+1 {{axis=-1 is not an axis of a tensor of rank 2}}
  %0 = hx.softmax %x {axis = -1 : i64} : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xi32>) {
  // expected-error @+1 {{operand #0 must be a float, got 'i32'}}
  %0 = hx.log_softmax %x {axis = 1 : i64} : (tensor<4x6xi32>) -> tensor<4x6xi32>
  return
}

// -----
func.func @f(%x: tensor<4x6x2xf32>, %c: tensor<6xf32>, %d: tensor<5xf32>) {
  // expected-error @+1 {{entries of mean and channels: 5 and 6 must be equal}}
  %0 = hx.batch_norm %x, %c, %c, %d, %c {epsilon = 1.0e-05 : f64} : (tensor<4x6x2xf32>, tensor<6xf32>, tensor<6xf32>, tensor<5xf32>, tensor<6xf32>) -> tensor<4x6x2xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6x2xf32>, %c: tensor<3xf32>) {
  // expected-error @+1 {{sizes of scale and of the normalised axes: 3 and 2 must be equal}}
  %0 = hx.layer_norm %x, %c {axis = 2 : i64, epsilon = 1.0e-05 : f64} : (tensor<4x6x2xf32>, tensor<3xf32>) -> tensor<4x6x2xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6x2xf32>, %c: tensor<6x2xf32>) {
  // expected-error @+1 {{scale of rank 2 does not broadcast to the 1 normalised axes}}
  %0 = hx.layer_norm %x, %c {axis = 2 : i64, epsilon = 1.0e-05 : f64} : (tensor<4x6x2xf32>, tensor<6x2xf32>) -> tensor<4x6x2xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %s: tensor<5xf32>) {
  // expected-error @+1 {{entries of the scale and size of axis 1: 5 and 6 must be equal}}
  %0 = hx.quantize %x, %s : (tensor<4x6xf32>, tensor<5xf32>) -> tensor<4x6xi8>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %s: tensor<4x2xf32>) {
  // expected-error @+1 {{sizes of the scale, axis 1: 2 and 3 must be equal}}
  %0 = hx.quantize %x, %s {block = 2 : i64} : (tensor<4x6xf32>, tensor<4x2xf32>) -> tensor<4x6xi8>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %s: tensor<6xf32>, %z: tensor<i8>) {
  // expected-error @+1 {{the zero point, as the scale, must have rank 1, got rank 0}}
  %0 = hx.quantize %x, %s, %z : (tensor<4x6xf32>, tensor<6xf32>, tensor<i8>) -> tensor<4x6xi8>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %s: tensor<f32>, %z: tensor<ui8>) {
  // expected-error @+1 {{the zero point and the result must have the same element type, got 'ui8' and 'i8'}}
  %0 = hx.quantize %x, %s, %z : (tensor<4x6xf32>, tensor<f32>, tensor<ui8>) -> tensor<4x6xi8>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %s: tensor<f32>) {
  // expected-error @+1 {{the input must be an integer or a narrow float, got 'f32'}}
  %0 = hx.dequantize %x, %s : (tensor<4x6xf32>, tensor<f32>) -> tensor<4x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4xi8>) {
  // expected-error @+1 {{the input must be a float, got 'i8'}}
  %0, %1, %2 = hx.dynamic_quantize %x : (tensor<4xi8>) -> (tensor<4xui8>, tensor<f32>, tensor<ui8>)
  return
}

// -----
func.func @f(%x: tensor<7x2x5xf32>, %w: tensor<1x12x5xf32>, %r: tensor<1x12x4xf32>) {
  // expected-error @+1 {{size of recurrence along axis 2 and what it must be: 4 and 3 must be equal}}
  %0, %1, %2 = hx.lstm %x weights %w recurrence %r {activations = ["Sigmoid", "Tanh", "Tanh"], activationAlpha = array<f64>, activationBeta = array<f64>, hiddenSize = 3 : i64}
    : (tensor<7x2x5xf32>, tensor<1x12x5xf32>, tensor<1x12x4xf32>) -> (tensor<7x1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----
func.func @f(%x: tensor<7x2x5xf32>, %w: tensor<1x12x5xf32>, %r: tensor<1x12x3xf32>) {
  // expected-error @+1 {{activations must have 3 entries, got 2}}
  %0, %1, %2 = hx.lstm %x weights %w recurrence %r {activations = ["Sigmoid", "Tanh"], activationAlpha = array<f64>, activationBeta = array<f64>, hiddenSize = 3 : i64}
    : (tensor<7x2x5xf32>, tensor<1x12x5xf32>, tensor<1x12x3xf32>) -> (tensor<7x1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----
func.func @f(%x: tensor<7x2x12xf32>, %r: tensor<3x4x4xf32>) {
  // expected-error @+1 {{size of recurrence along axis 0 and what it must be: 3 and 1 must be equal}}
  %0, %1 = hx.recurrence <rnn> %x recurrence %r {activations = ["Tanh"], activationAlpha = array<f64>, activationBeta = array<f64>, hiddenSize = 12 : i64}
    : (tensor<7x2x12xf32>, tensor<3x4x4xf32>) -> (tensor<7x1x2x12xf32>, tensor<1x2x12xf32>)
  return
}

// -----
func.func @f(%x: tensor<7x2x4xf32>, %r: tensor<1x4x4xf32>, %b: tensor<1x4xf32>) {
  // expected-error @+1 {{has a resetBias, which only a gru takes}}
  %0, %1 = hx.recurrence <rnn> %x recurrence %r reset_bias %b {activations = ["Tanh"], activationAlpha = array<f64>, activationBeta = array<f64>, hiddenSize = 4 : i64}
    : (tensor<7x2x4xf32>, tensor<1x4x4xf32>, tensor<1x4xf32>) -> (tensor<7x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----
func.func @f(%x: tensor<7x2x5xf32>, %w: tensor<1x12x5xf32>, %r: tensor<1x12x3xf32>, %l: tensor<2xi64>) {
  // expected-error @+1 {{operand #3 must be i32, got 'i64'}}
  %0, %1, %2 = hx.lstm %x weights %w recurrence %r lengths %l {activations = ["Sigmoid", "Tanh", "Tanh"], activationAlpha = array<f64>, activationBeta = array<f64>, hiddenSize = 3 : i64}
    : (tensor<7x2x5xf32>, tensor<1x12x5xf32>, tensor<1x12x3xf32>, tensor<2xi64>) -> (tensor<7x1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----
func.func @f(%x: tensor<?x?xf32>, %sizes: tensor<3xi64>, %scales: tensor<2xf32>) {
  // expected-error @+1 {{sizes must have 2 entries, got 3}}
  %0 = hx.resize <linear> %x, %sizes, %scales {coordinates = "half_pixel", nearest = "floor"} : (tensor<?x?xf32>, tensor<3xi64>, tensor<2xf32>) -> tensor<?x?xf32>
  return
}

// -----
func.func @f(%x: tensor<?x?xf32>, %sizes: tensor<2xi64>, %scales: tensor<2xf32>) {
  // expected-error @+1 {{coordinates="halfpixel" is unknown, expected one of half_pixel,}}
  %0 = hx.resize <linear> %x, %sizes, %scales {coordinates = "halfpixel", nearest = "floor"} : (tensor<?x?xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<?x?xf32>
  return
}

// -----
func.func @f(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) {
  // expected-error @+1 {{hx.matmul: K of lhs and of rhs: 3 and 4 must be equal}}
  %0 = hx.matmul %a, %b : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return
}

// -----
func.func @f(%a: tensor<3xf32>, %b: tensor<3x5xf32>) {
  // expected-error @+1 {{lhs must have at least rank 2, got rank 1}}
  %0 = hx.matmul %a, %b : (tensor<3xf32>, tensor<3x5xf32>) -> tensor<5xf32>
  return
}

// -----
func.func @f(%a: tensor<4x2x3xf32>, %b: tensor<5x3x6xf32>) {
  // expected-error @+1 {{sizes 4 and 5 at axis 0 do not broadcast}}
  %0 = hx.matmul %a, %b : (tensor<4x2x3xf32>, tensor<5x3x6xf32>) -> tensor<4x2x6xf32>
  return
}

// -----
func.func @f(%a: tensor<2x3xf16>, %b: tensor<3x5xf16>) {
  // expected-error @+1 {{the result must hold 'f16' as the operands do, or the type of `accumulate`, got 'f32'}}
  %0 = hx.matmul %a, %b : (tensor<2x3xf16>, tensor<3x5xf16>) -> tensor<2x5xf32>
  return
}

// -----
func.func @f(%a: tensor<2x3xui8>, %b: tensor<3x5xi8>, %z: tensor<4xi8>) {
  // expected-error @+1 {{entries of the zero point of rhs: 4 and 5 must be equal}}
  %0 = hx.matmul_integer %a, %b rhs_zero %z : (tensor<2x3xui8>, tensor<3x5xi8>, tensor<4xi8>) -> tensor<2x5xi32>
  return
}

// -----
func.func @f(%a: tensor<2x64xf32>, %w: tensor<8x32xi8>, %s: tensor<8x2xf32>) {
  // expected-error @+1 {{signed numbers have 8 bits, got 4}}
  %0 = hx.matmul_few_bits %a, %w, %s {bits = 4 : i64, block = 32 : i64} : (tensor<2x64xf32>, tensor<8x32xi8>, tensor<8x2xf32>) -> tensor<2x8xf32>
  return
}

// -----
func.func @f(%a: tensor<2x64xf32>, %w: tensor<8x32xui8>, %s: tensor<8x2xf32>) {
  // expected-error @+1 {{bits is 0, expected 2, 4 or 8}}
  %0 = hx.matmul_few_bits %a, %w, %s {bits = 0 : i64, block = 32 : i64} : (tensor<2x64xf32>, tensor<8x32xui8>, tensor<8x2xf32>) -> tensor<2x8xf32>
  return
}

// -----
func.func @f(%a: tensor<2x64xf32>, %w: tensor<8x32xui8>, %s: tensor<8x2xf32>) {
  // expected-error @+1 {{block is 24, expected a power of two from 16 on}}
  %0 = hx.matmul_few_bits %a, %w, %s {bits = 4 : i64, block = 24 : i64} : (tensor<2x64xf32>, tensor<8x32xui8>, tensor<8x2xf32>) -> tensor<2x8xf32>
  return
}

// -----
func.func @f(%a: tensor<2x96xf32>, %w: tensor<8x32xui8>, %s: tensor<8x2xf32>) {
  // expected-error @+1 {{numbers of a row of weights and K: 64 and 96 must be equal}}
  %0 = hx.matmul_few_bits %a, %w, %s {bits = 4 : i64, block = 32 : i64} : (tensor<2x96xf32>, tensor<8x32xui8>, tensor<8x2xf32>) -> tensor<2x8xf32>
  return
}

// -----
func.func @f(%a: tensor<2x64xf32>, %w: tensor<8x32xui8>, %s: tensor<8x1xf32>) {
  // expected-error @+1 {{numbers of all blocks of a row and K: 32 and 64 must be equal}}
  %0 = hx.matmul_few_bits %a, %w, %s {bits = 4 : i64, block = 32 : i64} : (tensor<2x64xf32>, tensor<8x32xui8>, tensor<8x1xf32>) -> tensor<2x8xf32>
  return
}

// -----
func.func @f(%a: tensor<2x64xf32>, %w: tensor<8x32xui8>, %s: tensor<8x2xf32>, %z: tensor<8x2xui8>) {
  // expected-error @+1 {{columns of the zero point: 2 and 1 must be equal}}
  %0 = hx.matmul_few_bits %a, %w, %s zero %z {bits = 4 : i64, block = 32 : i64} : (tensor<2x64xf32>, tensor<8x32xui8>, tensor<8x2xf32>, tensor<8x2xui8>) -> tensor<2x8xf32>
  return
}

// -----
func.func @f(%a: tensor<2x3xui8>, %b: tensor<3x5xi8>) {
  // expected-error @+1 {{the result must be i32, got 'f32'}}
  %0 = hx.matmul_integer %a, %b : (tensor<2x3xui8>, tensor<3x5xi8>) -> tensor<2x5xf32>
  return
}

// -----
func.func @f(%w: tensor<2x3xf32>) {
  // expected-error @+1 {{the result must be encoded as #hx.panels<}}
  %0 = hx.pack <width = 8, groups = 1, transposed = false, conv = false> %w : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}
