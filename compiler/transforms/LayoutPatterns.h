//===- LayoutPatterns.h - what channels-last is made of ---------------------===//
#ifndef HEXIN_COMPILER_TRANSFORMS_LAYOUTPATTERNS_H
#define HEXIN_COMPILER_TRANSFORMS_LAYOUTPATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace hexin::hx {

/// Convolutions and pooling over one axis become 2-D ones with a height of 1.
void populateWidenWindowPatterns(mlir::RewritePatternSet &patterns);

/// Transposes sink towards the results, through everything that does not mind, until
/// they meet their inverse.
void populateSinkTransposePatterns(mlir::RewritePatternSet &patterns);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_TRANSFORMS_LAYOUTPATTERNS_H
