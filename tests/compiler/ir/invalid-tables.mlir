// RUN: hexin-opt %s -split-input-file -verify-diagnostics

// No product.
func.func @f(%x: tensor<?x2xf32>, %n: tensor<3x4xi32>, %t: tensor<3xf32>, %e: tensor<1x2xi32>, %s: tensor<2xi32>, %w: tensor<2xf32>) {
  // expected-error @+1 {{fn must be sum, min or max}}
  %0 = hx.tree_ensemble <prod> %x, %n, %t, %e, %s, %w : (tensor<?x2xf32>, tensor<3x4xi32>, tensor<3xf32>, tensor<1x2xi32>, tensor<2xi32>, tensor<2xf32>) -> tensor<?x1xf32>
  return
}

// -----
// Integers are cast first.
func.func @f(%x: tensor<?x2xi32>, %n: tensor<3x4xi32>, %t: tensor<3xf32>, %e: tensor<1x2xi32>, %s: tensor<2xi32>, %w: tensor<2xf32>) {
  // expected-error @+1 {{the input}}
  %0 = hx.tree_ensemble <sum> %x, %n, %t, %e, %s, %w : (tensor<?x2xi32>, tensor<3x4xi32>, tensor<3xf32>, tensor<1x2xi32>, tensor<2xi32>, tensor<2xf32>) -> tensor<?x1xf32>
  return
}

// -----
// Numbers are of the input's type.
func.func @f(%x: tensor<?x2xf32>, %n: tensor<3x4xi32>, %t: tensor<3xf64>, %e: tensor<1x2xi32>, %s: tensor<2xi32>, %w: tensor<2xf32>) {
  // expected-error @+1 {{the thresholds}}
  %0 = hx.tree_ensemble <sum> %x, %n, %t, %e, %s, %w : (tensor<?x2xf32>, tensor<3x4xi32>, tensor<3xf64>, tensor<1x2xi32>, tensor<2xi32>, tensor<2xf32>) -> tensor<?x1xf32>
  return
}

// -----
// A threshold per node.
func.func @f(%x: tensor<?x2xf32>, %n: tensor<3x4xi32>, %t: tensor<4xf32>, %e: tensor<1x2xi32>, %s: tensor<2xi32>, %w: tensor<2xf32>) {
  // expected-error @+1 {{number of thresholds and nodes: 4 and 3 must be equal}}
  %0 = hx.tree_ensemble <sum> %x, %n, %t, %e, %s, %w : (tensor<?x2xf32>, tensor<3x4xi32>, tensor<4xf32>, tensor<1x2xi32>, tensor<2xi32>, tensor<2xf32>) -> tensor<?x1xf32>
  return
}

// -----
// Four numbers a node.
func.func @f(%x: tensor<?x2xf32>, %n: tensor<3x3xi32>, %t: tensor<3xf32>, %e: tensor<1x2xi32>, %s: tensor<2xi32>, %w: tensor<2xf32>) {
  // expected-error @+1 {{numbers of a node and 4: 3 and 4 must be equal}}
  %0 = hx.tree_ensemble <sum> %x, %n, %t, %e, %s, %w : (tensor<?x2xf32>, tensor<3x3xi32>, tensor<3xf32>, tensor<1x2xi32>, tensor<2xi32>, tensor<2xf32>) -> tensor<?x1xf32>
  return
}

// -----
// There is a leaf.
func.func @f(%x: tensor<?x2xf32>, %n: tensor<3x4xi32>, %t: tensor<3xf32>, %e: tensor<1x2xi32>, %s: tensor<2xi32>, %w: tensor<0xf32>) {
  // expected-error @+1 {{the number of weights}}
  %0 = hx.tree_ensemble <sum> %x, %n, %t, %e, %s, %w : (tensor<?x2xf32>, tensor<3x4xi32>, tensor<3xf32>, tensor<1x2xi32>, tensor<2xi32>, tensor<0xf32>) -> tensor<?x1xf32>
  return
}

