//===- DepthwiseLines.cpp - depthwise convolutions line by line ----------------------===//
//
// A tile is some neighbouring pixels of one line of the output. For each row of the
// kernel its taps are in registers, and every pixel of the input is loaded once, for all
// taps that it is under. 4 pixels, 3 taps, stride 1:
//
//   input    0    1    2    3    4    5
//   sum 0    t0   t1   t2
//   sum 1         t0   t1   t2                 6 loads instead of 12
//   sum 2              t0   t1   t2
//   sum 3                   t0   t1   t2
//
// Kernel rows outside of the image are left out; in a tile at the left or right border
// pixels outside are read from item.zeroChannels.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/packed/DepthwiseLines.h"

#include "compiler/codegen/elements/WindowLoops.h"
#include "compiler/codegen/schedules/packed/Place.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

#include <bit>

using namespace mlir;

namespace hexin::codegen::packed {
namespace {

/// Of a kernel row, which is written out.
constexpr int64_t maxTaps = 7;
/// As many lines as have so many pixels are an item: lines share what they read.
constexpr int64_t pixelsOfItem = 96;

/// What stays in registers is a tile's sums, the taps of a row and a pixel.
unsigned pixelsThatFit(const CodegenTraits &traits, const Problem &problem,
                       unsigned perRow) {
  constexpr unsigned most = 8;
  unsigned taken = (problem.taps[1] + 1) * perRow;
  if (traits.vectorRegisters < taken + perRow)
    return 1;
  return std::min(most, (traits.vectorRegisters - taken) / perRow);
}

/// A line of the output.
struct Line {
  Value firstPixel; ///< of the output, all lines
  Value base;       ///< of the first window's first tap, in the lhs; may lie before it
  IndexRange taps;  ///< kernel rows inside of the image
};

class LineEmitter {
public:
  LineEmitter(const Item &item, Epilogue &epilogue, Vectors vectors)
      : item(item), p(item.problem), epilogue(epilogue), vectors(vectors), k(item.k),
        b(k.builder()), width(k.value(p.inSizes[2])), outWidth(k.value(p.outSizes[2])),
        channels(k.value(p.channels)), rowPitch(rowPitchOf(item)) {
    unsigned fitting = pixelsThatFit(k.traits(), p, vectors.perRow);
    numPixels = p.outWidth ? tileRowsFor(*p.outWidth, fitting) : fitting;
  }

  /// Lines of the output from `first` to before `end`, of columns in the panel.
  void emit(Value first, Value end, Value columnInPanel) {
    column = columnInPanel;
    forEach(first, end, 1, [&](Value number) { emitLine(lineAt(number)); });
  }

private:
  void forEach(Value lower, Value upper, int64_t step, function_ref<void(Value)> body) {
    k.forLoop(lower, upper, k.index(step), {}, [&](Value i, ValueRange) {
      body(i);
      return SmallVector<Value>();
    });
  }

  Line lineAt(Value number) {
    Line line;
    SmallVector<Value> at = k.delinearize(number, ArrayRef(p.outSizes).take_front(2));
    Value y = k.sub(k.mul(at[1], k.index(p.conv->strides[0])), k.value(p.beginPad[0]));
    Value row = k.add(k.mul(at[0], k.value(p.inSizes[1])), y);
    Value pixel = k.sub(k.mul(row, width), k.value(p.beginPad[1]));
    line.base = k.add(k.mul(pixel, channels), k.add(item.firstColumn, column));
    line.firstPixel = k.mul(number, outWidth);
    Value numTaps = k.index(p.taps[0]);
    line.taps = {k.index(0), numTaps};
    if (p.hasPads)
      line.taps = clippedTaps(k, y, k.value(p.inSizes[1]), numTaps, p.conv->dilations[0]);
    return line;
  }

