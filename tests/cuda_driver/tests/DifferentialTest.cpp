//===- DifferentialTest.cpp - PTX and x86 code of the same LLVM IR -----------------------===//
//
// Each operation is a kernel of three inputs and one result. LLVM compiles all of them
// twice, to PTX for the interpreter and to x86 for this process, and the results of 256
// inputs must have the same bits. A NaN equals any other.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/tests/Kernel.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

using namespace standin;

namespace {

constexpr unsigned numInputs = 256;

/// `body` computes %r of type `dst` from %a, %b, %c of type `src`.
struct Operation {
  std::string name, src, dst, body;
};

unsigned bytesOf(const std::string &type) {
  return type == "half"                   ? 2
         : type == "float"                ? 4
         : type == "double"               ? 8
         : type.starts_with("<2 x half>") ? 4
                                          : unsigned(std::stoi(type.substr(1))) / 8;
}
bool isFloat(const std::string &type) { return type[0] != 'i'; }

void addIntegers(std::vector<Operation> &list, const std::string &t) {
  auto add = [&](const std::string &name, const std::string &body,
                 const std::string &dst = "") {
    list.push_back({name + "." + t, t, dst.empty() ? t : dst, body});
  };
  unsigned bits = bytesOf(t) * 8;
  for (const char *op : {"add", "sub", "mul", "and", "or", "xor"})
    add(op, "%r = " + std::string(op) + " " + t + " %a, %b");
  for (const char *op : {"sdiv", "srem", "udiv", "urem"}) // not by 0, not lowest by -1
    add(op, "%n = or " + t + " %b, 1\n%h = ashr " + t +
                " %a, 1\n%r = " + std::string(op) + " " + t + " %h, %n");
  for (const char *op : {"shl", "lshr", "ashr"})
    add(op, "%n = and " + t + " %b, " + std::to_string(bits - 1) +
                "\n%r = " + std::string(op) + " " + t + " %a, %n");
  for (const char *p :
       {"eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"})
    add(std::string("icmp.") + p, "%p = icmp " + std::string(p) + " " + t +
                                      " %a, %b\n%r = select i1 %p, " + t + " %b, " + t +
                                      " %c");
  auto call = [&](const std::string &op, const std::string &arguments) {
    add(op, "%r = call " + t + " @llvm." + op + "." + t + "(" + arguments + ")");
  };
  std::string a = t + " %a", ab = a + ", " + t + " %b";
  for (const char *op :
       {"smin", "smax", "umin", "umax", "sadd.sat", "ssub.sat", "uadd.sat", "usub.sat"})
    call(op, ab);
  for (const char *op : {"ctpop", "bitreverse", "bswap"})
    call(op, a);
  for (const char *op : {"ctlz", "cttz", "abs"})
    call(op, a + ", i1 false");
  for (const char *op : {"fshl", "fshr"})
    call(op, ab + ", " + t + " %c");
  unsigned wide = bits * 2;
  if (bits < 64) {
    std::string w = "i" + std::to_string(wide);
    add("mul.high", "%x = sext " + t + " %a to " + w + "\n%y = sext " + t + " %b to " +
                        w + "\n%z = mul " + w + " %x, %y\n%s = lshr " + w + " %z, " +
                        std::to_string(bits) + "\n%r = trunc " + w + " %s to " + t);
    add("zext", "%r = zext " + t + " %a to i64", "i64");
    add("sext", "%r = sext " + t + " %a to i64", "i64");
  }
  add("trunc.s", "%x = trunc " + t + " %a to i8\n%r = sext i8 %x to " + t);
  for (const char *f : {"half", "float", "double"}) {
    add(std::string("sitofp.") + f, "%r = sitofp " + t + " %a to " + f, f);
    add(std::string("uitofp.") + f, "%r = uitofp " + t + " %a to " + f, f);
  }
}

void addFloats(std::vector<Operation> &list, const std::string &t) {
  auto add = [&](const std::string &name, const std::string &body,
                 const std::string &dst = "") {
    list.push_back({name + "." + t, t, dst.empty() ? t : dst, body});
  };
  std::string suffix = t == "half" ? "f16" : t == "float" ? "f32" : "f64";
  for (const char *op : {"fadd", "fsub", "fmul", "fdiv"})
    add(op, "%r = " + std::string(op) + " " + t + " %a, %b");
  add("fneg", "%r = fneg " + t + " %a");
  for (const char *p : {"oeq", "one", "olt", "ole", "ogt", "oge", "ord", "ueq", "une",
                        "ult", "ule", "ugt", "uge", "uno"})
    add(std::string("fcmp.") + p, "%p = fcmp " + std::string(p) + " " + t +
                                      " %a, %b\n%r = select i1 %p, " + t + " %b, " + t +
                                      " %c");
  for (const char *op : {"sqrt", "fabs", "floor", "ceil", "trunc", "rint"})
    add(op, "%r = call " + t + " @llvm." + op + "." + suffix + "(" + t + " %a)");
  for (const char *op : {"minimum", "maximum"})
    if (t != "double")
      add(op, "%r = call " + t + " @llvm." + std::string(op) + "." + suffix + "(" + t +
                  " %a, " + t + " %b)");
  add("copysign",
      "%r = call " + t + " @llvm.copysign." + suffix + "(" + t + " %a, " + t + " %b)");
  if (t != "half") // x86 rounds a half's fma twice
    add("fma", "%r = call " + t + " @llvm.fma." + suffix + "(" + t + " %a, " + t +
                   " %b, " + t + " %c)");
  for (const char *i : {"i16", "i32", "i64"}) {
    std::string to = i;
    for (const char *op : {"fptosi", "fptoui"})
      add(std::string(op) + ".sat." + i,
          "%r = call " + to + " @llvm." + op + ".sat." + to + "." + suffix + "(" + t +
              " %a)",
          to);
  }
  for (const char *other : {"half", "float", "double"})
    if (bytesOf(other) != bytesOf(t))
      add(std::string("to.") + other,
          "%r = " + std::string(bytesOf(other) > bytesOf(t) ? "fpext " : "fptrunc ") + t +
              " %a to " + other,
          other);
}

std::vector<Operation> operations() {
  std::vector<Operation> list;
  for (const char *type : {"i16", "i32", "i64"})
    addIntegers(list, type);
  for (const char *type : {"half", "float", "double"})
    addFloats(list, type);
  for (const char *op : {"fadd", "fsub", "fmul"})
    list.push_back({std::string(op) + ".v2half", "<2 x half>", "<2 x half>",
                    "%r = " + std::string(op) + " <2 x half> %a, %b"});
  return list;
}

/// Function k<n>(a, b, c, r[, index]).
std::string irOf(const std::vector<Operation> &list, bool forPtx) {
  std::string text;
  std::string pointer = forPtx ? "ptr addrspace(1)" : "ptr";
  if (forPtx)
    text = "target triple = \"nvptx64-nvidia-cuda\"\n"
           "declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n";
  for (size_t n = 0; n < list.size(); ++n) {
    const Operation &op = list[n];
    text += "define " + std::string(forPtx ? "ptx_kernel " : "") + "void @k" +
            std::to_string(n) + "(" + pointer + " %pa, " + pointer + " %pb, " + pointer +
            " %pc, " + pointer + " %pr" + (forPtx ? "" : ", i32 %i") + ") {\n";
    if (forPtx)
      text += "%i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n";
    for (const char *v : {"a", "b", "c"})
      text += "%q" + std::string(v) + " = getelementptr " + op.src + ", " + pointer +
              " %p" + v + ", i32 %i\n%" + v + " = load " + op.src + ", " + pointer +
              " %q" + v + "\n";
    text += op.body + "\n%qr = getelementptr " + op.dst + ", " + pointer +
            " %pr, i32 %i\nstore " + op.dst + " %r, " + pointer + " %qr\nret void\n}\n";
  }
  return text;
}

std::unique_ptr<llvm::Module> parseIr(const std::string &text,
                                      llvm::LLVMContext &context) {
  llvm::SMDiagnostic error;
  auto module = llvm::parseAssemblyString(text, error, context);
  EXPECT_TRUE(module) << error.getMessage().str()
                      << " in: " << error.getLineContents().str();
  return module;
}

std::string compileToPtx(const std::string &ir) {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
  llvm::LLVMContext context;
  auto module = parseIr(ir, context);
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(module->getTargetTriple(), error);
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      module->getTargetTriple(), "sm_80", "+ptx80", {}, std::nullopt));
  module->setDataLayout(machine->createDataLayout());
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  machine->addPassesToEmitFile(passes, stream, nullptr,
                               llvm::CodeGenFileType::AssemblyFile);
  passes.run(*module);
  return std::string(text);
}

