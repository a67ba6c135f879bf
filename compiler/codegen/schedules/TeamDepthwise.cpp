//===- TeamDepthwise.cpp - depthwise convolution by teams ------------------===//
//
// An item is a tile of output pixels and a chunk of channels (channels last). The team
// brings the part of the image that its windows lie in, and the chunk's weights, into
// local memory, every element once; then each thread sums runs of 4 pixels side by side,
// a few channels at once, from there:
//
//   tile of 8 x 8 pixels, 3 x 3 taps, a chunk of 32 channels:
//     10 x 10 pixels of 32 channels into local memory, zeros where the image ends
//     thread (channels 4c .. 4c+3, row y, x): for taps' rows, 6 pixels of 4 channels and
//     3 weights are read for 4 x 3 multiply-adds of 4 lanes
//
// Threads side by side have channels side by side, then rows one below the other, which
// an odd number of pixels keeps in different banks.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/AsyncCopy.h"
#include "compiler/codegen/schedules/DepthwiseTile.h"
#include "compiler/codegen/schedules/Schedules.h"
#include "compiler/codegen/schedules/packed/Tile.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <map>

using namespace mlir;

namespace hexin::codegen {
namespace {

DepthwiseExtent extentOf(hx::ConvOp conv, hx::SymbolicShapes &shapes) {
  hx::Dims result = shapes.dims(conv.getResult());
  auto weights = cast<RankedTensorType>(conv.getWeights().getType()).getShape();
  return {hx::SymbolTable::constantValue(result[1]),
          hx::SymbolTable::constantValue(result[2]),
          weights[0],
          weights.drop_front(2),
          conv.getStrides(),
          conv.getDilations()};
}

class TileEmitter {
public:
  TileEmitter(ElementEmitter &emitter, hx::ConvOp conv, const DepthwiseTile &tile)
      : k(emitter.kernel()), tile(tile), problem(emitter, conv),
        epilogue(emitter, problem, conv) {
    lanes = std::min(k.traits().vectorLanes, 4u);
    if (tile.extent.channels % lanes != 0)
      lanes = 1;
    KExpr space[] = {problem.outSizes[0], tiles(problem.outSizes[1], tile.height),
                     tiles(problem.outSizes[2], tile.width),
                     tiles(problem.columns, tile.channels)};
    Value number = k.beginTeamItems(k.exprs().product(space), tile.threads);
    SmallVector<Value> at = k.delinearize(number, space);
    item.emplace(emitter, problem, /*outerIndex=*/k.index(0), /*panel=*/k.index(0));
    image = at[0];
    firstY = k.mul(at[1], k.index(tile.height));
    firstX = k.mul(at[2], k.index(tile.width));
    firstChannel = k.mul(at[3], k.index(tile.channels));
    local = k.local(tile.localElements(), problem.sumType);
  }

  void emit() {
    fetchImage();
    fetchWeights();
    closeCopies(k);
    awaitCopies(k, 0);
    k.barrier();
    Value perPixel = k.index(tile.channels / lanes), rows = k.index(tile.height);
    Value channel = k.mul(k.rem(k.thread(), perPixel), k.index(lanes));
    strideLoop(k.div(k.thread(), perPixel),
               k.index(tile.height * tile.width / DepthwiseTile::run),
               k.index(tile.threads * lanes / tile.channels), [&](Value run) {
                 Value y = k.rem(run, rows);
                 Value x = k.mul(k.div(run, rows), k.index(DepthwiseTile::run));
                 write(y, x, channel, sumRun(y, x, channel));
               });
    k.barrier(); // before the next item's image comes
  }

private:
  KExpr tiles(KExpr size, int64_t each) {
    return k.exprs().ceilDiv(size, k.constantExpr(each));
  }
  void strideLoop(Value first, Value end, Value step, function_ref<void(Value)> body) {
    k.forLoop(first, end, step, {}, [&](Value i, ValueRange) {
      body(i);
      return SmallVector<Value>();
    });
  }
  Value hasChannel(Value channel) {
    return k.less(k.add(firstChannel, channel), k.value(problem.columns));
  }

