#include "compiler/target/Partition.h"

#include "compiler/codegen/Codegen.h"
#include "compiler/ir/CheckOps.h"
#include "compiler/ir/DeviceOps.h"
#include "compiler/ir/Errors.h"
#include "compiler/ir/HostOps.h"
#include "compiler/ir/ValueTypes.h"
#include "compiler/target/Attention.h"
#include "compiler/target/ReadBack.h"
#include "compiler/target/Recompute.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace hexin {
namespace {

using mlir::Value; // not hexin::Value, a model's input or output

bool isHostRead(OpOperand &use) {
  auto reads = dyn_cast<hx::HostReadOpInterface>(use.getOwner());
  return reads && reads.isHostRead(use.getOperandNumber());
}

/// Uses that need the tensor itself on the device.
bool isDeviceUse(OpOperand &use, hx::SymbolicShapes &shapes) {
  Operation *user = use.getOwner();
  if (isa<hx::ShapeOfOp>(user) || isHostRead(use))
    return false;
  return placeOf(user, shapes) != Place::host;
}

bool isHeavy(Operation *op) {
  return isa<hx::ConvOp, hx::MatMulOp, hx::ReduceOp, hx::SoftmaxOp, hx::LogSoftmaxOp,
             hx::LayerNormOp, hx::PoolOp, hx::ConvTransposeOp, hx::ConvIntegerOp,
             hx::MatMulIntegerOp, hx::MatMulFewBitsOp, hx::ResizeOp, hx::LstmOp,
             hx::RecurrenceOp, hx::CumulativeOp, hx::ArgReduceOp, hx::ScatterElementsOp,
             hx::ScatterNdOp, hx::SortOp, hx::TopKOp, hx::SortedSearchOp,
             hx::CompactFillOp, hx::PackOp, hx::DynamicQuantizeOp, hx::TreeEnsembleOp,
             hx::CouplePairsOp, hx::ConcatOp, hx::RoiPoolOp, hx::GatherSumOp>(op);
}

/// Heavy ops that read each element of operand 0 (a concat: of all) once per pass, at
/// the index their schedule chooses: what feeds them can be computed on the way.
bool takesPrologue(OpOperand &use) {
  Operation *op = use.getOwner();
  return isa<hx::ConcatOp>(op) ||
         (use.getOperandNumber() == 0 &&
          isa<hx::ReduceOp, hx::SoftmaxOp, hx::LogSoftmaxOp, hx::LayerNormOp,
              hx::CumulativeOp, hx::ArgReduceOp, hx::SortedSearchOp>(op));
}

/// Heavy ops whose result is complete in memory before anything can follow.
bool refusesEpilogue(Operation *op) {
  return isa<hx::PackOp, hx::ScatterElementsOp, hx::ScatterNdOp, hx::TreeEnsembleOp>(op);
}

bool isElementwise(Operation *op) {
  return op->hasTrait<hx::HxElementwise>() ||
         isa<hx::QuantizeOp, hx::DequantizeOp, hx::CheckLengthsOp>(op);
}

bool isMovement(Operation *op) {
  return isa<hx::TransposeOp, hx::SliceOp, hx::ConcatOp, hx::PadOp, hx::BroadcastToOp,
             hx::GatherOp, hx::GatherElementsOp, hx::GatherNdOp, hx::IotaOp>(op);
}

int64_t rankOf(Value value) { return cast<RankedTensorType>(value.getType()).getRank(); }

/// Movement that leaves neighbours along the last axis neighbours.
bool keepsNeighbours(Operation *op, hx::SymbolicShapes &shapes) {
  int64_t rank = rankOf(op->getResult(0));
  if (rank == 0)
    return false;
  if (auto transpose = dyn_cast<hx::TransposeOp>(op))
    return transpose.getPerm().back() == rank - 1;
  if (auto slice = dyn_cast<hx::SliceOp>(op))
    return slice.getSteps().back() == 1;
  if (auto gather = dyn_cast<hx::GatherOp>(op))
    return static_cast<int64_t>(gather.getAxis()) + 1 < rankOf(gather.getInput());
  if (auto pad = dyn_cast<hx::PadOp>(op))
    return shapes.dims(pad.getInput()).back() == shapes.dims(pad.getResult()).back();
  return isa<hx::IotaOp, hx::BroadcastToOp>(op);
}

/// A kernel's code is compiled in more than linear time.
constexpr size_t maxMembers = 64;

class Grouper {
public:
  Grouper(func::FuncOp func, hx::SymbolicShapes &shapes)
      : func(func), shapes(shapes), readBack(readBackValues(func, shapes)) {}

