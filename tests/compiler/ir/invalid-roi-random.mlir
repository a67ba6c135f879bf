// RUN: hexin-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<1x3x8x8xf32>, %r: tensor<5x5xf32>, %b: tensor<5xi64>) {
  // expected-error @+1 {{hx.roi_pool: the numbers of a box and 4: 5 and 4 must be equal}}
  %0 = hx.roi_pool <align_avg> %x, %r, %b {scale = 1.0 : f64, size = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>, tensor<5x5xf32>, tensor<5xi64>) -> tensor<5x3x2x2xf32>
  return
}

// -----
func.func @f(%x: tensor<1x3x8x8xf32>, %r: tensor<5x4xf32>, %b: tensor<6xi64>) {
  // expected-error @+1 {{the number of rois and of batch indices: 5 and 6 must be equal}}
  %0 = hx.roi_pool <align_avg> %x, %r, %b {scale = 1.0 : f64, size = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>, tensor<5x4xf32>, tensor<6xi64>) -> tensor<5x3x2x2xf32>
  return
}

// -----
func.func @f(%x: tensor<3x8x8xf32>, %r: tensor<5x4xf32>, %b: tensor<5xi64>) {
  // expected-error @+1 {{the input must have rank 4, got rank 3}}
  %0 = hx.roi_pool <bin_max> %x, %r, %b {scale = 1.0 : f64, size = array<i64: 2, 2>} : (tensor<3x8x8xf32>, tensor<5x4xf32>, tensor<5xi64>) -> tensor<5x3x2x2xf32>
  return
}

// -----
func.func @f(%x: tensor<1x3x8x8xf32>, %r: tensor<5x4xf32>, %b: tensor<5xi64>) {
  // expected-error @+1 {{size=0 must be at least 1}}
  %0 = hx.roi_pool <bin_max> %x, %r, %b {scale = 1.0 : f64, size = array<i64: 0, 2>} : (tensor<1x3x8x8xf32>, tensor<5x4xf32>, tensor<5xi64>) -> tensor<5x3x?x2xf32>
  return
}

// -----
func.func @f(%x: tensor<1x3x8x8xf32>, %r: tensor<5x4xf32>, %b: tensor<5xi64>) {
  // expected-error @+1 {{ratio=1025 must be 0 to 1024}}
  %0 = hx.roi_pool <align_max> %x, %r, %b {ratio = 1025 : i64, scale = 1.0 : f64, size = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>, tensor<5x4xf32>, tensor<5xi64>) -> tensor<5x3x2x2xf32>
  return
}

// -----
func.func @f(%x: tensor<1x3x8x8xf32>, %r: tensor<5x4xf32>, %b: tensor<5xi64>) {
  // expected-error @+1 {{must be above 0}}
  %0 = hx.roi_pool <align_max> %x, %r, %b {scale = -1.0 : f64, size = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>, tensor<5x4xf32>, tensor<5xi64>) -> tensor<5x3x2x2xf32>
  return
}

// -----
func.func @f(%x: tensor<1x3x8x8xi32>, %r: tensor<5x4xi32>, %b: tensor<5xi64>) {
  // expected-error @+1 {{a float}}
  %0 = hx.roi_pool <bin_max> %x, %r, %b {scale = 1.0 : f64, size = array<i64: 2, 2>} : (tensor<1x3x8x8xi32>, tensor<5x4xi32>, tensor<5xi64>) -> tensor<5x3x2x2xi32>
  return
}

// -----
func.func @f(%s: tensor<3xi64>) {
  %sizes = hx.constant dense<[4]> : tensor<1xi64>
  // expected-error @+1 {{stream must be [key, count]}}
  %0 = hx.random_bits %s, %sizes : (tensor<3xi64>, tensor<1xi64>) -> tensor<4xui32>
  return
}

// -----
func.func @f(%s: tensor<2xi64>) {
  %sizes = hx.constant dense<[4]> : tensor<1xi64>
  // expected-error @+1 {{word=4 must be 0 to 3}}
  %0 = hx.random_bits %s, %sizes {word = 4 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<4xui32>
  return
}

// -----
func.func @f(%s: tensor<2xi64>) {
  %sizes = hx.constant dense<[4]> : tensor<1xi64>
  // expected-error @+1 {{node=-1 must have 32 bits}}
  %0 = hx.random_bits %s, %sizes {node = -1 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<4xui32>
  return
}

// -----
func.func @f(%s: tensor<2xi64>) {
  %sizes = hx.constant dense<[-4]> : tensor<1xi64>
  // expected-error @+1 {{sizes[0] is -4, expected at least 0}}
  %0 = hx.random_bits %s, %sizes : (tensor<2xi64>, tensor<1xi64>) -> tensor<?xui32>
  return
}
