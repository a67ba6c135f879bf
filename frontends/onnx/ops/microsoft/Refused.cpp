#include "frontends/onnx/ops/microsoft/Refused.h"

using llvm::StringRef;

namespace hexin::onnx {
namespace {

constexpr StringRef isRagged =
    "ragged, paged and sparse batches belong to a runtime of language models; "
    "export the model with padded batches and GroupQueryAttention";
constexpr StringRef isGeneration =
    "a loop that generates text is not part of a compiled model; compile the "
    "decoder subgraph and drive it from the application";
constexpr StringRef isPrivate =
    "its layout or contents are private to one vendor; export the plain model";
constexpr StringRef isUnseen =
    "exporters do not make it, so it has no import yet; express it with "
    "operators of ai.onnx";

const struct {
  StringRef opType, reason;
} refusals[] = {
    {"PackedAttention", isRagged},
    {"PackedMultiHeadAttention", isRagged},
    {"RemovePadding", isRagged},
    {"RestorePadding", isRagged},
    {"PagedAttention", isRagged},
    {"SparseAttention", isRagged},
    {"SparsePagedAttention", isRagged},
    {"SparseAttentionIndexer", isRagged},
    {"PackedSparseAttentionIndexer", isRagged},
    {"DynamicSparseAttention", isRagged},
    {"LongformerAttention", isRagged},
    {"DecoderAttention", isRagged},
    {"GatedDeltaNet", isRagged},
    {"VarlenCausalConvWithState", isRagged},
    {"BeamSearch", isGeneration},
    {"GreedySearch", isGeneration},
    {"Sampling", isGeneration},
    {"WhisperBeamSearch", isGeneration},
    {"QOrderedAttention", isPrivate},
    {"QOrderedGelu", isPrivate},
    {"QOrderedLayerNormalization", isPrivate},
    {"QOrderedLongformerAttention", isPrivate},
    {"QOrderedMatMul", isPrivate},
    {"QuantizeWithOrder", isPrivate},
    {"DequantizeWithOrder", isPrivate},
    {"QuantizeBFP", isPrivate},
    {"DequantizeBFP", isPrivate},
    {"SparseToDenseMatMul", isPrivate},
    {"EPContext", isPrivate},
    {"Snpe", isPrivate},
    {"Tokenizer", isUnseen},
    {"MurmurHash3", isUnseen},
    {"NGramRepeatBlock", isUnseen},
    {"NGramHashMapping", isUnseen},
    {"VarlenNGramHashMapping", isUnseen},
    {"WordConvEmbedding", isUnseen},
    {"BifurcationDetector", isUnseen},
    {"DynamicTimeWarping", isUnseen},
    {"AttnLSTM", isUnseen},
    {"EngramGate", isUnseen},
    {"HyperConnectionPreMix", isUnseen},
    {"HyperConnectionPostMix", isUnseen},
};

} // namespace

StringRef refusalOf(StringRef domain, StringRef opType) {
  if (domain == "com.microsoft.nchwc" || domain == "com.ms.internal.nhwc")
    return "a form that ONNX Runtime's optimiser makes for itself; export the "
           "unoptimised model";
  if (domain != "com.microsoft")
    return {};
  for (const auto &row : refusals)
    if (row.opType == opType)
      return row.reason;
  return {};
}

} // namespace hexin::onnx