  LogicalResult run() {
    llvm::DenseSet<Operation *> hostOnly = hostOnlyOps(func, shapes);
    SmallVector<Operation *> ops;
    WalkResult walked = func.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<func::FuncOp, hx::IfOp, hx::LoopOp>(op) ||
          op->hasTrait<OpTrait::IsTerminator>())
        return WalkResult::advance();
      Place place = placeOf(op, shapes);
      if (place == Place::unsupported) {
        hx::emitNodeError(op) << "cannot run on the device: " << hx::deviceRefusal(op);
        return WalkResult::interrupt();
      }
      if (place == Place::device && !hostOnly.contains(op))
        ops.push_back(op);
      return WalkResult::advance();
    });
    if (walked.wasInterrupted())
      return failure();
    SmallVector<SmallVector<Operation *>> groups;
    for (Operation *op : llvm::reverse(ops))
      if (!grouped.contains(op))
        groups.push_back(grow(op));
    for (ArrayRef<Operation *> members : llvm::reverse(groups))
      if (failed(outline(members)))
        return failure();
    return success();
  }

private:
  SmallVector<Operation *> grow(Operation *root) {
    if (SmallVector<Operation *> attention = attentionEndingIn(root, shapes);
        !attention.empty() && isFree(attention)) {
      grouped.insert(attention.begin(), attention.end());
      return attention;
    }
    members.clear();
    members.insert(root);
    heavy = isHeavy(root) ? root : nullptr;
    rootDims = shapes.dims(root->getResult(0));
    // One pass is enough: a producer is looked at once per user in the group, the last
    // time when all of its users are in, and nothing else that decides gets better.
    for (size_t i = 0; i < members.size(); ++i)
      for (OpOperand &operand : members[i]->getOpOperands()) {
        Operation *producer = operand.get().getDefiningOp();
        if (members.size() < maxMembers && producer && !isHostRead(operand) &&
            canJoin(producer, root)) {
          members.insert(producer);
          if (isHeavy(producer))
            heavy = producer;
        }
      }
    SmallVector<Operation *> ordered(members.begin(), members.end());
    llvm::sort(ordered, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
    grouped.insert(ordered.begin(), ordered.end());
    return ordered;
  }

  /// In no other group, and read by nobody on the host.
  bool isFree(ArrayRef<Operation *> ops) {
    return llvm::none_of(ops, [&](Operation *op) {
      return grouped.contains(op) || readBack.contains(op->getResult(0)) ||
             (placeOf(op, shapes) != Place::device && !isa<hx::ReshapeOp>(op));
    });
  }

  bool canJoin(Operation *producer, Operation *root) {
    if (members.contains(producer) || grouped.contains(producer) ||
        placeOf(producer, shapes) != Place::device || producer->getNumResults() != 1 ||
        root->getNumResults() != 1 || producer->getBlock() != root->getBlock())
      return false;
    Value result = producer->getResult(0);
    if (readBack.contains(result) || !attentionEndingIn(producer, shapes).empty())
      return false; // becomes a group of its own
    SmallVector<Operation *> users;
    for (OpOperand &use : result.getUses()) {
      if (!members.contains(use.getOwner()))
        return false;
      users.push_back(use.getOwner());
      if (isHeavy(use.getOwner()) && !takesPrologue(use))
        return false;
    }
    if (users.empty())
      return false;
    if (isMovement(root) && !isHeavy(root) && !keepsNeighbours(root, shapes))
      return false; // would be computed one element at a time
    if (isHeavy(producer))
      return !heavy && !refusesEpilogue(producer) && shapes.dims(result) == rootDims &&
             leadsElementwise(producer);
    if (isMovement(producer))
      return users.size() == 1 && !heavy && keepsNeighbours(producer, shapes);
    if (!isElementwise(producer) && !isa<hx::RandomBitsOp>(producer))
      return false;
    // Bytes are best made once, where the numbers are, which often is behind a product.
    if (heavy && isa<hx::QuantizeOp>(producer))
      return false;
    // Not recomputed for every repetition of a broadcast.
    return llvm::any_of(users, [&](Operation *user) {
      return isHeavy(user) ||
             (isElementwise(user) &&
              shapes.dims(user->getResult(0)) == shapes.dims(result)) ||
             isMovement(user);
    });
  }

  /// Every member that the producer reaches is elementwise at the root's sizes.
  bool leadsElementwise(Operation *producer) {
    SmallVector<Operation *> work{producer};
    while (!work.empty()) {
      Operation *op = work.pop_back_val();
      for (Operation *user : op->getUsers()) {
        if (!members.contains(user))
          continue;
        if (!isElementwise(user) || shapes.dims(user->getResult(0)) != rootDims)
          return false;
        work.push_back(user);
      }
    }
    return true;
  }

  LogicalResult outline(ArrayRef<Operation *> ordered) {
    Operation *root = ordered.back();
    llvm::SmallPtrSet<Operation *, 16> inside(ordered.begin(), ordered.end());
    llvm::SetVector<Value> inputs;
    SmallVector<Operation *> constants;
    for (Operation *op : ordered)
      for (OpOperand &operand : op->getOpOperands()) {
        Operation *source = operand.get().getDefiningOp();
        if (isHostRead(operand) || (source && inside.contains(source)))
          continue;
        auto constant = dyn_cast_or_null<hx::ConstantOp>(source);
        auto dense =
            constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
        if (dense && dense.isSplat() && !isHeavy(op)) {
          if (!llvm::is_contained(constants, source))
            constants.push_back(source);
          continue;
        }
        inputs.insert(operand.get());
      }

    OpBuilder b(root);
    SmallVector<Location> locations;
    for (Operation *op : ordered)
      locations.push_back(op->getLoc());
    Location loc = b.getFusedLoc(locations);
    auto group = hx::GroupOp::create(b, loc, root->getResultTypes(), inputs.getArrayRef(),
                                     b.getStringAttr("any"), b.getStringAttr(""),
                                     StringAttr(), StringAttr());
    Block *body = b.createBlock(&group.getBody());
    IRMapping mapping;
    for (Value input : inputs)
      mapping.map(input, body->addArgument(input.getType(), input.getLoc()));
    b.setInsertionPointToEnd(body);
    for (Operation *constant : constants)
      b.clone(*constant, mapping);
    for (Operation *op : ordered) {
      Operation *clone = b.clone(*op, mapping);
      // What the host reads stays outside, also where the kernel reads the same value.
      for (auto [original, use] : llvm::zip(op->getOpOperands(), clone->getOpOperands()))
        if (isHostRead(original))
          use.set(original.get());
    }
    SmallVector<Value> results;
    for (Value result : root->getResults())
      results.push_back(mapping.lookup(result));
    hx::YieldOp::create(b, loc, results);
    root->replaceAllUsesWith(group);
    for (Operation *op : llvm::reverse(ordered)) {
      // Only sizes of what is inside are still asked for outside.
      for (Value result : op->getResults())
        for (OpOperand &use : llvm::make_early_inc_range(result.getUses()))
          if (isa<hx::ShapeOfOp>(use.getOwner()))
            return op->emitOpError("size of a fused value is read outside of its group");
      op->erase();
    }
    return success();
  }

  func::FuncOp func;
  hx::SymbolicShapes &shapes;
  llvm::DenseSet<Value> readBack;
  llvm::DenseSet<Operation *> grouped;
  llvm::SetVector<Operation *> members;
  Operation *heavy = nullptr;
  hx::Dims rootDims;
};

} // namespace

