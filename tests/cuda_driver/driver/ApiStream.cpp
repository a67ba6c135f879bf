//===- ApiStream.cpp - streams, events and host functions ----------------------------===//
#include "tests/cuda_driver/driver/Call.h"

using namespace standin;

namespace {

constexpr unsigned eventFlags =
    CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS;

std::shared_ptr<Event> findEvent(Call &call, CUevent handle) {
  std::shared_ptr<Event> event = call.driver.events.find(handle);
  if (!event)
    call.fail(CUDA_ERROR_INVALID_HANDLE, "the event's handle is none of a live event");
  return event;
}

/// An event that the host may look at; null: refused.
std::shared_ptr<Event> findHostEvent(Call &call, CUevent handle) {
  std::shared_ptr<Event> event = findEvent(call, handle);
  if (!event)
    return nullptr;
  if (event->capture) {
    if (!event->capture->isOver)
      event->capture->isInvalid = true;
    call.fail(CUDA_ERROR_CAPTURED_EVENT, "the event was recorded in a capture");
  } else if (!call.isForbiddenInCapture() && event->context->error) {
    call.fail(CUresult(event->context->error), "an earlier kernel broke the context");
  }
  return call.isRefused() ? nullptr : event;
}

CUresult createStream(Call &call, CUstream *out, unsigned flags, int priority) {
  if (call.isRefused())
    return call.result();
  if (!out || flags > CU_STREAM_NON_BLOCKING)
    return call.fail(CUDA_ERROR_INVALID_VALUE,
                     "unknown flags, or no room for the handle");
  auto stream = std::make_shared<Stream>();
  stream->context = call.context().get();
  stream->flags = flags;
  stream->priority = std::clamp(priority, -5, 0);
  call.context()->streams.push_back(stream);
  *out = call.driver.streams.add(stream);
  return call.finish();
}

/// The capture of an event, waited for by `stream`.
CUresult waitInCapture(Call &call, Stream &stream, const Event &event, bool isIgnored) {
  const std::shared_ptr<Capture> &capture = event.capture;
  if (!capture) {
    if (!event.recorded)
      return CUDA_SUCCESS;
    stream.capture->isInvalid = true;
    return call.fail(CUDA_ERROR_STREAM_CAPTURE_ISOLATION,
                     "the capture would wait for an event from outside of it");
  }
  if (capture->isOver)
    return call.fail(CUDA_ERROR_CAPTURED_EVENT, "the event's capture is over");
  if (stream.capture && stream.capture != capture) {
    stream.capture->isInvalid = capture->isInvalid = true;
    return call.fail(CUDA_ERROR_STREAM_CAPTURE_MERGE, "the event is of another capture");
  }
  if (stream.isLegacy) {
    capture->isInvalid = true;
    return call.fail(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT,
                     "the default stream cannot be captured");
  }
  if (!stream.capture) {
    stream.capture = capture;
    stream.frontier.clear();
    capture->streams.push_back(&stream);
  }
  if (!isIgnored)
    for (size_t node : event.frontier)
      if (std::ranges::find(stream.frontier, node) == stream.frontier.end())
        stream.frontier.push_back(node);
  return CUDA_SUCCESS;
}

} // namespace

namespace standin {

CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
  Call call("cuStreamCreate", Needs::context);
  return createStream(call, stream, flags, 0);
}

CUresult cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int priority) {
  Call call("cuStreamCreateWithPriority", Needs::context);
  return createStream(call, stream, flags, priority);
}

CUresult cuStreamDestroy_v2(CUstream handle) {
  Call call("cuStreamDestroy", Needs::release);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Stream> stream = call.driver.streams.find(handle);
  if (!stream)
    return call.fail(CUDA_ERROR_INVALID_HANDLE,
                     "the handle is none of a live stream (destroyed twice?)");
  if (std::shared_ptr<Capture> capture = stream->capture)
    call.driver.endCapture(*capture);
  // What is queued runs on, when its time comes.
  if (stream->last && !stream->last->isDone && stream->isBlocking())
    stream->context->orphans.push_back(stream->last);
  std::erase(stream->context->streams, stream);
  call.driver.streams.remove(handle);
  return call.finish();
}

