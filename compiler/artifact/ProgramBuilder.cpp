#include "compiler/artifact/ProgramBuilder.h"

#include "compiler/artifact/PortTypes.h"
#include "compiler/artifact/ShapeExprs.h"
#include "compiler/codegen/Codegen.h"
#include "compiler/ir/AttributeConversion.h"
#include "compiler/ir/HostOps.h"
#include "compiler/ir/SizeText.h"
#include "compiler/ir/ValueTypes.h"
#include "compiler/target/Partition.h"
#include "compiler/target/ReadBack.h"
#include "compiler/transforms/ConstantTensor.h"
#include "runtime/artifact/Format.h"
#include "runtime/device/KernelAbi.h"

#include "mlir/IR/Location.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace hexin {

std::string nodeNames(Location loc) {
  llvm::SetVector<StringRef> names;
  loc->walk([&](Location inner) {
    if (auto name = dyn_cast<NameLoc>(inner))
      names.insert(name.getName().getValue());
    return WalkResult::advance();
  });
  return llvm::join(names, "+");
}

namespace {

using mlir::Value; // not hexin::Value, a model's input or output

class Builder {
public:
  Builder(func::FuncOp func, Target &target, WeightSection &weights)
      : func(func), target(target), weights(weights), shapes(func.getContext()),
        exprs(shapes, [this](Value value) { return idOf(value); }),
        program(std::make_unique<fmt::ProgramT>()) {}

  Result<BuiltProgram> run() {
    if (failed(shapes.run(func)))
      return internalError("the partitioned program has contradictory sizes");
    program->target = target.name().str();
    program->kernel_abi = kernelAbiVersion;
    for (const CodegenTraits &traits : target.variants()) {
      (void)traits;
      kernels.push_back(ModuleOp::create(UnknownLoc::get(func.getContext())));
    }
    HEXIN_RETURN_IF_ERROR(addInterface());
    hostOnly = hostOnlyOps(func, shapes);
    readBack = readBackValues(func, shapes);
    for (Operation &op : func.getBody().front().without_terminator())
      HEXIN_RETURN_IF_ERROR(addOp(&op));
    Operation *terminator = func.getBody().front().getTerminator();
    for (auto [value, id] : llvm::zip(terminator->getOperands(), program->outputs))
      HEXIN_RETURN_IF_ERROR(addSizes(value, *program->values[id]));
    for (const hx::SymbolConstraint &constraint : shapes.symbols().constraints())
      addConstraint(constraint);
    if (faultsId)
      program->values[*faultsId]->dims = {exprs.constant(program->faults.size()),
                                          exprs.constant(2)};
    program->exprs = exprs.take();
    return BuiltProgram{std::move(program), std::move(kernels)};
  }

private:
  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  int32_t idOf(Value value) const {
    auto it = ids.find(value);
    return it == ids.end() ? -1 : static_cast<int32_t>(it->second);
  }

  Result<uint32_t> addValue(Value value, fmt::ValueKind kind, int32_t index) {
    auto def = std::make_unique<fmt::ValueDefT>();
    def->kind = kind;
    def->index = index;
    HEXIN_RETURN_IF_ERROR(setType(value.getType(), *def));
    if (kind != fmt::ValueKind::output) // those hang on what is not there yet
      HEXIN_RETURN_IF_ERROR(addSizes(value, *def));
    if (Operation *op = value.getDefiningOp()) {
      // A group's result is named for the op that computes it, not for all.
      if (auto group = dyn_cast<hx::GroupOp>(op)) {
        unsigned number = cast<OpResult>(value).getResultNumber();
        Operation *yield = group.getBody().front().getTerminator();
        op = yield->getOperand(number).getDefiningOp();
      }
      def->name = nodeNames(op->getLoc());
    }
    program->values.push_back(std::move(def));
    return program->values.size() - 1;
  }

  Status setType(Type type, fmt::ValueDefT &def) {
    def.holds = static_cast<uint8_t>(valueKind(type));
    if (hx::isHostType(type)) {
      def.residency = fmt::Residency::host;
      program->required_features |= fmt::hostValuesFeature;
    }
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (isa<hx::SequenceType, hx::OptionalType, hx::MapType>(type))
      return Status::success();
    std::optional<DType> dtype =
        tensor ? hx::toDType(tensor.getElementType()) : std::nullopt;
    if (!dtype)
      return internalError("a value has an element type that artifacts cannot hold");
    def.dtype = static_cast<uint8_t>(*dtype);
    return Status::success();
  }

