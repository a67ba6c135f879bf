// Everything that the lists of Selectable.h allow is translated, for every arch, and
// assembled: none of it ends the process.
#include "backends/cuda/compiler/Selectable.h"
#include "backends/cuda/compiler/EmitPtx.h"
#include "tests/backends/cuda/PtxTesting.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicsNVPTX.h"
#include "llvm/IR/Module.h"

#include <gmock/gmock.h>

namespace hexin::cuda {
namespace {

constexpr unsigned setBits = 11;

/// Builds kernels of LLVM IR with one instruction each, on values of memory.
class OneInstruction {
public:
  explicit OneInstruction(llvm::LLVMContext &context)
      : context(context), b(context), module("test", context) {}

  llvm::Type *typeOf(unsigned set) {
    switch (set) {
    case i1Type:
      return b.getInt1Ty();
    case i8Type:
      return b.getInt8Ty();
    case i16Type:
      return b.getInt16Ty();
    case i32Type:
      return b.getInt32Ty();
    case i64Type:
      return b.getInt64Ty();
    case f16Type:
      return b.getHalfTy();
    case bf16Type:
      return b.getBFloatTy();
    case f32Type:
      return b.getFloatTy();
    case f64Type:
      return b.getDoubleTy();
    case pointerType:
      return b.getPtrTy(1);
    default:
      return b.getIntNTy(65);
    }
  }

  void begin(llvm::StringRef name) {
    auto *pointer = b.getPtrTy(1);
    auto *type = llvm::FunctionType::get(b.getVoidTy(), {pointer, pointer}, false);
    function =
        llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, module);
    function->setCallingConv(llvm::CallingConv::PTX_Kernel);
    b.SetInsertPoint(llvm::BasicBlock::Create(context, "", function));
  }
  /// A value that the optimiser knows nothing about.
  llvm::Value *operand(llvm::Type *type, unsigned number) {
    if (type->isPointerTy())
      return function->getArg(number % 2);
    llvm::Value *at =
        b.CreateConstGEP1_64(b.getInt64Ty(), function->getArg(0), 2 * number);
    if (type->isIntegerTy() && typeSetOf(type) == wideIntType)
      return b.CreateZExt(b.CreateLoad(b.getInt64Ty(), at), type);
    if (type->isIntegerTy(1))
      return b.CreateTrunc(b.CreateLoad(b.getInt8Ty(), at), type);
    return b.CreateLoad(type, at);
  }
  void end(llvm::Value *result) {
    if (result && result->getType()->isStructTy()) {
      b.CreateStore(b.CreateExtractValue(result, 0), function->getArg(1));
      result = b.CreateExtractValue(result, 1);
    }
    if (result && result->getType()->isIntegerTy() &&
        typeSetOf(result->getType()) == wideIntType)
      result = b.CreateTrunc(b.CreateLShr(result, 1), b.getInt64Ty());
    if (result && result->getType()->isIntegerTy(1))
      result = b.CreateZExt(result, b.getInt8Ty());
    if (result && result->getType()->isPointerTy())
      result = b.CreatePtrToInt(result, b.getInt64Ty());
    if (result)
      b.CreateStore(result, function->getArg(1));
    b.CreateRetVoid();
  }

