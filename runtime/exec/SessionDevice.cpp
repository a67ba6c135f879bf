// SessionCore: tensors of the caller that lie on the device.
#include "runtime/exec/SessionCore.h"

#include "runtime/artifact/Format.h"

namespace hexin {

using fmt::sizeOf;

Status SessionCore::checkOnDevice(const Tensor &tensor, const std::string &what) const {
  bool isHere =
      tensor.device() == device() ||
      device().starts_with(tensor.device() + ":"); // the driver knows whose it is
  if (!isHere)
    return invalidArgument(what + " lies on '" + tensor.device() +
                           "', the session runs on '" + device() +
                           "'; copyTo() brings it there");
  return tensor.stream()
             ? program_->device().waitStream(*tensor.stream()).withContext(what)
             : Status::success();
}

Status SessionCore::bindDeviceInput(uint32_t input, const Tensor &tensor) {
  std::string what =
      "input '" + model_.impl()->header().inputs()->Get(input)->name()->str() + "'";
  HEXIN_RETURN_IF_ERROR(checkOnDevice(tensor, what));
  uint32_t slot = memory_.slots().input(input);
  if (tensor.byteLength() == 0)
    return memory_.reserve(slot, 0);
  auto wrapped = memory_.tryWrapDevice(slot, tensor.deviceAddress(), tensor.byteLength());
  if (!wrapped)
    return wrapped.status().withContext(what);
  return *wrapped ? Status::success()
                  : memory_.copyIn(slot, tensor.deviceAddress(), tensor.byteLength())
                        .withContext(what);
}

/// The caller's tensor of input `input` on the host, brought there when first asked for.
Result<const Tensor *> SessionCore::hostInput(uint32_t input) {
  const Tensor *given = inputs_.tensors()[input];
  if (!given || given->isOnHost())
    return given;
  Tensor &copy = hostInputs_[input];
  if (!copy.data()) {
    HEXIN_ASSIGN_OR_RETURN(copy, Tensor::allocate(given->dtype(), given->dims()));
    HEXIN_RETURN_IF_ERROR(memory_.download(memory_.slots().input(input), 0, copy.data(),
                                           copy.byteLength()));
  }
  return &copy;
}

/// True when the device writes to `target` directly.
Result<bool> SessionCore::bindDeviceOutput(uint32_t output, const Tensor &target) {
  std::string what =
      "output '" + model_.impl()->header().outputs()->Get(output)->name()->str() + "'";
  HEXIN_RETURN_IF_ERROR(checkOnDevice(target, what));
  if (target.byteLength() == 0)
    return false;
  auto wrapped = memory_.tryWrapDevice(memory_.slots().output(output),
                                       target.deviceAddress(), target.byteLength());
  return wrapped ? wrapped : wrapped.status().withContext(what);
}

/// A tensor that lies on the device gets its bytes from a slot.
Status SessionCore::copyOut(uint32_t slot, uint64_t offset, const Tensor &target) {
  if (target.isOnHost())
    return memory_.download(slot, offset, const_cast<void *>(target.data()),
                            target.byteLength());
  copiesOut_ = true;
  return memory_.copyOut(slot, offset, target.deviceAddress(), target.byteLength());
}

/// The same from host memory.
Status SessionCore::uploadTo(const Tensor &target, const void *src) {
  if (target.byteLength() == 0)
    return Status::success();
  copiesOut_ = true;
  HEXIN_ASSIGN_OR_RETURN(Buffer dst, program_->device().wrapDevice(target.deviceAddress(),
                                                                   target.byteLength()));
  return program_->device().upload(src, dst.get(), 0, target.byteLength());
}

/// Marks the outputs that `options` leave on the device.
Status SessionCore::keepOnDevice(const RunOptions &options) {
  const Model::Impl &model = *model_.impl();
  for (const std::string &name : options.onDevice) {
    size_t i = 0;
    while (i < model.outputs.size() && model.outputs[i].name != name)
      ++i;
    if (i == model.outputs.size())
      return invalidArgument("RunOptions::onDevice: the model has no output '" + name +
                             "'");
    if (model.outputs[i].kind != ValueKind::tensor)
      return invalidArgument("RunOptions::onDevice: output '" + name +
                             "' is no tensor of numbers, which only the host has");
    targets_[model.outputPorts[i]].staysOnDevice = true;
  }
  return Status::success();
}

} // namespace hexin