  Status addSizes(Value value, fmt::ValueDefT &def) {
    for (hx::Dim dim : storedDims(value, def.kind)) {
      int32_t node = exprs.add(dim);
      if (node < 0)
        return internalError("size " + describeSize(shapes.symbols(), dim) + " of '" +
                             nodeNames(value.getLoc()) +
                             "' hangs on a value that is not kept");
      def.dims.push_back(node);
    }
    return Status::success();
  }

  /// The sizes a value has in memory: a computed packed matrix has panels.
  hx::Dims storedDims(Value value, fmt::ValueKind kind) {
    hx::Dims dims = shapes.dims(value);
    auto type = dyn_cast<RankedTensorType>(value.getType());
    auto panels =
        dyn_cast_or_null<hx::PanelsAttr>(type ? type.getEncoding() : mlir::Attribute());
    if (!panels || kind == fmt::ValueKind::weight)
      return dims;
    hx::SymbolTable &table = shapes.symbols();
    if (panels.getConv()) {
      hx::Dim groups = table.constant(panels.getGroups());
      hx::Dim panelWidth = table.constant(panels.getWidth());
      hx::Dim perGroup = table.floorDiv(dims[0], groups);
      return {groups, table.ceilDiv(perGroup, panelWidth),
              table.product(ArrayRef(dims).drop_front(1)), panelWidth};
    }
    hx::Dim depth = dims[dims.size() - (panels.getTransposed() ? 1 : 2)];
    hx::Dim columns = dims[dims.size() - (panels.getTransposed() ? 2 : 1)];
    dims.pop_back_n(2);
    hx::Dim width = table.constant(panels.getWidth());
    dims.append({table.ceilDiv(columns, width), depth, width});
    return dims;
  }

  Status addInterface() {
    for (BlockArgument argument : func.getArguments()) {
      HEXIN_ASSIGN_OR_RETURN(uint32_t id, addValue(argument, fmt::ValueKind::input,
                                                   argument.getArgNumber()));
      auto name = func.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "hx.name");
      program->values[id]->name = name ? name.str() : "";
      // An integer input may be asked for its contents.
      if (!hx::isHostType(argument.getType()))
        program->values[id]->residency = fmt::Residency::both;
      ids[argument] = id;
      program->inputs.push_back(id);
    }
    Operation *terminator = func.getBody().front().getTerminator();
    for (OpOperand &operand : terminator->getOpOperands()) {
      HEXIN_ASSIGN_OR_RETURN(uint32_t id, addValue(operand.get(), fmt::ValueKind::output,
                                                   operand.getOperandNumber()));
      auto name =
          func.getResultAttrOfType<StringAttr>(operand.getOperandNumber(), "hx.name");
      program->values[id]->name = name ? name.str() : "";
      program->outputs.push_back(id);
      // hx-materialize-results made every result a group's own, or a view of one
      // that nothing else is a result of.
      ids[operand.get()] = id;
      Value source = operand.get();
      while (auto view = source.getDefiningOp<hx::ReshapeOp>()) {
        if (hx::isHostType(view.getType()))
          break;
        source = view.getInput();
        aliasOf[source] = id;
      }
    }
    return Status::success();
  }