  llvm::LLVMContext &context;
  llvm::IRBuilder<> b;
  llvm::Module module;
  llvm::Function *function = nullptr;
};

/// Translates, and has assembled for the arch that the text is for.
void expectPtx(OneInstruction &one, const std::string &what) {
  std::string error, text = emitPtx(one.module, "ptx-sm_80", error);
  EXPECT_EQ(error, "") << what;
  EXPECT_NE(text, "") << what;
  if (!text.empty() && !test::findPtxas().empty())
    EXPECT_EQ(test::assemble(ptxHead("ptx-sm_80") + text, "sm_80").error, "") << what;
}

std::vector<unsigned> typesIn(unsigned set) {
  std::vector<unsigned> types;
  for (unsigned bit = 0; bit < setBits; ++bit)
    if (set & (1u << bit))
      types.push_back(1u << bit);
  return types;
}

/// The value of one binary or unary instruction or comparison; null for the others,
/// which depend on what stands around them.
llvm::Value *simple(OneInstruction &one, unsigned opcode, llvm::Type *type) {
  using llvm::Instruction;
  llvm::IRBuilder<> &b = one.b;
  llvm::Value *x = one.operand(type, 0), *y = one.operand(type, 1);
  if (Instruction::isBinaryOp(opcode))
    return b.CreateBinOp(static_cast<Instruction::BinaryOps>(opcode), x, y);
  switch (opcode) {
  case Instruction::ICmp:
    return b.CreateICmpSLT(x, y);
  case Instruction::FCmp:
    return b.CreateFCmpULT(x, y);
  case Instruction::FNeg:
    return b.CreateFNeg(x);
  case Instruction::Freeze:
    return b.CreateFreeze(x);
  case Instruction::Select:
    return b.CreateSelect(one.operand(b.getInt1Ty(), 2), x, y);
  default:
    return nullptr;
  }
}

TEST(Selectable, InstructionsAreTranslated) {
  llvm::LLVMContext context;
  OneInstruction one(context);
  unsigned count = 0;
  for (const SelectableInstruction &rule : selectableInstructions())
    for (unsigned set : typesIn(rule.operands)) {
      one.begin("k" + std::to_string(count++));
      one.end(simple(one, rule.opcode, one.typeOf(set)));
    }
  expectPtx(one, "instructions");
}

TEST(Selectable, CastsAreTranslated) {
  llvm::LLVMContext context;
  OneInstruction one(context);
  unsigned count = 0;
  for (const SelectableInstruction &rule : selectableInstructions())
    for (unsigned from : typesIn(rule.operands))
      for (unsigned to : typesIn(rule.results)) {
        llvm::Type *source = one.typeOf(from), *result = one.typeOf(to);
        if (!llvm::Instruction::isCast(rule.opcode) ||
            !llvm::CastInst::castIsValid(
                static_cast<llvm::Instruction::CastOps>(rule.opcode), source, result) ||
            result->isPointerTy())
          continue;
        one.begin("k" + std::to_string(count++));
        one.end(one.b.CreateCast(static_cast<llvm::Instruction::CastOps>(rule.opcode),
                                 one.operand(source, 0), result));
      }
  EXPECT_GT(count, 60u);
  expectPtx(one, "casts");
}

bool isOfVector(llvm::Intrinsic::ID id) {
  return id == llvm::Intrinsic::memset || id == llvm::Intrinsic::memcpy ||
         id == llvm::Intrinsic::memmove;
}

llvm::Value *call(OneInstruction &one, llvm::Intrinsic::ID id, llvm::Type *type) {
  using namespace llvm;
  IRBuilder<> &b = one.b;
  Value *length = one.operand(b.getInt64Ty(), 2);
  switch (id) {
  case Intrinsic::memset:
    b.CreateMemSet(one.function->getArg(1), one.operand(b.getInt8Ty(), 1), length,
                   MaybeAlign(4));
    return nullptr;
  case Intrinsic::memcpy:
    b.CreateMemCpy(one.function->getArg(1), MaybeAlign(4), one.function->getArg(0),
                   MaybeAlign(4), length);
    return nullptr;
  case Intrinsic::memmove:
    b.CreateMemMove(one.function->getArg(1), MaybeAlign(1), one.function->getArg(0),
                    MaybeAlign(1), length);
    return nullptr;
  case Intrinsic::lifetime_start:
  case Intrinsic::lifetime_end:
  case Intrinsic::experimental_noalias_scope_decl:
    return nullptr; // no code
  case Intrinsic::assume:
    b.CreateAssumption(one.operand(type, 0));
    return nullptr;
  default:
    break;
  }
  if (!type)
    return nullptr;
  SmallVector<Value *> arguments{one.operand(type, 0)};
  SmallVector<Type *> overloads{type};
  switch (id) {
  case Intrinsic::fma:
  case Intrinsic::fmuladd:
  case Intrinsic::fshl:
  case Intrinsic::fshr:
    arguments.push_back(one.operand(type, 1));
    arguments.push_back(one.operand(type, 2));
    break;
  case Intrinsic::abs:
  case Intrinsic::ctlz:
  case Intrinsic::cttz:
    arguments.push_back(b.getFalse());
    break;
  case Intrinsic::is_fpclass:
    arguments.push_back(b.getInt32(fcInf | fcSubnormal));
    break;
  case Intrinsic::scmp:
  case Intrinsic::ucmp:
    overloads.insert(overloads.begin(), b.getInt8Ty());
    arguments.push_back(one.operand(type, 1));
    break;
  case Intrinsic::sqrt:
  case Intrinsic::fabs:
  case Intrinsic::floor:
  case Intrinsic::ceil:
  case Intrinsic::trunc:
  case Intrinsic::rint:
  case Intrinsic::nearbyint:
  case Intrinsic::roundeven:
  case Intrinsic::ctpop:
  case Intrinsic::bswap:
  case Intrinsic::bitreverse:
    break;
  default:
    arguments.push_back(one.operand(type, 1));
  }
  return b.CreateIntrinsic(id, overloads, arguments);
}

TEST(Selectable, IntrinsicsAreTranslated) {
  llvm::LLVMContext context;
  OneInstruction one(context);
  unsigned count = 0;
  for (const SelectableIntrinsic &rule : selectableIntrinsics()) {
    std::vector<unsigned> types = typesIn(rule.types);
    for (unsigned set : types) {
      one.begin("k" + std::to_string(count++));
      one.end(call(one, rule.id, isOfVector(rule.id) ? nullptr : one.typeOf(set)));
    }
  }
  EXPECT_GT(count, 100u);
  expectPtx(one, "intrinsics");
}

TEST(Selectable, OthersAreNamed) {
  llvm::LLVMContext context;
  for (llvm::Intrinsic::ID id : {llvm::Intrinsic::exp, llvm::Intrinsic::sin,
                                 llvm::Intrinsic::pow, llvm::Intrinsic::maximum}) {
    OneInstruction one(context);
    one.begin("k");
    llvm::Value *x = one.operand(one.b.getDoubleTy(), 0);
    bool isBinary = id == llvm::Intrinsic::pow || id == llvm::Intrinsic::maximum;
    one.end(isBinary ? one.b.CreateBinaryIntrinsic(id, x, one.operand(x->getType(), 1))
                     : one.b.CreateUnaryIntrinsic(id, x));
    std::string error;
    EXPECT_EQ(emitPtx(one.module, "ptx-sm_80", error), "");
    EXPECT_THAT(error, testing::HasSubstr("is not known to translate '%"));
  }
}

} // namespace
} // namespace hexin::cuda