constexpr llvm::StringLiteral fallbackAttr = "hx.fallback";

StringRef fallbackReason(Operation *op) {
  auto reason = op->getAttrOfType<StringAttr>(fallbackAttr);
  return reason ? reason.getValue() : StringRef();
}

/// "hx.layer_norm", "LayerNorm" and "layer_norm" are one name.
static std::string canonicalName(StringRef name) {
  name.consume_front("hx.");
  std::string result;
  for (char c : name)
    if (c != '_')
      result += llvm::toLower(c);
  return result;
}

bool namesOp(StringRef entry, StringRef op, StringRef node) {
  return (!node.empty() && entry == node) || canonicalName(entry) == canonicalName(op);
}

static bool names(ArrayRef<std::string> list, Operation *op) {
  if (list.empty())
    return false;
  std::string node = hx::nodeNames(op->getLoc());
  return llvm::any_of(list, [&](const std::string &entry) {
    return namesOp(entry, op->getName().getStringRef(), node);
  });
}

LogicalResult markFallbacks(func::FuncOp func, const PlacementOptions &options) {
  hx::SymbolicShapes shapes(func.getContext());
  if (failed(shapes.run(func)))
    return failure();
  WalkResult walked = func.walk([&](Operation *op) {
    if (op->getNumRegions() != 0 || op->hasTrait<OpTrait::IsTerminator>())
      return WalkResult::advance();
    Place place = placeOf(op, shapes);
    bool isDisabled = place == Place::device && names(options.disabled, op);
    if (!isDisabled && place != Place::unsupported)
      return WalkResult::advance();
    std::string reason = isDisabled ? "disabled by an option" : hx::deviceRefusal(op);
    if (!names(options.allowFallback, op)) {
      hx::emitNodeError(op) << "cannot run on the device: " << reason
                            << "; to run it on the host, allow "
                            << op->getName().getStringRef()
                            << " or the node's name (--allow-fallback)";
      return WalkResult::interrupt();
    }
    op->setAttr(fallbackAttr, StringAttr::get(op->getContext(), reason));
    return WalkResult::advance();
  });
  return failure(walked.wasInterrupted());
}

