//===- CheckOps.h - the classes of ops that check what a run brings --------------===//
#ifndef HEXIN_COMPILER_IR_CHECKOPS_H
#define HEXIN_COMPILER_IR_CHECKOPS_H

#include "compiler/ir/Ops.h"

#define GET_OP_CLASSES
#include "compiler/ir/CheckOps.h.inc"

#endif // HEXIN_COMPILER_IR_CHECKOPS_H
