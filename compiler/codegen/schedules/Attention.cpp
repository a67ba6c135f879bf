//===- Attention.cpp - products around a softmax, without their scores in memory ---===//
#include "compiler/codegen/schedules/Schedules.h"
#include "compiler/codegen/schedules/attention/AttentionEmitter.h"

using namespace mlir;

namespace hexin::codegen {

static std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  return attentionPartsOf(group).output ? "" : notMine;
}

const Schedule attentionSchedule = {"attention", refusal,
                                    [](ElementEmitter &emitter) {
                                      const CodegenTraits &traits =
                                          emitter.kernel().traits();
                                      emitter.kernel().use.flushesSubnormals = true;
                                      return takesAttentionByBlocks(traits)
                                                 ? emitAttentionByBlocks(emitter)
                                                 : emitAttentionByRows(emitter);
                                    },
                                    4};

const Schedule teamAttentionSchedule = {"team_attention", refusal,
                                        [](ElementEmitter &emitter) {
                                          return takesAttentionByMatrices(emitter)
                                                     ? emitAttentionByMatrices(emitter)
                                                     : emitAttentionByTiles(emitter);
                                        },
                                        4};

} // namespace hexin::codegen
