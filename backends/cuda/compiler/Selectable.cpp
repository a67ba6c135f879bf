#include "backends/cuda/compiler/Selectable.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicsNVPTX.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"

namespace hexin::cuda {
namespace {

using llvm::Instruction;
using llvm::StringRef;

constexpr unsigned shortInts = i8Type | i16Type | i32Type | i64Type;
constexpr unsigned ints = i1Type | shortInts;
constexpr unsigned wideInts = ints | wideIntType;
constexpr unsigned floats = f32Type | f64Type;
constexpr unsigned allFloats = f16Type | bf16Type | floats;
constexpr unsigned anyType = wideInts | allFloats | pointerType;

constexpr SelectableInstruction instructions[] = {
    {Instruction::Ret, noType, noType},
    {Instruction::Br, noType, i1Type},
    {Instruction::Switch, noType, ints},
    {Instruction::Unreachable, noType, noType},
    {Instruction::PHI, anyType, anyType},
    {Instruction::Select, anyType, anyType},
    {Instruction::Freeze, anyType, anyType},
    {Instruction::Alloca, pointerType, ints},
    {Instruction::Load, ints | allFloats, pointerType},
    {Instruction::Store, noType, ints | allFloats | pointerType},
    {Instruction::GetElementPtr, pointerType, ints | pointerType},
    {Instruction::AddrSpaceCast, pointerType, pointerType},
    {Instruction::Add, wideInts, wideInts},
    {Instruction::Sub, wideInts, wideInts},
    {Instruction::Mul, wideInts, wideInts},
    {Instruction::And, wideInts, wideInts},
    {Instruction::Or, wideInts, wideInts},
    {Instruction::Xor, wideInts, wideInts},
    {Instruction::Shl, wideInts, wideInts},
    {Instruction::LShr, wideInts, wideInts},
    {Instruction::AShr, wideInts, wideInts},
    {Instruction::Trunc, wideInts, wideInts},
    {Instruction::ZExt, wideInts, wideInts},
    {Instruction::SExt, wideInts, wideInts},
    {Instruction::UDiv, shortInts, shortInts},
    {Instruction::SDiv, shortInts, shortInts},
    {Instruction::URem, shortInts, shortInts},
    {Instruction::SRem, shortInts, shortInts},
    {Instruction::ICmp, i1Type, wideInts | pointerType},
    {Instruction::FNeg, allFloats, allFloats},
    {Instruction::FAdd, allFloats, allFloats},
    {Instruction::FSub, allFloats, allFloats},
    {Instruction::FMul, allFloats, allFloats},
    {Instruction::FDiv, allFloats, allFloats},
    {Instruction::FCmp, i1Type, allFloats},
    {Instruction::FPTrunc, f16Type | bf16Type | f32Type, floats},
    {Instruction::FPExt, floats, f16Type | bf16Type | f32Type},
    {Instruction::FPToSI, shortInts, allFloats},
    {Instruction::FPToUI, ints, allFloats},
    {Instruction::SIToFP, allFloats, ints},
    {Instruction::UIToFP, allFloats, ints},
    {Instruction::BitCast, wideInts | allFloats, wideInts | allFloats},
    {Instruction::PtrToInt, i64Type, pointerType},
    {Instruction::ExtractElement, ints | allFloats, ints | allFloats},
    {Instruction::InsertElement, ints | allFloats, ints | allFloats},
    {Instruction::ShuffleVector, ints | allFloats, ints | allFloats},
    {Instruction::ExtractValue, ints | allFloats, noType},
};

constexpr SelectableIntrinsic intrinsics[] = {
    {llvm::Intrinsic::fma, floats},
    {llvm::Intrinsic::fmuladd, floats},
    {llvm::Intrinsic::sqrt, floats},
    {llvm::Intrinsic::fabs, allFloats},
    {llvm::Intrinsic::floor, floats},
    {llvm::Intrinsic::ceil, floats},
    {llvm::Intrinsic::trunc, floats},
    {llvm::Intrinsic::rint, floats},
    {llvm::Intrinsic::nearbyint, floats},
    {llvm::Intrinsic::roundeven, floats},
    {llvm::Intrinsic::copysign, allFloats},
    {llvm::Intrinsic::minnum, floats},
    {llvm::Intrinsic::maxnum, floats},
    {llvm::Intrinsic::minimum, f16Type | bf16Type | f32Type},
    {llvm::Intrinsic::maximum, f16Type | bf16Type | f32Type},
    {llvm::Intrinsic::is_fpclass, floats},
    {llvm::Intrinsic::smin, shortInts},
    {llvm::Intrinsic::smax, shortInts},
    {llvm::Intrinsic::umin, shortInts},
    {llvm::Intrinsic::umax, shortInts},
    {llvm::Intrinsic::abs, shortInts},
    {llvm::Intrinsic::ctpop, shortInts},
    {llvm::Intrinsic::ctlz, shortInts},
    {llvm::Intrinsic::cttz, shortInts},
    {llvm::Intrinsic::bswap, i16Type | i32Type | i64Type},
    {llvm::Intrinsic::bitreverse, shortInts},
    {llvm::Intrinsic::fshl, shortInts},
    {llvm::Intrinsic::fshr, shortInts},
    {llvm::Intrinsic::uadd_sat, shortInts},
    {llvm::Intrinsic::usub_sat, shortInts},
    {llvm::Intrinsic::sadd_sat, shortInts},
    {llvm::Intrinsic::ssub_sat, shortInts},
    {llvm::Intrinsic::uadd_with_overflow, shortInts},
    {llvm::Intrinsic::usub_with_overflow, shortInts},
    {llvm::Intrinsic::umul_with_overflow, shortInts},
    {llvm::Intrinsic::sadd_with_overflow, shortInts},
    {llvm::Intrinsic::ssub_with_overflow, shortInts},
    {llvm::Intrinsic::smul_with_overflow, shortInts},
    {llvm::Intrinsic::scmp, shortInts},
    {llvm::Intrinsic::ucmp, shortInts},
    {llvm::Intrinsic::memset, pointerType},
    {llvm::Intrinsic::memcpy, pointerType},
    {llvm::Intrinsic::memmove, pointerType},
    {llvm::Intrinsic::lifetime_start, pointerType},
    {llvm::Intrinsic::lifetime_end, pointerType},
    {llvm::Intrinsic::assume, i1Type},
    {llvm::Intrinsic::experimental_noalias_scope_decl, noType},
    {llvm::Intrinsic::nvvm_shfl_sync_bfly_i32, noType},
    {llvm::Intrinsic::nvvm_shfl_sync_bfly_f32, noType},
    {llvm::Intrinsic::nvvm_read_ptx_sreg_tid_x, noType},
    {llvm::Intrinsic::nvvm_read_ptx_sreg_ntid_x, noType},
    {llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_x, noType},
    {llvm::Intrinsic::nvvm_read_ptx_sreg_nctaid_x, noType},
    {llvm::Intrinsic::nvvm_barrier_cta_sync_aligned_all, noType},
    {llvm::Intrinsic::nvvm_cp_async_ca_shared_global_4, noType},
    {llvm::Intrinsic::nvvm_cp_async_ca_shared_global_4_s, noType},
    {llvm::Intrinsic::nvvm_cp_async_ca_shared_global_8, noType},
    {llvm::Intrinsic::nvvm_cp_async_ca_shared_global_8_s, noType},
    {llvm::Intrinsic::nvvm_cp_async_cg_shared_global_16, noType},
    {llvm::Intrinsic::nvvm_cp_async_cg_shared_global_16_s, noType},
    {llvm::Intrinsic::nvvm_cp_async_commit_group, noType},
    {llvm::Intrinsic::nvvm_cp_async_wait_group, noType},
    {llvm::Intrinsic::nvvm_ldmatrix_sync_aligned_m8n8_x4_b16, noType},
    {llvm::Intrinsic::nvvm_ldmatrix_sync_aligned_m8n8_x4_trans_b16, noType},
    {llvm::Intrinsic::nvvm_mma_m16n8k16_row_col_f32_f32, noType}, // of pairs of f16
    {llvm::Intrinsic::nvvm_mma_m16n8k16_row_col_bf16, noType},
    {llvm::Intrinsic::nvvm_mma_m16n8k32_row_col_s8, noType},
    {llvm::Intrinsic::nvvm_mma_m16n8k32_row_col_s8_u8, noType},
    {llvm::Intrinsic::nvvm_mma_m16n8k32_row_col_u8, noType},
    {llvm::Intrinsic::nvvm_mma_m16n8k32_row_col_u8_s8, noType},
};

bool isIn(llvm::Type *type, unsigned set) { return (typeSetOf(type) & set) != 0; }

/// Vectors are taken apart into scalars, so memory and moves are all that they see.
bool isMoveOfVectors(unsigned opcode) {
  switch (opcode) {
  case Instruction::PHI:
  case Instruction::Select:
  case Instruction::Freeze:
  case Instruction::Load:
  case Instruction::Store:
  case Instruction::BitCast:
  case Instruction::ExtractElement:
  case Instruction::InsertElement:
  case Instruction::ShuffleVector:
    return true;
  default:
    return false;
  }
}

bool isSelectableCall(const llvm::CallInst &call) {
  const llvm::Function *callee = call.getCalledFunction();
  if (!callee)
    return false;
  const auto *rule = llvm::find_if(
      intrinsics, [&](const auto &each) { return each.id == callee->getIntrinsicID(); });
  if (rule == std::end(intrinsics))
    return false;
  return rule->types == noType ||
         (call.arg_size() > 0 && !call.getArgOperand(0)->getType()->isVectorTy() &&
          isIn(call.getArgOperand(0)->getType(), rule->types));
}

bool isSelectable(const Instruction &inst) {
  if (auto *call = llvm::dyn_cast<llvm::CallInst>(&inst))
    return isSelectableCall(*call);
  const auto *rule = llvm::find_if(
      instructions, [&](const auto &each) { return each.opcode == inst.getOpcode(); });
  if (rule == std::end(instructions))
    return false;
  auto fits = [&](llvm::Type *type, unsigned set) {
    if (type->isVectorTy() && !isMoveOfVectors(inst.getOpcode()))
      return false;
    return isIn(type->getScalarType(), set);
  };
  if (!inst.getType()->isVoidTy() && !fits(inst.getType(), rule->results))
    return false;
  return llvm::all_of(inst.operands(), [&](const llvm::Use &use) {
    llvm::Type *type = use->getType();
    if (type->isLabelTy() || type->isStructTy())
      return true; // where to go; a result with its overflow
    // Addresses, conditions and lanes' numbers stand beside what an instruction is of.
    return fits(type, rule->operands | pointerType | i1Type) ||
           (llvm::isa<llvm::ConstantInt>(use) && isIn(type, ints)) ||
           (isMoveOfVectors(inst.getOpcode()) && isIn(type, ints));
  });
}

} // namespace

unsigned typeSetOf(llvm::Type *type) {
  if (type->isPointerTy())
    return pointerType;
  if (type->isHalfTy())
    return f16Type;
  if (type->isBFloatTy())
    return bf16Type;
  if (type->isFloatTy())
    return f32Type;
  if (type->isDoubleTy())
    return f64Type;
  if (!type->isIntegerTy())
    return noType;
  switch (type->getIntegerBitWidth()) {
  case 1:
    return i1Type;
  case 8:
    return i8Type;
  case 16:
    return i16Type;
  case 32:
    return i32Type;
  case 64:
    return i64Type;
  default:
    return type->getIntegerBitWidth() <= 128 ? wideIntType : noType;
  }
}

llvm::ArrayRef<SelectableIntrinsic> selectableIntrinsics() { return intrinsics; }
llvm::ArrayRef<SelectableInstruction> selectableInstructions() { return instructions; }

std::optional<std::string> findUnselectable(const llvm::Module &module) {
  for (const llvm::Function &function : module)
    for (const Instruction &inst : llvm::instructions(function)) {
      if (isSelectable(inst))
        continue;
      std::string text;
      llvm::raw_string_ostream os(text);
      inst.print(os);
      return StringRef(text).trim().str();
    }
  return std::nullopt;
}

} // namespace hexin::cuda
