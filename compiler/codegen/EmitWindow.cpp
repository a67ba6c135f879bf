//===- EmitWindow.cpp - pooling, and the plain forms of conv and matmul ------------===//
//
// The floor for every windowed op and matrix product: one element at a time, the
// sum in order. What a tuned schedule takes never comes here.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/ElementEmitter.h"
#include "compiler/codegen/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace hexin::codegen {

hx::Dims beginPads(hx::SymbolicShapes &shapes, ArrayRef<int64_t> pads,
                   hx::PadPolicy policy, ArrayRef<int64_t> taps,
                   ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
                   ArrayRef<hx::Dim> inSizes, ArrayRef<hx::Dim> outSizes) {
  hx::SymbolTable &table = shapes.symbols();
  hx::Dims result;
  for (size_t axis = 0; axis < taps.size(); ++axis) {
    if (policy == hx::PadPolicy::explicit_pads) {
      result.push_back(table.constant(pads[axis]));
      continue;
    }
    // total = max(0, (out - 1) * stride + extent - in); the odd one goes to the
    // end for same_upper, to the start for same_lower.
    int64_t extent = dilations[axis] * (taps[axis] - 1) + 1;
    hx::Dim covered = table.add(table.mul(table.sub(outSizes[axis], table.constant(1)),
                                          table.constant(strides[axis])),
                                table.constant(extent));
    hx::Dim total = table.max(table.constant(0), table.sub(covered, inSizes[axis]));
    hx::Dim smaller = table.floorDiv(total, table.constant(2));
    result.push_back(policy == hx::PadPolicy::same_upper ? smaller
                                                         : table.sub(total, smaller));
  }
  return result;
}

namespace {

Type elementType(Value value) {
  return cast<ShapedType>(value.getType()).getElementType();
}

/// Where an op's spatial and channel axes stand.
struct Axes {
  size_t rank;
  size_t channel;
  size_t firstSpatial;
  Axes(size_t rank, hx::Layout layout)
      : rank(rank), channel(layout == hx::Layout::nchw ? 1 : rank - 1),
        firstSpatial(layout == hx::Layout::nchw ? 2 : 1) {}
  size_t numSpatial() const { return rank - 2; }
  template <typename T> SmallVector<T> spatial(ArrayRef<T> all) const {
    return SmallVector<T>(all.slice(firstSpatial, numSpatial()));
  }
};

struct Range {
  Value lower, upper;
};

/// Nested loops over `ranges`, carrying accumulators.
SmallVector<Value>
loopNest(KernelBuilder &k, ArrayRef<Range> ranges, ValueRange init,
         function_ref<SmallVector<Value>(ArrayRef<Value>, ValueRange)> body) {
  SmallVector<Value> indices;
  std::function<SmallVector<Value>(size_t, ValueRange)> nest = [&](size_t depth,
                                                                   ValueRange carried) {
    if (depth == ranges.size())
      return body(indices, carried);
    return k.forLoop(ranges[depth].lower, ranges[depth].upper, k.index(1), carried,
                     [&](Value i, ValueRange inner) {
                       indices.push_back(i);
                       SmallVector<Value> next = nest(depth + 1, inner);
                       indices.pop_back();
                       return next;
                     });
  };
  return nest(0, init);
}

/// Taps of a window that starts at `start` which fall inside [0, size).
Range clippedTaps(KernelBuilder &k, Value start, Value size, int64_t taps,
                  int64_t dilation) {
  Value zero = k.index(0), d = k.index(dilation), dMinusOne = k.index(dilation - 1);
  // First tap with start + t*d >= 0.
  Value before = k.max(zero, k.sub(zero, start));
  Value lower = k.div(k.add(before, dMinusOne), d);
  Value room = k.max(zero, k.sub(size, start));
  Value upper = k.min(k.index(taps), k.div(k.add(room, dMinusOne), d));
  return {lower, upper};
}

Value multiplyAdd(KernelBuilder &k, Value x, Value w, Value acc) {
  OpBuilder &b = k.builder();
  if (isa<FloatType>(getElementTypeOrSelf(x.getType())))
    return math::FmaOp::create(b, k.loc(), x, w, acc);
  Value product = arith::MulIOp::create(b, k.loc(), x, w);
  return arith::AddIOp::create(b, k.loc(), acc, product);
}

} // namespace

