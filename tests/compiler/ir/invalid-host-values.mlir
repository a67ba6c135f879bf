// RUN: hexin-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<2xf32>, %y: tensor<2xi64>) {
  // expected-error @+1 {{element #1 is 'tensor<2xi64>', but the value is '!hx.sequence<tensor<2xf32>>'}}
  %0 = hx.seq_make %x, %y : (tensor<2xf32>, tensor<2xi64>) -> !hx.sequence<tensor<2xf32>>
  return
}

// -----
func.func @f(%s: !hx.sequence<tensor<2xf32>>, %i: tensor<2xi64>) {
  // expected-error @+1 {{the position must be one element, got 'tensor<2xi64>'}}
  %0 = hx.seq_at %s, %i : (!hx.sequence<tensor<2xf32>>, tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----
func.func @f(%s: !hx.sequence<tensor<2xf32>>, %i: tensor<i64>) {
  // expected-error @+1 {{the result is 'tensor<2xf64>', but the value is '!hx.sequence<tensor<2xf32>>'}}
  %0 = hx.seq_at %s, %i : (!hx.sequence<tensor<2xf32>>, tensor<i64>) -> tensor<2xf64>
  return
}

// -----
func.func @f(%x: tensor<2xf32>, %i: tensor<i64>) {
  // expected-error @+1 {{operand #0 must be values in order}}
  %0 = hx.seq_at %x, %i : (tensor<2xf32>, tensor<i64>) -> tensor<2xf32>
  return
}

// -----
func.func @f(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{axis=2 is not an axis of a tensor of rank 2}}
  %0 = hx.seq_split %x {axis = 2 : i64} : (tensor<2x3xf32>) -> !hx.sequence<tensor<2x1xf32>>
  return
}

// -----
func.func @f(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{parts of 'tensor<2x3xf32>' have rank 1}}
  %0 = hx.seq_split %x {axis = 0 : i64, keepDim = false} : (tensor<2x3xf32>) -> !hx.sequence<tensor<1x3xf32>>
  return
}

// -----
func.func @f(%s: !hx.sequence<tensor<2xf32>>) {
  // expected-error @+1 {{do not concatenate to}}
  %0 = hx.seq_concat %s {axis = 0 : i64, newAxis = true} : (!hx.sequence<tensor<2xf32>>) -> tensor<2xf32>
  return
}

// -----
func.func @f(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expected either integer or string keys}}
  %0 = hx.map_make %x : (tensor<2x3xf32>) -> !hx.sequence<!hx.map<i64, tensor<f32>>>
  return
}

// -----
func.func @f(%s: tensor<3x!hx.string>) {
  // expected-error @+1 {{caseChange="title" is unknown, expected none, lower or upper}}
  %0 = hx.string_normalize %s {caseChange = "title"} : (tensor<3x!hx.string>) -> tensor<3x!hx.string>
  return
}

// -----
func.func @f(%s: tensor<3xi64>) {
  // expected-error @+1 {{n-grams of length 2 are items 1 to 4 of a pool of 4}}
  %0 = hx.ngram_count %s {minLength = 1 : i64, maxLength = 2 : i64, maxSkip = 0 : i64, starts = array<i64: 0, 1>, columns = array<i64: 0>, width = 1 : i64, intPool = array<i64: 1, 2, 3, 4>} : (tensor<3xi64>) -> tensor<1xf32>
  return
}

// -----
func.func @f(%b: tensor<3xui8>) {
  // expected-error @+1 {{pixelFormat="CMYK" is unknown}}
  %0 = hx.decode_image %b {pixelFormat = "CMYK"} : (tensor<3xui8>) -> tensor<?x?x3xui8>
  return
}

// -----
func.func @f(%c: tensor<i1>, %s: !hx.sequence<tensor<2xf32>>, %t: !hx.sequence<tensor<2xi64>>) {
  // expected-error @+1 {{of the else branch is '!hx.sequence<tensor<2xi64>>', but the result is '!hx.sequence<tensor<2xf32>>'}}
  %0 = hx.if %c : (tensor<i1>) -> !hx.sequence<tensor<2xf32>> {
    hx.yield %s : !hx.sequence<tensor<2xf32>>
  } else {
    hx.yield %t : !hx.sequence<tensor<2xi64>>
  }
  return
}
