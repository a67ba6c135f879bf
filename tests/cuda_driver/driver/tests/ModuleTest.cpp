//===- ModuleTest.cpp - what modules a driver takes, and what they hold ----------------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace standin;

namespace {

class ModuleTest : public DriverTest {
protected:
  CUresult loadWith(const char *device, const char *driver, const char *version,
                    const char *target) {
    set("DEVICES", device);
    set("DRIVER", driver);
    standinReset();
    EXPECT_EQ(cuInit(0), CUDA_SUCCESS);
    EXPECT_EQ(cuDevicePrimaryCtxRetain(&context, 0), CUDA_SUCCESS);
    EXPECT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
    std::string text = std::string("// made by hand\n.version ") + version +
                       "\n.target " + target + "\n.entry crash\n";
    return cuModuleLoadData(&module, text.c_str());
  }
};

TEST_F(ModuleTest, targets) {
  EXPECT_EQ(loadWith("sm_80", "13.0", "8.0", "sm_80"), CUDA_SUCCESS);
  EXPECT_EQ(loadWith("sm_120", "13.0", "8.0", "sm_80"), CUDA_SUCCESS);
  EXPECT_EQ(loadWith("sm_86", "13.0", "8.0", "sm_89"), CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(loadWith("sm_90", "13.0", "8.0", "sm_90a"), CUDA_SUCCESS);
  EXPECT_EQ(loadWith("sm_100", "13.0", "8.0", "sm_90a"), CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(loadWith("sm_120", "13.0", "9.0", "sm_100f"), CUDA_ERROR_NO_BINARY_FOR_GPU);
}

TEST_F(ModuleTest, versions) {
  for (auto [driver, newest, newer] : {std::tuple{"11.0", "7.0", "7.1"},
                                       {"11.4", "7.4", "7.5"},
                                       {"11.8", "7.8", "8.0"},
                                       {"12.0", "8.0", "8.1"},
                                       {"12.4", "8.4", "8.5"},
                                       {"12.5", "8.5", "8.6"},
                                       {"12.8", "8.7", "8.8"},
                                       {"13.0", "9.0", "9.1"}}) {
    EXPECT_EQ(loadWith("sm_80", driver, newest, "sm_80"), CUDA_SUCCESS) << driver;
    EXPECT_EQ(loadWith("sm_80", driver, newer, "sm_80"),
              CUDA_ERROR_UNSUPPORTED_PTX_VERSION)
        << driver;
  }
}

TEST_F(ModuleTest, badTexts) {
  start();
  EXPECT_EQ(cuModuleLoadData(&module, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuModuleLoadData(nullptr, kernelText), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuModuleLoadData(&module, ""), CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(cuModuleLoadData(&module, "\x7F"
                                      "ELF"),
            CUDA_ERROR_NO_BINARY_FOR_GPU);
  char log[100] = "untouched";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, reinterpret_cast<void *>(uintptr_t(sizeof log))};
  EXPECT_EQ(cuModuleLoadDataEx(&module, ".version 8.0\n.target sm_80\nbad\n", 2, options,
                               values),
            CUDA_ERROR_INVALID_PTX);
  EXPECT_STREQ(log, "line 3: 'bad' is not known");
  CUjit_option unknown = CUjit_option(99);
  EXPECT_EQ(cuModuleLoadDataEx(&module, kernelText, 1, &unknown, values),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuModuleLoadDataEx(&module, kernelText, 1, nullptr, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  set("FAIL_MODULE", "1");
  EXPECT_EQ(cuModuleLoadData(&module, kernelText), CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(cuModuleLoadData(&module, kernelText), CUDA_SUCCESS);
}

TEST_F(ModuleTest, functionsAndGlobals) {
  start();
  CUfunction function = nullptr, again = nullptr;
  EXPECT_EQ(cuModuleGetFunction(&function, module, "none"), CUDA_ERROR_NOT_FOUND);
  EXPECT_EQ(cuModuleGetFunction(nullptr, module, "store"), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuModuleGetFunction(&function, module, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuModuleGetFunction(&function, module, "store"), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleGetFunction(&again, module, "store"), CUDA_SUCCESS);
  EXPECT_EQ(function, again);
  CUdeviceptr table = 0;
  size_t bytes = 0;
  EXPECT_EQ(cuModuleGetGlobal_v2(&table, &bytes, module, "table"), CUDA_SUCCESS);
  EXPECT_EQ(bytes, 8u);
  EXPECT_EQ(load(table), 0x0201u);
  EXPECT_EQ(cuModuleGetGlobal_v2(&table, &bytes, module, "chair"), CUDA_ERROR_NOT_FOUND);
  EXPECT_EQ(cuMemFree_v2(table), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuModuleUnload(module), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
  int value = 0;
  EXPECT_EQ(cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_NUM_REGS, function),
            CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuMemcpyDtoH_v2(&value, table, 4), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(ModuleTest, functionAttributes) {
  start();
  CUfunction shared = kernel("store_shared"), limited = kernel("store_limited");
  int value = 0;
  auto get = [&](CUfunction function, CUfunction_attribute which) {
    EXPECT_EQ(cuFuncGetAttribute(&value, which, function), CUDA_SUCCESS) << which;
    return value;
  };
  EXPECT_EQ(get(shared, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES), 1024);
  EXPECT_EQ(get(shared, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES), 47 << 10);
  EXPECT_EQ(get(limited, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 64);
  EXPECT_EQ(get(limited, CU_FUNC_ATTRIBUTE_BINARY_VERSION), 80);
  EXPECT_EQ(get(limited, CU_FUNC_ATTRIBUTE_PTX_VERSION), 80);
  EXPECT_EQ(get(limited, CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES), 0);
  EXPECT_EQ(get(limited, CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES), 0);
  EXPECT_EQ(cuFuncGetAttribute(&value, CUfunction_attribute(99), shared),
            CUDA_ERROR_INVALID_VALUE);
  auto dynamic = CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
  EXPECT_EQ(cuFuncSetAttribute(shared, dynamic, 162 << 10), CUDA_SUCCESS);
  EXPECT_EQ(get(shared, dynamic), 162 << 10);
  EXPECT_EQ(cuFuncSetAttribute(shared, dynamic, 163 << 10), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuFuncSetAttribute(shared, CU_FUNC_ATTRIBUTE_NUM_REGS, 3),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(
      cuFuncSetAttribute(shared, CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, 50),
      CUDA_SUCCESS);
  EXPECT_EQ(cuFuncSetCacheConfig(shared, CU_FUNC_CACHE_PREFER_L1), CUDA_SUCCESS);
  EXPECT_EQ(cuFuncSetCacheConfig(shared, CUfunc_cache(9)), CUDA_ERROR_INVALID_VALUE);
}

/// A shell script that plays ptxas: refuses a text with "refuse" in it.
class PtxasTest : public ModuleTest {
protected:
  void SetUp() override {
    ModuleTest::SetUp();
    folder = std::filesystem::temp_directory_path() /
             ("hexin-ptxas-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    std::filesystem::path script = folder / "ptxas";
    std::ofstream(script)
        << "#!/bin/sh\n"
           "echo run >> "
        << (folder / "runs").string()
        << "\n"
           "if grep -q refuse \"$3\"; then echo \"line 4: no\"; exit 1; fi\n"
           "echo \"info : Compiling entry function 'store' for '$2'\"\n"
           "echo 'info : Used 77 registers, used 1 barriers'\n";
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    set("PTXAS", script.c_str());
    start();
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  size_t runs() const {
    std::ifstream file(folder / "runs");
    size_t count = 0;
    for (std::string line; std::getline(file, line);)
      ++count;
    return count;
  }
  std::filesystem::path folder;
};

TEST_F(PtxasTest, judgesAndMeasures) {
  EXPECT_EQ(runs(), 1u);
  int registers = 0;
  EXPECT_EQ(cuFuncGetAttribute(&registers, CU_FUNC_ATTRIBUTE_NUM_REGS, kernel("store")),
            CUDA_SUCCESS);
  EXPECT_EQ(registers, 77);
  CUmodule other = nullptr;
  EXPECT_EQ(cuModuleLoadData(&other, kernelText), CUDA_SUCCESS);
  EXPECT_EQ(runs(), 1u); // remembered
  // 77 registers: 832 threads at most.
  int blocks = 9;
  EXPECT_EQ(
      cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel("store"), 1024, 0),
      CUDA_SUCCESS);
  EXPECT_EQ(blocks, 0);
}

TEST_F(PtxasTest, refuses) {
  char log[100] = "";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, reinterpret_cast<void *>(uintptr_t(sizeof log))};
  EXPECT_EQ(cuModuleLoadDataEx(&module, ".version 8.0\n.target sm_80\n// refuse\n", 2,
                               options, values),
            CUDA_ERROR_INVALID_PTX);
  EXPECT_STREQ(log, "line 4: no\n");
  set("PTXAS", (folder / "missing").c_str());
  EXPECT_EQ(cuModuleLoadData(&module, kernelText), CUDA_ERROR_INVALID_PTX);
  EXPECT_NE(lastError().find("could not be run"), std::string::npos);
}

} // namespace