Value ElementEmitter::emitWindow(OpResult result, ArrayRef<Value> index, unsigned lanes) {
  OpBuilder &b = k.builder();
  Location loc = k.loc();
  Operation *op = result.getOwner();
  Type type = computeType(elementType(result));
  Value zeroAcc = isa<FloatType>(type) ? k.floatConstant(0, type, lanes)
                                       : k.intConstant(0, type, lanes);

  /// Zero-point-corrected i32 element of an integer op's operand.
  auto corrected = [&](Value operand, Value zeroPoint, ArrayRef<Value> at,
                       Value zeroIndex) {
    Type i32 = b.getI32Type();
    Value x = emitCast(k, emit(operand, at, 1), elementType(operand), i32);
    if (!zeroPoint)
      return x;
    bool isPerAxis = !dims(zeroPoint).empty() &&
                     hx::SymbolTable::constantValue(dims(zeroPoint)[0]) != 1 && zeroIndex;
    SmallVector<Value> zeroAt(dims(zeroPoint).size(), k.index(0));
    if (isPerAxis)
      zeroAt.back() = zeroIndex;
    Value z = emitCast(k, emit(zeroPoint, zeroAt, 1), elementType(zeroPoint), i32);
    return Value(arith::SubIOp::create(b, loc, x, z));
  };

  /// Shared by conv and conv_integer.
  auto convolution = [&](auto conv, auto readInput, auto readWeights) -> Value {
    Axes axes(index.size(), conv.getLayout());
    hx::Dims inDims = dims(conv.getInput());
    hx::Dims weightDims = dims(conv.getWeights());
    SmallVector<int64_t> taps;
    for (size_t axis = 2; axis < weightDims.size(); ++axis)
      taps.push_back(hx::SymbolTable::constantValue(weightDims[axis]).value_or(1));
    hx::Dims pads = beginPads(k.shapes(), conv.getPads(), conv.getPadPolicy(), taps,
                              conv.getStrides(), conv.getDilations(),
                              axes.spatial(ArrayRef<hx::Dim>(inDims)),
                              axes.spatial(ArrayRef<hx::Dim>(dims(result))));
    SmallVector<KExpr> in = sizes(conv.getInput()), w = sizes(conv.getWeights());
    Value channelsPerGroup = k.value(w[1]);
    Value outPerGroup = k.div(k.value(w[0]), k.index(conv.getGroups()));
    Value m = index[axes.channel];
    Value firstChannel = k.mul(k.div(m, outPerGroup), channelsPerGroup);
    SmallVector<Value> starts;
    SmallVector<Range> ranges;
    for (size_t s = 0; s < axes.numSpatial(); ++s) {
      Value start =
          k.sub(k.mul(index[axes.firstSpatial + s], k.index(conv.getStrides()[s])),
                k.value(k.size(pads[s])));
      starts.push_back(start);
      ranges.push_back(clippedTaps(k, start, k.value(in[axes.firstSpatial + s]), taps[s],
                                   conv.getDilations()[s]));
    }
    ranges.push_back({k.index(0), channelsPerGroup});
    return loopNest(k, ranges, {zeroAcc}, [&](ArrayRef<Value> at, ValueRange carried) {
      SmallVector<Value> xAt(axes.rank), wAt{m, at.back()};
      xAt[0] = index[0];
      xAt[axes.channel] = k.add(firstChannel, at.back());
      for (size_t s = 0; s < axes.numSpatial(); ++s) {
        xAt[axes.firstSpatial + s] =
            k.add(starts[s], k.mul(at[s], k.index(conv.getDilations()[s])));
        wAt.push_back(at[s]);
      }
      return SmallVector<Value>{
          multiplyAdd(k, readInput(xAt), readWeights(wAt, m), carried[0])};
    })[0];
  };

  /// Shared by matmul and matmul_integer: batch axes broadcast.
  auto product = [&](Value lhs, Value rhs, bool transposeLhs, bool transposeRhs,
                     auto readLhs, auto readRhs) -> Value {
    size_t rank = index.size();
    Value row = index[rank - 2], column = index[rank - 1];
    auto batchIndex = [&](Value operand) {
      hx::Dims d = dims(operand);
      SmallVector<Value> at;
      for (size_t axis = 0; axis + 2 < d.size(); ++axis) {
        bool isOne = hx::SymbolTable::constantValue(d[axis]) == 1;
        at.push_back(isOne ? k.index(0) : index[rank - d.size() + axis]);
      }
      return at;
    };
    SmallVector<Value> lhsBatch = batchIndex(lhs), rhsBatch = batchIndex(rhs);
    hx::Dims lhsDims = dims(lhs);
    KExpr depth = k.size(lhsDims[lhsDims.size() - (transposeLhs ? 2 : 1)]);
    return loopNest(k, {{k.index(0), k.value(depth)}}, {zeroAcc},
                    [&](ArrayRef<Value> at, ValueRange carried) {
                      SmallVector<Value> l(lhsBatch), r(rhsBatch);
                      l.append({row, at[0]});
                      r.append({at[0], column});
                      if (transposeLhs)
                        std::swap(l[l.size() - 1], l[l.size() - 2]);
                      if (transposeRhs)
                        std::swap(r[r.size() - 1], r[r.size() - 2]);
                      return SmallVector<Value>{multiplyAdd(
                          k, readLhs(l, row), readRhs(r, column), carried[0])};
                    })[0];
  };

  return TypeSwitch<Operation *, Value>(op)
      .Case([&](hx::ConvOp conv) {
        Value sum = convolution(
            conv, [&](ArrayRef<Value> at) { return emit(conv.getInput(), at, 1); },
            [&](ArrayRef<Value> at, Value) { return emit(conv.getWeights(), at, 1); });
        if (!conv.getBias())
          return sum;
        Axes axes(index.size(), conv.getLayout());
        return emitBinary(k, hx::BinaryFn::add, sum,
                          emit(conv.getBias(), {index[axes.channel]}, 1),
                          elementType(result));
      })
      .Case([&](hx::ConvIntegerOp conv) {
        return convolution(
            conv,
            [&](ArrayRef<Value> at) {
              return corrected(conv.getInput(), conv.getInputZeroPoint(), at, Value());
            },
            [&](ArrayRef<Value> at, Value m) {
              return corrected(conv.getWeights(), conv.getWeightsZeroPoint(), at, m);
            });
      })
      .Case([&](hx::MatMulOp matmul) {
        Type lhsType = elementType(matmul.getLhs()),
             rhsType = elementType(matmul.getRhs());
        Type accType = elementType(result);
        return product(
            matmul.getLhs(), matmul.getRhs(), matmul.getTransposeLhs(),
            matmul.getTransposeRhs(),
            [&](ArrayRef<Value> at, Value) {
              return emitCast(k, emit(matmul.getLhs(), at, 1), lhsType, accType);
            },
            [&](ArrayRef<Value> at, Value) {
              return emitCast(k, emit(matmul.getRhs(), at, 1), rhsType, accType);
            });
      })
      .Case([&](hx::MatMulIntegerOp matmul) {
        return product(
            matmul.getLhs(), matmul.getRhs(), false, false,
            [&](ArrayRef<Value> at, Value row) {
              return corrected(matmul.getLhs(), matmul.getLhsZeroPoint(), at, row);
            },
            [&](ArrayRef<Value> at, Value column) {
              return corrected(matmul.getRhs(), matmul.getRhsZeroPoint(), at, column);
            });
      })
      .Case([&](hx::PoolOp pool) -> Value {
        Axes axes(index.size(), pool.getLayout());
        hx::Dims pads =
            beginPads(k.shapes(), pool.getPads(), pool.getPadPolicy(), pool.getWindow(),
                      pool.getStrides(), pool.getDilations(),
                      axes.spatial(ArrayRef<hx::Dim>(dims(pool.getInput()))),
                      axes.spatial(ArrayRef<hx::Dim>(dims(pool.getResult()))));
        SmallVector<KExpr> in = sizes(pool.getInput());
        bool isMax = pool.getFn() == hx::PoolFn::max;
        SmallVector<Value> starts;
        SmallVector<Range> ranges;
        Value count = k.index(1);
        for (size_t s = 0; s < axes.numSpatial(); ++s) {
          Value size = k.value(in[axes.firstSpatial + s]);
          int64_t taps = pool.getWindow()[s], dilation = pool.getDilations()[s];
          Value start =
              k.sub(k.mul(index[axes.firstSpatial + s], k.index(pool.getStrides()[s])),
                    k.value(k.size(pads[s])));
          starts.push_back(start);
          ranges.push_back(clippedTaps(k, start, size, taps, dilation));
          if (pool.getFn() == hx::PoolFn::avg) {
            count = k.mul(count, k.sub(ranges[s].upper, ranges[s].lower));
          } else if (pool.getFn() == hx::PoolFn::avg_include_pad) {
            // Inside input + pads: the ceil_mode overhang does not count.
            Value end = k.add(size, k.index(pool.getPads()[axes.numSpatial() + s]));
            Range padded = clippedTaps(k, k.max(start, k.index(0)), end, taps, dilation);
            Value before = k.sub(k.max(start, k.index(0)), start);
            Value skipped =
                k.div(k.add(before, k.index(dilation - 1)), k.index(dilation));
            Value room = k.sub(k.index(taps), skipped);
            Value inside = k.add(skipped, k.min(room, padded.upper));
            count = k.mul(count, inside);
          }
        }
        Value init = isMax ? reduceIdentity(k, hx::ReduceFn::max,
                                            elementType(pool.getInput()), lanes)
                           : zeroAcc;
        auto position = [&](ArrayRef<Value> at) {
          SmallVector<Value> xAt(axes.rank);
          xAt[0] = index[0];
          xAt[axes.channel] = index[axes.channel];
          for (size_t s = 0; s < axes.numSpatial(); ++s)
            xAt[axes.firstSpatial + s] =
                k.add(starts[s], k.mul(at[s], k.index(pool.getDilations()[s])));
          return xAt;
        };
        if (result.getResultNumber() == 1) {
          // Flat index of the first maximum, nchw order whatever the layout.
          SmallVector<KExpr> order;
          Value minusOne = k.index(-1);
          SmallVector<Value> best = loopNest(
              k, ranges,
              {reduceIdentity(k, hx::ReduceFn::max, elementType(pool.getInput()), 1),
               minusOne},
              [&](ArrayRef<Value> at, ValueRange carried) {
                SmallVector<Value> xAt = position(at);
                Value x = emit(pool.getInput(), xAt, 1);
                Value flat =
                    k.add(k.mul(xAt[0], k.value(in[axes.channel])), xAt[axes.channel]);
                for (size_t s = 0; s < axes.numSpatial(); ++s)
                  flat = k.mul(flat, k.value(in[axes.firstSpatial + s]));
                Value plane = k.index(0);
                for (size_t i = 0; i < axes.numSpatial(); ++i) {
                  size_t s = pool.getStorageOrder() ? axes.numSpatial() - 1 - i : i;
                  plane = k.add(k.mul(plane, k.value(in[axes.firstSpatial + s])),
                                xAt[axes.firstSpatial + s]);
                }
                flat = k.add(flat, plane);
                Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                                      carried[1], minusOne);
                Value isGreater = emitCompare(k, hx::ComparePredicate::lt, carried[0], x,
                                              elementType(pool.getInput()));
                Value takes = arith::OrIOp::create(b, loc, isFirst, isGreater);
                return SmallVector<Value>{
                    arith::SelectOp::create(b, loc, takes, x, carried[0]),
                    arith::SelectOp::create(b, loc, takes, flat, carried[1])};
              });
          return arith::IndexCastOp::create(b, loc, b.getI64Type(), best[1]);
        }
        Value folded =
            loopNest(k, ranges, {init}, [&](ArrayRef<Value> at, ValueRange carried) {
              Value x = emit(pool.getInput(), position(at), lanes);
              return SmallVector<Value>{
                  emitReduceStep(k, isMax ? hx::ReduceFn::max : hx::ReduceFn::sum,
                                 carried[0], x, elementType(pool.getInput()))};
            })[0];
        if (isMax || pool.getFn() == hx::PoolFn::sum)
          return folded;
        Value n = arith::IndexCastOp::create(b, loc, b.getI64Type(), count);
        Value divisor = arith::SIToFPOp::create(b, loc, type, n);
        return arith::DivFOp::create(b, loc, folded, k.splat(divisor, lanes));
      })
      .Case([&](hx::ConvTransposeOp conv) -> Value {
        Axes axes(index.size(), conv.getLayout());
        hx::Dims inDims = dims(conv.getInput()), outDims = dims(result);
        SmallVector<KExpr> in = sizes(conv.getInput()), w = sizes(conv.getWeights());
        hx::SymbolTable &table = k.shapes().symbols();
        Value outPerGroup = k.value(w[1]);
        Value inPerGroup = k.div(k.value(w[0]), k.index(conv.getGroups()));
        Value m = index[axes.channel];
        Value group = k.div(m, outPerGroup);
        Value mInGroup = k.sub(m, k.mul(group, outPerGroup));
        SmallVector<Range> ranges;
        SmallVector<Value> shifted;
        for (size_t s = 0; s < axes.numSpatial(); ++s) {
          hx::Dim inSize = inDims[axes.firstSpatial + s],
                  outSize = outDims[axes.firstSpatial + s];
          int64_t taps =
              hx::SymbolTable::constantValue(dims(conv.getWeights())[2 + s]).value_or(1);
          int64_t extent = conv.getDilations()[s] * (taps - 1) + 1;
          hx::Dim pad = table.constant(conv.getPads()[s]);
          if (conv.getOutputSize() ||
              conv.getPadPolicy() != hx::PadPolicy::explicit_pads) {
            // total = stride*(in-1) + outputPadding + extent - out, the larger half
            // first unless same_upper; negative counts as 0.
            hx::Dim natural =
                table.add(table.mul(table.sub(inSize, table.constant(1)),
                                    table.constant(conv.getStrides()[s])),
                          table.constant(extent + conv.getOutputPadding()[s]));
            hx::Dim total = table.max(table.constant(0), table.sub(natural, outSize));
            hx::Dim half = table.floorDiv(total, table.constant(2));
            pad = conv.getPadPolicy() == hx::PadPolicy::same_upper
                      ? half
                      : table.sub(total, half);
          }
          shifted.push_back(k.add(index[axes.firstSpatial + s], k.value(k.size(pad))));
          ranges.push_back({k.index(0), k.index(taps)});
        }
        ranges.push_back({k.index(0), inPerGroup});
        Value sum =
            loopNest(k, ranges, {zeroAcc}, [&](ArrayRef<Value> at, ValueRange carried) {
              SmallVector<Value> xAt(axes.rank), wAt;
              Value isInside;
              Value c = k.add(k.mul(group, inPerGroup), at.back());
              xAt[0] = index[0];
              xAt[axes.channel] = c;
              wAt.append({c, mInGroup});
              for (size_t s = 0; s < axes.numSpatial(); ++s) {
                // The input position whose tap `at[s]` lands here, if there is one.
                Value stride = k.index(conv.getStrides()[s]);
                Value offset =
                    k.sub(shifted[s], k.mul(at[s], k.index(conv.getDilations()[s])));
                Value nonNegative = arith::CmpIOp::create(
                    b, loc, arith::CmpIPredicate::sge, offset, k.index(0));
                Value clamped = k.max(offset, k.index(0));
                Value source = k.div(clamped, stride);
                Value isMultiple = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                                         k.mul(source, stride), clamped);
                Value below = k.less(source, k.value(in[axes.firstSpatial + s]));
                Value inside = arith::AndIOp::create(b, loc, nonNegative, isMultiple);
                inside = arith::AndIOp::create(b, loc, inside, below);
                isInside = isInside
                               ? Value(arith::AndIOp::create(b, loc, isInside, inside))
                               : inside;
                xAt[axes.firstSpatial + s] = source;
                wAt.push_back(at[s]);
              }
              return k.ifElse(
                  isInside, TypeRange{type},
                  [&] {
                    return SmallVector<Value>{
                        multiplyAdd(k, emit(conv.getInput(), xAt, 1),
                                    emit(conv.getWeights(), wAt, 1), carried[0])};
                  },
                  [&] { return SmallVector<Value>{carried[0]}; });
            })[0];
        if (!conv.getBias())
          return sum;
        return emitBinary(k, hx::BinaryFn::add, sum, emit(conv.getBias(), {m}, 1),
                          elementType(result));
      })
      .Default(Value());
}

