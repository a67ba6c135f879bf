#include "compiler/api/Compile.h"

#include "compiler/api/Explain.h"
#include "compiler/api/OptionNames.h"
#include "compiler/api/Registry.h"
#include "compiler/api/States.h"
#include "compiler/artifact/ArtifactReader.h"
#include "compiler/artifact/ArtifactWriter.h"
#include "compiler/artifact/PortTypes.h"
#include "compiler/codegen/schedules/Schedules.h"
#include "compiler/ir/AttributeConversion.h"
#include "compiler/ir/Dialect.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/target/KernelCache.h"
#include "runtime/artifact/Format.h"
#include "runtime/base/CacheDir.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/Format.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <thread>

using namespace mlir;

namespace hexin::compiler {
namespace {

/// Places are there for the nodes they name; that an op has none is no news.
std::string withoutUnknown(StringRef text) {
  constexpr StringRef alias = "#loc = [unknown]\n", place = " [unknown]";
  std::string kept;
  for (bool isQuoted = false; !text.empty();) {
    if (!isQuoted && (text.consume_front(alias) || text.consume_front(place)))
      continue;
    if (isQuoted && text.front() == '\\' && text.size() > 1) {
      kept += text.take_front(2);
      text = text.drop_front(2);
      continue;
    }
    isQuoted ^= text.front() == '"';
    kept += text.front();
    text = text.drop_front();
  }
  return kept;
}

std::string printed(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module.print(os,
               OpPrintingFlags().enableDebugInfo(true, true).elideLargeElementsAttrs(16));
  return withoutUnknown(text) + "\n";
}

/// None of `asked` is an architecture of the target.
Status noArchitecture(const std::string &target, ArrayRef<std::string> asked) {
  std::string known;
  std::unique_ptr<Target> every = createTarget(target, TargetOptions());
  for (const CodegenTraits &variant : every->variants())
    if (variant.extends.empty())
      known += (known.empty() ? "" : ", ") + variant.arch;
  return invalidArgument("target '" + target + "' has no architecture '" +
                         llvm::join(asked, "', '") + "'; it has " + known);
}

class Compilation {
public:
  Compilation(const CompileOptions &options, const std::string &outPath)
      : options(options), outPath(outPath), start(std::chrono::steady_clock::now()),
        cache(KernelCache::open(resolveCacheDir(options.cacheDir))) {
    context.loadDialect<hx::HXDialect, func::FuncDialect, arith::ArithDialect,
                        gpu::GPUDialect, math::MathDialect, memref::MemRefDialect,
                        nvgpu::NVGPUDialect, NVVM::NVVMDialect, scf::SCFDialect,
                        vector::VectorDialect>();
    pipeline.verifyEach = options.verifyEach;
    pipeline.placement = {options.disable, options.allowFallback};
    pipeline.placement.quantisesInputs = options.precision == "int8-dynamic";
    // A library that goes first wherever it can goes before our schedules with a guard.
    if (!options.prefer.empty())
      for (const codegen::GuardedSchedule &guarded : codegen::guardedSchedules())
        pipeline.placement.disabled.push_back(guarded.schedule.name.str());
  }

  Status makeTargets() {
    if (options.targets.empty())
      return invalidArgument("no target is named; this build has " + known());
    for (const std::string &name : options.targets) {
      if (llvm::count(options.targets, name) > 1)
        return invalidArgument("target '" + name + "' is named " +
                               std::to_string(llvm::count(options.targets, name)) +
                               " times; expected each target once");
      TargetOptions targetOptions;
      targetOptions.cache = &cache;
      targetOptions.threads =
          options.threads ? options.threads : std::thread::hardware_concurrency();
      if (name == "cpu")
        targetOptions.archs = options.cpuArchs;
      targetOptions.disabled = options.disable;
      targetOptions.preferred = options.prefer;
      std::unique_ptr<Target> target = createTarget(name, targetOptions);
      if (!target)
        return invalidArgument("unknown target '" + name + "'; this build has " +
                               known());
      if (target->variants().empty())
        return noArchitecture(name, options.cpuArchs);
      targets.push_back(std::move(target));
    }
    for (const std::string &library : options.prefer)
      HEXIN_RETURN_IF_ERROR(checkLibrary(library));
    return Status::success();
  }

