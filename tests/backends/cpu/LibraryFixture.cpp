#include "tests/backends/cpu/LibraryFixture.h"

#include "hexin/value.h"
#include "tests/backends/cpu/CpuApi.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace hexin::test {

int64_t numElements(const Dims &dims) {
  int64_t n = 1;
  for (int64_t d : dims)
    n *= d;
  return n;
}

HostTensor randomTensor(Dims dims, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> values(-1, 1);
  HostTensor tensor{dims, std::vector<float>(numElements(dims))};
  for (float &v : tensor.data)
    v = values(random);
  return tensor;
}

HostTensor toNhwc(const HostTensor &x) {
  int64_t N = x.dims[0], C = x.dims[1], H = x.dims[2], W = x.dims[3];
  HostTensor y{{N, H, W, C}, std::vector<float>(x.data.size())};
  for (int64_t n = 0; n < N; ++n)
    for (int64_t c = 0; c < C; ++c)
      for (int64_t i = 0; i < H * W; ++i)
        y.data[(n * H * W + i) * C + c] = x.data[(n * C + c) * H * W + i];
  return y;
}

void expectClose(const HostTensor &got, const HostTensor &expected, float tolerance) {
  ASSERT_EQ(got.data.size(), expected.data.size());
  for (size_t i = 0; i < got.data.size(); ++i)
    ASSERT_NEAR(got.data[i], expected.data[i], tolerance) << i;
}

OpenDevice::OpenDevice(unsigned threads, const char *cacheDir) {
  hexin_device_options options{};
  options.cache_dir = cacheDir;
  options.struct_size = sizeof(options);
  options.threads = threads;
  options.pin_threads = 1;
  hexin_error error{};
  EXPECT_EQ(cpuApi().open(0, &options, &device, &error), 0u) << error.message;
}

OpenDevice::~OpenDevice() { cpuApi().close(device); }

uint64_t OpenDevice::counter(const char *name) { return cpuApi().counter(device, name); }

std::string OpenDevice::run(const std::string &name, std::vector<HostTensor *> tensors,
                            const std::vector<Attribute> &attributes, int constant,
                            int repeats) {
  hexin_error error{};
  std::vector<hexin_slot> slots;
  std::vector<hexin_binding> bindings;
  for (size_t i = 0; i < tensors.size(); ++i) {
    HostTensor &t = *tensors[i];
    std::vector<float> &memory = t.stored.empty() ? t.data : t.stored;
    hexin_buffer *buffer = nullptr;
    if (cpuApi().wrap_host(device, memory.data(), memory.size() * 4, &buffer, &error))
      return error.message;
    slots.push_back({buffer, 0});
    hexin_binding b{};
    b.slot = i;
    b.length = memory.size() * 4;
    b.dtype = static_cast<uint32_t>(hexin::DType::f32);
    b.rank = t.dims.size();
    b.dims = t.dims.data();
    if (int(i) == constant) {
      b.host_data = memory.data();
      b.content_hash = 0x1234 + memory.size() + uint64_t(std::fabs(memory[0]) * 1e6f);
    }
    bindings.push_back(b);
  }
  std::vector<hexin_attribute> raw;
  for (const Attribute &a : attributes) {
    hexin_attribute r{};
    r.name = a.name.c_str();
    r.kind = a.kind;
    r.i = a.i;
    r.s = a.s.c_str();
    r.ints = a.ints.data();
    r.count = a.ints.size();
    raw.push_back(r);
  }
  hexin_command_desc desc{};
  desc.struct_size = sizeof(desc);
  desc.kind = HEXIN_COMMAND_LIBRARY;
  desc.name = name.c_str();
  desc.bindings = bindings.data();
  desc.binding_count = bindings.size();
  desc.attributes = raw.data();
  desc.attribute_count = raw.size();
  return runCommand(device, desc, slots, repeats);
}

} // namespace hexin::test