//===----------------------------------------------------------------------===//
// Resize: separable taps per axis that changes
//===----------------------------------------------------------------------===//

Value ElementEmitter::emitResize(hx::ResizeOp op, ArrayRef<Value> index, unsigned lanes) {
  OpBuilder &b = k.builder();
  Location loc = k.loc();
  Type f32 = b.getF32Type();
  hx::Dims in = dims(op.getInput()), out = dims(op.getResult());
  auto scales = op.getScales().getDefiningOp<hx::ConstantOp>();
  auto toFloat = [&](Value i) -> Value {
    Value wide = arith::IndexCastOp::create(b, loc, b.getI64Type(), i);
    return arith::SIToFPOp::create(b, loc, f32, wide);
  };
  auto c = [&](double v) { return k.floatConstant(v, f32, 1); };
  auto mulf = [&](Value x, Value y) -> Value {
    return arith::MulFOp::create(b, loc, x, y);
  };
  auto addf = [&](Value x, Value y) -> Value {
    return arith::AddFOp::create(b, loc, x, y);
  };
  auto subf = [&](Value x, Value y) -> Value {
    return arith::SubFOp::create(b, loc, x, y);
  };
  auto divf = [&](Value x, Value y) -> Value {
    return arith::DivFOp::create(b, loc, x, y);
  };
  StringRef coordinates = op.getCoordinates();

  struct Tap {
    Value position, weight;
  };
  SmallVector<SmallVector<Tap>> taps(index.size());
  for (size_t axis = 0; axis < index.size(); ++axis) {
    if (in[axis] == out[axis]) {
      taps[axis] = {{index[axis], Value()}};
      continue;
    }
    Value n = k.value(k.size(in[axis])), m = k.value(k.size(out[axis]));
    Value inSize = toFloat(n), outSize = toFloat(m), i = toFloat(index[axis]);
    Value scale = divf(outSize, inSize);
    if (scales)
      scale = c(cast<DenseElementsAttr>(scales.getValue())
                    .getValues<APFloat>()[axis]
                    .convertToDouble());
    Value x;
    if (coordinates == "asymmetric") {
      x = divf(i, scale);
    } else if (coordinates == "align_corners") {
      Value span = subf(scales ? mulf(inSize, scale) : outSize, c(1));
      Value isOne = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, span, c(0));
      Value safe = arith::SelectOp::create(b, loc, isOne, c(1), span);
      Value at = divf(mulf(i, subf(inSize, c(1))), safe);
      x = arith::SelectOp::create(b, loc, isOne, c(0), at);
    } else {
      x = subf(divf(addf(i, c(0.5)), scale), c(0.5));
      if (coordinates == "half_pixel_symmetric") {
        Value adjustment = divf(outSize, mulf(inSize, scale));
        Value centre = divf(inSize, c(2));
        x = addf(mulf(centre, subf(c(1), adjustment)), x);
      } else if (coordinates == "pytorch_half_pixel") {
        Value isOne =
            arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, m, k.index(1));
        x = arith::SelectOp::create(b, loc, isOne, c(0), x);
      }
    }
    auto toIndex = [&](Value v) -> Value {
      Value wide = arith::FPToSIOp::create(b, loc, b.getI64Type(), v);
      return arith::IndexCastOp::create(b, loc, b.getIndexType(), wide);
    };
    auto clamped = [&](Value i) {
      return k.max(k.index(0), k.min(i, k.sub(n, k.index(1))));
    };
    if (op.getMode() == hx::ResizeMode::nearest) {
      StringRef nearest = op.getNearest();
      Value rounded;
      if (nearest == "floor")
        rounded = math::FloorOp::create(b, loc, x);
      else if (nearest == "ceil")
        rounded = math::CeilOp::create(b, loc, x);
      else if (nearest == "round_prefer_ceil")
        rounded = math::FloorOp::create(b, loc, addf(x, c(0.5)));
      else
        rounded = math::CeilOp::create(b, loc, subf(x, c(0.5)));
      taps[axis] = {{clamped(toIndex(rounded)), Value()}};
      continue;
    }
    Value base = math::FloorOp::create(b, loc, x);
    Value t = subf(x, base);
    Value first = toIndex(base);
    if (op.getMode() == hx::ResizeMode::linear) {
      taps[axis] = {{clamped(first), subf(c(1), t)},
                    {clamped(k.add(first, k.index(1))), t}};
      continue;
    }
    // Cubic convolution with coefficient a: near and far taps.
    Value a = c(op.getCubicCoefficient().convertToDouble());
    auto nearTap = [&](Value d) { // ((a+2)d - (a+3)) d^2 + 1
      return addf(mulf(subf(mulf(addf(a, c(2)), d), addf(a, c(3))), mulf(d, d)), c(1));
    };
    auto farTap = [&](Value d) { // ((a d - 5a) d + 8a) d - 4a
      Value inner = subf(mulf(a, d), mulf(c(5), a));
      inner = addf(mulf(inner, d), mulf(c(8), a));
      return subf(mulf(inner, d), mulf(c(4), a));
    };
    Value weights[4] = {farTap(addf(t, c(1))), nearTap(t), nearTap(subf(c(1), t)),
                        farTap(subf(c(2), t))};
    for (int64_t tap = 0; tap < 4; ++tap) {
      Value at = k.add(first, k.index(tap - 1));
      Value weight = weights[tap];
      if (op.getExcludeOutside()) {
        Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at, n);
        weight = arith::SelectOp::create(b, loc, inside, weight, c(0));
      }
      taps[axis].push_back({clamped(at), weight});
    }
    if (op.getExcludeOutside()) {
      Value total = taps[axis][0].weight;
      for (size_t tap = 1; tap < 4; ++tap)
        total = addf(total, taps[axis][tap].weight);
      for (Tap &tap : taps[axis])
        tap.weight = divf(tap.weight, total);
    }
  }

  Type sourceType = elementType(op.getInput());
  SmallVector<Value> at(index.size());
  std::function<Value(size_t)> sum = [&](size_t axis) -> Value {
    if (axis == index.size())
      return emitCast(k, emit(op.getInput(), at, lanes), sourceType, f32);
    Value total;
    for (const Tap &tap : taps[axis]) {
      at[axis] = tap.position;
      Value term = sum(axis + 1);
      if (tap.weight)
        term = mulf(term, k.splat(tap.weight, lanes));
      total = total ? addf(total, term) : term;
    }
    return total;
  };
  Value result = sum(0);
  Type type = elementType(op.getResult());
  if (isa<FloatType>(type))
    return emitCast(k, result, f32, type);
  // Integers: round half to even, saturate.
  return emitQuantize(k, result, k.floatConstant(1, f32, lanes), Value(), type);
}

} // namespace hexin::codegen