// -----
// Cycles cannot be written.
func.func @f(%x: tensor<?x2xf32>, %t: tensor<3xf32>, %s: tensor<2xi32>, %w: tensor<2xf32>) {
  %n = hx.constant dense<[[0, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]> : tensor<3x4xi32>
  %e = hx.constant dense<[[0, 0]]> : tensor<1x2xi32>
  // expected-error @+1 {{children 2 and 0 of node 0 must stand behind it among 3 nodes}}
  %0 = hx.tree_ensemble <sum> %x, %n, %t, %e, %s, %w : (tensor<?x2xf32>, tensor<3x4xi32>, tensor<3xf32>, tensor<1x2xi32>, tensor<2xi32>, tensor<2xf32>) -> tensor<?x1xf32>
  return
}

// -----
// Children are nodes.
func.func @f(%x: tensor<?x2xf32>, %t: tensor<3xf32>, %s: tensor<2xi32>, %w: tensor<2xf32>) {
  %n = hx.constant dense<[[0, 1, 3, 0], [0, 0, 0, 0], [0, 0, 0, 1]]> : tensor<3x4xi32>
  %e = hx.constant dense<[[0, 0]]> : tensor<1x2xi32>
  // expected-error @+1 {{children 1 and 3 of node 0 must stand behind it among 3 nodes}}
  %0 = hx.tree_ensemble <sum> %x, %n, %t, %e, %s, %w : (tensor<?x2xf32>, tensor<3x4xi32>, tensor<3xf32>, tensor<1x2xi32>, tensor<2xi32>, tensor<2xf32>) -> tensor<?x1xf32>
  return
}

// -----
// There are three comparisons.
func.func @f(%x: tensor<?x2xf32>, %t: tensor<3xf32>, %s: tensor<2xi32>, %w: tensor<2xf32>) {
  %n = hx.constant dense<[[11, 1, 2, 0], [0, 0, 0, 0], [0, 0, 0, 1]]> : tensor<3x4xi32>
  %e = hx.constant dense<[[0, 0]]> : tensor<1x2xi32>
  // expected-error @+1 {{test 11 of node 0 is unknown}}
  %0 = hx.tree_ensemble <sum> %x, %n, %t, %e, %s, %w : (tensor<?x2xf32>, tensor<3x4xi32>, tensor<3xf32>, tensor<1x2xi32>, tensor<2xi32>, tensor<2xf32>) -> tensor<?x1xf32>
  return
}

// -----
// Roots are nodes.
func.func @f(%x: tensor<?x2xf32>, %t: tensor<3xf32>, %s: tensor<2xi32>, %w: tensor<2xf32>) {
  %n = hx.constant dense<[[0, 1, 2, 0], [0, 0, 0, 0], [0, 0, 0, 1]]> : tensor<3x4xi32>
  %e = hx.constant dense<[[3, 0]]> : tensor<1x2xi32>
  // expected-error @+1 {{root 3 is none of 3 nodes}}
  %0 = hx.tree_ensemble <sum> %x, %n, %t, %e, %s, %w : (tensor<?x2xf32>, tensor<3x4xi32>, tensor<3xf32>, tensor<1x2xi32>, tensor<2xi32>, tensor<2xf32>) -> tensor<?x1xf32>
  return
}

// -----
// Keys are of the input's type.
func.func @f(%x: tensor<4xf32>, %k: tensor<3xi32>) {
  // expected-error @+1 {{the keys}}
  %0 = hx.sorted_search %x, %k : (tensor<4xf32>, tensor<3xi32>) -> tensor<4xi64>
  return
}

// -----
// There is a key.
func.func @f(%x: tensor<4xf32>, %k: tensor<0xf32>) {
  // expected-error @+1 {{the number of keys}}
  %0 = hx.sorted_search %x, %k : (tensor<4xf32>, tensor<0xf32>) -> tensor<4xi64>
  return
}

// -----
// Everybody against everybody.
func.func @f(%x: tensor<?x3x4xf32>) {
  // expected-error @+1 {{sizes of the input along axes 1 and 2: 3 and 4 must be equal}}
  %0 = hx.couple_pairs %x : (tensor<?x3x4xf32>) -> tensor<?x3xf32>
  return
}

// -----
// Kernels have room for so many classes.
func.func @f(%x: tensor<?x?x?xf32>) {
  // expected-error @+1 {{the number of classes must be static, from 1 to 1024}}
  %0 = hx.couple_pairs %x : (tensor<?x?x?xf32>) -> tensor<?x?xf32>
  return
}

// -----
// Rounds end.
func.func @f(%x: tensor<?x3x3xf32>) {
  // expected-error @+1 {{maxRounds=-1 must be from 0 to 1000}}
  %0 = hx.couple_pairs %x {maxRounds = -1 : i64} : (tensor<?x3x3xf32>) -> tensor<?x3xf32>
  return
}