  Status import(const Source &source) {
    report("import", 0);
    DiagnosticCollector diagnostics(&context);
    ImportOptions importOptions;
    importOptions.shapes = options.shapes;
    std::vector<std::unique_ptr<Frontend>> frontends = createFrontends();
    if (frontends.empty())
      return unsupported("this build reads no model format");
    // One format so far; with a second, the file's first bytes decide.
    Frontend &frontend = *frontends.front();
    Result<ImportedModel> imported =
        source.path.empty() ? frontend.importBytes(context, source.bytes, importOptions)
                            : frontend.importFile(context, source.path, importOptions);
    HEXIN_RETURN_IF_ERROR(imported.status());
    model = std::move(*imported);
    return describe();
  }

  /// Starts from an artifact's portable section instead of a model. All targets
  /// it had are written again beside the new ones.
  Status load(const std::string &artifactPath, std::vector<std::string> &targetNames) {
    report("load", 0);
    DiagnosticCollector diagnostics(&context);
    Result<PortableModel> read = readPortable(artifactPath, context);
    if (!read.ok())
      return diagnostics.text().empty() ? read.status()
                                        : read.status().withContext(diagnostics.text());
    container = std::move(read->container);
    model.weights = std::move(read->weights);
    model.module = std::move(read->module);
    header = std::move(read->face);
    targetNames = std::move(read->targets);
    return Status::success();
  }

  Result<CompileReport> finishLoaded() {
    CompileReport result;
    HEXIN_RETURN_IF_ERROR(checkNames());
    DiagnosticCollector diagnostics(&context);
    HEXIN_RETURN_IF_ERROR(finishPortable(diagnostics, result));
    return result;
  }

  /// Everything behind import; returns the report.
  Result<CompileReport> finish() {
    CompileReport result;
    auto main = mainFunction();
    if (!main)
      return internalError("the frontend made no function @main");
    DiagnosticCollector diagnostics(&context);
    if (options.emit == "import")
      return text(printed(*model.module));
    // Nodes that optimising removes are no mistakes of the user.
    collectNodeNames(*model.module, nodeNames);
    report("optimize", 0.1);
    if (mlir::failed(optimize(*model.module, pipeline)))
      return invalidArgument("the model cannot be compiled: " + diagnostics.text());
    HEXIN_RETURN_IF_ERROR(checkNames());
    HEXIN_RETURN_IF_ERROR(refreshPorts());
    if (options.emit == "optimized")
      return text(printed(*model.module));
    HEXIN_RETURN_IF_ERROR(finishPortable(diagnostics, result));
    return result;
  }

private:
  /// From the optimised module to the file.
  Status finishPortable(DiagnosticCollector &diagnostics, CompileReport &result) {
    OwningOpRef<ModuleOp> portable =
        cast<ModuleOp>(model.module->getOperation()->clone());
    hx::WeightStore::attach(*portable, model.weights.get());
    Status status = finishFrom(*portable, diagnostics, result);
    hx::WeightStore::attach(*portable, nullptr);
    return status;
  }