std::unique_ptr<llvm::orc::LLJIT> compileToHost(const std::string &ir) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto machine = llvm::cantFail(llvm::orc::JITTargetMachineBuilder::detectHost());
  machine.getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;
  // With its instructions LLVM 22 takes fptosi.sat of a half that is NaN for the least i16.
  machine.addFeatures({"-avx512fp16"});
  auto jit = llvm::cantFail(
      llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(machine).create());
  auto context = std::make_unique<llvm::LLVMContext>();
  auto module = parseIr(ir, *context);
  llvm::cantFail(jit->addIRModule({std::move(module), std::move(context)}));
  return jit;
}

/// Values apt to go wrong, and others at random.
std::vector<std::byte> inputsOf(const std::string &type, unsigned which) {
  std::string element = type.starts_with("<") ? "half" : type;
  unsigned bytes = bytesOf(element), count = numInputs * bytesOf(type) / bytes;
  std::vector<uint64_t> special;
  if (!isFloat(element)) {
    uint64_t top = uint64_t(1) << (8 * bytes - 1);
    special = {
        0, 1, 2, 3, 7, 8, 31, 32, 63, top, top - 1, top + 1, ~uint64_t(0), ~uint64_t(1)};
  } else {
    unsigned mantissa = element == "half" ? 10 : element == "float" ? 23 : 52;
    uint64_t sign = uint64_t(1) << (8 * bytes - 1), one = uint64_t(1) << mantissa;
    uint64_t inf = (sign - 1) / one * one, bias = (sign / one / 2 - 1) * one;
    for (uint64_t v : {uint64_t(0), uint64_t(1), one - 1, one, bias, bias + 1, bias - 1,
                       bias + one, bias + one / 2, bias - one, bias + one + one / 4,
                       bias + one + one / 2 + one / 4, inf - 1, inf, inf | one / 2,
                       bias + 10 * one + 3, bias + 15 * one})
      for (uint64_t s : {uint64_t(0), sign})
        special.push_back(v | s);
  }
  std::mt19937_64 random(which + 1);
  std::vector<std::byte> values(count * bytes);
  for (unsigned i = 0; i < count; ++i) {
    uint64_t bits = random();
    if (random() % 2)
      bits = special[random() % special.size()];
    else if (element == "float" && random() % 2)
      bits = std::bit_cast<uint32_t>(float(int(random() % 4001) - 2000) / 8);
    else if (element == "double" && random() % 2)
      bits = std::bit_cast<uint64_t>(double(int(random() % 4001) - 2000) / 8);
    std::memcpy(values.data() + i * bytes, &bits, bytes);
  }
  return values;
}

