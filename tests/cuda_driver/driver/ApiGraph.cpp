//===- ApiGraph.cpp - graphs, made by hand or by capture, and their replay ------------===//
#include "tests/cuda_driver/driver/KernelCheck.h"

using namespace standin;

namespace {

constexpr unsigned long long instantiateFlags = 1 | 2 | 8; // no launch from the device

std::shared_ptr<Graph> findGraph(Call &call, CUgraph handle) {
  if (call.isRefused())
    return nullptr;
  std::shared_ptr<Graph> graph = call.driver.graphs.find(handle);
  if (!graph)
    call.fail(CUDA_ERROR_INVALID_HANDLE, "the handle is none of a live graph");
  return graph;
}

std::shared_ptr<GraphExec> findExec(Call &call, CUgraphExec handle) {
  if (call.isRefused())
    return nullptr;
  std::shared_ptr<GraphExec> exec = call.driver.graphExecs.find(handle);
  if (!exec)
    call.fail(CUDA_ERROR_INVALID_HANDLE, "the handle is none of a live executable graph");
  return exec;
}

GraphNode *findNode(Call &call, CUgraphNode handle) {
  if (call.isRefused())
    return nullptr;
  auto where = call.driver.graphNodes.find(handle);
  if (where)
    return &where->first->nodes[where->second];
  call.fail(CUDA_ERROR_INVALID_HANDLE, "the handle is none of a live graph's node");
  return nullptr;
}

CUgraphNodeType typeOf(const Action &action) {
  if (std::holds_alternative<KernelAction>(action))
    return CU_GRAPH_NODE_TYPE_KERNEL;
  if (std::holds_alternative<CopyAction>(action))
    return CU_GRAPH_NODE_TYPE_MEMCPY;
  if (std::holds_alternative<FillAction>(action))
    return CU_GRAPH_NODE_TYPE_MEMSET;
  if (std::holds_alternative<HostAction>(action))
    return CU_GRAPH_NODE_TYPE_HOST;
  if (std::holds_alternative<GraphAction>(action))
    return CU_GRAPH_NODE_TYPE_GRAPH;
  return CU_GRAPH_NODE_TYPE_EMPTY;
}

CUresult addNode(Call &call, Graph &graph, CUgraphNode *out,
                 const CUgraphNode *dependencies, size_t count, Action action) {
  if (!out || (count && !dependencies))
    return call.fail(CUDA_ERROR_INVALID_VALUE,
                     "no dependencies, or no room for the node");
  GraphNode node{nullptr, std::move(action), {}};
  for (size_t i = 0; i < count; ++i) {
    auto where = call.driver.graphNodes.find(dependencies[i]);
    if (!where || where->first != &graph)
      return call.fail(CUDA_ERROR_INVALID_VALUE,
                       "a dependency is none of this graph's nodes");
    node.dependsOn.push_back(where->second);
  }
  node.handle = call.driver.graphNodes.add(
      std::make_shared<std::pair<Graph *, size_t>>(&graph, graph.nodes.size()));
  *out = node.handle;
  graph.nodes.push_back(std::move(node));
  return CUDA_SUCCESS;
}

bool readKernelParams(Call &call, const CUDA_KERNEL_NODE_PARAMS *params,
                      KernelAction &out) {
  if (!params) {
    call.fail(CUDA_ERROR_INVALID_VALUE, "no parameters");
    return false;
  }
  return makeKernelAction(call,
                          {params->func,
                           {params->gridDimX, params->gridDimY, params->gridDimZ},
                           {params->blockDimX, params->blockDimY, params->blockDimZ},
                           params->sharedMemBytes,
                           params->kernelParams,
                           params->extra},
                          out);
}

/// Every module whose code or memory a graph uses must be of one context.
bool isOfContext(const std::vector<GraphNode> &nodes, const Context &context) {
  return std::ranges::all_of(nodes, [&](const GraphNode &node) {
    auto *kernel = std::get_if<KernelAction>(&node.action);
    return !kernel || kernel->function->context() == &context;
  });
}

/// What an update found in the way; info->result says what.
CUresult refuseUpdate(Call &call, CUgraphExecUpdateResultInfo &info,
                      CUgraphExecUpdateResult why, CUgraphNode node, const char *text) {
  info = {why, node, nullptr};
  return call.fail(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, text);
}

} // namespace