  Status finishFrom(ModuleOp portable, DiagnosticCollector &diagnostics,
                    CompileReport &result) {
    auto failed = [&](const char *phase) {
      return internalError(
          std::string("while the model was ") + phase + ": " +
          (diagnostics.text().empty() ? "no reason given" : diagnostics.text()));
    };
    report("place", 0.2);
    std::map<Form, OwningOpRef<ModuleOp>> special;
    llvm::scope_exit detach([&] {
      for (auto &[form, module] : special)
        if (module)
          hx::WeightStore::attach(*module, nullptr);
    });
    bool isPlain = options.emit == "placed"; // for some target
    // What placing reports, it reports at a node, with the remedy.
    auto whyNotPlaced = [&] {
      return diagnostics.text().empty() ? failed("placed")
                                        : unsupported(diagnostics.text());
    };
    for (const std::unique_ptr<Target> &target : targets) {
      Form form = formOf(*target);
      if (form != Form() && !special.count(form))
        special[form] = placeAs(form, portable);
      if (!diagnostics.text().empty())
        return whyNotPlaced();
      isPlain |= form == Form() || !special[form];
    }
    if (isPlain && mlir::failed(place(*model.module, pipeline)))
      return whyNotPlaced();
    if (options.emit == "placed") {
      result.text = printed(*model.module);
      for (auto &[form, module] : special)
        if (module)
          result.text +=
              "// for targets that take attention whole" +
              std::string(form.narrowProducts ? ", and products of bytes" : "") +
              (form.bfloatProducts ? ", and of bf16" : "") + "\n" + printed(*module);
      return Status::success();
    }
    WeightSection weights(/*holdsDerived=*/options.prepack == "full");
    std::vector<TargetProgram> programs;
    for (auto [i, target] : llvm::enumerate(targets)) {
      report("kernels for " + target->name().str(), 0.3 + 0.6 * i / targets.size());
      auto own = special.find(formOf(*target));
      bool isSpecial = own != special.end() && own->second;
      Result<BuiltProgram> built = buildProgram(
          mainOf(isSpecial ? *own->second : *model.module), *target, weights);
      if (!built.ok())
        return diagnostics.text().empty()
                   ? built.status()
                   : built.status().withContext(diagnostics.text());
      result.kernels += built->program->kernels.size();
      TargetProgram program;
      // A kernel counts as reused when its code for every arch was known.
      uint64_t reused = built->program->kernels.size();
      for (auto [kernels, traits] : llvm::zip(built->kernels, target->variants())) {
        if (!traits.extends.empty() && kernels->getBody()->empty())
          continue;
        if (options.emit == "kernels") {
          result.text += "// " + target->name().str() + ", " + traits.arch + "\n" +
                         printed(*kernels);
          continue;
        }
        FailureOr<Image> image = target->emitImage(*kernels, traits);
        if (mlir::failed(image))
          return failed("translated");
        reused = std::min(reused, image->kernelsReused);
        program.images.push_back(std::move(*image));
      }
      result.kernelsReused += reused;
      program.program = std::move(built->program);
      programs.push_back(std::move(program));
    }
    if (options.emit == "kernels")
      return Status::success();
    if (options.explain) {
      for (const TargetProgram &program : programs)
        result.text += explain(*program.program);
    }
    report("write", 0.95);
    notePrecision();
    HEXIN_ASSIGN_OR_RETURN(std::string bytecode, writePortable(portable, weights));
    HEXIN_ASSIGN_OR_RETURN(result.artifactBytes,
                           writeArtifact(outPath, std::move(header), std::move(programs),
                                         weights, bytecode));
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    report("done", 1);
    return Status::success();
  }

  static func::FuncOp mainOf(ModuleOp module) {
    return module.lookupSymbol<func::FuncOp>("main");
  }
  func::FuncOp mainFunction() { return mainOf(*model.module); }

  /// What a target has that makes the module's groups others than those of most.
  struct Form {
    /// How many queries an attention that is one kernel has at least; 0: there is no
    /// schedule for it (codegen/schedules/Attention.cpp).
    int64_t fewestQueries = 0;
    bool narrowProducts = false;
    bool bfloatProducts = false;
    auto operator<=>(const Form &other) const = default;
  };
  Form formOf(const Target &target) const {
    const CodegenTraits &traits = target.variants().front();
    constexpr int64_t ofTeams = 9; // a tile of fewer would be mostly empty
    Form form;
    if (traits.workspaces)
      form.fewestQueries = 1;
    else if (traits.warpThreads > 0 && traits.team.threads > 0)
      form.fewestQueries = ofTeams;
    form.narrowProducts = traits.wordDots != WordDots::none;
    form.bfloatProducts =
        options.precision == "bf16" && traits.bfloatDots != BfloatDots::none;
    return form;
  }

  /// What differs between the forms: attention as one group, products of bytes.
  static size_t countSpecial(ModuleOp module) {
    size_t count = 0;
    module.walk([&](Operation *op) {
      auto group = dyn_cast<hx::GroupOp>(op);
      count += (group && group.getSchedule() == "attention") ||
               isa<hx::MatMulIntegerOp, hx::ConvIntegerOp, hx::MatMulFewBitsOp>(op);
    });
    return count;
  }