  /// In tiles, of which the last overlaps the one before; pixel by pixel where the line
  /// has fewer.
  void emitLine(const Line &line) {
    Value last = k.sub(outWidth, k.index(numPixels));
    auto wholeTiles = [&] {
      forEach(k.index(0), outWidth, numPixels,
              [&](Value x) { emitTile(line, k.min(x, last), numPixels); });
      return SmallVector<Value>();
    };
    if (p.outWidth && *p.outWidth >= numPixels)
      return void(wholeTiles());
    k.ifElse(
        k.less(last, k.index(0)), {},
        [&] {
          forEach(k.index(0), outWidth, 1, [&](Value x) { emitTile(line, x, 1); });
          return SmallVector<Value>();
        },
        wholeTiles);
  }

  void emitTile(const Line &line, Value x, unsigned count) {
    Accumulators acc = sums(line, x, count);
    Value firstColumn = k.add(item.firstColumn, column);
    for (unsigned i = 0; i < acc.size(); ++i) {
      Row row;
      row.flat = k.add(line.firstPixel, k.add(x, k.index(i / vectors.perRow)));
      Value at = k.add(firstColumn, k.index(i % vectors.perRow * vectors.lanes));
      epilogue.write(item, row, at, acc[i], vectors.lanes);
    }
  }

  Accumulators sums(const Line &line, Value x, unsigned count) {
    Value zero = zeros(k, p.accType, vectors.lanes);
    Accumulators init(count * vectors.perRow, zero);
    Value first = k.mul(x, k.index(p.conv->strides[1]));
    Value base = k.add(line.base, k.mul(first, channels));
    if (!p.hasPads)
      return sumRows(line, base, Value(), init);
    first = k.sub(first, k.value(p.beginPad[1]));
    Value last = k.add(first, k.index(spanOf(count) - 1));
    Value inside = allOf(k, {isInside(k, first, width), isInside(k, last, width)});
    return k.ifElse(
        inside, ValueRange(init).getTypes(),
        [&] { return sumRows(line, base, Value(), init); },
        [&] { return sumRows(line, base, first, init); });
  }

  /// Pixels of the input under `count` windows.
  int64_t spanOf(unsigned count) const {
    return (count - 1) * p.conv->strides[1] + (p.taps[1] - 1) * p.conv->dilations[1] + 1;
  }

  /// `firstX`: of the tile's first window, where some may lie outside; or null.
  Accumulators sumRows(const Line &line, Value base, Value firstX, ValueRange init) {
    auto sumRow = [&](Value ky, ValueRange acc) {
      Value dy = k.mul(ky, k.index(p.conv->dilations[0]));
      return sumKernelRow(k.add(base, k.mul(dy, rowPitch)), panelRow(ky), firstX, acc);
    };
    return k.forLoop(line.taps.lower, line.taps.upper, k.index(1), init, sumRow);
  }

  /// A kernel row's taps.
  SmallVector<Value> panelRow(Value ky) {
    Value first = k.mul(ky, k.index(p.taps[1] * p.width));
    Value position = k.add(k.add(item.panelBase, column), first);
    SmallVector<Value> taps;
    for (int64_t kx = 0; kx < p.taps[1]; ++kx)
      for (unsigned v = 0; v < vectors.perRow; ++v)
        taps.push_back(item.loadPanel(
            k.add(position, k.index(kx * p.width + v * vectors.lanes)), vectors.lanes));
    return taps;
  }

  /// Pixel by pixel of the input.
  Accumulators sumKernelRow(Value base, ArrayRef<Value> taps, Value firstX,
                            ValueRange init) {
    Accumulators acc(init);
    unsigned count = init.size() / vectors.perRow;
    for (int64_t x = 0, span = spanOf(count); x < span; ++x) {
      SmallVector<Value> pixel;
      for (unsigned r = 0; r < count; ++r) {
        int64_t distance = x - r * p.conv->strides[1];
        int64_t kx = distance / p.conv->dilations[1];
        if (distance < 0 || distance % p.conv->dilations[1] != 0 || kx >= p.taps[1])
          continue;
        if (pixel.empty())
          pixel = pixelAt(base, firstX, x);
        for (unsigned v = 0; v < vectors.perRow; ++v) {
          Value &sum = acc[r * vectors.perRow + v];
          sum = math::FmaOp::create(b, k.loc(), pixel[v], taps[kx * vectors.perRow + v],
                                    sum);
        }
      }
    }
    return acc;
  }