  /// The constant as an entry of the weights, with its own value.
  Result<uint32_t> constantValue(Value value) {
    Value source = value;
    hx::PanelsAttr panels;
    if (auto pack = value.getDefiningOp<hx::PackOp>()) {
      source = pack.getInput();
      panels = pack.getPanels();
    }
    std::optional<Tensor> tensor = hx::constantTensor(source);
    if (!tensor)
      return internalError("the data of constant '" + nodeNames(value.getLoc()) +
                           "' is not at hand");
    std::string name = nodeNames(source.getLoc());
    if (auto weight = source.getDefiningOp<hx::WeightOp>())
      name = weight.getEntry().str();
    uint32_t entry = weights.add(name, *tensor, panels);
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, addValue(value, fmt::ValueKind::weight, entry));
    program->values[id]->name = name;
    return id;
  }

  /// The program's value for a tensor that an instruction reads.
  Result<uint32_t> operandValue(Value value) {
    if (int32_t id = idOf(value); id >= 0)
      return id;
    Operation *op = value.getDefiningOp();
    Result<uint32_t> id = internalError("a value is used before it is made");
    auto argument = dyn_cast<BlockArgument>(value);
    if (argument && isIteration(argument))
      id = materializeContents(value);
    if (op && placeOf(op, shapes) == Place::constant)
      id = hx::isHostType(value.getType()) ? stringConstant(value) : constantValue(value);
    else if (op && (placeOf(op, shapes) == Place::host || shapes.contents(value)))
      id = materializeContents(value); // a view of what only the host knows, too
    if (id.ok())
      ids[value] = *id;
    return id;
  }

  //===--------------------------------------------------------------------===//
  // Instructions
  //===--------------------------------------------------------------------===//

  Status addOp(Operation *op) {
    if (auto group = dyn_cast<hx::GroupOp>(op))
      return addGroup(group);
    if (auto ifOp = dyn_cast<hx::IfOp>(op))
      return addIf(ifOp);
    if (auto loop = dyn_cast<hx::LoopOp>(op))
      return addLoop(loop);
    if (hostOnly.contains(op))
      return Status::success();
    Place place = placeOf(op, shapes);
    if (auto reshape = dyn_cast<hx::ReshapeOp>(op); reshape && place == Place::view)
      return addView(reshape);
    if (place == Place::host)
      for (Value result : op->getResults())
        if (idOf(result) >= 0) // a result of the program
          HEXIN_RETURN_IF_ERROR(writeContents(result));
    if (place == Place::fallback)
      return addFallback(op);
    if (place == Place::byNature)
      return addHostOp(op);
    if (place == Place::constant || place == Place::host)
      return Status::success(); // made when somebody reads it
    return unsupported("'" + nodeNames(op->getLoc()) + "' (" +
                       op->getName().getStringRef().str() + ") was not placed");
  }

  /// Both branches, each under its condition; a result is what one or the other
  /// made. The plan decides.
  Status addIf(hx::IfOp op) {
    hx::SymbolTable &table = shapes.symbols();
    hx::Dim condition = shapes.contents(op.getCondition())->front();
    int32_t choice = exprs.add(condition);
    if (choice < 0)
      return internalError("the condition of '" + nodeNames(op.getLoc()) +
                           "' hangs on a value that is not kept");
    SmallVector<uint32_t> onTrue, onFalse;
    HEXIN_RETURN_IF_ERROR(addBranch(op.getThenRegion(), condition, op, onTrue));
    HEXIN_RETURN_IF_ERROR(addBranch(op.getElseRegion(),
                                    table.eq(condition, table.constant(0)), op, onFalse));
    unsigned next = 0;
    for (Value result : op.getResults()) {
      if (result.use_empty())
        continue;
      HEXIN_ASSIGN_OR_RETURN(uint32_t id, addValue(result, fmt::ValueKind::phi, -1));
      program->values[id]->phi_condition = choice;
      program->values[id]->phi_then = static_cast<int32_t>(onTrue[next]);
      program->values[id]->phi_else = static_cast<int32_t>(onFalse[next]);
      ids[result] = id;
      ++next;
    }
    return bringToHost(op);
  }

  /// `chosen`: the values of the results of `op` that are used.
  Status addBranch(Region &region, hx::Dim condition, hx::IfOp op,
                   SmallVector<uint32_t> &chosen) {
    hx::SymbolTable &table = shapes.symbols();
    hx::Dim outer = predicate;
    // Not a product: where the outer branch is not taken the condition may have no value.
    predicate = outer ? table.select(outer, condition, table.constant(0)) : condition;
    size_t numKept = materialized.size();
    for (Operation &inner : region.front().without_terminator())
      HEXIN_RETURN_IF_ERROR(addOp(&inner));
    auto yield = cast<hx::YieldOp>(region.front().getTerminator());
    for (auto [result, value] : llvm::zip(op.getResults(), yield.getValues())) {
      if (result.use_empty())
        continue;
      HEXIN_ASSIGN_OR_RETURN(uint32_t id, operandValue(value));
      chosen.push_back(id);
    }
    // What was written for readers in here is not there for others.
    while (materialized.size() > numKept)
      ids.erase(materialized.pop_back_val());
    predicate = outer;
    return Status::success();
  }

  /// The body between two instructions, and behind them what fills the stacks. The
  /// loop's values are groups' own: hx-materialize-results saw to that.
  Status addLoop(hx::LoopOp op) {
    auto loop = std::make_unique<fmt::LoopT>();
    auto number = static_cast<uint32_t>(program->loops.size());
    program->loops.push_back(std::make_unique<fmt::LoopT>());
    Block &body = op.getBody().front();
    size_t numCarried = op.getCarried().size();
    std::string node = nodeNames(op.getLoc());
    auto drives = [&](Value value, int32_t &expr) {
      expr = exprs.add(shapes.contents(value)->front());
      if (expr >= 0)
        return Status::success();
      return internalError("the condition or trip count of '" + node +
                           "' hangs on a value that is not kept");
    };
    if (op.getTripCount())
      HEXIN_RETURN_IF_ERROR(drives(op.getTripCount(), loop->trip_count));
    if (op.getCondition())
      HEXIN_RETURN_IF_ERROR(drives(op.getCondition(), loop->condition));
    for (Value carried : op.getCarried()) {
      HEXIN_ASSIGN_OR_RETURN(uint32_t id, operandValue(carried));
      loop->entries.push_back(id);
    }
    exprs.addLoop(body.getArgument(0), number);
    HEXIN_RETURN_IF_ERROR(addLoopMark(fmt::InstructionKind::loop_begin, number, node));
    for (BlockArgument argument : body.getArguments().drop_front()) {
      HEXIN_ASSIGN_OR_RETURN(uint32_t id, addLoopValue(argument));
      loop->carried.push_back(id);
      if (readBack.contains(argument))
        HEXIN_RETURN_IF_ERROR(addTransfer(fmt::InstructionKind::to_host, id, node));
    }
    size_t numKept = materialized.size();
    for (Operation &inner : body.without_terminator())
      HEXIN_RETURN_IF_ERROR(addOp(&inner));
    ValueRange yielded = cast<hx::YieldOp>(body.getTerminator()).getValues();
    if (!op.getIgnoreCondition())
      HEXIN_RETURN_IF_ERROR(drives(yielded.front(), loop->again));
    for (Value value : yielded.drop_front()) {
      HEXIN_ASSIGN_OR_RETURN(uint32_t id, operandValue(value));
      (loop->nexts.size() < numCarried ? loop->nexts : loop->slices).push_back(id);
    }
    HEXIN_RETURN_IF_ERROR(addLoopMark(fmt::InstructionKind::loop_end, number, node));
    for (Value result : op.getResults()) {
      HEXIN_ASSIGN_OR_RETURN(uint32_t id, addLoopValue(result));
      (loop->results.size() < numCarried ? loop->results : loop->stacks).push_back(id);
    }
    for (size_t k = numCarried; k < op.getNumResults(); ++k)
      HEXIN_RETURN_IF_ERROR(addStacking(yielded[k + 1], op.getResult(k), node));
    while (materialized.size() > numKept)
      ids.erase(materialized.pop_back_val());
    program->loops[number] = std::move(loop);
    return bringToHost(op);
  }

  Status addLoopMark(fmt::InstructionKind kind, uint32_t loop, const std::string &node) {
    // Not taken is decided at the beginning.
    hx::Dim outer = std::exchange(
        predicate, kind == fmt::InstructionKind::loop_begin ? predicate : hx::Dim());
    Status added = addTransfer(kind, loop, node);
    predicate = outer;
    return added;
  }

  /// A value whose memory a loop hands on: its sizes come with it.
  Result<uint32_t> addLoopValue(Value value) {
    auto def = std::make_unique<fmt::ValueDefT>();
    def->kind = fmt::ValueKind::temp;
    def->residency =
        readBack.contains(value) ? fmt::Residency::both : fmt::Residency::device;
    HEXIN_RETURN_IF_ERROR(setType(value.getType(), *def));
    def->name = nodeNames(value.getLoc());
    uint32_t id = program->values.size();
    for (size_t axis = 0; axis < shapes.dims(value).size(); ++axis)
      def->dims.push_back(exprs.sizeOfValue(id, axis));
    program->values.push_back(std::move(def));
    ids[value] = id;
    return id;
  }

  /// The instruction that copies a slice to where it belongs.
  Status addStacking(Value slice, Value stack, const std::string &node) {
    codegen::KernelUse use;
    for (auto [i, traits] : llvm::enumerate(target.variants())) {
      codegen::KernelBuilder k(*kernels[i], shapes, traits, slice.getLoc(), use.name);
      codegen::emitCopy(k, slice, stack);
      k.use.isExact = true;
      codegen::KernelUse emitted = k.finish();
      if (i == 0)
        use = std::move(emitted);
    }
    hx::Dim outer = std::exchange(predicate, hx::Dim());
    Status added = addLaunch(use, "stack", node, "");
    predicate = outer;
    return added;
  }

  Status addView(hx::ReshapeOp reshape) {
    if (idOf(reshape.getResult()) >= 0)
      return bringToHost(reshape); // an output; its source is a view of it
    if (shapes.followsFromOthers(reshape.getResult()))
      return Status::success();
    HEXIN_ASSIGN_OR_RETURN(uint32_t source, operandValue(reshape.getInput()));
    HEXIN_ASSIGN_OR_RETURN(uint32_t id,
                           addValue(reshape.getResult(), fmt::ValueKind::alias, -1));
    program->values[id]->alias_of = source;
    ids[reshape.getResult()] = id;
    return bringToHost(reshape);
  }

  /// Results of `op` that sizes or conditions hang on, once it has made them.
  Status bringToHost(Operation *op) {
    for (Value result : op->getResults()) {
      if (!readBack.contains(result))
        continue;
      program->values[idOf(result)]->residency = fmt::Residency::both;
      HEXIN_RETURN_IF_ERROR(addTransfer(fmt::InstructionKind::to_host, idOf(result),
                                        nodeNames(result.getLoc())));
    }
    return Status::success();
  }

  /// Where an instruction puts `result`: an output, a view of one, or a temporary.
  Result<uint32_t> resultValue(Value result) {
    if (int32_t id = idOf(result); id >= 0)
      return id;
    auto alias = aliasOf.find(result);
    bool isAlias = alias != aliasOf.end();
    HEXIN_ASSIGN_OR_RETURN(
        uint32_t id,
        addValue(result, isAlias ? fmt::ValueKind::alias : fmt::ValueKind::temp, -1));
    if (isAlias)
      program->values[id]->alias_of = alias->second;
    ids[result] = id;
    return id;
  }

  Status addGroup(hx::GroupOp group) {
    for (Value result : group.getResults())
      HEXIN_RETURN_IF_ERROR(resultValue(result).status());

    codegen::KernelUse use;
    for (auto [i, traits] : llvm::enumerate(target.variants())) {
      FailureOr<codegen::KernelUse> emitted =
          codegen::emitKernel(group, shapes, *kernels[i], traits, use.name);
      if (failed(emitted))
        return internalError("no kernel could be written for '" +
                             nodeNames(group.getLoc()) + "'");
      if (i == 0)
        use = std::move(*emitted);
      else if (emitted->params != use.params || emitted->bindings != use.bindings)
        return internalError("the kernels for '" + nodeNames(group.getLoc()) +
                             "' differ in bindings or params between architectures");
    }
    std::string reason = group.getReason() ? group.getReason()->str() : "";
    std::string refusal;
    std::vector<std::unique_ptr<fmt::VariantT>> variants;
    if (std::optional<LibraryCall> call = target.libraryCall(group, shapes, refusal)) {
      HEXIN_ASSIGN_OR_RETURN(auto variant, libraryVariant(*call));
      variants.push_back(std::move(variant));
    }
    if (!refusal.empty())
      reason += (reason.empty() ? "" : "; ") + refusal;
    if (group.getTeamSchedule() && target.variants().front().team.threads > 0) {
      HEXIN_ASSIGN_OR_RETURN(auto variant, teamVariant(group));
      variants.push_back(std::move(variant));
    }
    HEXIN_RETURN_IF_ERROR(addLaunch(use, group.getSchedule().str(),
                                    nodeNames(group.getLoc()), reason,
                                    std::move(variants)));
    return bringToHost(group);
  }

  /// The group's kernel for devices whose threads share memory.
  Result<std::unique_ptr<fmt::VariantT>> teamVariant(hx::GroupOp group) {
    codegen::KernelUse use;
    std::string node = nodeNames(group.getLoc());
    for (auto [i, traits] : llvm::enumerate(target.variants())) {
      FailureOr<codegen::KernelUse> emitted =
          codegen::emitTeamKernel(group, shapes, *kernels[i], traits, use.name);
      if (failed(emitted))
        return internalError("no team kernel could be written for '" + node + "'");
      if (i == 0)
        use = std::move(*emitted);
    }
    program->required_features |= fmt::teamKernelsFeature;
    HEXIN_ASSIGN_OR_RETURN(auto variant,
                           kernelVariant(use, group.getSchedule().str(), node));
    variant->name = group.getTeamSchedule()->str();
    return variant;
  }

  Result<std::unique_ptr<fmt::VariantT>> libraryVariant(const LibraryCall &call) {
    auto variant = std::make_unique<fmt::VariantT>();
    variant->engine = fmt::Engine::library;
    variant->name = call.name;
    for (const auto &[name, value] : call.attributes)
      variant->attributes.push_back(attributeDef(name, value));
    if (call.guard) {
      variant->guard = exprs.add(call.guard);
      if (variant->guard < 0)
        return internalError("the guard of " + call.name +
                             " hangs on a value that is not kept");
    }
    for (Value value : call.bindings) {
      HEXIN_ASSIGN_OR_RETURN(uint32_t id, operandValue(value));
      variant->bindings.push_back(fmt::Binding(id, -1));
    }
    variant->order = fmt::OrderClass::free;
    variant->error_constant = call.errorConstant;
    return variant;
  }

  Result<std::unique_ptr<fmt::VariantT>> kernelVariant(const codegen::KernelUse &use,
                                                       const std::string &op,
                                                       const std::string &node) {
    auto variant = std::make_unique<fmt::VariantT>();
    variant->engine = fmt::Engine::kernel;
    variant->kernel = kernelId(use);
    for (hx::Dim dim : use.params) {
      int32_t param = exprs.add(dim);
      if (param < 0)
        return internalError("a parameter of '" + node +
                             "' hangs on a value that is not kept");
      variant->params.push_back(param);
    }
    variant->result_count = llvm::count(use.writes, true);
    for (Value value : use.bindings) {
      if (!value) {
        variant->bindings.push_back(faultRow(op, node));
        continue;
      }
      HEXIN_ASSIGN_OR_RETURN(uint32_t id, operandValue(value));
      variant->bindings.push_back(fmt::Binding(id, -1));
    }
    return variant;
  }

  /// `variants`: what goes before the kernel, best first.
  Status addLaunch(const codegen::KernelUse &use, std::string op, std::string node,
                   std::string reason,
                   std::vector<std::unique_ptr<fmt::VariantT>> variants = {}) {
    HEXIN_ASSIGN_OR_RETURN(auto variant, kernelVariant(use, op, node));
    auto instruction = std::make_unique<fmt::InstructionT>();
    instruction->kind = fmt::InstructionKind::run;
    instruction->variants = std::move(variants);
    instruction->variants.push_back(std::move(variant));
    instruction->op = std::move(op);
    instruction->node = std::move(node);
    instruction->reason = std::move(reason);
    return append(std::move(instruction));
  }

  /// A row of the faults for the instruction of `node`.
  fmt::Binding faultRow(const std::string &op, const std::string &node) {
    if (!faultsId) {
      faultsId = program->values.size();
      auto def = std::make_unique<fmt::ValueDefT>();
      def->kind = fmt::ValueKind::faults;
      def->dtype = static_cast<uint8_t>(DType::i64);
      program->values.push_back(std::move(def)); // its sizes come when all rows are known
    }
    constexpr int64_t rowBytes = 2 * sizeof(int64_t);
    int32_t offset = exprs.constant(rowBytes * program->faults.size());
    auto fault = std::make_unique<fmt::FaultT>();
    fault->node = node;
    fault->op = op;
    program->faults.push_back(std::move(fault));
    return fmt::Binding(*faultsId, offset);
  }

  /// Under the condition of the branch at hand.
  Status append(std::unique_ptr<fmt::InstructionT> instruction) {
    if (predicate) {
      instruction->predicate = exprs.add(predicate);
      if (instruction->predicate < 0)
        return internalError("the branch of '" + instruction->node +
                             "' hangs on a value that is not kept");
    }
    program->instructions.push_back(std::move(instruction));
    return Status::success();
  }

  Status addTransfer(fmt::InstructionKind kind, uint32_t value, const std::string &node) {
    auto instruction = std::make_unique<fmt::InstructionT>();
    instruction->kind = kind;
    instruction->value = value;
    instruction->node = node;
    return append(std::move(instruction));
  }

  /// An op that the caller let run on the host.
  Status addFallback(Operation *op) {
    std::string reason = fallbackReason(op).str();
    program->fallbacks.push_back(nodeNames(op->getLoc()) + " (" +
                                 op->getName().getStringRef().str() + "): " + reason);
    HEXIN_RETURN_IF_ERROR(addHostInstruction(op, reason));
    for (Value result : op->getResults())
      HEXIN_RETURN_IF_ERROR(addTransfer(fmt::InstructionKind::to_device, idOf(result),
                                        nodeNames(op->getLoc())));
    return Status::success();
  }

  /// An op of values that live on the host; tensors among its results go to the device
  /// where that reads them.
  Status addHostOp(Operation *op) {
    program->required_features |= fmt::hostValuesFeature;
    HEXIN_RETURN_IF_ERROR(
        addHostInstruction(op, "strings, sequences and the like live on the host"));
    for (Value result : op->getResults()) {
      bool isRead = llvm::any_of(result.getUses(), [&](OpOperand &use) {
        auto reads = dyn_cast<hx::HostReadOpInterface>(use.getOwner());
        Place place = placeOf(use.getOwner(), shapes);
        return !isa<func::ReturnOp>(use.getOwner()) && place != Place::byNature &&
               place != Place::host &&
               !(reads && reads.isHostRead(use.getOperandNumber()));
      });
      if (isRead && !hx::isHostType(result.getType()))
        HEXIN_RETURN_IF_ERROR(addTransfer(fmt::InstructionKind::to_device, idOf(result),
                                          nodeNames(op->getLoc())));
    }
    return Status::success();
  }

  /// Operands to the host, then its kernel.
  Status addHostInstruction(Operation *op, const std::string &reason) {
    std::string node = nodeNames(op->getLoc());
    auto variant = std::make_unique<fmt::VariantT>();
    variant->engine = fmt::Engine::host;
    variant->name = op->getName().stripDialect().str();
    variant->result_count = op->getNumResults();
    for (const auto &[name, value] : hx::toAttributes(op))
      variant->attributes.push_back(attributeDef(name, value));
    constexpr uint32_t absent = 0xFFFFFFFF;
    for (auto [position, value] : hx::odsOperands(op)) {
      HEXIN_ASSIGN_OR_RETURN(uint32_t id, operandValue(value));
      if (!isOnHost(value))
        HEXIN_RETURN_IF_ERROR(addTransfer(fmt::InstructionKind::to_host, id, node));
      while (variant->bindings.size() < position)
        variant->bindings.push_back(fmt::Binding(absent, -1));
      variant->bindings.push_back(fmt::Binding(id, -1));
    }
    for (Value result : op->getResults()) {
      HEXIN_ASSIGN_OR_RETURN(uint32_t id, hostResult(result));
      if (!hx::isHostType(result.getType()))
        program->values[id]->residency = fmt::Residency::both;
      variant->bindings.push_back(fmt::Binding(id, -1));
    }
    auto instruction = std::make_unique<fmt::InstructionT>();
    instruction->kind = fmt::InstructionKind::run;
    instruction->variants.push_back(std::move(variant));
    instruction->op = op->getName().stripDialect().str();
    instruction->node = node;
    instruction->reason = reason;
    return append(std::move(instruction));
  }

  /// Where a host instruction puts `result`, whose sizes may be what it gives it.
  Result<uint32_t> hostResult(Value result) {
    if (idOf(result) >= 0 || aliasOf.contains(result))
      return resultValue(result);
    ids[result] = program->values.size();
    return addValue(result, fmt::ValueKind::temp, -1);
  }

  /// Whether the host can read `value` as it is.
  bool isOnHost(Value value) {
    if (hx::isHostType(value.getType()))
      return true;
    Operation *source = value.getDefiningOp();
    Place place = source ? placeOf(source, shapes) : Place::device;
    return place == Place::constant || place == Place::byNature;
  }

  /// A literal of strings is made by an instruction.
  Result<uint32_t> stringConstant(Value value) {
    auto elements = dyn_cast<DenseStringElementsAttr>(
        value.getDefiningOp<hx::ConstantOp>().getValue());
    if (!elements)
      return internalError("the data of constant '" + nodeNames(value.getLoc()) +
                           "' is not at hand");
    auto variant = std::make_unique<fmt::VariantT>();
    variant->engine = fmt::Engine::host;
    variant->name = "string_constant";
    std::vector<std::string> strings;
    for (StringRef text : elements.getRawStringData())
      strings.push_back(text.str());
    variant->attributes.push_back(attributeDef("values", strings));
    variant->attributes.push_back(
        attributeDef("dims", std::vector<int64_t>(elements.getType().getShape())));
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, addValue(value, fmt::ValueKind::temp, -1));
    ids[value] = id;
    materialized.push_back(value);
    variant->bindings.push_back(fmt::Binding(id, -1));
    auto instruction = std::make_unique<fmt::InstructionT>();
    instruction->kind = fmt::InstructionKind::run;
    instruction->variants.push_back(std::move(variant));
    instruction->op = "string_constant";
    instruction->node = nodeNames(value.getLoc());
    HEXIN_RETURN_IF_ERROR(append(std::move(instruction)));
    return id;
  }

  static std::unique_ptr<fmt::AttributeDefT> attributeDef(const std::string &name,
                                                          const hexin::Attribute &value) {
    auto def = std::make_unique<fmt::AttributeDefT>();
    def->name = name;
    def->kind = value.index();
    if (auto *i = std::get_if<int64_t>(&value))
      def->i = *i;
    else if (auto *f = std::get_if<double>(&value))
      def->f = *f;
    else if (auto *s = std::get_if<std::string>(&value))
      def->s = *s;
    else if (auto *ints = std::get_if<std::vector<int64_t>>(&value))
      def->ints = *ints;
    else if (auto *floats = std::get_if<std::vector<double>>(&value))
      def->floats = *floats;
    else if (auto *strings = std::get_if<std::vector<std::string>>(&value))
      def->strings = *strings;
    return def;
  }

  int32_t kernelId(const codegen::KernelUse &use) {
    auto [it, isNew] = kernelIds.try_emplace(use.name, program->kernels.size());
    if (!isNew)
      return it->second;
    auto kernel = std::make_unique<fmt::KernelT>();
    kernel->name = use.name;
    kernel->binding_count = use.bindings.size();
    kernel->param_count = use.params.size();
    std::vector<int32_t> roots{use.items.node};
    for (codegen::KExpr footprint : use.footprints)
      roots.push_back(footprint.node);
    kernel->exprs = toNodes(use.exprs, roots);
    kernel->items = roots.front();
    kernel->footprints.assign(roots.begin() + 1, roots.end());
    kernel->writes.assign(use.writes.begin(), use.writes.end());
    kernel->grain = use.grain;
    kernel->team_threads = use.teamThreads;
    kernel->local_bytes = use.localBytes;
    kernel->order = use.isExact ? fmt::OrderClass::exact : fmt::OrderClass::fixed;
    kernel->error_constant = use.errorConstant;
    program->kernels.push_back(std::move(kernel));
    return it->second;
  }

  /// A small integer tensor that is known as expressions, on the device.
  Result<uint32_t> materializeContents(Value value) {
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, addValue(value, fmt::ValueKind::temp, -1));
    ids[value] = id;
    materialized.push_back(value);
    HEXIN_RETURN_IF_ERROR(writeContents(value));
    return id;
  }

  /// A kernel that writes its params.
  Status writeContents(Value value) {
    hx::Dims contents = *shapes.contents(value);
    codegen::KernelUse use;
    for (auto [i, traits] : llvm::enumerate(target.variants())) {
      codegen::KernelBuilder k(*kernels[i], shapes, traits, value.getLoc(), use.name);
      k.beginItems(k.constantExpr(1));
      codegen::emitContents(k, value, contents);
      k.use.isExact = true;
      codegen::KernelUse emitted = k.finish();
      if (i == 0)
        use = std::move(emitted);
    }
    return addLaunch(use, "shape_values", nodeNames(value.getLoc()), "");
  }

  void addConstraint(const hx::SymbolConstraint &constraint) {
    auto def = std::make_unique<fmt::ConstraintT>();
    def->expr = exprs.add(constraint.lhs);
    def->equal = constraint.rhs ? exprs.add(constraint.rhs) : -1;
    // What hangs on a value that was fused away was checked where it was made.
    if (def->expr < 0 || (constraint.rhs && def->equal < 0))
      return;
    def->lo = constraint.lower;
    def->hi = constraint.upper;
    def->message = constraint.message;
    program->constraints.push_back(std::move(def));
  }

  func::FuncOp func;
  Target &target;
  WeightSection &weights;
  hx::SymbolicShapes shapes;
  ShapeExprs exprs;
  std::unique_ptr<fmt::ProgramT> program;
  std::vector<OwningOpRef<ModuleOp>> kernels;
  llvm::DenseMap<Value, uint32_t> ids;
  llvm::DenseMap<Value, uint32_t> aliasOf;
  std::map<std::string, int32_t> kernelIds;
  llvm::DenseSet<Operation *> hostOnly;
  llvm::DenseSet<Value> readBack; ///< to be brought to the host where they are made
  hx::Dim predicate;              ///< of the branch at hand; null outside of all
  std::optional<uint32_t> faultsId;
  SmallVector<Value> materialized; ///< shape values that were written, in order
};

} // namespace

Result<BuiltProgram> buildProgram(func::FuncOp func, Target &target,
                                  WeightSection &weights) {
  return Builder(func, target, weights).run();
}

} // namespace hexin
