// RUN: hexin-opt %s -split-input-file -verify-diagnostics

func.func @f(%c: tensor<2xi1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{hx.if: the condition must be one element, got 'tensor<2xi1>'}}
  %0 = hx.if %c : (tensor<2xi1>) -> tensor<4xf32> {
    hx.yield %x : tensor<4xf32>
  } else {
    hx.yield %x : tensor<4xf32>
  }
  return
}

// -----
func.func @f(%c: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{the else branch yields 0 values, expected 1}}
  %0 = hx.if %c : (tensor<i1>) -> tensor<4xf32> {
    hx.yield %x : tensor<4xf32>
  } else {
    hx.yield
  }
  return
}

// -----
func.func @f(%c: tensor<i1>, %x: tensor<4xf32>, %y: tensor<2x2xf32>) {
  // expected-error @+1 {{result #0 has rank 1 in one branch and 2 in the other; give both the same rank}}
  %0 = hx.if %c : (tensor<i1>) -> tensor<4xf32> {
    hx.yield %x : tensor<4xf32>
  } else {
    hx.yield %y : tensor<2x2xf32>
  }
  return
}

// -----
func.func @f(%c: tensor<i1>, %x: tensor<4xf32>, %y: tensor<4xf16>) {
  // expected-error @+1 {{value #0 of the else branch is 'tensor<4xf16>', but the result is 'tensor<4xf32>'}}
  %0 = hx.if %c : (tensor<i1>) -> tensor<4xf32> {
    hx.yield %x : tensor<4xf32>
  } else {
    hx.yield %y : tensor<4xf16>
  }
  return
}

// -----
func.func @f(%c: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{the body has 1 arguments, expected the iteration and 1 carried values}}
  %0 = hx.loop carried %x : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>):
    hx.yield %c, %x : tensor<i1>, tensor<4xf32>
  }
  return
}

// -----
func.func @f(%c: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{the body yields 1 values, expected 2}}
  %0 = hx.loop carried %x : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %y: tensor<4xf32>):
    hx.yield %c : tensor<i1>
  }
  return
}

// -----
func.func @f(%c: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{the first argument of the body must be tensor<i64>, got 'tensor<i32>'}}
  %0 = hx.loop carried %x : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i32>, %y: tensor<4xf32>):
    hx.yield %c, %y : tensor<i1>, tensor<4xf32>
  }
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{the body must yield the i1 condition first, got 'tensor<4xf32>'}}
  %0 = hx.loop carried %x : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %y: tensor<4xf32>):
    hx.yield %y, %y : tensor<4xf32>, tensor<4xf32>
  }
  return
}

// -----
func.func @f(%c: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{sizes of carried value #0: 8 and 4 must be equal}}
  %0 = hx.loop carried %x : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %y: tensor<4xf32>):
    %z = hx.concat %y, %y {axis = 0 : i64} : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
    hx.yield %c, %z : tensor<i1>, tensor<8xf32>
  }
  return
}

// -----
func.func @f(%c: tensor<i1>, %n: tensor<2xi64>, %x: tensor<4xf32>) {
  // expected-error @+1 {{the trip count must be one element, got 'tensor<2xi64>'}}
  %0 = hx.loop trip %n carried %x : (tensor<2xi64>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %y: tensor<4xf32>):
    hx.yield %c, %y : tensor<i1>, tensor<4xf32>
  }
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{the body has 0 arguments, expected one for each of the 1 operands}}
  %0 = hx.group "cpu" "map" (%x) : (tensor<4xf32>) -> tensor<4xf32> {
    hx.yield %x : tensor<4xf32>
  }
  return
}

// -----
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{argument #0 of the body is 'tensor<?xf32>', but the operand is 'tensor<4xf32>'}}
  %0 = hx.group "cpu" "map" (%x) : (tensor<4xf32>) -> tensor<?xf32> {
  ^bb0(%y: tensor<?xf32>):
    hx.yield %y : tensor<?xf32>
  }
  return
}
