#include "compiler/codegen/schedules/tiled/Results.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen::tiled {

static void writeElement(const packed::Item &item, packed::Epilogue &epilogue,
                         Value local, Value at, Value row, Value column) {
  KernelBuilder &k = item.k;
  Value isThere = packed::allOf(k, {k.less(row, k.value(item.problem.rows)),
                                    k.less(column, k.value(item.problem.columns))});
  k.ifThen(isThere, [&] {
    packed::Row place;
    place.flat = row;
    epilogue.write(item, place, column, packed::loadScratch(k, local, at, 1), 1);
  });
}

void writeResults(const packed::Item &item, packed::Epilogue &epilogue,
                  const TilePlace &place, Value local, const Slabs &slabs) {
  KernelBuilder &k = item.k;
  Value columns = k.index(slabs.columns), pitch = k.index(slabs.pitch);
  auto nothing = SmallVector<Value>();
  k.forLoop(k.index(0), k.index(slabs.count), k.index(1), {},
            [&](Value which, ValueRange) {
              for (unsigned slab = 0; slab < slabs.count; ++slab) {
                Value isThis = arith::CmpIOp::create(
                    k.builder(), k.loc(), arith::CmpIPredicate::eq, which, k.index(slab));
                k.ifThen(isThis, [&] { slabs.store(slab); });
              }
              k.barrier();
              k.forLoop(k.thread(), k.index(slabs.rows * slabs.columns),
                        k.index(place.threads), {}, [&](Value element, ValueRange) {
                          Value inSlab = k.div(element, columns),
                                column = k.rem(element, columns);
                          Value at = slabs.pitch == slabs.columns
                                         ? element
                                         : k.add(k.mul(inSlab, pitch), column);
                          writeElement(item, epilogue, local, at,
                                       k.add(place.firstRow, slabs.rowOf(inSlab, which)),
                                       k.add(place.firstColumn, column));
                          return nothing;
                        });
              k.barrier();
              return nothing;
            });
}

} // namespace hexin::codegen::tiled