Place placeOf(Operation *op, hx::SymbolicShapes &shapes) {
  if (op->hasAttr(fallbackAttr))
    return Place::fallback;
  if (isa<hx::ConstantOp, hx::WeightOp>(op))
    return Place::constant;
  if (auto pack = dyn_cast<hx::PackOp>(op))
    if (isa_and_nonnull<hx::WeightOp, hx::ConstantOp>(pack.getInput().getDefiningOp()))
      return Place::constant;
  if (hx::viewedBy(op))
    return Place::view;
  if (isa<func::ReturnOp, hx::YieldOp, hx::GroupOp, hx::IfOp, hx::LoopOp>(op))
    return Place::device;
  if (isa<hx::ShapeOfOp, hx::CheckOp>(op))
    return Place::host;
  bool isKnown = op->getNumResults() > 0 && op->getNumRegions() == 0;
  for (mlir::Value result : op->getResults())
    isKnown = isKnown && isa<RankedTensorType>(result.getType()) && shapes.has(result) &&
              shapes.followsFromOthers(result);
  if (isKnown)
    return Place::host;
  if (hx::isHostOp(op))
    return Place::byNature;
  return hx::deviceRefusal(op).empty() ? Place::device : Place::unsupported;
}

llvm::DenseSet<Operation *> hostOnlyOps(func::FuncOp func, hx::SymbolicShapes &shapes) {
  SmallVector<Operation *> ops;
  func.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op->getNumRegions() == 0 && !op->hasTrait<OpTrait::IsTerminator>())
      ops.push_back(op);
  });
  llvm::DenseSet<Value> readBack = readBackValues(func, shapes);
  llvm::DenseSet<Operation *> hostOnly;
  for (Operation *op : llvm::reverse(ops)) {
    bool isReadBack = llvm::any_of(
        op->getResults(), [&](Value result) { return readBack.contains(result); });
    // The run alone knows the sizes that an op of the host gives its results.
    bool isHostOp = hx::isHostOp(op);
    bool isRead = isReadBack || llvm::any_of(op->getUses(), [&](OpOperand &use) {
                    if (isHostOp && isa<hx::ShapeOfOp>(use.getOwner()))
                      return true;
                    return isDeviceUse(use, shapes) && !hostOnly.contains(use.getOwner());
                  });
    if (!isRead)
      hostOnly.insert(op);
  }
  return hostOnly;
}

LogicalResult partition(func::FuncOp func, const PlacementOptions &options) {
  hx::SymbolicShapes shapes(func.getContext());
  if (failed(shapes.run(func)) || failed(recomputeCheap(func, shapes)) ||
      failed(Grouper(func, shapes).run()))
    return failure();
  // Groups are new values: look again, and say how each will be written.
  hx::SymbolicShapes grouped(func.getContext());
  if (failed(grouped.run(func)))
    return failure();
  WalkResult walked = func.walk([&](hx::GroupOp group) {
    codegen::ScheduleChoice choice =
        codegen::chooseSchedule(group, grouped, options.disabled);
    if (choice.name.empty()) {
      group.emitOpError("has no schedule: ") << choice.reason;
      return WalkResult::interrupt();
    }
    group.setSchedule(choice.name);
    llvm::StringRef forTeams =
        codegen::chooseTeamSchedule(group, grouped, options.disabled);
    if (!forTeams.empty())
      group.setTeamSchedule(forTeams);
    codegen::ScheduleChoice guarded =
        codegen::chooseGuardedSchedule(group, grouped, options.disabled);
    if (!guarded.name.empty()) {
      codegen::setGuardedSchedule(group, guarded.name, grouped);
    }
    if (!guarded.reason.empty())
      choice.reason += (choice.reason.empty() ? "" : "; ") + guarded.reason;
    if (!choice.reason.empty())
      group.setReason(choice.reason);
    return WalkResult::advance();
  });
  return failure(walked.wasInterrupted());
}

} // namespace hexin