namespace standin {

CUresult cuGraphCreate(CUgraph *graph, unsigned flags) {
  Call call("cuGraphCreate", Needs::initialised);
  if (call.isRefused())
    return call.result();
  if (!graph || flags != 0)
    return call.fail(CUDA_ERROR_INVALID_VALUE,
                     "flags must be 0, and the handle has room");
  *graph = call.driver.graphs.add(std::make_shared<Graph>());
  return CUDA_SUCCESS;
}

CUresult cuGraphDestroy(CUgraph handle) {
  Call call("cuGraphDestroy", Needs::initialised);
  std::shared_ptr<Graph> graph = findGraph(call, handle);
  if (!graph)
    return call.result();
  for (const GraphNode &node : graph->nodes)
    call.driver.graphNodes.remove(node.handle);
  call.driver.graphs.remove(handle);
  return CUDA_SUCCESS;
}

CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode *nodes, size_t *count) {
  Call call("cuGraphGetNodes", Needs::initialised);
  std::shared_ptr<Graph> graph = findGraph(call, handle);
  if (!graph)
    return call.result();
  if (!count)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the count");
  size_t room = nodes ? *count : 0;
  for (size_t i = 0; i < room; ++i)
    nodes[i] = i < graph->nodes.size() ? graph->nodes[i].handle : nullptr;
  *count = nodes ? std::min(room, graph->nodes.size()) : graph->nodes.size();
  return CUDA_SUCCESS;
}

CUresult cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType *type) {
  Call call("cuGraphNodeGetType", Needs::initialised);
  GraphNode *node = findNode(call, handle);
  if (!node)
    return call.result();
  if (!type)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the type");
  *type = typeOf(node->action);
  return CUDA_SUCCESS;
}

CUresult cuGraphAddKernelNode_v2(CUgraphNode *node, CUgraph handle,
                                 const CUgraphNode *dependencies, size_t count,
                                 const CUDA_KERNEL_NODE_PARAMS *params) {
  Call call("cuGraphAddKernelNode", Needs::context);
  std::shared_ptr<Graph> graph = findGraph(call, handle);
  KernelAction action;
  if (!graph || !readKernelParams(call, params, action))
    return call.result();
  return addNode(call, *graph, node, dependencies, count, std::move(action));
}

CUresult cuGraphAddMemsetNode(CUgraphNode *node, CUgraph handle,
                              const CUgraphNode *dependencies, size_t count,
                              const CUDA_MEMSET_NODE_PARAMS *params, CUcontext context) {
  Call call("cuGraphAddMemsetNode", Needs::context);
  std::shared_ptr<Graph> graph = findGraph(call, handle);
  if (!graph)
    return call.result();
  if (!params || !call.driver.contexts.find(context) || params->height > 1 ||
      (params->elementSize != 1 && params->elementSize != 2 &&
       params->elementSize != 4) ||
      params->dst % params->elementSize != 0 ||
      params->width > SIZE_MAX / params->elementSize)
    return call.fail(CUDA_ERROR_INVALID_VALUE,
                     "a row of elements of 1, 2 or 4 bytes in a live context expected");
  Device *device = call.driver.deviceOf(params->dst);
  if (!device || !device->memory.at(params->dst, params->width * params->elementSize))
    return call.fail(CUDA_ERROR_INVALID_VALUE, "the bytes do not fit the allocation");
  return addNode(
      call, *graph, node, dependencies, count,
      FillAction{
          {device, params->dst}, params->value, params->elementSize, params->width});
}

CUresult cuGraphAddEmptyNode(CUgraphNode *node, CUgraph handle,
                             const CUgraphNode *dependencies, size_t count) {
  Call call("cuGraphAddEmptyNode", Needs::initialised);
  std::shared_ptr<Graph> graph = findGraph(call, handle);
  return graph ? addNode(call, *graph, node, dependencies, count, EmptyAction{})
               : call.result();
}

CUresult cuGraphKernelNodeGetParams_v2(CUgraphNode handle,
                                       CUDA_KERNEL_NODE_PARAMS *params) {
  Call call("cuGraphKernelNodeGetParams", Needs::initialised);
  GraphNode *node = findNode(call, handle);
  if (!node)
    return call.result();
  auto *kernel = std::get_if<KernelAction>(&node->action);
  if (!kernel || !params)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no kernel node, or nowhere to answer");
  const auto &functions = kernel->function->module->functions;
  auto name = functions.find(kernel->function->entry->name);
  *params = {};
  params->func = name == functions.end() ? nullptr : name->second;
  std::tie(params->gridDimX, params->gridDimY, params->gridDimZ) =
      std::tie(kernel->grid[0], kernel->grid[1], kernel->grid[2]);
  std::tie(params->blockDimX, params->blockDimY, params->blockDimZ) =
      std::tie(kernel->block[0], kernel->block[1], kernel->block[2]);
  params->sharedMemBytes = kernel->sharedBytes;
  params->ctx = kernel->function->context()->handle;
  return CUDA_SUCCESS; // the values were copied: no pointers to them are kept
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *out, CUgraph handle,
                                     unsigned long long flags) {
  Call call("cuGraphInstantiateWithFlags", Needs::context);
  std::shared_ptr<Graph> graph = findGraph(call, handle);
  if (!graph)
    return call.result();
  if (!out || (flags & ~instantiateFlags))
    return call.fail(CUDA_ERROR_INVALID_VALUE,
                     "unknown flags, or no room for the handle");
  if (!isOfContext(graph->nodes, *call.context()))
    return call.fail(CUDA_ERROR_INVALID_VALUE, "a kernel is of another context");
  auto exec = std::make_shared<GraphExec>();
  exec->context = call.context().get();
  exec->nodes = std::make_shared<const std::vector<GraphNode>>(graph->nodes);
  *out = call.driver.graphExecs.add(exec);
  return call.finish();
}

