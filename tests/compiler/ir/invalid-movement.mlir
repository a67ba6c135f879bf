// RUN: hexin-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{hx.bitcast: cannot see 'f32' as 'i64': the element types must be numbers of equal width}}
  %0 = hx.bitcast %x : (tensor<4xf32>) -> tensor<4xi64>
  return
}

// -----

func.func @parts(%x: tensor<4x3xf64>) -> tensor<4xcomplex<f64>> {
  // expected-error @+1 {{parts of a complex number}}
  %0 = hx.bitcast %x : (tensor<4x3xf64>) -> tensor<4xcomplex<f64>>
  return %0 : tensor<4xcomplex<f64>>
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  %s = hx.constant dense<[5, 5]> : tensor<2xi64>
  // expected-error @+1 {{numbers of elements before and after: 24 and 25 must be equal}}
  %0 = hx.reshape %x, %s : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<5x5xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  %s = hx.constant dense<[5, -1]> : tensor<2xi64>
  // expected-error @+1 {{numbers of elements before and after: 24 and 20 must be equal}}
  %0 = hx.reshape %x, %s : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<5x4xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  %s = hx.constant dense<-1> : tensor<2xi64>
  // expected-error @+1 {{shape has -1 at 0 and at 1: at most one size can be left open}}
  %0 = hx.reshape %x, %s : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<4x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  %s = hx.constant dense<[-2, 6]> : tensor<2xi64>
  // expected-error @+1 {{shape[0]=-2: expected a size, or -1 for what is left}}
  %0 = hx.reshape %x, %s : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<4x6xf32>
  return
}

// -----
func.func @f(%x: tensor<0x6xf32>) {
  %s = hx.constant dense<[0, -1]> : tensor<2xi64>
  // expected-error @+1 {{shape[1]=-1 has no one value: another size is 0}}
  %0 = hx.reshape %x, %s : (tensor<0x6xf32>, tensor<2xi64>) -> tensor<0x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %s: tensor<?xi64>) {
  // expected-error @+1 {{the number of elements of an operand that is read on the host must be known when compiling and at most 256, its type is 'tensor<?xi64>'}}
  %0 = hx.reshape %x, %s : (tensor<4x6xf32>, tensor<?xi64>) -> tensor<?xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @+1 {{perm must have 2 entries, got 1}}
  %0 = hx.transpose %x {perm = array<i64: 0>} : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @+1 {{perm is not a permutation of the axes: axis 1 comes twice}}
  %0 = hx.transpose %x {perm = array<i64: 1, 1>} : (tensor<4x6xf32>) -> tensor<6x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @+1 {{perm is not a permutation of the axes: axis 2 does not exist}}
  %0 = hx.transpose %x {perm = array<i64: 1, 2>} : (tensor<4x6xf32>) -> tensor<6x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  %s = hx.constant dense<[6]> : tensor<1xi64>
  // expected-error @+1 {{an operand of rank 2 does not broadcast to 1 sizes}}
  %0 = hx.broadcast_to %x, %s : (tensor<4x6xf32>, tensor<1xi64>) -> tensor<6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  %s = hx.constant dense<[5, 6]> : tensor<2xi64>
  // expected-error @+1 {{a size to repeat must be 1 or unchanged: 4 and 5 must be equal}}
  %0 = hx.broadcast_to %x, %s : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<5x6xf32>
  return
}

