// Mixtures of experts: MoE and QMoE.
//
// Each token goes to k experts. The (token, expert) pairs are laid out by expert in
// blocks of equal size, so that a block belongs to one expert and all of them are one
// batched product, whose size follows from the number of tokens alone: nothing is read
// back to learn how the tokens spread. With blocks of R rows, P pairs of E experts need
// at most floor(P / R) + E blocks, and never more than P.
//
// Worked example: 3 tokens, k = 1, 4 experts, R = 1. Tokens choose experts 2, 0, 2:
// counts [1, 0, 2, 0], first blocks [0, 1, 1, 3], slots [1, 0, 2], experts of the three
// blocks [0, 2, 2]. Blocks compute tokens 1, 0, 2, which their slots put back in order.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/microsoft/FewBits.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <cmath>

using namespace mlir;
using hexin::hx::ActivationKind;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;

namespace hexin::onnx {
namespace {

constexpr int64_t maxBlockRows = 32;

//===----------------------------------------------------------------------===//
// Routing
//===----------------------------------------------------------------------===//

struct Routes {
  Value experts; ///< i64 [T, k]
  Value weights; ///< f32 [T, k]
  int64_t numChosen = 1;
};

/// The k most probable experts of each row of `logits` [T, E]; their weights are those
/// probabilities, or what `mixing` [T, E] has at their place.
Routes route(OpBinder &b, Value logits, Value mixing) {
  Routes routes;
  routes.numChosen = b.intAttr("k", 1);
  if (b.intAttr("use_sparse_mixer", 0) != 0)
    b.unsupported("use_sparse_mixer: another way to choose experts");
  if (b.failed() || HxBuilder::rank(logits) != 2) {
    b.contradiction("router_probs has rank " + Twine(HxBuilder::rank(logits)) +
                    ", expected 2: [tokens, experts]");
    return {};
  }
  Dims dims = b.dims(logits);
  Dim count = b.shape.constant(routes.numChosen), none = b.shape.constant(0);
  auto numExperts = hx::SymbolTable::constantValue(dims[1]);
  if (routes.numChosen < 1 || routes.numChosen > INT16_MAX ||
      (numExperts && routes.numChosen > *numExperts)) {
    b.error("k is " + Twine(routes.numChosen) + " of " + b.symbols().toString(dims[1]) +
            " experts");
    return {};
  }
  Type f32 = b.builder.getF32Type();
  Value probabilities = b.make<hx::SoftmaxOp>(f32, b.cast(logits, f32), /*axis=*/1);
  auto sorted = b.create<hx::SortOp>({f32, b.builder.getI64Type()}, probabilities,
                                     /*axis=*/1, /*descending=*/true);
  if (b.failed())
    return {};
  routes.experts = b.shape.sliceAxis(sorted.getPositions(), 1, none, count);
  if (mixing) {
    mixing = b.cast(mixing, f32);
    routes.weights =
        b.failed()
            ? Value()
            : b.make<hx::GatherElementsOp>(f32, mixing, routes.experts, /*axis=*/1);
  } else {
    routes.weights = b.shape.sliceAxis(sorted.getValues(), 1, none, count);
  }
  if (b.intAttr("normalize_routing_weights", 0) != 0)
    routes.weights = b.div(routes.weights, b.reduce(ReduceFn::sum, routes.weights, {1},
                                                    /*keepDims=*/true));
  return routes;
}

//===----------------------------------------------------------------------===//
// Pairs in blocks
//===----------------------------------------------------------------------===//

struct Blocks {
  Dim number, rows;
  Value slots;   ///< i64 [P]: where each pair stands among number * rows
  Value pairs;   ///< i64 [number * rows]: which pair stands there, 0 where none does
  Value experts; ///< i64 [number]
};

Blocks layOut(OpBinder &b, Value experts, Dim numPairs, Dim numExperts) {
  Type i64 = b.builder.getI64Type();
  Dim one = b.shape.constant(1);
  hx::SymbolTable &symbols = b.symbols();
  Blocks blocks;
  blocks.rows = symbols.max(one, symbols.min(b.shape.constant(maxBlockRows),
                                             symbols.ceilDiv(numPairs, numExperts)));
  blocks.number = symbols.min(
      numPairs, symbols.add(symbols.floorDiv(numPairs, blocks.rows), numExperts));

  auto running = [&](Value x) {
    return b.failed() ? Value()
                      : b.make<hx::CumulativeOp>(i64, ReduceFn::sum, x, /*axis=*/0,
                                                 /*exclusive=*/false, /*reverse=*/false);
  };
  Value flat = b.shape.reshape(experts, {numPairs});
  Value column = b.shape.unsqueeze(flat, {1}); // [P, 1]
  Value isChosen = b.cast(
      b.compare(ComparePredicate::eq, column, b.shape.iota({one, numExperts}, 1, i64)),
      i64); // [P, E]
  Value before = running(isChosen);
  Value place =
      b.failed()
          ? Value()
          : b.shape.squeeze(b.make<hx::GatherElementsOp>(i64, before, column, /*axis=*/1),
                            {1});
  place = b.sub(place, b.scalar(i64, 1)); // among the pairs of the same expert

  Value rows = b.shape.buildScalar(blocks.rows, i64);
  Value counts = b.reduce(ReduceFn::sum, isChosen, {0}, /*keepDims=*/false);
  Value needed = b.div(b.add(counts, b.sub(rows, b.scalar(i64, 1))), rows);
  Value ends = running(needed);
  Value starts = b.sub(ends, needed);
  blocks.slots = b.add(b.mul(b.gather(starts, flat, 0), rows), place);

  Dim numSlots = symbols.mul(blocks.number, blocks.rows);
  Value none = b.shape.broadcastTo(b.scalar(i64, 0), {numSlots});
  Value numbers = b.shape.iota({numPairs}, 0, i64);
  blocks.pairs = b.failed() ? Value()
                            : b.make<hx::ScatterElementsOp>(i64, hx::ScatterFn::set, none,
                                                            blocks.slots, numbers,
                                                            /*axis=*/0);
  // Blocks behind the last used one count as the last expert's.
  Value block = b.shape.iota({blocks.number, one}, 0, i64);
  Value isOver = b.cast(b.compare(ComparePredicate::le, ends, block), i64);
  Value last = b.shape.buildScalar(symbols.sub(numExperts, one), i64);
  blocks.experts = b.binary(
      BinaryFn::min, b.reduce(ReduceFn::sum, isOver, {1}, /*keepDims=*/false), last);
  return blocks;
}

//===----------------------------------------------------------------------===//
// Experts
//===----------------------------------------------------------------------===//

/// x f32 [blocks, rows, inputs] times a layer's weights, those of each block's expert:
/// [blocks, rows, outputs].
using LayerOf = llvm::function_ref<Value(unsigned layer, Value x, Value experts)>;
/// The inputs of three layers' biases [E, outputs]; the third layer may be missing.
struct Layers {
  unsigned bias[3];
  bool hasGate;
};

/// Every second element of the last axis, or its first or second half.
Value halfOf(OpBinder &b, Value x, int64_t index, bool isInterleaved) {
  if (b.failed())
    return {};
  Dims sizes = b.dims(x), starts(sizes.size(), b.shape.constant(0));
  SmallVector<int64_t> steps(sizes.size(), 1);
  Dim two = b.shape.constant(2), half = b.symbols().floorDiv(sizes.back(), two);
  checkEqual(b, sizes.back(), "the width of what swiglu halves",
             b.symbols().mul(half, two), "twice its half");
  starts.back() = isInterleaved ? b.shape.constant(index)
                  : index == 0  ? b.shape.constant(0)
                                : half;
  steps.back() = isInterleaved ? 2 : 1;
  sizes.back() = half;
  return b.shape.slice(x, starts, sizes, steps);
}

/// G * sigmoid(alpha * G) * (L + beta), where G is at most the limit and L within it.
Value swiGlu(OpBinder &b, Value gate, Value linear) {
  if (b.failed())
    return {};
  if (double limit = b.floatAttr("swiglu_limit", INFINITY); std::isfinite(limit)) {
    gate = b.binary(BinaryFn::min, gate, b.scalarLike(gate, limit));
    linear = b.binary(BinaryFn::max,
                      b.binary(BinaryFn::min, linear, b.scalarLike(linear, limit)),
                      b.scalarLike(linear, -limit));
  }
  gate = b.activation(ActivationKind::swish, gate, b.floatAttr("activation_alpha", 1));
  return b.mul(gate,
               b.add(linear, b.scalarLike(linear, b.floatAttr("activation_beta", 0))));
}

/// What stands between the layers; `gate` is the third layer's result, or null.
Value activated(OpBinder &b, Value x, Value gate) {
  StringRef kind = b.stringAttr("activation_type", "relu");
  int64_t fusion = b.intAttr("swiglu_fusion", 0);
  if (kind == "swiglu") {
    if (fusion < 0 || fusion > 2 || (fusion == 0) != static_cast<bool>(gate)) {
      b.error("swiglu_fusion is " + Twine(fusion) +
              ": expected 0 with a third layer, 1 or 2 without");
      return {};
    }
    return fusion == 0
               ? swiGlu(b, x, gate)
               : swiGlu(b, halfOf(b, x, 0, fusion == 1), halfOf(b, x, 1, fusion == 1));
  }
  if (kind == "relu")
    x = b.activation(ActivationKind::relu, x);
  else if (kind == "gelu")
    x = b.activation(ActivationKind::gelu_tanh, x);
  else if (kind == "silu")
    x = b.activation(ActivationKind::swish, x, 1);
  else if (kind != "identity")
    b.error("activation_type '" + kind +
            "': expected relu, gelu, silu, swiglu or identity");
  return gate ? b.mul(x, gate) : x;
}

/// input [T, H] or [B, S, H], router_probs [T, E]; `mixing` as in route().
void mixExperts(OpBinder &b, Value mixing, const Layers &layers, LayerOf layerOf) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x);
  if (rank != 2 && rank != 3)
    return b.contradiction("the input has rank " + Twine(rank) + ", expected 2 or 3");
  Routes routes = route(b, b.input(1), mixing);
  if (b.failed())
    return;
  Dims given = b.dims(x), router = b.dims(b.input(1));
  Dim numTokens = b.shape.product(ArrayRef(given).drop_back());
  Dim hidden = given.back(), chosen = b.shape.constant(routes.numChosen);
  Dim numPairs = b.symbols().mul(numTokens, chosen);
  Type type = HxBuilder::elementType(x), f32 = b.builder.getF32Type(),
       i64 = b.builder.getI64Type();
  checkEqual(b, router[0], "the number of rows of router_probs", numTokens,
             "that of tokens");
  Blocks blocks = layOut(b, routes.experts, numPairs, router[1]);