  /// The module placed in this form; null when that changes nothing, or with a diagnostic
  /// when it fails.
  OwningOpRef<ModuleOp> placeAs(const Form &form, ModuleOp portable) {
    bool hasSoftmax = false, hasBytes = false;
    portable.walk([&](Operation *op) {
      hasSoftmax |= isa<hx::SoftmaxOp>(op);
      for (mlir::Value operand : op->getOperands())
        if (auto type = dyn_cast<RankedTensorType>(operand.getType()))
          hasBytes |= type.getElementType().isInteger(8);
    });
    PipelineOptions special = pipeline;
    if (hasSoftmax && !llvm::is_contained(options.disable, "attention"))
      special.placement.fewestQueries = form.fewestQueries;
    special.placement.narrowProducts = hasBytes && form.narrowProducts;
    special.placement.bfloatProducts = form.bfloatProducts;
    if (special.placement.fewestQueries == 0 && !special.placement.narrowProducts &&
        !form.bfloatProducts)
      return nullptr;
    OwningOpRef<ModuleOp> module = cast<ModuleOp>(portable->clone());
    hx::WeightStore::attach(*module, model.weights.get());
    if (mlir::succeeded(place(*module, special)) &&
        (form.bfloatProducts || countSpecial(*module) > countSpecial(portable)))
      return module;
    hx::WeightStore::attach(*module, nullptr);
    return nullptr;
  }

  Status checkNames() {
    collectNodeNames(*model.module, nodeNames);
    return checkOptionNames(options, context, nodeNames, targets);
  }

  Status checkLibrary(const std::string &name) const {
    std::string libraries;
    for (const std::unique_ptr<Target> &target : targets)
      for (llvm::StringRef library : target->libraries()) {
        if (library == name)
          return Status::success();
        libraries += (libraries.empty() ? "" : ", ") + library.str();
      }
    return invalidArgument(
        "no target here has a library '" + name + "' to prefer; " +
        (libraries.empty() ? "they have none" : "there is " + libraries));
  }

  static std::string known() {
    std::string names;
    for (const std::string &name : targetNames())
      names += (names.empty() ? "" : ", ") + name;
    return names;
  }

  Result<CompileReport> text(std::string value) {
    CompileReport result;
    result.text = std::move(value);
    return result;
  }

  void report(const std::string &phase, double fraction) {
    if (options.progress)
      options.progress(phase, fraction);
  }

  Status describe() {
    header.producer = "hexin";
    header.model_name = model.face.name;
    header.doc = model.face.doc;
    for (const auto &[key, value] : model.face.metadata) {
      auto entry = std::make_unique<fmt::KeyValueT>();
      entry->key = key;
      entry->value = value;
      header.metadata.push_back(std::move(entry));
    }
    return Status::success();
  }

  /// For who only has the file.
  void notePrecision() {
    constexpr const char *key = "hexin.precision";
    std::erase_if(header.metadata, [&](const auto &entry) { return entry->key == key; });
    if (options.precision.empty() || options.precision == "f32")
      return;
    auto entry = std::make_unique<fmt::KeyValueT>();
    entry->key = key;
    llvm::raw_string_ostream(entry->value)
        << options.precision << ", within " << llvm::format("%g", options.maxError)
        << " of f32";
    header.metadata.push_back(std::move(entry));
  }