CUresult cuGraphLaunch(CUgraphExec handle, CUstream streamHandle) {
  Call call("cuGraphLaunch", Needs::context);
  std::shared_ptr<GraphExec> exec = findExec(call, handle);
  std::shared_ptr<Stream> stream = exec ? call.stream(streamHandle, false) : nullptr;
  if (!stream)
    return call.result();
  if (exec->context != stream->context)
    return call.fail(CUDA_ERROR_INVALID_HANDLE, "graph and stream are of two contexts");
  // A graph never runs beside itself.
  std::vector<std::shared_ptr<Work>> after;
  if (exec->lastLaunch)
    after.push_back(exec->lastLaunch);
  std::shared_ptr<Work> work;
  if (CUresult result = call.driver.submit(call.lock, *stream, GraphAction{exec->nodes},
                                           std::move(after), &work))
    return call.fail(result, "the stream's capture forbids it");
  if (work)
    exec->lastLaunch = work;
  ++call.driver.counted.graphLaunches;
  return call.finish();
}

CUresult cuGraphExecUpdate_v2(CUgraphExec execHandle, CUgraph graphHandle,
                              CUgraphExecUpdateResultInfo *info) {
  Call call("cuGraphExecUpdate", Needs::context);
  std::shared_ptr<GraphExec> exec = findExec(call, execHandle);
  std::shared_ptr<Graph> graph = exec ? findGraph(call, graphHandle) : nullptr;
  if (!graph)
    return call.result();
  CUgraphExecUpdateResultInfo ignored;
  CUgraphExecUpdateResultInfo &answer = info ? *info : ignored;
  answer = {CU_GRAPH_EXEC_UPDATE_SUCCESS, nullptr, nullptr};
  if (graph->nodes.size() != exec->nodes->size())
    return refuseUpdate(call, answer, CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED,
                        nullptr, "the graph has another number of nodes");
  auto updated = std::make_shared<std::vector<GraphNode>>(*exec->nodes);
  for (size_t i = 0; i < updated->size(); ++i) {
    const GraphNode &from = graph->nodes[i];
    GraphNode &to = (*updated)[i];
    if (from.dependsOn != to.dependsOn)
      return refuseUpdate(call, answer, CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED,
                          from.handle, "a node comes after others than before");
    if (from.action.index() != to.action.index())
      return refuseUpdate(call, answer, CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED,
                          from.handle, "a node is of another kind than before");
    to.action = from.action;
  }
  if (!isOfContext(*updated, *exec->context))
    return refuseUpdate(call, answer, CU_GRAPH_EXEC_UPDATE_ERROR, nullptr,
                        "a kernel is of another context");
  exec->nodes = updated;
  return call.finish();
}

CUresult cuGraphExecKernelNodeSetParams_v2(CUgraphExec execHandle, CUgraphNode node,
                                           const CUDA_KERNEL_NODE_PARAMS *params) {
  Call call("cuGraphExecKernelNodeSetParams", Needs::context);
  std::shared_ptr<GraphExec> exec = findExec(call, execHandle);
  if (!exec)
    return call.result();
  auto updated = std::make_shared<std::vector<GraphNode>>(*exec->nodes);
  auto isIt = [&](const GraphNode &other) { return other.handle == node; };
  auto found = std::ranges::find_if(*updated, isIt);
  if (!node || found == updated->end() ||
      !std::holds_alternative<KernelAction>(found->action))
    return call.fail(CUDA_ERROR_INVALID_VALUE,
                     "the node is no kernel of the graph this was made from");
  KernelAction action;
  if (!readKernelParams(call, params, action))
    return call.result();
  if (action.function->context() != exec->context)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "the kernel is of another context");
  found->action = std::move(action);
  exec->nodes = updated;
  return call.finish();
}

CUresult cuGraphExecDestroy(CUgraphExec handle) {
  Call call("cuGraphExecDestroy", Needs::initialised);
  if (!findExec(call, handle))
    return call.result();
  call.driver.graphExecs.remove(handle);
  return CUDA_SUCCESS;
}

} // namespace standin
