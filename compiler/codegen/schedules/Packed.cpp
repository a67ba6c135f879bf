//===- Packed.cpp - matrix products and convolutions over packed panels -----===//
//
// One loop nest for matmul, conv and depthwise conv (channels last). A *row* is a
// row of the left matrix, or an output pixel; *columns* are output channels,
// stored in panels of `width` (encoding hx.panels). A register tile of R rows x V
// vectors runs over the whole depth; the epilogue is applied to it in registers.
//
//   item = (superblock of rows, panel, block of 48 rows)
//     for tiles of R rows in the block
//       for taps (conv), for depth:
//         acc[r][v] += splat(lhs[row r]) * panel[depth][v]
//       store epilogue(acc)
//
// A superblock's rows stay in the second-level cache while the panels pass. The
// last tile overlaps the one before when R does not divide the rows: it computes
// the same values again. A partial last panel goes through scratch.
//
// Padding: a tile whose taps all lie inside takes the plain loop, in which the
// taps of one kernel row and the channels are one contiguous run; a border tile
// masks each row's loads.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

constexpr int64_t blockRows = 48; // a multiple of every tile's rows
constexpr int64_t blocksPerSuperblock = 8;

Type elementType(Value value) {
  return cast<ShapedType>(value.getType()).getElementType();
}

hx::PanelsAttr panelsOf(Value value) {
  return dyn_cast_or_null<hx::PanelsAttr>(
      cast<RankedTensorType>(value.getType()).getEncoding());
}

class PackedEmitter {
public:
  explicit PackedEmitter(ElementEmitter &emitter)
      : emitter(emitter), k(emitter.kernel()), b(k.builder()), loc(k.loc()) {}

  LogicalResult run() {
    heavy = heavyOp(emitter.groupOp());
    if (auto conv = dyn_cast<hx::ConvOp>(heavy))
      describe(conv);
    else
      describe(cast<hx::MatMulOp>(heavy));

    emitter.provide(heavy->getResult(0), [this](ArrayRef<Value> index, unsigned lanes) {
      return current(index, lanes);
    });
    emitter.collapse(heavy, /*keepLast=*/true);
    rootSizes = emitter.sizes(emitter.yielded());

    unsigned maxLanes = k.traits().vectorLanes;
    if (accType.getIntOrFloatBitWidth() > 32)
      maxLanes = std::max(1u, maxLanes / 2);
    lanes = std::min<unsigned>(maxLanes, width);
    vectors = std::min<unsigned>(k.traits().tileVectors, width / lanes);
    tileRows = k.traits().tileRows;
    // A narrow panel leaves registers for more rows.
    if (vectors < k.traits().tileVectors && tileRows < 12 && lanes > 1)
      tileRows = 12;
    epilogueLanes = emitter.lanes() > 1 ? lanes : 1;

    KExpr panels = k.exprs().ceilDiv(columns, k.constantExpr(width));
    KExpr blocks = k.exprs().ceilDiv(rows, k.constantExpr(blockRows));
    KExpr superblocks = k.exprs().ceilDiv(blocks, k.constantExpr(blocksPerSuperblock));
    SmallVector<KExpr> space{outer, superblocks, panels,
                             k.constantExpr(blocksPerSuperblock)};
    Value item = k.beginItems(k.exprs().product(space));
    SmallVector<Value> at = k.delinearize(item, space);
    outerIndex = at[0];
    panel = at[2];
    Value rowBegin = k.mul(k.add(k.mul(at[1], k.index(blocksPerSuperblock)), at[3]),
                           k.index(blockRows));
    k.ifThen(k.less(rowBegin, k.value(rows)), [&] {
      Value rowEnd = k.min(k.add(rowBegin, k.index(blockRows)), k.value(rows));
      setUpItem();
      for (unsigned column = 0; column < width; column += vectors * lanes) {
        columnOffset = column;
        rowTiles(rowBegin, rowEnd);
      }
    });
    return success();
  }

private:
  // -- the problem -------------------------------------------------------------
  void describe(hx::MatMulOp matmul) {
    lhs = matmul.getLhs();
    rhs = matmul.getRhs();
    width = panelsOf(rhs).getWidth();
    accType = computeType(elementType(matmul.getResult()));
    SmallVector<KExpr> l = emitter.sizes(lhs), r = emitter.sizes(rhs);
    bool isTransposed = panelsOf(rhs).getTransposed();
    columns = r[r.size() - (isTransposed ? 2 : 1)];
    hx::Dims rhsDims = emitter.dims(rhs);
    columnsAreFull = isMultiple(rhsDims[rhsDims.size() - (isTransposed ? 2 : 1)]);
    depth = l.back();
    bool isBatched = llvm::any_of(ArrayRef(r).drop_back(2), [&](KExpr size) {
      return k.exprs().constantValue(size) != 1;
    });
    if (isBatched) {
      rows = l[l.size() - 2];
      SmallVector<KExpr> result = emitter.sizes(matmul.getResult());
      batchSizes.assign(result.begin(), result.end() - 2);
      outer = k.exprs().product(batchSizes);
    } else {
      rows = k.exprs().product(ArrayRef(l).drop_back());
      outer = k.constantExpr(1);
    }
  }