bool isNan(uint64_t bits, unsigned bytes) {
  unsigned mantissa = bytes == 2 ? 10 : bytes == 4 ? 23 : 52;
  uint64_t sign = uint64_t(1) << (8 * bytes - 1);
  return (bits & (sign - 1)) > (sign - 1) >> mantissa << mantissa;
}

TEST(Differential, operationsGiveTheBitsOfX86) {
  std::vector<Operation> list = operations();
  auto parsed = parseModule(compileToPtx(irOf(list, true)));
  if (auto *error = std::get_if<ParseError>(&parsed))
    FAIL() << "line " << error->line << ": " << error->message;
  Module &module = *std::get<std::unique_ptr<Module>>(parsed);
  ASSERT_EQ(module.entries.size(), list.size());
  auto jit = compileToHost(irOf(list, false));

  for (size_t n = 0; n < list.size(); ++n) {
    const Operation &op = list[n];
    DeviceMemory memory(1 << 24);
    Counters counters;
    Launch launch;
    launch.module = &module;
    launch.entry = &module.entries[n];
    ASSERT_EQ(launch.entry->name, "k" + std::to_string(n));
    launch.block = {numInputs, 1, 1};
    std::array<std::vector<std::byte>, 3> inputs;
    uint64_t resultBytes = numInputs * bytesOf(op.dst);
    std::array<DeviceAddress, 4> arguments;
    for (unsigned k = 0; k < 4; ++k) {
      if (k < 3)
        inputs[k] = inputsOf(op.src, k);
      uint64_t bytes = k < 3 ? inputs[k].size() : resultBytes;
      arguments[k] = *memory.allocate(bytes);
      if (k < 3)
        std::memcpy(memory.at(arguments[k], bytes), inputs[k].data(), bytes);
    }
    launch.params.resize(sizeof arguments);
    std::memcpy(launch.params.data(), arguments.data(), sizeof arguments);
    std::optional<Fault> fault = run(launch, memory, counters);
    ASSERT_FALSE(fault) << op.name << ": " << fault->message;

    using Function = void (*)(void *, void *, void *, void *, int);
    auto function =
        llvm::cantFail(jit->lookup("k" + std::to_string(n))).toPtr<Function>();
    std::vector<std::byte> expected(resultBytes);
    for (unsigned i = 0; i < numInputs; ++i)
      function(inputs[0].data(), inputs[1].data(), inputs[2].data(), expected.data(),
               int(i));

    const std::byte *actual = memory.at(arguments[3], resultBytes);
    unsigned bytes = op.dst.starts_with("<") ? 2 : bytesOf(op.dst), wrong = 0;
    for (unsigned i = 0; i < resultBytes / bytes; ++i) {
      uint64_t x = 0, y = 0, a = 0, b = 0;
      std::memcpy(&x, actual + i * bytes, bytes);
      std::memcpy(&y, expected.data() + i * bytes, bytes);
      if (x == y || (isFloat(op.dst) && isNan(x, bytes) && isNan(y, bytes)))
        continue;
      unsigned width = op.src.starts_with("<") ? 2 : bytesOf(op.src);
      std::memcpy(&a, inputs[0].data() + i * width, width);
      std::memcpy(&b, inputs[1].data() + i * width, width);
      if (wrong++ == 0)
        ADD_FAILURE() << op.name << " of 0x" << std::hex << a << ", 0x" << b
                      << ": PTX gives 0x" << x << ", x86 0x" << y;
    }
  }
  std::printf("%zu operations of %u inputs\n", list.size(), numInputs);
}

} // namespace
