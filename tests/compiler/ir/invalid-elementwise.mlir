// RUN: hexin-opt %s -split-input-file -verify-diagnostics

// What is right is in roundtrip.mlir; here one wrong use per constraint.

func.func @f(%x: tensor<4xi32>) {
  // expected-error @+1 {{hx.unary: the operand of exp must be f16, bf16, f32 or f64, got 'i32'}}
  %0 = hx.unary <exp> %x : (tensor<4xi32>) -> tensor<4xi32>
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{the operand of logical_not must be i1}}
  %0 = hx.unary <logical_not> %x : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{the operand of bit_not must be an integer}}
  %0 = hx.unary <bit_not> %x : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @f(%x: tensor<4xi1>) {
  // expected-error @+1 {{the operand of abs must be a number, got 'i1'}}
  %0 = hx.unary <abs> %x : (tensor<4xi1>) -> tensor<4xi1>
  return
}

// -----
func.func @f(%x: tensor<4xi32>) {
  // expected-error @+1 {{the operand of is_nan must be a float}}
  %0 = hx.unary <is_nan> %x : (tensor<4xi32>) -> tensor<4xi1>
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{the result must be i1, got 'f32'}}
  %0 = hx.unary <is_nan> %x : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{the operand and the result must have the same element type, got 'f32' and 'f64'}}
  %0 = hx.unary <exp> %x : (tensor<4xf32>) -> tensor<4xf64>
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  // expected-error @unknown {{hx.unary 'layer1/relu': result #0 is 'tensor<5xf32>', but its operands give 'tensor<4xf32>'}}
  %0 = hx.unary <exp> %x : (tensor<4xf32>) -> tensor<5xf32> loc("layer1/relu")
  return
}

// -----
func.func @f(%x: tensor<4xf32>, %y: tensor<3xf32>) {
  // expected-error @+1 {{sizes 4 and 3 at axis 0 do not broadcast: they must be equal or one of them 1}}
  %0 = hx.binary <add> %x, %y : (tensor<4xf32>, tensor<3xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @f(%x: tensor<4xf32>, %y: tensor<4xi64>) {
  // expected-error @+1 {{lhs and rhs must have the same element type, got 'f32' and 'i64'}}
  %0 = hx.binary <add> %x, %y : (tensor<4xf32>, tensor<4xi64>) -> tensor<4xf32>
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{the operands of bit_and must be an integer or i1, got 'f32'}}
  %0 = hx.binary <bit_and> %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @f(%x: tensor<4xi1>) {
  // expected-error @+1 {{the operands of shl must be an integer, got 'i1'}}
  %0 = hx.binary <shl> %x, %x : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  return
}

// -----
func.func @f(%x: tensor<4xi1>) {
  // expected-error @+1 {{the operands of add must be a number, got 'i1'}}
  %0 = hx.binary <add> %x, %x : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  return
}

// -----
func.func @f(%x: tensor<4xf32>, %n: tensor<4xi32>) {
  // expected-error @+1 {{lhs and the result must have the same element type}}
  %0 = hx.binary <pow> %x, %n : (tensor<4xf32>, tensor<4xi32>) -> tensor<4xi32>
  return
}

// -----
func.func @f(%x: tensor<4xi1>) {
  // expected-error @+1 {{the operands of lt must be numbers, got 'i1'}}
  %0 = hx.compare <lt> %x, %x : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  return
}

// -----
func.func @f(%x: tensor<4xf32>, %y: tensor<4xf16>) {
  // expected-error @+1 {{lhs and rhs must have the same element type}}
  %0 = hx.compare <eq> %x, %y : (tensor<4xf32>, tensor<4xf16>) -> tensor<4xi1>
  return
}

// -----
func.func @f(%c: tensor<4xi1>, %x: tensor<4xf32>, %y: tensor<4xf16>) {
  // expected-error @+1 {{onTrue and onFalse must have the same element type}}
  %0 = hx.select %c, %x, %y : (tensor<4xi1>, tensor<4xf32>, tensor<4xf16>) -> tensor<4xf32>
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{operand #0 must be ranked tensor of 1-bit signless integer values}}
  %0 = hx.select %x, %x, %x : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{round="away" is unknown, expected nearest, up or down}}
  %0 = hx.cast %x {round = "away"} : (tensor<4xf32>) -> tensor<4xf8E8M0FNU>
  return
}

// -----
func.func @f(%x: tensor<4xi32>) {
  // expected-error @+1 {{the operand of swish must be a float, got 'i32'}}
  %0 = hx.activation <swish> %x : (tensor<4xi32>) -> tensor<4xi32>
  return
}