  SmallVector<Value> pixelAt(Value base, Value firstX, int64_t x) {
    Value memory = item.lhsMemory(), at = k.add(base, k.mul(k.index(x), channels));
    if (firstX) {
      Value inside = isInside(k, k.add(firstX, k.index(x)), width);
      at = arith::SelectOp::create(b, k.loc(), inside, at, k.index(0));
      memory = arith::SelectOp::create(b, k.loc(), inside, memory, item.zeroChannels);
    }
    SmallVector<Value> pixel;
    for (unsigned v = 0; v < vectors.perRow; ++v)
      pixel.push_back(
          item.loadLhs(memory, k.add(at, k.index(v * vectors.lanes)), vectors.lanes));
    return pixel;
  }

  const Item &item;
  const Problem &p;
  Epilogue &epilogue;
  Vectors vectors;
  KernelBuilder &k;
  OpBuilder &b;
  Value width, outWidth; ///< pixels
  Value channels, rowPitch;
  unsigned numPixels; ///< of a tile
  Value column;       ///< the tile's first, in the panel
};

/// `columns` of a panel, some twice where vectors do not divide them.
void emitColumns(const Item &item, Epilogue &epilogue, Vectors vectors, int64_t columns,
                 Value first, Value end) {
  KernelBuilder &k = item.k;
  int64_t lanes = std::min<int64_t>(vectors.lanes, std::bit_floor<uint64_t>(columns));
  if (columns % (vectors.lanes * vectors.perRow) != 0)
    vectors = {static_cast<unsigned>(lanes), 1};
  int64_t step = vectors.lanes * vectors.perRow;
  k.forLoop(k.index(0), k.index(columns), k.index(step), {}, [&](Value c, ValueRange) {
    LineEmitter lines(item, epilogue, vectors);
    lines.emit(first, end, k.min(c, k.index(columns - step)));
    return SmallVector<Value>();
  });
}

} // namespace

bool goesByLines(const CodegenTraits &traits, const Problem &problem) {
  return problem.isDepthwise && !problem.isPointwise && traits.flatMemory &&
         !traits.itemPerElement && problem.numColumns && problem.taps[1] <= maxTaps &&
         elementType(problem.lhs) == problem.sumType;
}

void emitDepthwiseLines(ElementEmitter &emitter, const Problem &problem,
                        Epilogue &epilogue, Vectors vectors) {
  KernelBuilder &k = emitter.kernel();
  constexpr unsigned minPixels = 6; // for more vectors than one
  while (vectors.perRow > 1 &&
         pixelsThatFit(k.traits(), problem, vectors.perRow) < minPixels)
    vectors.perRow /= 2;
  KExprPool &exprs = k.exprs();
  KExpr one = k.constantExpr(1);
  KExpr lines = exprs.mul(problem.outSizes[0], problem.outSizes[1]);
  KExpr perItem =
      exprs.ceilDiv(k.constantExpr(pixelsOfItem), exprs.max(one, problem.outSizes[2]));
  int64_t columns = *problem.numColumns;
  int64_t numPanels = llvm::divideCeil(columns, problem.width);
  SmallVector<KExpr> space{exprs.ceilDiv(lines, perItem),
                           exprs.ceilDiv(problem.columns, k.constantExpr(problem.width))};
  SmallVector<Value> at = k.delinearize(k.beginItems(exprs.product(space)), space);
  Item item(emitter, problem, /*outerIndex=*/k.index(0), /*panel=*/at[1]);
  Value first = k.mul(at[0], k.value(perItem));
  Value end = k.min(k.add(first, k.value(perItem)), k.value(lines));
  auto panel = [&](int64_t count) {
    emitColumns(item, epilogue, vectors, count, first, end);
    return SmallVector<Value>();
  };
  int64_t tail = columns % problem.width;
  if (tail == 0)
    return void(panel(problem.width));
  if (numPanels == 1)
    return void(panel(tail));
  Value lastPanel = k.sub(k.value(space[1]), k.index(1));
  Value isWhole = k.less(at[1], lastPanel);
  k.ifElse(
      isWhole, {}, [&] { return panel(problem.width); }, [&] { return panel(tail); });
}

} // namespace hexin::codegen::packed
