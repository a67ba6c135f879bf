#include "backends/opencl/compiler/Helpers.h"
#include "backends/opencl/abi/OpenclText.h"

#include "llvm/ADT/Twine.h"

namespace hexin::opencl {

static std::string suffix(unsigned lanes) {
  return lanes > 1 ? std::to_string(lanes) : std::string();
}

/// `cond ? yes : no`, lane by lane.
static std::string choose(CType type, llvm::Twine cond, llvm::Twine yes, llvm::Twine no) {
  return type.isVector() ? ("select(" + no + ", " + yes + ", " + cond + ")").str()
                         : ("(" + cond + ") ? " + yes + " : " + no).str();
}

static std::string ifFp16() { return "#ifdef " + std::string(hasFp16Macro) + "\n"; }

std::string Helpers::widenF16(unsigned lanes) {
  CType bits{Scalar::f16, lanes}, real{Scalar::f32, lanes};
  std::string name = "hxh_widen_" + bits.tag();
  if (!add(name))
    return name;
  usesF16_ = true;
  std::string n = suffix(lanes);
  text_ += "static inline " + real.name() + " " + name + "(" + bits.name() + " x) {\n" +
           ifFp16() + "  return convert_float" + n + "(as_half" + n +
           "(x));\n"
           "#else\n"
           "  return vload_half" +
           n +
           "(0, (const __private half *)&x);\n"
           "#endif\n"
           "}\n\n";
  return name;
}

std::string Helpers::narrow(CType from, CType to) {
  std::string name = "hxh_" + from.withLanes(1).tag() + "_to_" + to.tag();
  if (!add(name))
    return name;
  std::string n = suffix(to.lanes);
  auto open = [&] {
    text_ += "static inline " + to.name() + " " + name + "(" + from.name() + " x) {\n";
  };
  if (from.scalar == Scalar::f64) {
    // Rounding to odd first keeps the second rounding right.
    CType single = from.withScalar(Scalar::f32);
    std::string fromSingle = narrow(single, to);
    open();
    text_ += "  float" + n + " f = convert_float" + n + "_rtz(x);\n";
    text_ += from.isVector() ? "  uint" + n + " sticky = convert_uint" + n +
                                   "((convert_double" + n + "(f) != x) & 1);\n"
                             : std::string("  uint sticky = convert_double(f) != x;\n");
    text_ += "  return " + fromSingle + "(as_float" + n + "(as_uint" + n +
             "(f) | sticky));\n}\n\n";
    return name;
  }
  open();
  if (to.scalar == Scalar::f16) {
    usesF16_ = true;
    text_ += ifFp16() + "  return as_ushort" + n + "(convert_half" + n +
             "_rte(x));\n"
             "#else\n"
             "  ushort" +
             n +
             " bits;\n"
             "  vstore_half" +
             n +
             "_rte(x, 0, (__private half *)&bits);\n"
             "  return bits;\n"
             "#endif\n"
             "}\n\n";
    return name;
  }
  CType word{Scalar::i32, to.lanes};
  text_ += "  " + word.name() + " bits = as_uint" + n +
           "(x);\n"
           "  " +
           word.name() +
           " rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;\n"
           "  " +
           word.name() +
           " quiet = (bits >> 16) | 0x40u;\n"
           "  return convert_ushort" +
           n + "(" + choose(word, "x != x", "quiet", "rounded") + ");\n}\n\n";
  return name;
}

static llvm::StringRef spell(Division kind) {
  switch (kind) {
  case Division::divs:
    return "divs";
  case Division::divu:
    return "divu";
  case Division::rems:
    return "rems";
  case Division::remu:
    return "remu";
  case Division::floordivs:
    return "floordivs";
  case Division::ceildivs:
    return "ceildivs";
  case Division::ceildivu:
    return "ceildivu";
  }
  return "";
}

std::string Helpers::divide(Division kind, CType type) {
  std::string name = ("hxh_" + spell(kind) + "_" + type.tag()).str();
  if (!add(name))
    return name;
  std::string t = type.name(), s = type.signedName();
  std::string zero = intLiteral(0, type), one = intLiteral(1, type),
              minusOne = intLiteral(-1, type);
  auto toSigned = [&](llvm::Twine x) {
    return type.isVector() ? ("as_" + s + "(" + x + ")").str()
                           : ("(" + s + ")(" + x + ")").str();
  };
  auto toUnsigned = [&](llvm::Twine x) {
    return type.isVector() ? ("as_" + t + "(" + x + ")").str()
                           : ("(" + t + ")(" + x + ")").str();
  };
  text_ += "static inline " + t + " " + name + "(" + t + " a, " + t + " b) {\n";
  bool isUnsigned =
      kind == Division::divu || kind == Division::remu || kind == Division::ceildivu;
  if (isUnsigned) {
    text_ += "  " + t + " d = " + choose(type, "b == " + zero, one, "b") + ";\n";
    if (kind == Division::divu)
      text_ += "  return a / d;\n";
    else if (kind == Division::remu)
      text_ += "  return a % d;\n";
    else
      text_ += "  " + t + " q = a / d;\n  return " +
               choose(type, "a % d != " + zero, toUnsigned("q + " + one), "q") + ";\n";
    text_ += "}\n\n";
    return name;
  }
  text_ += "  " + t + " positive = " +
           choose(type, "(b == " + zero + ") | (b == " + minusOne + ")", one, "b") +
           ";\n";
  if (kind == Division::rems) {
    text_ += "  return " + toUnsigned(toSigned("a") + " % " + toSigned("positive")) +
             ";\n}\n\n";
    return name;
  }
  text_ += "  " + t + " q = " + toUnsigned(toSigned("a") + " / " + toSigned("positive")) +
           ";\n";
  text_ +=
      "  q = " + choose(type, "b == " + minusOne, toUnsigned(zero + " - a"), "q") + ";\n";
  if (kind == Division::divs) {
    text_ += "  return q;\n}\n\n";
    return name;
  }
  bool isFloor = kind == Division::floordivs;
  std::string signedZero = type.isVector() ? toSigned(zero) : "0";
  text_ += "  " + s + " r = " + toSigned("a") + " % " + toSigned("positive") + ";\n";
  text_ += "  return " +
           choose(type,
                  "(r != " + signedZero + ") & ((r < " + signedZero + ")" +
                      (isFloor ? " != " : " == ") + "(" + toSigned("b") + " < " +
                      signedZero + "))",
                  toUnsigned(std::string("q ") + (isFloor ? "- " : "+ ") + one), "q") +
           ";\n}\n\n";
  return name;
}

std::string Helpers::looseFma() {
  std::string name = "hxh_fma";
  if (add(name))
    text_ += "#ifdef " + std::string(slowFmaMacro) + "\n#define " + name +
             "(a, b, c) ((a) * (b) + (c))\n#else\n#define " + name + " fma\n#endif\n\n";
  return name;
}

std::string Helpers::minMax(bool isMax, CType type) {
  std::string name = std::string(isMax ? "hxh_maximum_" : "hxh_minimum_") + type.tag();
  if (!add(name))
    return name;
  std::string t = type.name(), as = "as_" + type.signedName(),
              less = isMax ? " > " : " < ";
  // A NaN in `a` is taken, one in `b` stays; equal values differ only as +0 and
  // -0, which their bits order.
  text_ += "static inline " + t + " " + name + "(" + t + " a, " + t + " b) {\n  return " +
           choose(type,
                  "(a" + less + "b) | (a != a) | ((a == b) & (" + as + "(a)" + less + as +
                      "(b)))",
                  "a", "b") +
           ";\n}\n\n";
  return name;
}

} // namespace hexin::opencl
