//===- Layer.h - the steps of a recurrent layer ------------------------------===//
//
// One item owns some batch rows in one direction and walks the time steps in order. With
// projected inputs and a packed recurrence the lanes of a vector are cells, and rows
// share what is read of the recurrence:
//
//   for cells v, for tiles of rows r:
//     gates[r][g][v] = projected[time, r][g, v]
//                      + sum over k of splat(h[r][k]) * panel[g][k][v]
//
//   lastH [D, B, H]  the old h while a step runs; the step's Y is copied there
//   Y [T, D, B, H]   0 beyond a row's length
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_RECURRENT_LAYER_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_RECURRENT_LAYER_H

#include "compiler/codegen/ElementEmitter.h"
#include "compiler/codegen/schedules/recurrent/GateActivation.h"

namespace hexin::codegen::recurrent {

/// What the layers' ops say alike.
struct LayerParts {
  mlir::Value input, recurrence;
  mlir::Value lengths, initialH; ///< or null
  mlir::Value output, lastH;
  hx::RecurrentDirection direction;
  unsigned numGates;
  double clipLimit; ///< 0: none
  llvm::ArrayRef<GateActivation> activations;
  unsigned numFunctions; ///< of the activations, per direction
};

/// A layer whose cells a derived class knows.
class Layer {
public:
  Layer(ElementEmitter &emitter, const LayerParts &parts);
  virtual ~Layer() = default;

  void run();

protected:
  /// State besides h before the first step; see initialise.
  virtual void initialiseMore(mlir::Value length) {}
  /// All cells of the step, of all rows: by emitCells, or in the layer's own way.
  virtual void emitStepCells(mlir::Value step) { emitCells(step); }
  /// Stores the new h of `width` cells from `cell` on at `y` in the output. Per gate
  /// `inputs` is the projected input's part and `states` the state's.
  virtual void updateCells(llvm::ArrayRef<mlir::Value> inputs,
                           llvm::ArrayRef<mlir::Value> states, mlir::Value cell,
                           mlir::Value y, unsigned width) = 0;

  void emitCells(mlir::Value step);
  /// What step `step` of the row at hand is in time, and where its Y lies.
  mlir::Value timeOf(mlir::Value step);
  mlir::Value outputAt(mlir::Value time);
  /// `memref` before the first step. A row of length 0 has no state, not even the
  /// initial one.
  void initialise(mlir::Value memref, mlir::Value initial, mlir::Value length);

  void countUp(mlir::Value from, mlir::Value to,
               llvm::function_ref<void(mlir::Value)> body);
  mlir::Value constant(double value, unsigned width) {
    return k.floatConstant(value, type, width);
  }
  template <typename OpT> mlir::Value make(mlir::Value x, mlir::Value y) {
    return OpT::create(b, loc, x, y);
  }
  /// Function `slot` of this item's direction.
  mlir::Value activate(unsigned slot, mlir::Value x);
  mlir::Value clip(mlir::Value x, unsigned width);

  ElementEmitter &emitter;
  KernelBuilder &k;
  mlir::OpBuilder &b;
  mlir::Location loc;
  LayerParts parts;
  mlir::Type stored, type;
  unsigned lanes;
  mlir::Value steps, hidden; ///< T, H
  mlir::Value input, output, lastH;
  mlir::Value gathered; ///< scratch for a vector of each gate; null: lanes is 1
  mlir::Value direction, isSecond;
  // The row at hand.
  mlir::Value row;
  mlir::Value state; ///< its position in [D, B, H]

private:
  void bindRecurrence(KExpr numCells);
  int64_t chooseRowsPerItem() const;
  void selectRow(mlir::Value number);
  mlir::Value lengthOfRow();
  /// body() for each row of the item, that row at hand.
  void forEachRow(llvm::function_ref<void()> body);
  mlir::Value projectedAt(mlir::Value time);
  /// body(cell) for each `cells` cells, of which the last may be fewer.
  void forEachCellBlock(mlir::Value step, int64_t cells,
                        llvm::function_ref<void(mlir::Value cell)> body);
  void emitCellsOfRow(mlir::Value step);
  void emitCellsOfTiles(mlir::Value step);
  llvm::SmallVector<mlir::Value> multiplyStates(llvm::ArrayRef<mlir::Value> states,
                                                mlir::Value cell, unsigned perBlock);
  void finishCells(llvm::ArrayRef<mlir::Value> states, mlir::Value projected,
                   mlir::Value cell, mlir::Value y);

  /// Of the recurrence's panels; 0: it lies as [D * G, H, H], a cell's weights in a row.
  unsigned width = 0;
  unsigned cellLanes = 1; ///< neighbouring cells of which weights are neighbours
  int64_t rowsPerItem = 1;
  unsigned tileRows = 1;        ///< that are multiplied at a time
  mlir::Value tileSums;         ///< scratch [tileRows, gates, lanes], where tileRows > 1
  mlir::Value firstRow, endRow; ///< of the item
  mlir::Value recurrence, panelElements, panelsPerGate;
};

} // namespace hexin::codegen::recurrent

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_RECURRENT_LAYER_H
