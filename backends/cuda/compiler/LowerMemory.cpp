#include "backends/cuda/compiler/LowerMemory.h"

#include "backends/cuda/compiler/LowerMatrices.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace hexin::cuda {
namespace {

using mlir::Value;

constexpr unsigned globalSpace = 1, sharedSpace = 3;
/// Of shared variables and scratch: the widest access.
constexpr unsigned variableAlignment = 16;

unsigned byteSize(Type element) { return (element.getIntOrFloatBitWidth() + 7) / 8; }

/// Indices stand in memory as i64.
Type storedType(Type type) {
  Type i64 = IntegerType::get(type.getContext(), 64);
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getElementType().isIndex() ? vector.clone(i64) : type;
  return type.isIndex() ? i64 : type;
}

bool isElement(Type type) {
  return type.isIntOrIndexOrFloat() && !isa<VectorType>(type) &&
         (type.isIndex() || type.getIntOrFloatBitWidth() <= 64);
}

class MemoryLowering {
public:
  explicit MemoryLowering(func::FuncOp kernel) : kernel(kernel), b(kernel.getContext()) {}

  LogicalResult bind(BlockArgument binding, BlockArgument pointer) {
    Type element = cast<MemRefType>(binding.getType()).getElementType();
    if (!isElement(element))
      return kernel.emitError("argument ")
             << binding.getArgNumber() << " has elements of type " << element
             << ", which no memory of a kernel holds";
    pointers[binding] = pointer;
    elements[binding] = storedType(element);
    return success();
  }

  LogicalResult allocate(memref::AllocaOp op) {
    MemRefType type = op.getType();
    bool isOneRow =
        type.getRank() == 1 && type.hasStaticShape() && type.getLayout().isIdentity();
    Attribute space = type.getMemorySpace();
    auto gpuSpace = dyn_cast_or_null<gpu::AddressSpaceAttr>(space);
    bool isShared = gpuSpace && gpuSpace.getValue() == gpu::AddressSpace::Workgroup;
    if (!isElement(type.getElementType()))
      return op.emitOpError("has elements that no memory of a kernel holds");
    if (!isOneRow || (space && !isShared))
      return op.emitOpError("expected static 1-D memory, private or of the workgroup");
    pointers[op] = isShared ? shared(op, type) : scratch(op, type);
    elements[op] = storedType(type.getElementType());
    return success();
  }

  LogicalResult access(Operation *op) {
    b.setInsertionPoint(op);
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<memref::LoadOp, vector::LoadOp>([&](auto load) {
          return replaceLoad(load, load.getIndices(), resultType(load));
        })
        .Case([&](memref::StoreOp store) {
          return replaceStore(store, store.getMemRef(), store.getIndices(),
                              store.getValue());
        })
        .Case([&](vector::StoreOp store) {
          return replaceStore(store, store.getBase(), store.getIndices(),
                              store.getValueToStore());
        })
        .Case([&](nvgpu::DeviceAsyncCopyOp copy) { return replaceCopy(copy); })
        .Case([&](nvgpu::LdMatrixOp load) {
          Value at = address(load.getSrcMemref(), load.getIndices(), load.getLoc());
          return at ? lowerLoadMatrix(b, load, at) : foreign(load);
        })
        .Default([](Operation *other) {
          return other->emitOpError("uses memory in a way that kernels have not");
        });
  }

private:
  static Value base(memref::LoadOp op) { return op.getMemRef(); }
  static Value base(vector::LoadOp op) { return op.getBase(); }
  static Type resultType(Operation *op) { return op->getResult(0).getType(); }

  /// The address of an element, null when the memref is none of ours.
  Value address(Value memref, ValueRange indices, Location loc) {
    Value pointer = pointers.lookup(memref);
    if (!pointer || indices.size() != 1)
      return {};
    Value index = arith::IndexCastOp::create(b, loc, b.getI64Type(), indices.front());
    return LLVM::GEPOp::create(b, loc, pointer.getType(), elements.lookup(memref),
                               pointer, ValueRange(index));
  }

  /// Of an access to `element`s: what it promises, or what elements have anyway.
  template <typename AccessOp> static unsigned alignmentOf(AccessOp op, Type element) {
    return std::max<uint64_t>(byteSize(element), op.getAlignment().value_or(1));
  }

  LogicalResult foreign(Operation *op) {
    return op->emitOpError("expected a binding or an alloca of this kernel");
  }

  template <typename LoadOp>
  LogicalResult replaceLoad(LoadOp op, ValueRange indices, Type type) {
    Value at = address(base(op), indices, op.getLoc());
    if (!at)
      return foreign(op);
    unsigned alignment = alignmentOf(op, elements.lookup(base(op)));
    Type stored = storedType(type);
    Value loaded = LLVM::LoadOp::create(b, op.getLoc(), stored, at, alignment);
    if (stored != type)
      loaded = arith::IndexCastOp::create(b, op.getLoc(), type, loaded);
    op->replaceAllUsesWith(ValueRange(loaded));
    op->erase();
    return success();
  }