  void describe(hx::ConvOp op) {
    conv = op;
    lhs = op.getInput();
    rhs = op.getWeights();
    width = panelsOf(rhs).getWidth();
    accType = computeType(elementType(op.getResult()));
    SmallVector<KExpr> in = emitter.sizes(lhs), out = emitter.sizes(op.getResult());
    hx::Dims weightDims = emitter.dims(rhs);
    auto constant = [&](hx::Dim dim) { return *hx::SymbolTable::constantValue(dim); };
    isDepthwise = op.getGroups() > 1 && constant(weightDims[1]) == 1;
    int64_t groups = isDepthwise ? 1 : op.getGroups();
    taps = {constant(weightDims[2]), constant(weightDims[3])};
    hx::Dim columnsDim = k.shapes().symbols().constant(constant(weightDims[0]) / groups);
    columns = k.size(columnsDim);
    columnsAreFull = isMultiple(columnsDim);
    depth = k.size(weightDims[1]);
    channels = in[3];
    rows = k.exprs().product({out[0], out[1], out[2]});
    outer = k.constantExpr(groups);
    hx::Dims inDims = emitter.dims(lhs), outDims = emitter.dims(op.getResult());
    hx::Dims pads =
        beginPads(k.shapes(), op.getPads(), op.getPadPolicy(), taps, op.getStrides(),
                  op.getDilations(), ArrayRef<hx::Dim>(inDims).slice(1, 2),
                  ArrayRef<hx::Dim>(outDims).slice(1, 2));
    hasPads = op.getPadPolicy() != hx::PadPolicy::explicit_pads ||
              llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; });
    for (hx::Dim pad : pads)
      beginPad.push_back(k.size(pad));
    inSizes = in;
    outSizes = out;
    isPointwise = taps[0] == 1 && taps[1] == 1 && !hasPads && op.getStrides()[0] == 1 &&
                  op.getStrides()[1] == 1;
  }

  bool isMultiple(hx::Dim dim) const {
    auto constant = hx::SymbolTable::constantValue(dim);
    return constant && *constant % width == 0;
  }

  // -- once per item ---------------------------------------------------------------
  void setUpItem() {
    lhsMemref = emitter.memrefOf(lhs);
    // The footprint of a packed operand is that of its panels.
    auto argument = cast<BlockArgument>(rhs);
    KExpr panels = k.exprs().ceilDiv(columns, k.constantExpr(width));
    KExpr tapsDepth = k.exprs().mul(depth, k.constantExpr(conv ? taps[0] * taps[1] : 1));
    KExpr matrix = k.exprs().product({panels, tapsDepth, k.constantExpr(width)});
    KExpr matrices = outer;
    if (!conv) {
      SmallVector<KExpr> r = emitter.sizes(rhs);
      matrices = k.exprs().product(ArrayRef(r).drop_back(2));
    }
    rhsMemref = k.bind(emitter.groupOp().getInputs()[argument.getArgNumber()],
                       k.exprs().mul(matrices, matrix));
    lhsBase = k.index(0);
    Value matrixNumber = k.index(0);
    if (conv) {
      matrixNumber = outerIndex;
      lhsBase = k.mul(outerIndex, k.value(depth)); // first channel of the group
    } else if (!batchSizes.empty()) {
      SmallVector<Value> at = k.delinearize(outerIndex, batchSizes);
      lhsBase = k.mul(batchOffset(lhs, at), k.mul(k.value(rows), k.value(depth)));
      matrixNumber = batchOffset(rhs, at);
    }
    panelBase = k.add(k.mul(matrixNumber, k.value(matrix)),
                      k.mul(panel, k.mul(k.value(tapsDepth), k.index(width))));
    firstColumn = k.mul(panel, k.index(width));
  }

  /// Which matrix of `operand` belongs to the result's batch position `at`.
  Value batchOffset(Value operand, ArrayRef<Value> at) {
    SmallVector<KExpr> sizes = emitter.sizes(operand);
    Value offset = k.index(0);
    size_t batchRank = sizes.size() - 2;
    for (size_t axis = 0; axis < batchRank; ++axis) {
      Value i = at[at.size() - batchRank + axis];
      if (k.exprs().constantValue(sizes[axis]) == 1)
        i = k.index(0);
      offset = k.add(k.mul(offset, k.value(sizes[axis])), i);
    }
    return offset;
  }

  // -- rows ------------------------------------------------------------------------
  void rowTiles(Value rowBegin, Value rowEnd) {
    Value tile = k.index(tileRows);
    Value fits =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, k.value(rows), tile);
    auto ifOp = scf::IfOp::create(b, loc, fits, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(ifOp.thenBlock()->getTerminator());
    k.forLoop(rowBegin, rowEnd, tile, {}, [&](Value row, ValueRange) {
      tileAt(k.min(row, k.sub(k.value(rows), tile)), tileRows);
      return SmallVector<Value>();
    });
    b.setInsertionPoint(ifOp.elseBlock()->getTerminator());
    k.forLoop(rowBegin, rowEnd, k.index(1), {}, [&](Value row, ValueRange) {
      tileAt(row, 1);
      return SmallVector<Value>();
    });
  }

  struct Row {
    Value flat; ///< row number within the matrix (pixels: n*oh*ow)
    Value base; ///< position of its first element in the lhs
    Value y, x; ///< conv: input coordinates of tap (0, 0), may be negative
  };

  Row rowAt(Value flat) {
    Row row;
    row.flat = flat;
    if (!conv) {
      row.base = k.add(lhsBase, k.mul(flat, k.value(depth)));
      return row;
    }
    if (isPointwise) {
      row.base = k.add(lhsBase, k.mul(flat, k.value(channels)));
      return row;
    }
    SmallVector<Value> at = k.delinearize(flat, ArrayRef(outSizes).take_front(3));
    row.y = k.sub(k.mul(at[1], k.index(conv.getStrides()[0])), k.value(beginPad[0]));
    row.x = k.sub(k.mul(at[2], k.index(conv.getStrides()[1])), k.value(beginPad[1]));
    Value pixel = k.mul(at[0], k.value(inSizes[1]));
    pixel = k.mul(k.add(pixel, row.y), k.value(inSizes[2]));
    row.base = k.add(lhsBase, k.mul(k.add(pixel, row.x), k.value(channels)));
    return row;
  }

  // -- one register tile --------------------------------------------------------------
  using Accumulators = SmallVector<Value>; // [row * vectors + vector]

  void tileAt(Value firstRow, unsigned count) {
    SmallVector<Row> tile;
    for (unsigned r = 0; r < count; ++r)
      tile.push_back(rowAt(k.add(firstRow, k.index(r))));
    Value column = k.add(firstColumn, k.index(columnOffset));

    auto whole = [&] {
      Accumulators acc(count * vectors, k.floatConstant(0, accType, lanes));
      acc = accumulate(tile, acc, lanes, vectors, k.index(columnOffset));
      writeTile(tile, acc, column);
    };
    if (columnsAreFull)
      return whole();
    Value end = k.add(column, k.index(vectors * lanes));
    Value isFull =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, end, k.value(columns));
    auto ifOp = scf::IfOp::create(b, loc, isFull, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(ifOp.thenBlock()->getTerminator());
    whole();
    b.setInsertionPoint(ifOp.elseBlock()->getTerminator());
    partialColumns(tile, column);
  }

  void partialColumns(ArrayRef<Row> tile, Value column) {
    Value remaining = k.min(k.index(vectors * lanes), k.sub(k.value(columns), column));
    auto writeElement = [&](const Row &row, Value element, Value at) {
      scalar = element;
      writeOne(row, at, 1);
      scalar = Value();
    };
    if (isDepthwise) {
      // Vector loads of the input would run past its end: one channel at a time.
      k.forLoop(k.index(0), remaining, k.index(1), {}, [&](Value c, ValueRange) {
        Accumulators acc(tile.size(), k.floatConstant(0, accType, 1));
        acc = accumulate(tile, acc, 1, 1, k.add(k.index(columnOffset), c));
        for (auto [row, value] : llvm::zip(tile, acc))
          writeElement(row, value, k.add(column, c));
        return SmallVector<Value>();
      });
      return;
    }
    Accumulators acc(tile.size() * vectors, k.floatConstant(0, accType, lanes));
    acc = accumulate(tile, acc, lanes, vectors, k.index(columnOffset));
    Value buffer = k.scratch(tile.size() * vectors * lanes, accType);
    for (auto [i, value] : llvm::enumerate(acc)) {
      Value at = k.index(i * lanes);
      if (lanes > 1)
        vector::StoreOp::create(b, loc, value, buffer, ValueRange(at));
      else
        memref::StoreOp::create(b, loc, value, buffer, ValueRange(at));
    }
    for (auto [r, row] : llvm::enumerate(tile)) {
      k.forLoop(k.index(0), remaining, k.index(1), {}, [&](Value c, ValueRange) {
        Value at = k.add(k.index(r * vectors * lanes), c);
        Value element = memref::LoadOp::create(b, loc, buffer, ValueRange(at));
        writeElement(row, element, k.add(column, c));
        return SmallVector<Value>();
      });
    }
  }

  void writeTile(ArrayRef<Row> tile, const Accumulators &acc, Value column) {
    for (auto [r, row] : llvm::enumerate(tile))
      for (unsigned v = 0; v < vectors; ++v) {
        Value value = acc[r * vectors + v];
        Value at = k.add(column, k.index(v * lanes));
        if (epilogueLanes == lanes) {
          scalar = value;
          writeOne(row, at, lanes);
        } else {
          for (unsigned lane = 0; lane < lanes; ++lane) {
            scalar = vector::ExtractOp::create(b, loc, value, ArrayRef<int64_t>{lane});
            writeOne(row, k.add(at, k.index(lane)), 1);
          }
        }
        scalar = Value();
      }
  }

  /// Bias, epilogue and store of what `scalar` holds.
  void writeOne(const Row &row, Value column, unsigned count) {
    Value flat = row.flat;
    Value channel = column;
    if (conv)
      channel = k.add(k.mul(outerIndex, k.value(columns)), column);
    else if (!batchSizes.empty())
      flat = k.add(k.mul(outerIndex, k.value(rows)), flat);
    if (conv && conv.getBias()) {
      Value bias = emitter.emit(conv.getBias(), {channel}, count);
      scalar = arith::AddFOp::create(b, loc, scalar, bias);
    }
    SmallVector<Value> index = k.delinearize(flat, ArrayRef(rootSizes).drop_back());
    index.push_back(channel);
    Value result = emitter.emit(emitter.yielded(), index, count);
    emitter.store(0, index, result);
  }

  Value current(ArrayRef<Value>, unsigned count) {
    // A last axis of size 1 is read as one element and broadcast.
    if (count == 1 && isa<VectorType>(scalar.getType()))
      return vector::ExtractOp::create(b, loc, scalar, ArrayRef<int64_t>{0});
    return scalar;
  }

  // -- the sums ------------------------------------------------------------------------
  Value panelVector(Value position, unsigned count) {
    Value value = k.load(rhsMemref, position, count, elementType(rhs));
    return emitCast(k, value, elementType(rhs), accType);
  }

  /// acc += lhs[bases[r] + i] * panel[i] for i in [0, length). `inside[r]`, where
  /// given, masks a row.
  Accumulators run(ArrayRef<Value> bases, ArrayRef<Value> inside, Value length,
                   Value position, ValueRange acc, unsigned count, unsigned perRow) {
    return k.forLoop(
        k.index(0), length, k.index(1), acc, [&](Value i, ValueRange carried) {
          SmallVector<Value> panelVectors;
          Value at = k.add(position, k.mul(i, k.index(width)));
          for (unsigned v = 0; v < perRow; ++v)
            panelVectors.push_back(panelVector(k.add(at, k.index(v * count)), count));
          SmallVector<Value> next;
          for (size_t r = 0; r < bases.size(); ++r) {
            Value x = k.load(lhsMemref, k.add(bases[r], i), 1, elementType(lhs));
            if (!inside.empty())
              x = arith::SelectOp::create(b, loc, inside[r], x,
                                          k.floatConstant(0, accType, 1));
            x = k.splat(x, count);
            for (unsigned v = 0; v < perRow; ++v)
              next.push_back(math::FmaOp::create(b, loc, x, panelVectors[v],
                                                 carried[r * perRow + v]));
          }
          return next;
        });
  }

  /// Depthwise: one tap, the channels side by side.
  Accumulators tap(ArrayRef<Value> bases, Value position, ValueRange acc, unsigned count,
                   unsigned perRow, Value channel) {
    SmallVector<Value> panelVectors, next;
    for (unsigned v = 0; v < perRow; ++v)
      panelVectors.push_back(panelVector(k.add(position, k.index(v * count)), count));
    for (size_t r = 0; r < bases.size(); ++r)
      for (unsigned v = 0; v < perRow; ++v) {
        Value at = k.add(bases[r], k.add(channel, k.index(v * count)));
        Value x = k.load(lhsMemref, at, count, elementType(lhs));
        next.push_back(
            math::FmaOp::create(b, loc, x, panelVectors[v], acc[r * perRow + v]));
      }
    return next;
  }

  /// Depthwise: all taps, or those of `clip` that lie inside of the image.
  Accumulators depthwiseTaps(ArrayRef<Value> bases, std::optional<Row> clip,
                             Value position, ValueRange init, unsigned count,
                             unsigned perRow, Value channel) {
    auto range = [&](Value start, Value size, int64_t numTaps, int64_t dilation) {
      Value d = k.index(dilation), round = k.index(dilation - 1);
      Value before = k.max(k.index(0), k.sub(k.index(0), start));
      Value room = k.max(k.index(0), k.sub(size, start));
      return std::pair(k.div(k.add(before, round), d),
                       k.min(k.index(numTaps), k.div(k.add(room, round), d)));
    };
    int64_t dilationY = conv.getDilations()[0], dilationX = conv.getDilations()[1];
    std::pair<Value, Value> ys{k.index(0), k.index(taps[0])},
        xs{k.index(0), k.index(taps[1])};
    if (clip) {
      ys = range(clip->y, k.value(inSizes[1]), taps[0], dilationY);
      xs = range(clip->x, k.value(inSizes[2]), taps[1], dilationX);
    }
    Value rowPitch = k.mul(k.value(inSizes[2]), k.value(channels));
    return k.forLoop(
        ys.first, ys.second, k.index(1), init, [&](Value ky, ValueRange acc) {
          Value rowOffset = k.mul(k.mul(ky, k.index(dilationY)), rowPitch);
          Value firstTap = k.mul(ky, k.index(taps[1]));
          return k.forLoop(
              xs.first, xs.second, k.index(1), acc, [&](Value kx, ValueRange inner) {
                Value offset = k.add(
                    rowOffset, k.mul(k.mul(kx, k.index(dilationX)), k.value(channels)));
                SmallVector<Value> tapBases;
                for (Value base : bases)
                  tapBases.push_back(k.add(base, offset));
                Value at = k.add(position, k.mul(k.add(firstTap, kx), k.index(width)));
                return tap(tapBases, at, inner, count, perRow, channel);
              });
        });
  }

  Accumulators accumulate(ArrayRef<Row> tile, ValueRange init, unsigned count,
                          unsigned perRow, Value columnInPanel) {
    SmallVector<Value> bases;
    for (const Row &row : tile)
      bases.push_back(row.base);
    Value position = k.add(panelBase, columnInPanel);
    if (!conv || isPointwise) {
      if (isDepthwise)
        return tap(bases, position, init, count, perRow,
                   k.add(firstColumn, columnInPanel));
      return run(bases, {}, k.value(depth), position, init, count, perRow);
    }

    Value inH = k.value(inSizes[1]), inW = k.value(inSizes[2]);
    Value rowPitch = k.mul(inW, k.value(channels));
    int64_t dilationY = conv.getDilations()[0], dilationX = conv.getDilations()[1];
    auto all = [&](SmallVector<Value> conditions) {
      Value result = conditions[0];
      for (Value condition : ArrayRef(conditions).drop_front())
        result = arith::AndIOp::create(b, loc, result, condition);
      return result;
    };
    auto isInside = [&](Value at, Value size) -> Value {
      return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at, size);
    };
    Value xInside;
    if (hasPads) {
      SmallVector<Value> conditions;
      for (const Row &row : tile) {
        conditions.push_back(isInside(row.x, inW));
        conditions.push_back(
            isInside(k.add(row.x, k.index((taps[1] - 1) * dilationX)), inW));
      }
      xInside = all(conditions);
    }

    if (isDepthwise && !hasPads)
      return depthwiseTaps(bases, std::nullopt, position, init, count, perRow,
                           k.add(firstColumn, columnInPanel));
    if (isDepthwise) {
      SmallVector<Value> conditions{xInside};
      for (const Row &row : tile) {
        conditions.push_back(isInside(row.y, inH));
        conditions.push_back(
            isInside(k.add(row.y, k.index((taps[0] - 1) * dilationY)), inH));
      }
      Value channel = k.add(firstColumn, columnInPanel);
      return k.ifElse(
          all(conditions), init.getTypes(),
          [&] {
            return depthwiseTaps(bases, std::nullopt, position, init, count, perRow,
                                 channel);
          },
          [&] {
            // At a border: pixel by pixel, over the taps that lie inside.
            Accumulators result;
            for (size_t r = 0; r < tile.size(); ++r)
              llvm::append_range(result, depthwiseTaps({bases[r]}, tile[r], position,
                                                       init.slice(r * perRow, perRow),
                                                       count, perRow, channel));
            return result;
          });
    }

    return k.forLoop(
        k.index(0), k.index(taps[0]), k.index(1), init, [&](Value ky, ValueRange acc) {
          Value dy = k.mul(ky, k.index(dilationY));
          Value rowOffset = k.mul(dy, rowPitch);
          Value tapRow =
              k.mul(k.mul(ky, k.index(taps[1])), k.mul(k.value(depth), k.index(width)));
          Value panelRow = k.add(position, tapRow);
          SmallVector<Value> rowBases;
          for (Value base : bases)
            rowBases.push_back(k.add(base, rowOffset));

          /// The taps of this kernel row; `yInside` given: mask them.
          auto perTap = [&](ArrayRef<Value> yInside) {
            return k.forLoop(
                k.index(0), k.index(taps[1]), k.index(1), acc,
                [&](Value kx, ValueRange inner) {
                  Value dx = k.mul(kx, k.index(dilationX));
                  Value offset = k.mul(dx, k.value(channels));
                  SmallVector<Value> tapBases, inside;
                  for (auto [r, base] : llvm::enumerate(rowBases)) {
                    Value at = k.add(base, offset);
                    if (!yInside.empty()) {
                      Value ok = arith::AndIOp::create(
                          b, loc, yInside[r], isInside(k.add(tile[r].x, dx), inW));
                      inside.push_back(ok);
                      at = arith::SelectOp::create(b, loc, ok, at, k.index(0));
                    }
                    tapBases.push_back(at);
                  }
                  Value tapPosition =
                      k.add(panelRow, k.mul(kx, k.mul(k.value(depth), k.index(width))));
                  return run(tapBases, inside, k.value(depth), tapPosition, inner, count,
                             perRow);
                });
          };
          auto plain = [&]() -> SmallVector<Value> {
            bool isContiguous = dilationX == 1 && conv.getGroups() == 1;
            if (isContiguous)
              return run(rowBases, {}, k.mul(k.index(taps[1]), k.value(depth)), panelRow,
                         acc, count, perRow);
            return perTap({});
          };
          if (!hasPads)
            return plain();
          SmallVector<Value> yInside, conditions{xInside};
          for (const Row &row : tile)
            yInside.push_back(isInside(k.add(row.y, dy), inH));
          llvm::append_range(conditions, yInside);
          return k.ifElse(all(conditions), acc.getTypes(), plain,
                          [&] { return perTap(yInside); });
        });
  }

  ElementEmitter &emitter;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;

  Operation *heavy = nullptr;
  hx::ConvOp conv;
  Value lhs, rhs;
  int64_t width = 0;
  Type accType;
  KExpr outer, rows, columns, depth, channels;
  bool columnsAreFull = false, isDepthwise = false, hasPads = false, isPointwise = false;
  SmallVector<KExpr> batchSizes, inSizes, outSizes, beginPad, rootSizes;
  SmallVector<int64_t> taps;
  unsigned lanes = 1, vectors = 1, tileRows = 1, epilogueLanes = 1;
  unsigned columnOffset = 0;

  Value outerIndex, panel, lhsMemref, rhsMemref, lhsBase, panelBase, firstColumn;
  Value scalar; ///< what the provider gives: the tile's current element(s)
};

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  Operation *heavy = heavyOp(group);
  if (auto conv = dyn_cast_or_null<hx::ConvOp>(heavy)) {
    if (!panelsOf(conv.getWeights()))
      return "weights are not packed";
    if (conv.getLayout() != hx::Layout::nhwc || conv.getStrides().size() != 2)
      return "not a 2-D convolution with channels last";
    return "";
  }
  if (auto matmul = dyn_cast_or_null<hx::MatMulOp>(heavy)) {
    if (!panelsOf(matmul.getRhs()))
      return "right-hand side is not packed";
    if (matmul.getTransposeLhs())
      return "left-hand side is transposed";
    return "";
  }
  return "no conv or matmul";
}

} // namespace

const Schedule packedSchedule = {
    "packed", refusal,
    [](ElementEmitter &emitter) { return PackedEmitter(emitter).run(); }, 1};

} // namespace hexin::codegen
