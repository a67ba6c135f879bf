#include "hexin/session.h"

#include "runtime/base/Guarded.h"
#include "runtime/exec/SessionCore.h"

namespace hexin {

struct Session::Impl {
  std::shared_ptr<SessionCore> core;
  ~Impl() {
    static_cast<void>(guarded([&] {
                        core->drain();
                        return Status::success();
                      }).ok());
  }
};

struct Run::Impl {
  std::shared_ptr<SessionCore> core;
  std::shared_ptr<RunTicket> ticket;
  ~Impl() {
    if (ticket)
      static_cast<void>(guarded([&] { return core->wait(*ticket); }).ok());
  }
};

namespace {

/// `call` of the session's core; failedPrecondition without one.
template <typename ImplPtr, typename Call>
auto withCore(const ImplPtr &impl, Call call) -> decltype(call(*impl->core)) {
  if (!impl)
    return failedPrecondition("this Session was moved from");
  return guarded([&] { return call(*impl->core); });
}

} // namespace

Run::Run(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Run::Run(Run &&) noexcept = default;
Run &Run::operator=(Run &&) noexcept = default;
Run::~Run() = default;

Result<NamedValues> Run::wait() {
  if (!impl_)
    return failedPrecondition("this Run was moved from");
  return guarded([&] { return impl_->core->wait(*impl_->ticket); });
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session &&) noexcept = default;
Session &Session::operator=(Session &&) noexcept = default;
Session::~Session() = default;

Result<Session> Session::create(const Model &model, const SessionOptions &options) {
  return guarded([&]() -> Result<Session> {
    HEXIN_ASSIGN_OR_RETURN(auto core, SessionCore::create(model, options));
    auto impl = std::make_unique<Impl>();
    impl->core = std::move(core);
    return Session(std::move(impl));
  });
}

const Model &Session::model() const { return impl_->core->model(); }
const std::string &Session::device() const {
  static const std::string none;
  return impl_ ? impl_->core->device() : none;
}

Result<NamedValues> Session::run(const NamedValues &inputs, const RunOptions &options) {
  return withCore(impl_, [&](SessionCore &core) { return core.run(inputs, options); });
}

Status Session::run(const NamedValues &inputs, NamedValues &outputs) {
  return withCore(impl_, [&](SessionCore &core) { return core.run(inputs, outputs); });
}

Result<Run> Session::submit(const NamedValues &inputs) {
  return withCore(impl_, [&](SessionCore &core) -> Result<Run> {
    auto run = std::make_unique<Run::Impl>();
    run->core = impl_->core;
    HEXIN_ASSIGN_OR_RETURN(run->ticket, core.submit(inputs));
    return Run(std::move(run));
  });
}

Status Session::prepare(std::span<const std::vector<int64_t>> dims) {
  return withCore(impl_, [&](SessionCore &core) { return core.prepare(dims); });
}

Result<Tensor> Session::getState(const std::string &name) const {
  return withCore(impl_, [&](SessionCore &core) { return core.getState(name); });
}

Status Session::setState(const std::string &name, const Tensor &value) {
  return withCore(impl_, [&](SessionCore &core) { return core.setState(name, value); });
}

Status Session::resetState() {
  return withCore(impl_, [&](SessionCore &core) { return core.resetState(); });
}

Result<std::vector<std::byte>> Session::exportState() const {
  return withCore(impl_, [&](SessionCore &core) { return core.exportState(); });
}

Status Session::importState(std::span<const std::byte> blob) {
  return withCore(impl_, [&](SessionCore &core) { return core.importState(blob); });
}

SessionStats Session::stats() const {
  return impl_ ? impl_->core->stats() : SessionStats();
}

Result<NamedValues> Session::dumped() const {
  return withCore(impl_, [&](SessionCore &core) { return core.dumped(); });
}
Result<std::string> Session::trace() const {
  return withCore(impl_, [&](SessionCore &core) { return core.trace(); });
}

} // namespace hexin
