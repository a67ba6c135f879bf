//===- Capture.cpp - streams that are captured into graphs ---------------------------===//
#include "tests/cuda_driver/driver/Call.h"

using namespace standin;

CUresult Driver::addNode(Stream &stream, Action action) {
  Capture &capture = *stream.capture;
  if (capture.isInvalid)
    return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  std::vector<GraphNode> &nodes = capture.graph->nodes;
  nodes.push_back({nullptr, std::move(action), stream.frontier});
  stream.frontier = {nodes.size() - 1};
  return CUDA_SUCCESS;
}

bool Driver::breaksCapture() {
  bool broken = false;
  for (const std::shared_ptr<Capture> &capture : captures) {
    bool isOurs = capture->thread == std::this_thread::get_id();
    bool isForbidden = threadCaptureMode != CU_STREAM_CAPTURE_MODE_RELAXED &&
                       (isOurs ? capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED
                               : capture->mode == CU_STREAM_CAPTURE_MODE_GLOBAL &&
                                     threadCaptureMode == CU_STREAM_CAPTURE_MODE_GLOBAL);
    if (isForbidden)
      capture->isInvalid = broken = true;
  }
  return broken;
}

void Driver::endCapture(Capture &capture) {
  capture.isOver = true;
  for (Stream *stream : capture.streams) {
    stream->capture = nullptr;
    stream->frontier.clear();
  }
  std::erase_if(captures, [&](const auto &other) { return other.get() == &capture; });
}

namespace {

/// True when every node is in `frontier`, or comes before something that is.
bool isJoined(const Graph &graph, const std::vector<size_t> &frontier) {
  std::vector<bool> isReached(graph.nodes.size());
  for (size_t i : frontier)
    isReached[i] = true;
  for (size_t i = graph.nodes.size(); i-- > 0;) // nodes depend on earlier ones only
    if (isReached[i])
      for (size_t before : graph.nodes[i].dependsOn)
        isReached[before] = true;
  return std::ranges::find(isReached, false) == isReached.end();
}

} // namespace

namespace standin {

CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
  Call call("cuStreamBeginCapture", Needs::context);
  if (call.isRefused())
    return call.result();
  if (mode > CU_STREAM_CAPTURE_MODE_RELAXED)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no such mode");
  std::shared_ptr<Stream> stream = call.stream(handle);
  if (!stream)
    return call.result();
  if (stream->isLegacy)
    return call.fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
                     "the default stream cannot be captured");
  if (stream->capture)
    return call.fail(CUDA_ERROR_ILLEGAL_STATE, "the stream is being captured already");
  auto capture = std::make_shared<Capture>();
  capture->origin = stream.get();
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->graph = std::make_shared<Graph>();
  capture->streams = {stream.get()};
  stream->capture = capture;
  stream->frontier.clear();
  call.driver.captures.push_back(capture);
  return call.finish();
}

CUresult cuStreamEndCapture(CUstream handle, CUgraph *graph) {
  Call call("cuStreamEndCapture", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Stream> stream = call.stream(handle);
  if (!stream)
    return call.result();
  if (!graph)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the graph");
  *graph = nullptr;
  std::shared_ptr<Capture> capture = stream->capture;
  if (!capture)
    return call.fail(CUDA_ERROR_ILLEGAL_STATE, "the stream is not being captured");
  if (capture->origin != stream.get())
    return call.fail(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED,
                     "the capture began in another stream");
  if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED &&
      capture->thread != std::this_thread::get_id())
    return call.fail(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD,
                     "another thread began the capture");
  std::vector<size_t> frontier = stream->frontier;
  call.driver.endCapture(*capture);
  if (capture->isInvalid)
    return call.fail(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
                     "an earlier call made the capture invalid");
  if (!isJoined(*capture->graph, frontier))
    return call.fail(CUDA_ERROR_STREAM_CAPTURE_UNJOINED,
                     "a stream that joined the capture has work that this one does not "
                     "wait for");
  Graph *raw = capture->graph.get();
  for (size_t i = 0; i < raw->nodes.size(); ++i)
    raw->nodes[i].handle =
        call.driver.graphNodes.add(std::make_shared<std::pair<Graph *, size_t>>(raw, i));
  *graph = call.driver.graphs.add(capture->graph);
  return call.finish();
}

CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus *status) {
  Call call("cuStreamIsCapturing", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Stream> stream = call.stream(handle);
  if (!stream)
    return call.result();
  if (!status)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the status");
  *status = !stream->capture             ? CU_STREAM_CAPTURE_STATUS_NONE
            : stream->capture->isInvalid ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                         : CU_STREAM_CAPTURE_STATUS_ACTIVE;
  return call.finish();
}

CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode) {
  Call call("cuThreadExchangeStreamCaptureMode", Needs::initialised);
  if (call.isRefused())
    return call.result();
  if (!mode || *mode > CU_STREAM_CAPTURE_MODE_RELAXED)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no such mode");
  std::swap(*mode, threadCaptureMode);
  return CUDA_SUCCESS;
}

} // namespace standin
