// Operators that trade channels for space, or cut and pad to a size.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

/// The square of the block size, or 0 after an error.
int64_t readBlock(OpBinder &b) {
  int64_t block = b.intAttr("blocksize", 0);
  if (HxBuilder::rank(b.input(0)) != 4)
    b.error("expected an input of rank 4, got " + Twine(HxBuilder::rank(b.input(0))));
  else if (block < 1 || block > 1 << 15)
    b.error("blocksize " + Twine(block) + ": expected 1 to " + Twine(1 << 15));
  return b.failed() ? 0 : block;
}

bool isColumnRowDepth(OpBinder &b) {
  StringRef mode = b.stringAttr("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    b.error("mode '" + mode + "': expected DCR or CRD");
  return mode == "CRD";
}

/// [N, C*s*s, H, W] -> [N, C, H*s, W*s].
void importDepthToSpace(OpBinder &b) {
  int64_t s = readBlock(b);
  bool isCrd = isColumnRowDepth(b);
  if (b.failed())
    return;
  Value x = b.input(0);
  Dims d = b.dims(x);
  hx::SymbolTable &symbols = b.symbols();
  checkMultiple(b, d[1], s * s, "the number of channels");
  if (b.failed())
    return;
  Dim block = b.shape.constant(s),
      depth = symbols.floorDiv(d[1], b.shape.constant(s * s));
  Value y = isCrd ? b.shape.reshape(x, {d[0], depth, block, block, d[2], d[3]})
                  : b.shape.reshape(x, {d[0], block, block, depth, d[2], d[3]});
  y = b.transpose(y, isCrd ? ArrayRef<int64_t>{0, 1, 4, 2, 5, 3}
                           : ArrayRef<int64_t>{0, 3, 4, 1, 5, 2});
  b.result(0, b.shape.reshape(
                  y, {d[0], depth, symbols.mul(d[2], block), symbols.mul(d[3], block)}));
}

/// [N, C, H*s, W*s] -> [N, C*s*s, H, W].
void importSpaceToDepth(OpBinder &b) {
  int64_t s = readBlock(b);
  bool isCrd = isColumnRowDepth(b);
  if (b.failed())
    return;
  Value x = b.input(0);
  Dims d = b.dims(x);
  hx::SymbolTable &symbols = b.symbols();
  checkMultiple(b, d[2], s, "the height");
  checkMultiple(b, d[3], s, "the width");
  if (b.failed())
    return;
  Dim block = b.shape.constant(s);
  Dim height = symbols.floorDiv(d[2], block), width = symbols.floorDiv(d[3], block);
  Value y = b.shape.reshape(x, {d[0], d[1], height, block, width, block});
  y = b.transpose(y, isCrd ? ArrayRef<int64_t>{0, 1, 3, 5, 2, 4}
                           : ArrayRef<int64_t>{0, 3, 5, 1, 2, 4});
  b.result(0, b.shape.reshape(
                  y, {d[0], symbols.mul(d[1], b.shape.constant(s * s)), height, width}));
}

/// Cuts or pads each axis around its centre: an odd difference cuts one more at
/// the end and pads one more at the end.
void importCenterCropPad(OpBinder &b) {
  Value x = b.input(0);
  Dims dims = b.dims(x), wanted = b.readInts(1);
  SmallVector<int64_t> axes;
  for (size_t axis = 0; axis < dims.size(); ++axis)
    axes.push_back(static_cast<int64_t>(axis));
  axes = b.intsAttr("axes", axes);
  if (!b.failed() && axes.size() != wanted.size())
    return b.error("expected " + Twine(axes.size()) + " sizes, got " +
                   Twine(wanted.size()));
  hx::SymbolTable &symbols = b.symbols();
  Dim zero = b.shape.constant(0), two = b.shape.constant(2);
  Dims starts(dims.size(), zero), cropped = dims, low(dims.size(), zero), high = low;
  for (auto [i, given] : llvm::enumerate(axes)) {
    int64_t axis = b.normalizeAxis(given, static_cast<int64_t>(dims.size()));
    if (b.failed())
      return;
    Dim excess = symbols.max(symbols.sub(dims[axis], wanted[i]), zero);
    Dim missing = symbols.max(symbols.sub(wanted[i], dims[axis]), zero);
    starts[axis] = symbols.floorDiv(excess, two);
    cropped[axis] = symbols.min(dims[axis], wanted[i]);
    low[axis] = symbols.floorDiv(missing, two);
    high[axis] = symbols.sub(missing, low[axis]);
  }
  Value y = b.shape.slice(x, starts, cropped, SmallVector<int64_t>(dims.size(), 1));
  if (low != Dims(dims.size(), zero) || high != low)
    y = b.failed() ? y
                   : b.pad(hx::PadMode::constant, y, b.shape.build(low),
                           b.shape.build(high), b.scalarLike(x, 0));
  b.result(0, y);
}

} // namespace

void registerLayoutOps(OpTable &table) {
  table.add("", {
                    {"DepthToSpace", 1, 1, 1, importDepthToSpace},
                    {"SpaceToDepth", 1, 1, 1, importSpaceToDepth},
                    {"CenterCropPad", 18, 2, 2, importCenterCropPad},
                });
}

} // namespace hexin::onnx
