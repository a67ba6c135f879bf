#include "tests/backends/cuda/CudaTesting.h"

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>

namespace hexin::test {

std::string kernelText(const std::string &head) {
  return head + R"(
.visible .entry add_to(
	.param .u64 add_to_param_0,
	.param .u64 add_to_param_1,
	.param .s64 add_to_param_2,
	.param .s64 add_to_param_3
)
.maxntid 256
{
	.reg .pred %p<2>;
	.reg .b32 %r<10>;
	.reg .b64 %rd<16>;
	ld.param.u64 %rd1, [add_to_param_0];
	ld.param.u64 %rd2, [add_to_param_1];
	ld.param.u64 %rd3, [add_to_param_2];
	ld.param.u64 %rd4, [add_to_param_3];
	cvta.to.global.u64 %rd5, %rd1;
	cvta.to.global.u64 %rd6, %rd2;
	mov.u32 %r1, %ctaid.x;
	mov.u32 %r2, %ntid.x;
	mov.u32 %r3, %tid.x;
	mov.u32 %r4, %nctaid.x;
	mul.wide.u32 %rd7, %r1, %r2;
	cvt.u64.u32 %rd8, %r3;
	add.s64 %rd9, %rd7, %rd8;
	mul.wide.u32 %rd10, %r4, %r2;
	cvt.u32.u64 %r5, %rd3;
$L__next:
	setp.ge.s64 %p1, %rd9, %rd4;
	@%p1 bra $L__done;
	shl.b64 %rd11, %rd9, 2;
	add.s64 %rd12, %rd5, %rd11;
	ld.global.u32 %r6, [%rd12];
	add.s32 %r7, %r6, %r5;
	add.s64 %rd13, %rd6, %rd11;
	st.global.u32 [%rd13], %r7;
	add.s64 %rd9, %rd9, %rd10;
	bra.uni $L__next;
$L__done:
	ret;
}

.visible .entry crash(
	.param .u64 crash_param_0,
	.param .s64 crash_param_1
)
{
	.reg .b32 %r<2>;
	.reg .b64 %rd<2>;
	mov.u64 %rd1, 16;
	mov.u32 %r1, 0;
	st.global.u32 [%rd1], %r1;
	ret;
}

.visible .entry team_sum(
	.param .u64 team_sum_param_0,
	.param .u64 team_sum_param_1,
	.param .s64 team_sum_param_2
)
.reqntid 64
{
	.reg .pred %p<3>;
	.reg .b32 %r<16>;
	.reg .b64 %rd<12>;
	.shared .align 4 .b8 partial[256];
	ld.param.u64 %rd1, [team_sum_param_0];
	ld.param.u64 %rd2, [team_sum_param_1];
	cvta.to.global.u64 %rd3, %rd1;
	cvta.to.global.u64 %rd4, %rd2;
	mov.u32 %r1, %ctaid.x;
	mov.u32 %r2, %tid.x;
	shl.b32 %r3, %r1, 6;
	add.s32 %r4, %r3, %r2;
	mul.wide.u32 %rd5, %r4, 4;
	add.s64 %rd6, %rd3, %rd5;
	ld.global.u32 %r5, [%rd6];
	shl.b32 %r6, %r2, 2;
	mov.u32 %r7, partial;
	add.s32 %r8, %r7, %r6;
	st.shared.u32 [%r8], %r5;
	bar.sync 0;
	setp.ne.s32 %p1, %r2, 0;
	@%p1 bra $L__end;
	mov.u32 %r9, 0;
	mov.u32 %r10, 0;
$L__sum:
	add.s32 %r11, %r7, %r10;
	ld.shared.u32 %r12, [%r11];
	add.s32 %r9, %r9, %r12;
	add.s32 %r10, %r10, 4;
	setp.lt.s32 %p2, %r10, 256;
	@%p2 bra $L__sum;
	mul.wide.u32 %rd7, %r1, 4;
	add.s64 %rd8, %rd4, %rd7;
	st.global.u32 [%rd8], %r9;
$L__end:
	ret;
}

.extern .shared .align 16 .b8 far[];
.visible .entry far_end(
	.param .u64 far_end_param_0,
	.param .s64 far_end_param_1
)
.reqntid 32
{
	.reg .pred %p<2>;
	.reg .b32 %r<8>;
	.reg .b64 %rd<8>;
	ld.param.u64 %rd1, [far_end_param_0];
	cvta.to.global.u64 %rd2, %rd1;
	mov.u32 %r1, %ctaid.x;
	mov.u32 %r2, %tid.x;
	mov.u32 %r3, far;
	setp.ne.s32 %p1, %r2, 0;
	@%p1 bra $L__out;
	st.shared.u32 [%r3+65532], %r1;
	ld.shared.u32 %r4, [%r3+65532];
	mul.wide.u32 %rd3, %r1, 4;
	add.s64 %rd4, %rd2, %rd3;
	st.global.u32 [%rd4], %r4;
$L__out:
	ret;
}
)";
}

void CudaTest::SetUp() {
  const char *path = std::getenv("HEXIN_CUDA_LIBRARY");
  ASSERT_TRUE(path);
  // Another path is a name that the loader finds.
  if (std::filesystem::path(path).is_absolute() && !std::filesystem::exists(path))
    GTEST_SKIP() << "the stand-in was not built: " << path;
  error.struct_size = sizeof error;
  api = hexin_backend_query(HEXIN_DEVICE_ABI_MAJOR);
  ASSERT_TRUE(api);
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  ASSERT_TRUE(library) << dlerror();
  open();
}

void StandinTest::SetUp() {
  CudaTest::SetUp();
  if (device && !isStandin())
    GTEST_SKIP() << "not the stand-in";
}