  /// body(number, channel) for `count` times a chunk's channels, shared out.
  void forEachVector(int64_t count,
                     function_ref<void(Value number, Value channel)> body) {
    Value vectors = k.index(tile.channels / lanes);
    strideLoop(k.thread(), k.index(count * tile.channels / lanes), k.index(tile.threads),
               [&](Value i) {
                 body(k.div(i, vectors), k.mul(k.rem(i, vectors), k.index(lanes)));
               });
  }

  void fetchImage() {
    auto inImage = [&](Value pixel, Value first, unsigned axis) {
      Value begin = k.mul(first, k.index(tile.extent.strides[axis]));
      return k.add(k.sub(begin, k.value(problem.beginPad[axis])), pixel);
    };
    Value height = k.value(problem.inSizes[1]), width = k.value(problem.inSizes[2]);
    Value wide = k.index(tile.imageWidth());
    forEachVector(tile.imageHeight() * tile.imageWidth(), [&](Value pixel,
                                                              Value channel) {
      Value inTileY = k.div(pixel, wide), inTileX = k.rem(pixel, wide);
      Value y = inImage(inTileY, firstY, 0), x = inImage(inTileX, firstX, 1);
      Value inside =
          packed::allOf(k, {packed::isInside(k, y, height), packed::isInside(k, x, width),
                            hasChannel(channel)});
      Value flat = k.add(k.mul(k.add(k.mul(image, height), y), width), x);
      Value from =
          k.add(k.mul(flat, k.value(problem.channels)), k.add(firstChannel, channel));
      Value to = k.add(k.mul(k.add(k.mul(inTileY, k.index(tile.imagePitch())), inTileX),
                             k.index(tile.channels)),
                       channel);
      fetch(from, to, inside);
    });
  }

  void fetch(Value from, Value to, Value inside) {
    if (elementType(problem.lhs).isF32())
      return copyToLocal(k, {item->lhsMemory(), from, local, to, lanes, inside});
    Value zero = k.floatConstant(0, problem.sumType, lanes);
    storeLocal(k, local, to,
               k.ifElse(
                   inside, zero.getType(),
                   [&] { return SmallVector<Value>{item->loadLhs(from, lanes)}; },
                   [&] { return SmallVector<Value>{zero}; })[0]);
  }

  /// Of panels [taps, width], as [taps, channels].
  void fetchWeights() {
    Value width = k.index(problem.width), taps = k.index(tile.numTaps());
    forEachVector(tile.numTaps(), [&](Value tap, Value channel) {
      k.ifThen(hasChannel(channel), [&] {
        Value column = k.add(firstChannel, channel);
        Value row = k.add(k.mul(k.div(column, width), taps), tap);
        Value from = k.add(k.mul(row, width), k.rem(column, width));
        Value to = k.add(k.mul(tap, k.index(tile.channels)), channel);
        storeLocal(k, local, k.add(to, k.index(tile.imageElements())),
                   item->loadPanel(from, lanes));
      });
    });
  }

  /// The sums of pixels (y, x), (y, x + 1) ... of the tile.
  SmallVector<Value> sumRun(Value y, Value x, Value channel) {
    const DepthwiseExtent &e = tile.extent;
    Value row = k.mul(y, k.index(e.strides[0])), column = k.mul(x, k.index(e.strides[1]));
    SmallVector<Value> zeros(DepthwiseTile::run,
                             k.floatConstant(0, problem.sumType, lanes));
    auto sumRow = [&](Value tapY, ValueRange sums) {
      Value imageRow = k.add(row, k.mul(tapY, k.index(e.dilations[0])));
      Value pixel = k.add(k.mul(imageRow, k.index(tile.imagePitch())), column);
      Value image = k.add(k.mul(pixel, k.index(tile.channels)), channel);
      Value tap = k.mul(tapY, k.index(e.taps[1] * tile.channels));
      Value weights = k.add(k.add(tap, channel), k.index(tile.imageElements()));
      return sumTaps(image, weights, sums);
    };
    return k.forLoop(k.index(0), k.index(e.taps[0]), k.index(1), zeros, sumRow);
  }

