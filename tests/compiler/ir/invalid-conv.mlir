// RUN: hexin-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<1x64x8xf32>, %w: tensor<6x21x3xf32>) {
  // expected-error @unknown {{hx.conv 'layer1/conv': group=3 does not divide C=64}}
  %0 = hx.conv %x, %w {groups = 3 : i64, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x64x8xf32>, tensor<6x21x3xf32>) -> tensor<1x6x6xf32> loc("layer1/conv")
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<7x2x3xf32>) {
  // expected-error @+1 {{group=2 does not divide M=7}}
  %0 = hx.conv %x, %w {groups = 2 : i64, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>, tensor<7x2x3xf32>) -> tensor<1x7x6xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<7x3x3xf32>) {
  // expected-error @+1 {{input channels and channels of the weights: 4 and 3 must be equal}}
  %0 = hx.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>, tensor<7x3x3xf32>) -> tensor<1x7x6xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<7x4x3xf32>) {
  // expected-error @+1 {{group=0 must be at least 1}}
  %0 = hx.conv %x, %w {groups = 0 : i64, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>, tensor<7x4x3xf32>) -> tensor<1x7x6xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4xf32>, %w: tensor<7x4xf32>) {
  // expected-error @+1 {{the input must have at least rank 3 (batch, channels, space), got rank 2}}
  %0 = hx.conv %x, %w {strides = array<i64>, pads = array<i64>, dilations = array<i64>}
    : (tensor<1x4xf32>, tensor<7x4xf32>) -> tensor<1x7xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<7x4x3x3xf32>) {
  // expected-error @+1 {{the weights must have rank 3, got rank 4}}
  %0 = hx.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>, tensor<7x4x3x3xf32>) -> tensor<1x7x6xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<7x4x3xf32>) {
  // expected-error @+1 {{pads must have 2 entries, got 1}}
  %0 = hx.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>, tensor<7x4x3xf32>) -> tensor<1x7x6xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<7x4x3xf32>) {
  // expected-error @+1 {{strides[0]=0 must be at least 1}}
  %0 = hx.conv %x, %w {strides = array<i64: 0>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>, tensor<7x4x3xf32>) -> tensor<1x7x6xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<7x4x3xf32>) {
  // expected-error @+1 {{the padded size minus the extent of the window along spatial axis 0 is -1, expected at least 0}}
  %0 = hx.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 4>}
    : (tensor<1x4x8xf32>, tensor<7x4x3xf32>) -> tensor<1x7x0xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<7x4x3xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{entries of the bias and output channels: 6 and 7 must be equal}}
  %0 = hx.conv %x, %w, %b {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>, tensor<7x4x3xf32>, tensor<6xf32>) -> tensor<1x7x6xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<7x4x3xf16>) {
  // expected-error @+1 {{the input and the weights must have the same element type}}
  %0 = hx.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>, tensor<7x4x3xf16>) -> tensor<1x7x6xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<5x7x3xf32>) {
  // expected-error @+1 {{input channels and channels of the weights: 4 and 5 must be equal}}
  %0 = hx.conv_transpose %x, %w {outputPadding = array<i64: 0>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>, tensor<5x7x3xf32>) -> tensor<1x7x17xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<4x7x3xf32>) {
  // expected-error @+1 {{outputPadding must have 1 entries, got 2}}
  %0 = hx.conv_transpose %x, %w {outputPadding = array<i64: 0, 0>, strides = array<i64: 2>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>, tensor<4x7x3xf32>) -> tensor<1x7x17xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x1xf32>, %w: tensor<4x7x3xf32>) {
  // expected-error @+1 {{the size of the result along spatial axis 0 is -1, expected at least 0}}
  %0 = hx.conv_transpose %x, %w {outputPadding = array<i64: 0>, strides = array<i64: 2>, pads = array<i64: 2, 2>, dilations = array<i64: 1>}
    : (tensor<1x4x1xf32>, tensor<4x7x3xf32>) -> tensor<1x7x0xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>, %w: tensor<7x4x3xi8>) {
  // expected-error @+1 {{the input must be an 8-bit integer, got 'f32'}}
  %0 = hx.conv_integer %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>, tensor<7x4x3xi8>) -> tensor<1x7x6xi32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xui8>, %w: tensor<7x4x3xi8>, %z: tensor<6xi8>) {
  // expected-error @+1 {{zero points of the weights and output channels: 6 and 7 must be equal}}
  %0 = hx.conv_integer %x, %w weights_zero %z {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xui8>, tensor<7x4x3xi8>, tensor<6xi8>) -> tensor<1x7x6xi32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xui8>, %w: tensor<7x4x3xi8>, %z: tensor<4xui8>) {
  // expected-error @+1 {{the zero point of the input must be one number}}
  %0 = hx.conv_integer %x, %w input_zero %z {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xui8>, tensor<7x4x3xi8>, tensor<4xui8>) -> tensor<1x7x6xi32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{window must have 1 entries, got 2}}
  %0 = hx.pool <max> %x {window = array<i64: 2, 2>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>) -> tensor<1x4x7xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{pads[1]=2 is not smaller than the window along that axis}}
  %0 = hx.pool <max> %x {window = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0, 2>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>) -> tensor<1x4x9xf32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xi32>) {
  // expected-error @+1 {{the input must be a float, got 'i32'}}
  %0 = hx.pool <avg> %x {window = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xi32>) -> tensor<1x4x7xi32>
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{only max has indices, not avg}}
  %0, %1 = hx.pool <avg> %x {window = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>) -> (tensor<1x4x7xf32>, tensor<1x4x7xi64>)
  return
}

// -----
func.func @f(%x: tensor<1x4x8xf32>) {
  // expected-error @+1 {{the indices must be i64, got 'i32'}}
  %0, %1 = hx.pool <max> %x {window = array<i64: 2>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>}
    : (tensor<1x4x8xf32>) -> (tensor<1x4x7xf32>, tensor<1x4x7xi32>)
  return
}