// -----
func.func @f(%x: tensor<6xf32>, %s: tensor<1xi64>) {
  // expected-error @+1 {{the step of axis 0 is 0}}
  %0 = hx.slice %x, %s, %s {steps = array<i64: 0>} : (tensor<6xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  return
}

// -----
func.func @f(%x: tensor<6xf32>, %s: tensor<2xi64>) {
  // expected-error @+1 {{starts must have 1 entries, got 2}}
  %0 = hx.slice %x, %s, %s {steps = array<i64: 1>} : (tensor<6xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<?xf32>
  return
}

// -----
func.func @f(%x: tensor<6xf32>) {
  %start = hx.constant dense<[4]> : tensor<1xi64>
  %size = hx.constant dense<[3]> : tensor<1xi64>
  // expected-error @+1 {{the room behind the last element of axis 0 is -1, expected at least 0}}
  %0 = hx.slice %x, %start, %size {steps = array<i64: 1>} : (tensor<6xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xf32>
  return
}

// -----
func.func @f(%x: tensor<6xf32>) {
  %start = hx.constant dense<[1]> : tensor<1xi64>
  %size = hx.constant dense<[3]> : tensor<1xi64>
  // expected-error @+1 {{the first element of axis 0 is -1, expected at least 0}}
  %0 = hx.slice %x, %start, %size {steps = array<i64: -1>} : (tensor<6xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  // expected-error @+1 {{axis=2 is not an axis of a tensor of rank 2}}
  %0 = hx.concat %x, %x {axis = 2 : i64} : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<8x6xf32>
  return
}

// -----
func.func @f() {
  // expected-error @+1 {{expected at least one operand}}
  %0 = hx.concat {axis = 0 : i64} : () -> tensor<0xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %y: tensor<4x5xf32>) {
  // expected-error @+1 {{sizes of axis 1: 6 and 5 must be equal}}
  %0 = hx.concat %x, %y {axis = 0 : i64} : (tensor<4x6xf32>, tensor<4x5xf32>) -> tensor<8x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>, %y: tensor<4xf32>) {
  // expected-error @+1 {{operand #1 must have rank 2, got rank 1}}
  %0 = hx.concat %x, %y {axis = 0 : i64} : (tensor<4x6xf32>, tensor<4xf32>) -> tensor<8x6xf32>
  return
}

// -----
func.func @f(%x: tensor<4xf32>, %y: tensor<4xf16>) {
  // expected-error @+1 {{operand #1 and the result must have the same element type, got 'f16' and 'f32'}}
  %0 = hx.concat %x, %y {axis = 0 : i64} : (tensor<4xf32>, tensor<4xf16>) -> tensor<8xf32>
  return
}

// -----
func.func @f(%x: tensor<4xf32>, %v: tensor<f32>) {
  %low = hx.constant dense<[-1]> : tensor<1xi64>
  // expected-error @+1 {{low of axis 0 is -1, expected at least 0}}
  %0 = hx.pad <constant> %x, %low, %low, %v : (tensor<4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<f32>) -> tensor<2xf32>
  return
}

// -----
func.func @f(%x: tensor<4xf32>, %v: tensor<1xf32>, %low: tensor<1xi64>) {
  // expected-error @+1 {{value must have rank 0, got rank 1}}
  %0 = hx.pad <constant> %x, %low, %low, %v : (tensor<4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xf32>) -> tensor<?xf32>
  return
}

// -----
func.func @f(%x: tensor<0xf32>, %v: tensor<f32>) {
  %low = hx.constant dense<[1]> : tensor<1xi64>
  // expected-error @+1 {{the size to copy from of axis 0 is 0, expected at least 1}}
  %0 = hx.pad <edge> %x, %low, %low, %v : (tensor<0xf32>, tensor<1xi64>, tensor<1xi64>, tensor<f32>) -> tensor<2xf32>
  return
}

// -----
func.func @f(%x: tensor<4x6xf32>) {
  %s = hx.constant dense<[24]> : tensor<1xi64>
  // expected-error @+1 {{the operand and the result must have the same element type}}
  %0 = hx.reshape %x, %s : (tensor<4x6xf32>, tensor<1xi64>) -> tensor<24xf16>
  return
}

// -----
func.func @f() {
  // expected-error @+1 {{a literal of 80000 bytes is too large: more than 65536 belong into an hx.weight}}
  %0 = "hx.constant"() <{value = dense_resource<big> : tensor<20000xf32>}> : () -> tensor<20000xf32>
  return
}

// -----
func.func @f() {
  // expected-error @+1 {{a weight has static sizes, got 'tensor<?xf32>'}}
  %0 = hx.weight "w" : tensor<?xf32>
  return
}

// -----
func.func @f() {
  // expected-error @+1 {{the name of the weight is empty}}
  %0 = hx.weight "" : tensor<2xf32>
  return
}

// -----
func.func @f(%sizes: tensor<2xi64>) {
  // expected-error @+1 {{axis=2 is not an axis of a tensor of rank 2}}
  %0 = hx.iota %sizes {axis = 2 : i64} : (tensor<2xi64>) -> tensor<?x?xi32>
  return
}

// -----
func.func @f(%s: tensor<3xi64>) {
  %start = hx.constant dense<1> : tensor<1xi64>
  %size = hx.constant dense<2> : tensor<1xi64>
  // expected-error @+1 {{the room behind the last element of axis 0 is}}
  %0 = hx.slice %s, %start, %size {steps = array<i64: 9223372036854775807>} : (tensor<3xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  return
}