  /// A row of taps. Where pixels of the run share what they read it is read once; of
  /// many taps that would take too many registers.
  SmallVector<Value> sumTaps(Value image, Value weights, ValueRange init) {
    constexpr int64_t mostAtOnce = 7;
    int64_t count = tile.extent.taps[1];
    if (count <= mostAtOnce)
      return sumTapsAtOnce(image, weights, count, init);
    Value dilation = k.index(tile.extent.dilations[1] * tile.channels);
    auto sumTap = [&](Value tap, ValueRange sums) {
      return sumTapsAtOnce(k.add(image, k.mul(tap, dilation)),
                           k.add(weights, k.mul(tap, k.index(tile.channels))), 1, sums);
    };
    return k.forLoop(k.index(0), k.index(count), k.index(1), init, sumTap);
  }

  SmallVector<Value> sumTapsAtOnce(Value image, Value weights, int64_t count,
                                   ValueRange init) {
    std::map<int64_t, Value> pixels; // by their distance from the run's first
    auto load = [&](Value at, int64_t pixel) {
      return loadLocal(k, local, k.add(at, k.index(pixel * tile.channels)), lanes);
    };
    SmallVector<Value> sums(init);
    for (int64_t tap = 0; tap < count; ++tap) {
      Value weight = load(weights, tap);
      for (int64_t i = 0; i < DepthwiseTile::run; ++i) {
        int64_t at = i * tile.extent.strides[1] + tap * tile.extent.dilations[1];
        Value &pixel = pixels[at];
        if (!pixel)
          pixel = load(image, at);
        sums[i] = math::FmaOp::create(k.builder(), k.loc(), pixel, weight, sums[i]);
      }
    }
    return sums;
  }

  void write(Value inTileY, Value inTileX, Value channel, ArrayRef<Value> sums) {
    Value height = k.value(problem.outSizes[1]), width = k.value(problem.outSizes[2]);
    Value y = k.add(firstY, inTileY), firstOfRun = k.add(firstX, inTileX);
    Value row = k.mul(k.add(k.mul(image, height), y), width);
    Value hasRow = packed::allOf(k, {k.less(y, height), hasChannel(channel)});
    k.ifThen(hasRow, [&] {
      for (auto [i, sum] : llvm::enumerate(sums)) {
        Value x = k.add(firstOfRun, k.index(i));
        k.ifThen(k.less(x, width), [&, &sum = sum] {
          packed::Row place;
          place.flat = k.add(row, x);
          epilogue.write(*item, place, k.add(firstChannel, channel), sum, lanes);
        });
      }
    });
  }

  KernelBuilder &k;
  const DepthwiseTile &tile;
  packed::Problem problem;
  packed::Epilogue epilogue;
  std::optional<packed::Item> item;
  unsigned lanes; ///< channels that are taken at once
  Value image, firstY, firstX, firstChannel;
  Value local; ///< the image's part, then the weights
};

LogicalResult emitDepthwise(ElementEmitter &emitter) {
  auto conv = cast<hx::ConvOp>(heavyOp(emitter.groupOp()));
  KernelBuilder &k = emitter.kernel();
  DepthwiseExtent extent = extentOf(conv, k.shapes());
  std::optional<DepthwiseTile> tile = chooseDepthwiseTile(extent, k.traits().team);
  if (!tile)
    return failure();
  TileEmitter(emitter, conv, *tile).emit();
  return success();
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  auto conv = dyn_cast_or_null<hx::ConvOp>(heavyOp(group));
  if (!conv)
    return notMine;
  if (std::string reason = packedSchedule.refusal(group, shapes); !reason.empty())
    return reason;
  auto weights = cast<RankedTensorType>(conv.getWeights().getType()).getShape();
  if (conv.getGroups() == 1 || weights[1] != 1 || weights[0] != int64_t(conv.getGroups()))
    return "not a channel of the result for each of the input";
  if (weights[2] * weights[3] == 1)
    return "one tap";
  if (computeType(elementType(conv.getResult())).isF64())
    return "of 64 bits";
  if (packed::panelsOf(conv.getWeights()).getWidth() % 4 != 0)
    return "panels are no whole vectors";
  // The least that a team may have to offer.
  TeamTraits least;
  least.threads = 256;
  least.localBytes = 16 << 10;
  return chooseDepthwiseTile(extentOf(conv, shapes), least) ? "" : "windows are large";
}

} // namespace

const Schedule teamDepthwiseSchedule = {"team_depthwise", refusal, emitDepthwise,
                                        /*errorConstant=*/1,
                                        /*avoidsSplitVectors=*/true};

} // namespace hexin::codegen