CUresult cuStreamSynchronize(CUstream handle) {
  Call call("cuStreamSynchronize", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Stream> stream = call.stream(handle);
  if (!stream || call.isForbiddenInCapture())
    return call.result();
  if (stream->capture) {
    stream->capture->isInvalid = true;
    return call.fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream is captured");
  }
  ++call.driver.counted.synchronisations;
  if (stream->last)
    call.driver.complete(call.lock, {stream->last});
  return call.finish(*stream->context);
}

CUresult cuStreamQuery(CUstream handle) {
  Call call("cuStreamQuery", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Stream> stream = call.stream(handle);
  if (!stream || call.isForbiddenInCapture())
    return call.result();
  if (stream->capture) {
    stream->capture->isInvalid = true;
    return call.fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream is captured");
  }
  std::shared_ptr<Work> last = stream->last;
  bool wasDone = !last || last->isDone;
  call.driver.progress(call.lock, last);
  CUresult result = call.finish(*stream->context);
  return result || wasDone ? result : CUDA_ERROR_NOT_READY;
}

CUresult cuStreamWaitEvent(CUstream streamHandle, CUevent eventHandle, unsigned flags) {
  Call call("cuStreamWaitEvent", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Stream> stream = call.stream(streamHandle);
  std::shared_ptr<Event> event = stream ? findEvent(call, eventHandle) : nullptr;
  if (!event)
    return call.result();
  if (flags != 0)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "flags must be 0");
  bool isIgnored = call.driver.config.ignoreWait.strikes();
  if (stream->capture || event->capture)
    return waitInCapture(call, *stream, *event, isIgnored);
  if (!event->recorded || isIgnored)
    return call.finish();
  if (CUresult result =
          call.driver.submit(call.lock, *stream, EmptyAction{}, {event->recorded}))
    return call.fail(result, "the stream's capture forbids it");
  return call.finish(*stream->context);
}

CUresult cuLaunchHostFunc(CUstream handle, CUhostFn function, void *userData) {
  Call call("cuLaunchHostFunc", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Stream> stream = call.stream(handle);
  if (!stream)
    return call.result();
  if (!function)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no function");
  if (CUresult result =
          call.driver.submit(call.lock, *stream, HostAction{function, userData}))
    return call.fail(result, "the stream's capture forbids it");
  return call.finish(*stream->context);
}

CUresult cuEventCreate(CUevent *out, unsigned flags) {
  Call call("cuEventCreate", Needs::context);
  if (call.isRefused())
    return call.result();
  if (!out || (flags & ~eventFlags))
    return call.fail(CUDA_ERROR_INVALID_VALUE,
                     "unknown flags, or no room for the handle");
  auto event = std::make_shared<Event>();
  event->context = call.context().get();
  event->flags = flags;
  *out = call.driver.events.add(event);
  return call.finish();
}

CUresult cuEventDestroy_v2(CUevent handle) {
  Call call("cuEventDestroy", Needs::release);
  if (call.isRefused())
    return call.result();
  if (!call.driver.events.remove(handle))
    return call.fail(CUDA_ERROR_INVALID_HANDLE,
                     "the handle is none of a live event (destroyed twice?)");
  return call.finish();
}

CUresult cuEventRecord(CUevent eventHandle, CUstream streamHandle) {
  Call call("cuEventRecord", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Stream> stream = call.stream(streamHandle);
  std::shared_ptr<Event> event = stream ? findEvent(call, eventHandle) : nullptr;
  if (!event)
    return call.result();
  if (event->context != stream->context)
    return call.fail(CUDA_ERROR_INVALID_HANDLE, "event and stream are of two contexts");
  if (stream->capture) {
    if (stream->capture->isInvalid)
      return call.fail(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "the capture is invalid");
    event->recorded = nullptr;
    event->capture = stream->capture;
    event->frontier = stream->frontier;
    return call.finish();
  }
  std::shared_ptr<Work> work;
  if (CUresult result = call.driver.submit(call.lock, *stream, EmptyAction{}, {}, &work))
    return call.fail(result, "the stream's capture forbids it");
  event->recorded = work;
  event->capture = nullptr;
  return call.finish(*stream->context);
}

CUresult cuEventSynchronize(CUevent handle) {
  Call call("cuEventSynchronize", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Event> event = findHostEvent(call, handle);
  if (!event)
    return call.result();
  ++call.driver.counted.synchronisations;
  bool isIgnored = call.driver.config.ignoreWait.strikes();
  if (event->recorded && !isIgnored)
    call.driver.complete(call.lock, {event->recorded});
  return call.finish(*event->context);
}

CUresult cuEventQuery(CUevent handle) {
  Call call("cuEventQuery", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Event> event = findHostEvent(call, handle);
  if (!event)
    return call.result();
  std::shared_ptr<Work> recorded = event->recorded;
  bool wasDone = !recorded || recorded->isDone;
  call.driver.progress(call.lock, recorded);
  CUresult result = call.finish(*event->context);
  return result || wasDone ? result : CUDA_ERROR_NOT_READY;
}

CUresult cuEventElapsedTime_v2(float *milliseconds, CUevent startHandle,
                               CUevent endHandle) {
  Call call("cuEventElapsedTime", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Event> start = findHostEvent(call, startHandle);
  std::shared_ptr<Event> end = start ? findHostEvent(call, endHandle) : nullptr;
  if (!end)
    return call.result();
  if (!milliseconds)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the time");
  if (!start->recorded || !end->recorded || start->context != end->context ||
      ((start->flags | end->flags) & CU_EVENT_DISABLE_TIMING))
    return call.fail(CUDA_ERROR_INVALID_HANDLE,
                     "both events must have been recorded, with timing, in one context");
  if (!start->recorded->isDone || !end->recorded->isDone)
    return CUDA_ERROR_NOT_READY;
  *milliseconds = float(end->recorded->finishedNs - start->recorded->finishedNs) / 1e6f;
  return CUDA_SUCCESS;
}

CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) {
  return cuEventElapsedTime_v2(milliseconds, start, end);
}

} // namespace standin