  Value tokens =
      b.div(blocks.pairs, b.scalar(i64, static_cast<double>(routes.numChosen)));
  Value rows = b.gather(b.shape.reshape(b.cast(x, f32), {numTokens, hidden}), tokens, 0);
  rows = b.shape.reshape(rows, {blocks.number, blocks.rows, hidden});
  auto layer = [&](Value input, unsigned index) {
    Value y = layerOf(index, input, blocks.experts);
    if (!b.has(layers.bias[index]))
      return y;
    Value bias = b.cast(b.gather(b.input(layers.bias[index]), blocks.experts, 0), f32);
    return b.add(y, b.shape.unsqueeze(bias, {1}));
  };
  Value inner = activated(b, layer(rows, 0), layers.hasGate ? layer(rows, 2) : Value());
  Value y = layer(inner, 1);
  if (b.failed())
    return;
  Dim width = b.dims(y)[2];
  y = b.shape.reshape(y, {b.symbols().mul(blocks.number, blocks.rows), width});
  Value perPair =
      b.shape.reshape(b.gather(y, blocks.slots, 0), {numTokens, chosen, width});
  Value mixed =
      b.reduce(ReduceFn::sum, b.mul(perPair, b.shape.unsqueeze(routes.weights, {2})), {1},
               /*keepDims=*/false);
  given.back() = width;
  b.result(0, b.failed() ? Value() : b.cast(b.shape.reshape(mixed, given), type));
}

