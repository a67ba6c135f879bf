// RUN: hexin-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<4x6xf32>, %i: tensor<3xi64>) {
  // expected-error @+1 {{hx.gather: axis=2 is not an axis of a tensor of rank 2}}
  %0 = hx.gather %x, %i {axis = 2 : i64} : (tensor<4x6xf32>, tensor<3xi64>) -> tensor<4x3xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %i: tensor<3xi64>) {
  // expected-error @+1 {{batchDims=1 must be at most axis=0 and the rank of the indices, 1}}
  %0 = hx.gather %x, %i {axis = 0 : i64, batchDims = 1 : i64} : (tensor<4x6xf32>, tensor<3xi64>) -> tensor<3xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %i: tensor<3x2xi64>) {
  // expected-error @+1 {{sizes of batch axis 0: 4 and 3 must be equal}}
  %0 = hx.gather %x, %i {axis = 1 : i64, batchDims = 1 : i64} : (tensor<4x6xf32>, tensor<3x2xi64>) -> tensor<4x2xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %i: tensor<3xf32>) {
  // expected-error @+1 {{operand #1 must be ranked tensor of 32-bit signless integer or 64-bit signless integer values}}
  %0 = hx.gather %x, %i {axis = 0 : i64} : (tensor<4x6xf32>, tensor<3xf32>) -> tensor<3x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %i: tensor<5x2xi64>) {
  // expected-error @+1 {{the input's size minus the indices' at axis 0 is -1, expected at least 0}}
  %0 = hx.gather_elements %x, %i {axis = 1 : i64} : (tensor<4x6xf32>, tensor<5x2xi64>) -> tensor<5x2xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %i: tensor<2xi64>) {
  // expected-error @+1 {{the indices must have rank 2, got rank 1}}
  %0 = hx.gather_elements %x, %i {axis = 1 : i64} : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %i: tensor<5x3xi64>) {
  // expected-error @+1 {{the indices hold 3 coordinates each, but there are only 2 axes to address}}
  %0 = hx.gather_nd %x, %i : (tensor<4x6xf32>, tensor<5x3xi64>) -> tensor<5xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %i: tensor<5x?xi64>) {
  // expected-error @+1 {{the last size of the indices must be known when compiling: the rank of the result depends on it}}
  %0 = hx.gather_nd %x, %i : (tensor<4x6xf32>, tensor<5x?xi64>) -> tensor<5xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %i: tensor<4x1xi64>) {
  // expected-error @+1 {{batchDims=2 must be less than the ranks, 2 and 2}}
  %0 = hx.gather_nd %x, %i {batchDims = 2 : i64} : (tensor<4x6xf32>, tensor<4x1xi64>) -> tensor<4xf32>
  return
}

// -----
func.func @f(%x: tensor<2x6x3xf32>, %p: tensor<4x2x5xi64>, %w: tensor<4x2x6xf32>) {
  // expected-error @+1 {{the positions' and the weights' sizes of axis 2}}
  %0 = hx.gather_sum %x, %p, %w : (tensor<2x6x3xf32>, tensor<4x2x5xi64>, tensor<4x2x6xf32>) -> tensor<2x5x3xf32>
  return
}

// -----
func.func @f(%x: tensor<2x6x3xf32>, %p: tensor<4x2x5xi64>, %w: tensor<4x2x5xf64>) {
  // expected-error @+1 {{the weights}}
  %0 = hx.gather_sum %x, %p, %w : (tensor<2x6x3xf32>, tensor<4x2x5xi64>, tensor<4x2x5xf64>) -> tensor<2x5x3xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %i: tensor<2x6xi64>, %u: tensor<3x6xf32>) {
  // expected-error @+1 {{sizes of the updates, axis 0: 3 and 2 must be equal}}
  %0 = hx.scatter_elements <set> %x, %i, %u {axis = 0 : i64} : (tensor<4x6xf32>, tensor<2x6xi64>, tensor<3x6xf32>) -> tensor<4x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4xi1>, %i: tensor<2xi64>, %u: tensor<2xi1>) {
  // expected-error @+1 {{add needs numbers, got 'i1'}}
  %0 = hx.scatter_elements <add> %x, %i, %u {axis = 0 : i64} : (tensor<4xi1>, tensor<2xi64>, tensor<2xi1>) -> tensor<4xi1>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %i: tensor<2x1xi64>, %u: tensor<2x5xf32>) {
  // expected-error @+1 {{sizes of the updates, axis 1: 5 and 6 must be equal}}
  %0 = hx.scatter_nd <set> %x, %i, %u : (tensor<4x6xf32>, tensor<2x1xi64>, tensor<2x5xf32>) -> tensor<4x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %i: tensor<2x1xi64>, %u: tensor<2x6xf16>) {
  // expected-error @+1 {{the input and the updates must have the same element type}}
  %0 = hx.scatter_nd <set> %x, %i, %u : (tensor<4x6xf32>, tensor<2x1xi64>, tensor<2x6xf16>) -> tensor<4x6xf32>
  return
}

// -----
func.func @f(%m: tensor<2x3xi1>) {
  // expected-error @+1 {{operand #0 must be 1D tensor of 1-bit signless integer values}}
  %0 = hx.compact %m : (tensor<2x3xi1>) -> tensor<?xi64>
  return
}

// -----
func.func @f(%m: tensor<6xi1>, %s: tensor<2xi64>, %n: tensor<1xi64>) {
  // expected-error @+1 {{block must be at least 1, got 0}}
  %0 = hx.compact_fill %m, %s, %n {block = 0 : i64} : (tensor<6xi1>, tensor<2xi64>, tensor<1xi64>) -> tensor<?xi64>
  return
}

// -----
func.func @f(%m: tensor<6xi1>, %s: tensor<2xi64>, %n: tensor<2xi64>) {
  // expected-error @+1 {{count must have 1 entries, got 2}}
  %0 = hx.compact_fill %m, %s, %n {block = 4 : i64} : (tensor<6xi1>, tensor<2xi64>, tensor<2xi64>) -> tensor<?xi64>
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{axis=1 is not an axis of a tensor of rank 1}}
  %0, %1 = hx.sort %x {axis = 1 : i64} : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi64>)
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  %k = hx.constant dense<5> : tensor<1xi64>
  // expected-error @+1 {{the size of the axis less k}}
  %0, %1 = hx.top_k %x, %k {axis = 0 : i64} : (tensor<4xf32>, tensor<1xi64>) -> (tensor<5xf32>, tensor<5xi64>)
  return
}
