// RUN: not hexin-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(hx-verify-target-contract))' 2>&1 | FileCheck %s

// An op that a pass should have removed.
func.func @left(%x: tensor<2x3x4xf32>, %p: tensor<?xf32>) -> tensor<2x3x4xf32> {
  // CHECK: hx.batch_norm 'bn1': cannot run on the device: no kernel on any device; hx-fold-batch-norm only takes parameters of static sizes and the input's type; to run it on the host, allow hx.batch_norm or the node's name (--allow-fallback)
  %0 = hx.batch_norm %x, %p, %p, %p, %p {epsilon = 1.0e-05 : f64} : (tensor<2x3x4xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) -> tensor<2x3x4xf32> loc("bn1")
  return %0 : tensor<2x3x4xf32>
}

// -----

func.func @type(%x: tensor<4xcomplex<f64>>) -> tensor<4xcomplex<f64>> {
  // CHECK: hx.transpose 'T': cannot run on the device: no kernel takes elements of type complex<f64>
  %0 = hx.transpose %x {perm = array<i64: 0>} : (tensor<4xcomplex<f64>>) -> tensor<4xcomplex<f64>> loc("T")
  return %0 : tensor<4xcomplex<f64>>
}

// -----

func.func @nameless(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: hx.unary: leads back to no node of the model; this is a mistake of the compiler
  %0 = hx.unary <exp> %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @stranger(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: arith.addf 'add': has no place in a module that is to be placed
  %0 = arith.addf %x, %x : tensor<4xf32> loc("add")
  return %0 : tensor<4xf32>
}

// -----

func.func @row(%x: tensor<4x5xf32>) -> tensor<4x5xf32> {
  // CHECK: hx.softmax 's': works along axis 0 of 'tensor<4x5xf32>', expected the last one
  %0 = hx.softmax %x {axis = 0 : i64} : (tensor<4x5xf32>) -> tensor<4x5xf32> loc("s")
  return %0 : tensor<4x5xf32>
}

// -----

func.func @layout(%x: tensor<1x8x7x7xf32>) -> tensor<1x8x3x3xf32> {
  // CHECK: hx.pool 'pool': has layout nchw on 'tensor<1x8x7x7xf32>', expected nhwc
  %0 = hx.pool <max> %x {window = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x8x7x7xf32>) -> tensor<1x8x3x3xf32> loc("pool")
  return %0 : tensor<1x8x3x3xf32>
}

// -----

func.func @panels(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %p = hx.pack <width = 16, groups = 1, transposed = false, conv = false> %x : (tensor<8x16xf32>) -> tensor<8x16xf32, #hx.panels<width = 16, groups = 1, transposed = false, conv = false>> loc("pack")
  // CHECK: hx.unary 'exp': reads panels as operand #0
  %0 = hx.unary <exp> %p : (tensor<8x16xf32, #hx.panels<width = 16, groups = 1, transposed = false, conv = false>>) -> tensor<8x16xf32> loc("exp")
  return %0 : tensor<8x16xf32>
}

// -----

// A returned argument has no memory of its own.
func.func @own(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: an argument is handed on without memory of its own
  return %x : tensor<4xf32>
}

// -----

// Nor have two views of one result.
func.func @views(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<2x2xf32>) {
  // CHECK: hx.unary 'exp': its result is handed on without memory of its own
  %0 = hx.unary <exp> %x : (tensor<4xf32>) -> tensor<4xf32> loc("exp")
  %two = hx.constant dense<2> : tensor<2xi64> loc("two")
  %1 = hx.reshape %0, %two : (tensor<4xf32>, tensor<2xi64>) -> tensor<2x2xf32> loc("reshape")
  return %0, %1 : tensor<4xf32>, tensor<2x2xf32>
}