  template <typename StoreOp>
  LogicalResult replaceStore(StoreOp op, Value memref, ValueRange indices, Value value) {
    Value at = address(memref, indices, op->getLoc());
    if (!at)
      return foreign(op);
    unsigned alignment = alignmentOf(op, elements.lookup(memref));
    if (Type stored = storedType(value.getType()); stored != value.getType())
      value = arith::IndexCastOp::create(b, op->getLoc(), stored, value);
    LLVM::StoreOp::create(b, op->getLoc(), value, at, alignment);
    op->erase();
    return success();
  }

  LogicalResult replaceCopy(nvgpu::DeviceAsyncCopyOp op) {
    Location loc = op.getLoc();
    Value dst = address(op.getDst(), op.getDstIndices(), loc);
    Value src = address(op.getSrc(), op.getSrcIndices(), loc);
    if (!dst || !src || !op->use_empty())
      return foreign(op);
    unsigned size = byteSize(elements.lookup(op.getDst()));
    unsigned bytes = op.getDstElements().getZExtValue() * size;
    Value srcBytes;
    if (Value count = op.getSrcElements()) {
      Value number = arith::IndexCastOp::create(b, loc, b.getI32Type(), count);
      Value perElement =
          arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(int32_t(size)));
      srcBytes = arith::MulIOp::create(b, loc, number, perElement);
    }
    // Past the first-level cache, where the copy is of whole accesses: local memory
    // keeps what is read again.
    auto cache =
        bytes == 16 ? NVVM::LoadCacheModifierKind::CG : NVVM::LoadCacheModifierKind::CA;
    NVVM::CpAsyncOp::create(b, loc, dst, src, bytes, cache, srcBytes);
    op->erase();
    return success();
  }

  Value scratch(memref::AllocaOp op, MemRefType type) {
    Block &entry = kernel.getBody().front();
    b.setInsertionPointToStart(&entry); // in a loop the stack would grow
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    Value count = LLVM::ConstantOp::create(b, op.getLoc(), b.getI64Type(),
                                           b.getI64IntegerAttr(type.getNumElements()));
    return LLVM::AllocaOp::create(b, op.getLoc(), pointer,
                                  storedType(type.getElementType()), count,
                                  variableAlignment);
  }

  Value shared(memref::AllocaOp op, MemRefType type) {
    b.setInsertionPoint(kernel);
    auto array = LLVM::LLVMArrayType::get(storedType(type.getElementType()),
                                          type.getNumElements());
    std::string name = (kernel.getName() + "_local" + llvm::Twine(numShared++)).str();
    auto variable = LLVM::GlobalOp::create(b, op.getLoc(), array, /*isConstant=*/false,
                                           LLVM::Linkage::Internal, name, Attribute(),
                                           variableAlignment, sharedSpace);
    b.setInsertionPointToStart(&kernel.getBody().front());
    return LLVM::AddressOfOp::create(b, op.getLoc(), variable);
  }

  func::FuncOp kernel;
  OpBuilder b;
  llvm::DenseMap<Value, Value> pointers;
  llvm::DenseMap<Value, Type> elements;
  unsigned numShared = 0;
};

bool touchesMemory(Operation *op) {
  return llvm::any_of(op->getOperandTypes(), llvm::IsaPred<BaseMemRefType>);
}

} // namespace

LogicalResult lowerMemory(func::FuncOp kernel, unsigned numBindings) {
  MemoryLowering lowering(kernel);
  Block &entry = kernel.getBody().front();
  auto pointer = LLVM::LLVMPointerType::get(kernel.getContext(), globalSpace);
  for (unsigned i = 0; i < numBindings; ++i) {
    BlockArgument binding = entry.getArgument(i);
    BlockArgument address =
        entry.insertArgument(numBindings + i, pointer, binding.getLoc());
    if (failed(lowering.bind(binding, address)))
      return failure();
  }
  SmallVector<memref::AllocaOp> allocations;
  SmallVector<Operation *> accesses;
  kernel.walk([&](Operation *op) {
    if (auto alloca = dyn_cast<memref::AllocaOp>(op))
      allocations.push_back(alloca);
    else if (touchesMemory(op))
      accesses.push_back(op);
  });
  for (memref::AllocaOp op : allocations)
    if (failed(lowering.allocate(op)))
      return failure();
  for (Operation *op : accesses)
    if (failed(lowering.access(op)))
      return failure();
  for (memref::AllocaOp op : allocations)
    op->erase();
  entry.eraseArguments(0, numBindings);
  kernel.setFunctionType(
      FunctionType::get(kernel.getContext(), entry.getArgumentTypes(), {}));
  return success();
}

} // namespace hexin::cuda