/// Weights of rank 3, as an error.
bool checkWeights(OpBinder &b, ArrayRef<unsigned> inputs) {
  for (unsigned i : inputs)
    if (!b.has(i))
      b.error("input #" + Twine(i) + " is missing");
    else if (HxBuilder::rank(b.input(i)) != 3)
      b.contradiction("input #" + Twine(i) + " has rank " +
                      Twine(HxBuilder::rank(b.input(i))) +
                      ", expected 3: [experts, outputs, inputs]");
  return !b.failed();
}

/// input, router_probs, then weights and a bias? of layers 1, 2 and 3?
void importMoe(OpBinder &b) {
  SmallVector<unsigned> weights = {2, 4};
  if (b.has(6))
    weights.push_back(6);
  if (!checkWeights(b, weights))
    return;
  auto layerOf = [&](unsigned layer, Value x, Value experts) {
    Value rows = b.gather(b.input(2 + 2 * layer), experts, 0);
    return b.failed() ? Value()
                      : b.matmul(x, b.cast(rows, b.builder.getF32Type()),
                                 /*transposeLhs=*/false, /*transposeRhs=*/true);
  };
  mixExperts(b, Value(), {{3, 5, 7}, b.has(6)}, layerOf);
}

/// Attributes of QMoE that say how weights are stored, as errors.
bool checkStorage(OpBinder &b, int64_t block) {
  StringRef kind = b.stringAttr("quant_type", "int");
  if (kind != "int")
    b.unsupported("quant_type '" + kind + "': expected int");
  if (b.intAttr("weights_prepacked", -1) == 1)
    b.unsupported("weights_prepacked: a layout of one vendor's kernels; export the plain "
                  "weights");
  for (unsigned i = 15; i < 21; ++i)
    if (b.has(i))
      b.error("input #" + Twine(i) + " is not for quant_type int");
  if (block != 0)
    checkFewBits(b, 4, block);
  return !b.failed();
}

