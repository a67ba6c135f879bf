//===- Coupling.cpp - probabilities out of contests of two ------------------===//
//
// With r = input[n], the conditions are linear in p: Q[i, i] = sum over j of r[j, i]^2,
// Q[i, j] = -r[j, i] r[i, j]. A round solves for each p[i] in turn and scales all to sum
// 1; Qp = Q p is kept up to date. Each class's element does the whole of it: classes are
// few, and nothing is shared between items.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/elements/Rules.h"
#include "compiler/codegen/elements/WindowLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

class CouplingEmitter {
public:
  CouplingEmitter(ElementEmitter &emitter, hx::CouplePairsOp op, Value row)
      : emitter(emitter), op(op), row(row), k(emitter.kernel()), b(k.builder()),
        loc(k.loc()), type(b.getF32Type()),
        count(cast<RankedTensorType>(op.getInput().getType()).getDimSize(1)) {
    auto size = static_cast<unsigned>(count);
    p = k.scratch(size, type);
    product = k.scratch(size, type);
    diagonal = k.scratch(size, type);
  }

  Value ofClass(Value index) {
    prepare();
    solve();
    return read(p, index);
  }

private:
  void prepare() {
    forEachClass([&](Value i) {
      write(p, i, c(1.0 / static_cast<double>(count)));
      write(diagonal, i, sum([&](Value j) {
              Value r = emitter.emit(op.getInput(), {row, j, i}, 1);
              Value isSame =
                  arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, i, j);
              return arith::SelectOp::create(b, loc, isSame, c(0), mul(r, r));
            }));
    });
  }

  void solve() {
    Type index = b.getIndexType();
    auto loop =
        scf::WhileOp::create(b, loc, TypeRange{index, type}, ValueRange{k.index(0)});
    OpBuilder::InsertionGuard guard(b);
    Block *head = b.createBlock(&loop.getBefore(), {}, {index}, {loc});
    Value round = head->getArgument(0);
    Value total = multiply();
    Value isFar = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGE, error(total),
                                        c(0.005f / static_cast<float>(count)));
    Value mayGo = k.less(round, k.index(static_cast<int64_t>(op.getMaxRounds())));
    scf::ConditionOp::create(b, loc, arith::AndIOp::create(b, loc, isFar, mayGo),
                             ValueRange{round, total});

    Block *body = b.createBlock(&loop.getAfter(), {}, {index, type}, {loc, loc});
    improve(body->getArgument(1));
    scf::YieldOp::create(b, loc, ValueRange{k.add(body->getArgument(0), k.index(1))});
  }

  /// product = Q p; gives p Q p.
  Value multiply() {
    return sum([&](Value i) {
      Value line = sum([&](Value j) { return mul(coefficient(i, j), read(p, j)); });
      write(product, i, line);
      return mul(read(p, i), line);
    });
  }

  /// The largest |product - total|; NaN is none.
  Value error(Value total) {
    return k.forLoop(
        k.index(0), k.index(count), k.index(1), {c(0)}, [&](Value i, ValueRange largest) {
          Value e = math::AbsFOp::create(b, loc, sub(read(product, i), total));
          Value isLarger =
              arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, e, largest[0]);
          return SmallVector<Value>{
              arith::SelectOp::create(b, loc, isLarger, e, largest[0])};
        })[0];
  }

  void improve(Value total) {
    k.forLoop(k.index(0), k.index(count), k.index(1), {total},
              [&](Value i, ValueRange carried) {
                Value q = read(diagonal, i), line = read(product, i);
                Value step = div(sub(carried[0], line), q);
                write(p, i, add(read(p, i), step));
                Value scale = add(c(1), step);
                Value grown = mul(step, add(mul(step, q), mul(c(2), line)));
                Value next = div(div(add(carried[0], grown), scale), scale);
                forEachClass([&](Value j) {
                  Value moved = add(read(product, j), mul(step, coefficient(i, j)));
                  write(product, j, div(moved, scale));
                  write(p, j, div(read(p, j), scale));
                });
                return SmallVector<Value>{next};
              });
  }

  Value coefficient(Value i, Value j) {
    Value isSame = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, i, j);
    Value other = mul(emitter.emit(op.getInput(), {row, j, i}, 1),
                      emitter.emit(op.getInput(), {row, i, j}, 1));
    return arith::SelectOp::create(b, loc, isSame, read(diagonal, i), sub(c(0), other));
  }

  void forEachClass(llvm::function_ref<void(Value)> body) {
    k.forLoop(k.index(0), k.index(count), k.index(1), {}, [&](Value i, ValueRange) {
      body(i);
      return SmallVector<Value>();
    });
  }
  Value sum(llvm::function_ref<Value(Value)> term) {
    return k.forLoop(k.index(0), k.index(count), k.index(1), {c(0)},
                     [&](Value i, ValueRange total) {
                       return SmallVector<Value>{add(total[0], term(i))};
                     })[0];
  }
  Value read(Value memory, Value i) { return k.load(memory, i, 1, type); }
  void write(Value memory, Value i, Value x) { k.store(memory, i, x, type); }
  Value c(double value) { return k.floatConstant(value, type, 1); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }

  ElementEmitter &emitter;
  hx::CouplePairsOp op;
  Value row;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  Type type;
  int64_t count;
  Value p, product, diagonal;
};

} // namespace

Value emitElement(ElementEmitter &emitter, hx::CouplePairsOp op, Index index) {
  return CouplingEmitter(emitter, op, index[0]).ofClass(index[1]);
}

} // namespace hexin::codegen
