//===- GraphTest.cpp - graphs: replay, update, nodes ------------------------------------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

using namespace standin;

namespace {

class GraphTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    start();
    memory = allocate(64);
    work = stream();
  }
  /// store(memory, value), then memory + 4 = memory.
  CUgraph capture(uint32_t value, bool isLonger = false) {
    EXPECT_EQ(cuStreamBeginCapture_v2(work, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
              CUDA_SUCCESS);
    EXPECT_EQ(store(memory, value, work), CUDA_SUCCESS);
    EXPECT_EQ(copy(memory + 4, memory, 4, work), CUDA_SUCCESS);
    if (isLonger)
      EXPECT_EQ(store(memory, value, work), CUDA_SUCCESS);
    CUgraph graph = nullptr;
    EXPECT_EQ(cuStreamEndCapture(work, &graph), CUDA_SUCCESS);
    return graph;
  }
  CUgraphExec instantiate(CUgraph graph) {
    CUgraphExec exec = nullptr;
    EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 0), CUDA_SUCCESS);
    return exec;
  }
  std::vector<CUgraphNode> nodes(CUgraph graph) {
    size_t count = 0;
    EXPECT_EQ(cuGraphGetNodes(graph, nullptr, &count), CUDA_SUCCESS);
    std::vector<CUgraphNode> found(count);
    EXPECT_EQ(cuGraphGetNodes(graph, found.data(), &count), CUDA_SUCCESS);
    return found;
  }
  CUdeviceptr memory = 0;
  CUstream work = nullptr;
};

TEST_F(GraphTest, replays) {
  CUgraph graph = capture(5);
  CUgraphExec exec = instantiate(graph);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS); // the executable one is its own
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(cuMemsetD32Async(memory, 0, 2, work), CUDA_SUCCESS);
    EXPECT_EQ(cuGraphLaunch(exec, work), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamSynchronize(work), CUDA_SUCCESS);
    EXPECT_EQ(load(memory + 4), 5u);
  }
  EXPECT_EQ(counters().launches, 6u);
  EXPECT_EQ(counters().graphLaunches, 3u);
  EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuGraphLaunch(exec, work), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 0), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(GraphTest, neverBesideItself) {
  CUgraphExec exec = instantiate(capture(5));
  CUstream other = stream();
  EXPECT_EQ(cuGraphLaunch(exec, work), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(exec, other), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(other), CUDA_SUCCESS);
  EXPECT_EQ(counters().launches, 4u);
  EXPECT_EQ(cuGraphLaunch(exec, rubbish<CUstream>()), CUDA_ERROR_INVALID_HANDLE);
  CUgraphExec bad = nullptr;
  EXPECT_EQ(cuGraphInstantiateWithFlags(&bad, capture(1), 4), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, update) {
  CUgraphExec exec = instantiate(capture(5));
  CUgraphExecUpdateResultInfo info;
  EXPECT_EQ(cuGraphLaunch(exec, work), CUDA_SUCCESS); // keeps what it had
  EXPECT_EQ(cuMemcpyDtoDAsync_v2(memory + 8, memory + 4, 4, work), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphExecUpdate_v2(exec, capture(6), &info), CUDA_SUCCESS);
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(exec, work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_SUCCESS);
  EXPECT_EQ(load(memory + 8), 5u);
  EXPECT_EQ(load(memory + 4), 6u);
  EXPECT_EQ(cuGraphExecUpdate_v2(exec, capture(6, true), &info),
            CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED);

  CUgraph other = nullptr;
  ASSERT_EQ(cuStreamBeginCapture_v2(work, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
            CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD32Async(memory, 1, 1, work), CUDA_SUCCESS);
  EXPECT_EQ(copy(memory + 4, memory, 4, work), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamEndCapture(work, &other), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphExecUpdate_v2(exec, other, &info),
            CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED);
  EXPECT_EQ(info.errorNode, nodes(other)[0]);
}

TEST_F(GraphTest, kernelParameters) {
  CUgraph graph = capture(5);
  CUgraphExec exec = instantiate(graph);
  std::vector<CUgraphNode> found = nodes(graph);
  CUgraphNodeType type{};
  EXPECT_EQ(cuGraphNodeGetType(found[0], &type), CUDA_SUCCESS);
  EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_KERNEL);
  CUDA_KERNEL_NODE_PARAMS params;
  EXPECT_EQ(cuGraphKernelNodeGetParams_v2(found[0], &params), CUDA_SUCCESS);
  EXPECT_EQ(params.func, kernel("store"));
  EXPECT_EQ(params.blockDimX, 32u);
  CUdeviceptr dst = memory;
  uint32_t value = 8;
  void *values[] = {&dst, &value};
  params.kernelParams = values;
  EXPECT_EQ(cuGraphExecKernelNodeSetParams_v2(exec, found[0], &params), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(exec, work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_SUCCESS);
  EXPECT_EQ(load(memory + 4), 8u);
  params.blockDimX = 2000;
  EXPECT_EQ(cuGraphExecKernelNodeSetParams_v2(exec, found[0], &params),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphExecKernelNodeSetParams_v2(exec, rubbish<CUgraphNode>(), &params),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphTest, madeByHand) {
  CUgraph graph = nullptr;
  EXPECT_EQ(cuGraphCreate(&graph, 1), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuGraphCreate(&graph, 0), CUDA_SUCCESS);
  CUgraphNode fill = nullptr, empty = nullptr, storing = nullptr;
  CUDA_MEMSET_NODE_PARAMS zeros{memory, 0, 0x01010101, 4, 4, 1};
  ASSERT_EQ(cuGraphAddMemsetNode(&fill, graph, nullptr, 0, &zeros, context),
            CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddEmptyNode(&empty, graph, &fill, 1), CUDA_SUCCESS);
  CUdeviceptr dst = memory + 4;
  uint32_t value = 3;
  void *values[] = {&dst, &value};
  CUDA_KERNEL_NODE_PARAMS params{kernel("store"), 1,       1,       1,      32, 1, 1, 0,
                                 values,          nullptr, nullptr, nullptr};
  ASSERT_EQ(cuGraphAddKernelNode_v2(&storing, graph, &empty, 1, &params), CUDA_SUCCESS);
  for (int seed = 0; seed < 5; ++seed) {
    set("SEED", std::to_string(seed).c_str());
    EXPECT_EQ(cuGraphLaunch(instantiate(graph), work), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamSynchronize(work), CUDA_SUCCESS);
    EXPECT_EQ(load(memory), 0x01010101u);
    EXPECT_EQ(load(memory + 4), 3u);
  }
  CUgraph other = nullptr;
  ASSERT_EQ(cuGraphCreate(&other, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphAddEmptyNode(&empty, other, &fill, 1), CUDA_ERROR_INVALID_VALUE);
  zeros.width = 17;
  EXPECT_EQ(cuGraphAddMemsetNode(&fill, graph, nullptr, 0, &zeros, context),
            CUDA_ERROR_INVALID_VALUE);
  zeros.elementSize = 3;
  EXPECT_EQ(cuGraphAddMemsetNode(&fill, graph, nullptr, 0, &zeros, context),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddKernelNode_v2(&storing, graph, nullptr, 0, nullptr),
            CUDA_ERROR_INVALID_VALUE);
}

} // namespace