/// input, router_probs, then weights, scales and a bias? of layers 1, 2 and 3?, then
/// zero points? of each, router_weights?, ...
void importQMoe(OpBinder &b) {
  int64_t block = b.intAttr("block_size", 0);
  SmallVector<unsigned> weights = {2, 5};
  if (b.has(8))
    weights.push_back(8);
  if (!checkWeights(b, weights) || !checkStorage(b, block))
    return;
  int64_t shared = b.intAttr("expert_weight_bits", 4);
  int64_t bits[3];
  for (unsigned layer = 0; layer < 3; ++layer) {
    bits[layer] =
        b.intAttr("fc" + std::to_string(layer + 1) + "_expert_weight_bits", shared);
    if (!checkFewBits(b, bits[layer], 16))
      return;
  }
  auto layerOf = [&](unsigned layer, Value x, Value experts) -> Value {
    Value bytes = b.gather(b.input(2 + 3 * layer), experts, 0);
    if (b.failed())
      return {};
    if (!b.has(3 + 3 * layer)) {
      b.error("input #" + Twine(3 + 3 * layer) + ", the scales, is missing");
      return {};
    }
    Dims dims = b.dims(bytes); // [blocks, outputs, bytes of a row]
    auto rowBytes = hx::SymbolTable::constantValue(dims[2]);
    if (!rowBytes || *rowBytes < 1) {
      b.unsupported("the size of the experts' rows must be known when compiling: declare "
                    "the sizes of the weights, or give them with --shape");
      return {};
    }
    int64_t numColumns = *rowBytes * (8 / bits[layer]);
    if (block != 0 && numColumns % block != 0) {
      b.contradiction("rows of " + Twine(numColumns) +
                      " weights are not made of blocks "
                      "of " +
                      Twine(block));
      return {};
    }
    Value zeros = b.has(11 + layer) ? b.gather(b.input(11 + layer), experts, 0) : Value();
    if (zeros && block == 0) { // packed along the outputs
      zeros = b.shape.sliceAxis(unpackedBits(b, zeros, bits[layer]), 1,
                                b.shape.constant(0), dims[1]);
      zeros = b.cast(zeros, b.builder.getF32Type());
    }
    FewBitWeights few{bytes,       b.gather(b.input(3 + 3 * layer), experts, 0),
                      zeros,       Value(),
                      bits[layer], block == 0 ? numColumns : block};
    return timesFewBits(b, x, few, {dims[0], dims[1]}, numColumns);
  };
  mixExperts(b, b.input(14), {{4, 7, 10}, b.has(8)}, layerOf);
}

} // namespace

void registerMicrosoftMoeOps(OpTable &table) {
  table.add("com.microsoft", {
                                 {"MoE", 1, 3, 8, importMoe},
                                 {"QMoE", 1, 3, 21, importQMoe},
                             });
}

} // namespace hexin::onnx
