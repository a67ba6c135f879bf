// Col2Im and MaxUnpool: windows back into the planes they were taken from.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ScatterFn;

namespace hexin::onnx {
namespace {

Value zeros(OpBinder &b, Type type, ArrayRef<Dim> sizes) {
  return b.shape.broadcastTo(b.scalar(type, 0), sizes);
}

/// `attribute` with one entry per spatial axis (`perAxis`: entries per axis).
SmallVector<int64_t> windowInts(OpBinder &b, StringRef attribute, size_t numAxes,
                                int64_t fallback, size_t perAxis = 1) {
  SmallVector<int64_t> values =
      b.intsAttr(attribute, SmallVector<int64_t>(numAxes * perAxis, fallback));
  // No axis is longer; sums of a few such numbers fit 64 bits.
  constexpr int64_t farthest = INT32_MAX;
  int64_t least = perAxis == 1 ? 1 : 0;
  bool isRight =
      values.size() == numAxes * perAxis && llvm::all_of(values, [&](int64_t value) {
        return value >= least && value <= farthest;
      });
  if (!isRight)
    b.error(attribute + " must have " + Twine(numAxes * perAxis) + " entries, each " +
            Twine(least) + " to " + Twine(farthest));
  return values;
}

/// [N, C * block, number of blocks] -> [N, C, image]: a block's elements are added at
/// their places. The image is made with its pads, elements in rows:
/// [padded image, N * C] plus [block, blocks, N * C] at rows [block, blocks].
void importCol2Im(OpBinder &b) {
  Value x = b.input(0);
  Dims image = b.readInts(1), block = b.readInts(2);
  if (b.failed())
    return;
  size_t numAxes = image.size();
  if (HxBuilder::rank(x) != 3 || numAxes == 0 || block.size() != numAxes)
    return b.contradiction("expected an input of rank 3, and as many sizes of a block "
                           "as of the image");
  SmallVector<int64_t> strides = windowInts(b, "strides", numAxes, 1);
  SmallVector<int64_t> dilations = windowInts(b, "dilations", numAxes, 1);
  SmallVector<int64_t> pads = windowInts(b, "pads", numAxes, 0, 2);
  if (b.failed())
    return;
  hx::SymbolTable &symbols = b.symbols();
  Dim one = symbols.constant(1), zero = symbols.constant(0);
  Type i64 = b.builder.getI64Type(), type = HxBuilder::elementType(x);
  Dims padded, blocks, places; // places: [block..., blocks...]
  for (size_t i = 0; i < numAxes; ++i) {
    padded.push_back(
        symbols.add(image[i], symbols.constant(pads[i] + pads[numAxes + i])));
    Dim extent = symbols.add(
        symbols.mul(symbols.sub(block[i], one), symbols.constant(dilations[i])), one);
    blocks.push_back(symbols.add(
        symbols.floorDiv(symbols.sub(padded[i], extent), symbols.constant(strides[i])),
        one));
  }
  places = block;
  places.append(blocks);
  Value position;
  for (size_t i = 0; i < numAxes; ++i) {
    auto axis = static_cast<int64_t>(i);
    Value inside = b.mul(b.shape.iota(places, axis, i64),
                         b.scalar(i64, static_cast<double>(dilations[i])));
    Value start = b.mul(b.shape.iota(places, axis + static_cast<int64_t>(numAxes), i64),
                        b.scalar(i64, static_cast<double>(strides[i])));
    Value along = b.add(inside, start);
    position = position
                   ? b.add(b.mul(position, b.shape.buildScalar(padded[i], i64)), along)
                   : along;
  }
  Dims dims = b.dims(x);
  Dim batch = dims[0], numBlocks = symbols.product(blocks);
  Dim blockSize = symbols.product(block);
  Dim channels = symbols.floorDiv(dims[1], blockSize);
  Dim lines = symbols.mul(batch, channels);
  Value updates = b.shape.reshape(x, {lines, blockSize, numBlocks});
  updates = b.shape.reshape(b.transpose(updates, {1, 2, 0}),
                            {symbols.mul(blockSize, numBlocks), lines});
  Value indices = b.shape.reshape(position, {symbols.mul(blockSize, numBlocks), one});
  Value target = zeros(b, type, {symbols.product(padded), lines});
  if (b.failed())
    return;
  Value sum = b.make<hx::ScatterNdOp>(type, ScatterFn::add, target, indices, updates);
  Dims whole{batch, channels}, starts{zero, zero}, result{batch, channels};
  whole.append(padded);
  result.append(image);
  for (size_t i = 0; i < numAxes; ++i)
    starts.push_back(symbols.constant(pads[i]));
  Value planes = b.shape.reshape(b.transpose(sum, {1, 0}), whole);
  b.result(0,
           b.shape.slice(planes, starts, result, SmallVector<int64_t>(result.size(), 1)));
}

/// Values at flat positions of a plane of the size that pooling had: stride *
/// (in - 1) + kernel - pads. An output_shape that is larger gets zeros behind.
void importMaxUnpool(OpBinder &b) {
  Value x = b.input(0);
  Dims dims = b.dims(x);
  if (dims.size() < 3)
    return b.contradiction("the input has rank " + Twine(dims.size()) +
                           ", expected at least 3");
  size_t numAxes = dims.size() - 2;
  SmallVector<int64_t> kernel = windowInts(b, "kernel_shape", numAxes, 0);
  SmallVector<int64_t> strides = windowInts(b, "strides", numAxes, 1);
  SmallVector<int64_t> pads = windowInts(b, "pads", numAxes, 0, 2);
  if (b.failed())
    return;
  hx::SymbolTable &symbols = b.symbols();
  Dim one = symbols.constant(1), zero = symbols.constant(0);
  Dims sizes{dims[0], dims[1]};
  for (size_t i = 0; i < numAxes; ++i)
    sizes.push_back(symbols.add(
        symbols.mul(symbols.sub(dims[2 + i], one), symbols.constant(strides[i])),
        symbols.constant(kernel[i] - pads[i] - pads[numAxes + i])));
  Type type = HxBuilder::elementType(x);
  Dim count = symbols.product(dims);
  Value target = zeros(b, type, {symbols.product(sizes)});
  Value updates = b.shape.reshape(x, {count});
  Value indices = b.shape.reshape(b.input(1), {count, one});
  if (b.failed())
    return;
  Value flat = b.make<hx::ScatterNdOp>(type, ScatterFn::set, target, indices, updates);
  Value planes = b.shape.reshape(flat, sizes);
  if (b.has(2)) {
    Dims wanted = b.readInts(2), high;
    if (!b.failed() && wanted.size() != dims.size())
      return b.error("output_shape has " + Twine(wanted.size()) + " entries, expected " +
                     Twine(dims.size()));
    if (b.failed())
      return;
    for (auto [to, from] : llvm::zip(wanted, sizes))
      high.push_back(symbols.sub(to, from));
    Value none = b.shape.build(Dims(dims.size(), zero)), behind = b.shape.build(high);
    if (!b.failed())
      planes = b.pad(hx::PadMode::constant, planes, none, behind, b.scalar(type, 0));
  }
  b.result(0, planes);
}

} // namespace

void registerUnpoolOps(OpTable &table) {
  table.add("", {
                    {"Col2Im", 18, 3, 3, importCol2Im},
                    {"MaxUnpool", 9, 2, 3, importMaxUnpool},
                });
}

} // namespace hexin::onnx
