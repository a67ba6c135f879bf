//===- hexin/hexin.h - everything -------------------------------------------===//
#ifndef HEXIN_HEXIN_H
#define HEXIN_HEXIN_H

#include "hexin/compile.h"
#include "hexin/device.h"
#include "hexin/log.h"
#include "hexin/model.h"
#include "hexin/session.h"
#include "hexin/status.h"
#include "hexin/value.h"
#include "hexin/value_type.h"

#endif // HEXIN_HEXIN_H