template <class Function> Function *CudaTest::function(const char *name) const {
  const char *isReal = std::getenv("HEXIN_REAL_CUDA");
  if (isReal && *isReal == '1')
    return nullptr;
  return reinterpret_cast<Function *>(dlsym(library, name));
}

bool CudaTest::isStandin() const { return function<decltype(standinSet)>("standinSet"); }

void CudaTest::open() {
  hexin_device_options options{};
  options.struct_size = sizeof options;
  options.profile = profile;
  uint32_t count = 0;
  ASSERT_EQ(api->enumerate(&count, nullptr, &error), 0u) << error.message;
  ASSERT_LT(index, count) << error.message;
  ASSERT_EQ(api->open(index, &options, &device, &error), 0u) << error.message;
  module = load(kernelText());
  ASSERT_TRUE(module) << error.message;
}

void CudaTest::close() {
  for (hexin_command *command : commands)
    api->discard(device, command);
  for (hexin_buffer *buffer : buffers)
    api->release(device, buffer);
  for (hexin_module *each : modules)
    api->unload(device, each);
  commands.clear();
  buffers.clear();
  modules.clear();
  if (device)
    api->close(device);
  device = nullptr;
}

void CudaTest::TearDown() {
  if (!library)
    return;
  close();
  for (const std::string &name : switches)
    set(name.c_str(), nullptr);
  EXPECT_EQ(counters().leaks, 0u);
  dlclose(library);
}

void CudaTest::set(const char *name, const char *value) {
  auto *setter = function<decltype(standinSet)>("standinSet");
  ASSERT_TRUE(setter) << "a real driver has no switches: StandinTest";
  ASSERT_TRUE(setter(name, value)) << name << "=" << (value ? value : "");
  if (value)
    switches.emplace_back(name);
}

StandinCounters CudaTest::counters() {
  StandinCounters sum{};
  sum.structSize = sizeof sum;
  if (auto *get = function<decltype(standinCounters)>("standinCounters"))
    get(&sum);
  return sum;
}

hexin_module *CudaTest::load(const std::string &text, const char *arch) {
  hexin_image image{};
  image.struct_size = sizeof image;
  image.arch = arch;
  image.size = text.size();
  image.fd = -1;
  // As a session does with a compressed image: it is gone behind `load`.
  std::vector<char> mapped(text.begin(), text.end());
  image.data = mapped.data();
  hexin_module *made = nullptr;
  uint32_t code = api->load(device, &image, &made, &error);
  std::fill(mapped.begin(), mapped.end(), '?');
  if (code != 0)
    return nullptr;
  modules.push_back(made);
  return made;
}

hexin_buffer *CudaTest::allocate(uint64_t bytes) {
  hexin_buffer *buffer = nullptr;
  if (api->allocate(device, bytes, &buffer, &error) == 0)
    buffers.push_back(buffer);
  return buffer;
}

uint32_t CudaTest::upload(hexin_buffer *dst, const std::vector<int32_t> &values,
                          uint64_t offset) {
  hexin_copy copy{};
  copy.struct_size = sizeof copy;
  copy.dst = dst;
  copy.dst_offset = offset;
  copy.src_pointer = values.data();
  copy.length = values.size() * sizeof(int32_t);
  return api->copy(device, &copy, &error);
}

std::vector<int32_t> CudaTest::download(hexin_buffer *src, size_t count,
                                        uint64_t offset) {
  std::vector<int32_t> values(count);
  hexin_copy copy{};
  copy.struct_size = sizeof copy;
  copy.src = src;
  copy.src_offset = offset;
  copy.dst_pointer = values.data();
  copy.length = count * sizeof(int32_t);
  return api->copy(device, &copy, &error) == 0 ? values : std::vector<int32_t>();
}

hexin_command *CudaTest::prepare(const Launch &launch) {
  std::vector<hexin_binding> bindings;
  for (uint32_t slot : launch.slots) {
    hexin_binding binding{};
    binding.slot = slot;
    binding.length = launch.length;
    bindings.push_back(binding);
  }
  hexin_command_desc desc{};
  desc.struct_size = sizeof desc;
  desc.module = module;
  desc.name = launch.name.c_str();
  desc.bindings = bindings.data();
  desc.binding_count = static_cast<uint32_t>(bindings.size());
  desc.params = launch.params.data();
  desc.param_count = static_cast<uint32_t>(launch.params.size());
  desc.items = launch.items;
  desc.grain = 1;
  desc.team_threads = launch.teamThreads;
  desc.local_bytes = launch.localBytes;
  if (!launch.alignments.empty())
    desc.alignments = launch.alignments.data();
  hexin_command *command = nullptr;
  if (api->prepare(device, &desc, &command, &error) == 0)
    commands.push_back(command);
  return command;
}

hexin_event *CudaTest::submit(const std::vector<hexin_command *> &given,
                              const std::vector<hexin_slot> &slots, uint64_t *times) {
  hexin_submission submission{};
  submission.struct_size = sizeof submission;
  submission.command_count = static_cast<uint32_t>(given.size());
  submission.commands = given.data();
  submission.slots = slots.data();
  submission.slot_count = static_cast<uint32_t>(slots.size());
  submission.command_ns = times;
  hexin_event *event = nullptr;
  return api->submit(device, &submission, &event, &error) == 0 ? event : nullptr;
}

uint32_t CudaTest::run(const std::vector<hexin_command *> &given,
                       const std::vector<hexin_slot> &slots) {
  hexin_event *event = submit(given, slots);
  return event ? wait(event) : error.code;
}

} // namespace hexin::test
