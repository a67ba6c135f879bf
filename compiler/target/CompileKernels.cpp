#include "compiler/target/CompileKernels.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MemoryBufferRef.h"

#include <atomic>
#include <numeric>
#include <thread>

using namespace mlir;

namespace hexin {
namespace {

/// A kernel on its way, as bytes: contexts are not shared between threads.
struct Work {
  Location location;
  std::string bytecode;
  std::string cacheKey;
  std::string code;
  std::string error;
};

/// Where a kernel came from is no part of it: equal kernels get equal bytes.
void dropLocations(Operation *root) {
  Location unknown = UnknownLoc::get(root->getContext());
  root->walk([&](Operation *op) {
    op->setLoc(unknown);
    for (Region &region : op->getRegions())
      for (BlockArgument argument : region.getArguments())
        argument.setLoc(unknown);
  });
}

FailureOr<std::string> writeKernel(Operation &kernel) {
  dropLocations(&kernel);
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  if (failed(writeBytecodeToFile(&kernel, os)))
    return kernel.emitError("cannot be written as bytecode");
  return bytes;
}

/// Compiles one kernel; leaves `code` empty and `error` set when it fails.
void compileOne(MLIRContext &context, const KernelCompiler &compiler, Work &work) {
  ScopedDiagnosticHandler collect(&context, [&](Diagnostic &diagnostic) {
    work.error += (work.error.empty() ? "" : "\n") + diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(&context)));
  if (succeeded(readBytecodeFile(llvm::MemoryBufferRef(work.bytecode, "kernel"),
                                 module->getBody(), ParserConfig(&context))))
    if (FailureOr<std::string> code = compiler.compile(*module); succeeded(code))
      work.code = std::move(*code);
  if (work.code.empty() && work.error.empty())
    work.error = "cannot be compiled; no reason was given";
}

/// Compiles `todo`, longest first, until all are done or one fails.
void compileAll(ArrayRef<Work *> todo, const KernelCompiler &compiler, unsigned threads) {
  SmallVector<Work *> order(todo);
  llvm::sort(order, [](const Work *a, const Work *b) {
    return a->bytecode.size() > b->bytecode.size();
  });
  std::atomic<size_t> next = 0;
  std::atomic<bool> hasFailed = false;
  auto run = [&] {
    MLIRContext context(MLIRContext::Threading::DISABLED);
    compiler.loadDialects(context);
    for (size_t i; !hasFailed && (i = next++) < order.size();) {
      compileOne(context, compiler, *order[i]);
      if (order[i]->code.empty())
        hasFailed = true;
    }
  };
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < std::min<size_t>(threads, order.size()); ++i)
    helpers.emplace_back(run);
  run();
  for (std::thread &helper : helpers)
    helper.join();
}

} // namespace

FailureOr<CompiledKernels> compileKernels(ModuleOp kernels,
                                          const KernelCompiler &compiler,
                                          const KernelCache *cache, unsigned threads) {
  std::vector<Work> works;
  for (Operation &op : kernels.getBody()->getOperations()) {
    auto kernel = dyn_cast<func::FuncOp>(op);
    if (!kernel || kernel.isExternal())
      return op.emitError("expected kernels with a body only");
    Location location = kernel.getLoc();
    FailureOr<std::string> bytecode = writeKernel(op);
    if (failed(bytecode))
      return failure();
    works.push_back({location, std::move(*bytecode), "", "", ""});
  }

  CompiledKernels result;
  SmallVector<Work *> todo;
  for (Work &work : works) {
    std::optional<std::string> known;
    if (cache) {
      work.cacheKey = KernelCache::key({compiler.target, compiler.arch, work.bytecode});
      known = cache->find(work.cacheKey);
    }
    if (known)
      work.code = std::move(*known);
    else
      todo.push_back(&work);
  }
  result.reused = works.size() - todo.size();
  compileAll(todo, compiler, threads);
  for (Work *work : todo) {
    if (!work->error.empty())
      return emitError(work->location) << work->error;
    if (cache && !work->code.empty()) // empty: another one failed first
      cache->store(work->cacheKey, work->code);
  }
  for (Work &work : works)
    result.codes.push_back(std::move(work.code));
  return result;
}

} // namespace hexin