  /// Ports from the function's types: declared output sizes of a model are hints.
  Status refreshPorts() {
    func::FuncOp func = mainFunction();
    header.inputs.clear();
    header.outputs.clear();
    for (auto [i, type] : llvm::enumerate(func.getArgumentTypes())) {
      auto names = func.getArgAttrOfType<ArrayAttr>(i, "hx.dim_names");
      std::string doc = i < model.face.inputs.size() ? model.face.inputs[i].doc : "";
      HEXIN_RETURN_IF_ERROR(addPort(header.inputs, type,
                                    func.getArgAttrOfType<StringAttr>(i, "hx.name"),
                                    names, doc));
    }
    hx::SymbolicShapes shapes(&context);
    if (mlir::failed(shapes.run(func)))
      return internalError("the optimised model has contradictory sizes");
    Operation *terminator = func.getBody().front().getTerminator();
    for (auto [i, type] : llvm::enumerate(func.getResultTypes())) {
      // Sizes of results, in terms of the inputs' names.
      SmallVector<mlir::Attribute> sizes;
      for (hx::Dim dim : shapes.dims(terminator->getOperand(i)))
        sizes.push_back(StringAttr::get(&context, shapes.symbols().toString(dim)));
      auto names = ArrayAttr::get(&context, sizes);
      std::string doc = i < model.face.outputs.size() ? model.face.outputs[i].doc : "";
      HEXIN_RETURN_IF_ERROR(addPort(header.outputs, type,
                                    func.getResultAttrOfType<StringAttr>(i, "hx.name"),
                                    names, doc));
    }
    header.required_features = 0;
    for (const auto *ports : {&header.inputs, &header.outputs})
      for (const auto &port : *ports)
        if (port->kind != static_cast<uint8_t>(hexin::ValueKind::tensor))
          header.required_features |= fmt::hostValuesFeature;
    return addStates(func, shapes, options.states, header);
  }

  static Status addPort(std::vector<std::unique_ptr<fmt::PortT>> &ports, Type type,
                        StringAttr name, ArrayAttr dimNames, const std::string &doc) {
    auto port = std::make_unique<fmt::PortT>();
    port->name = name ? name.str() : "";
    port->doc = doc;
    HEXIN_RETURN_IF_ERROR(setPortType(type, *port).withContext("'" + port->name + "'"));
    auto tensor = dyn_cast<RankedTensorType>(type);
    for (auto [axis, size] :
         llvm::enumerate(tensor ? tensor.getShape() : ArrayRef<int64_t>())) {
      port->dims.push_back(ShapedType::isDynamic(size) ? -1 : size);
      bool isNamed = dimNames && axis < dimNames.size() && ShapedType::isDynamic(size);
      port->symbols.push_back(isNamed ? cast<StringAttr>(dimNames[axis]).str() : "");
    }
    ports.push_back(std::move(port));
    return Status::success();
  }

  const CompileOptions &options;
  const std::string &outPath;
  std::chrono::steady_clock::time_point start;
  PipelineOptions pipeline;
  MLIRContext context{MLIRContext::Threading::DISABLED};
  KernelCache cache;
  std::vector<std::unique_ptr<Target>> targets;
  llvm::StringSet<> nodeNames;          ///< before and after optimising
  std::unique_ptr<Container> container; ///< what a loaded model's weights look into
  ImportedModel model;
  fmt::HeaderT header;
};

Status checkEmit(const std::string &emit) {
  for (const char *known : {"", "import", "optimized", "placed", "kernels"})
    if (emit == known)
      return Status::success();
  return invalidArgument("emit '" + emit +
                         "' is unknown: it is import, optimized, placed or kernels");
}

} // namespace

Result<CompileReport> compile(const Source &source, const std::string &outPath,
                              const CompileOptions &options) {
  HEXIN_RETURN_IF_ERROR(checkEmit(options.emit));
  Compilation compilation(options, outPath);
  HEXIN_RETURN_IF_ERROR(compilation.makeTargets());
  HEXIN_RETURN_IF_ERROR(compilation.import(source));
  return compilation.finish();
}

Result<CompileReport> retarget(const std::string &artifactPath,
                               const std::string &outPath,
                               const CompileOptions &options) {
  if (!options.shapes.empty() || !options.states.empty())
    return invalidArgument(
        "retarget keeps the sizes and states that the artifact was compiled "
        "with: give them to compile");
  if (options.targets.empty())
    return invalidArgument("no target is named to retarget to: expected at least one");
  CompileOptions all = options;
  Compilation compilation(all, outPath);
  std::vector<std::string> present;
  HEXIN_RETURN_IF_ERROR(compilation.load(artifactPath, present));
  for (const std::string &name : present)
    if (!llvm::is_contained(all.targets, name))
      all.targets.push_back(name);
  HEXIN_RETURN_IF_ERROR(compilation.makeTargets());
  return compilation.finishLoaded();
}

} // namespace hexin::compiler
