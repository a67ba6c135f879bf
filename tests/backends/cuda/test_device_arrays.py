"""Inputs and outputs in the memory of a GPU: DLPack, __cuda_array_interface__, hexin.DeviceArray."""

# Memory that somebody else has on a device, in its primary context.
FOREIGN = """
cuda = driver.library
def check(name, *arguments):
    code = getattr(cuda, name)(*arguments)
    assert code == 0, (name, code, driver.last_error())

class Foreign:
    def __init__(self, shape, ordinal=0, offset=0, strides=None, typestr="<f4", stream=None, extra=0):
        self.bytes = int(np.prod(shape)) * 4
        context, self.memory = ctypes.c_void_p(), ctypes.c_uint64()
        check("cuInit", 0)
        check("cuDevicePrimaryCtxRetain", ctypes.byref(context), ordinal)
        check("cuCtxSetCurrent", context)
        check("cuMemAlloc_v2", ctypes.byref(self.memory), ctypes.c_size_t(self.bytes + offset + extra))
        self.ordinal, self.address = ordinal, self.memory.value + offset
        self.__cuda_array_interface__ = {"shape": tuple(shape), "typestr": typestr, "strides": strides,
                                         "data": (self.address, False), "version": 3, "stream": stream}

    def put(self, array, stream=None):
        source = np.ascontiguousarray(array)
        self.source = source
        check("cuMemcpyHtoDAsync_v2", ctypes.c_uint64(self.address), ctypes.c_void_p(source.ctypes.data),
              ctypes.c_size_t(source.nbytes), stream)
        return self

    def get(self, shape):
        array = np.empty(shape, np.float32)
        check("cuMemcpyDtoHAsync_v2", ctypes.c_void_p(array.ctypes.data), ctypes.c_uint64(self.address),
              ctypes.c_size_t(array.nbytes), None)
        check("cuStreamSynchronize", None)
        return array

    def free(self):
        check("cuStreamSynchronize", None)
        check("cuMemFree_v2", self.memory)
        check("cuDevicePrimaryCtxRelease_v2", self.ordinal)

def copied(call):
    before = driver.counters()
    result = call()
    after = driver.counters()
    return result, (after.hostToDeviceBytes - before.hostToDeviceBytes,
                    after.deviceToHostBytes - before.deviceToHostBytes,
                    after.deviceToDeviceBytes - before.deviceToDeviceBytes)
"""


def test_foreign_memory_is_read_and_written_in_place(on_standin):
    for seed in (0, 5):
        on_standin(FOREIGN + """
used = session()
source, target = Foreign((4, 3), stream=1).put(x), Foreign((4, 2))
for _ in range(4):  # launched, captured, replayed
    result, bytes = copied(lambda: used.run({"x": source}, {"y": target}))
    assert bytes[1:] == (0, 0), bytes
    np.testing.assert_allclose(target.get((4, 2)), expected)
del used
source.free(), target.free()
check_nothing_left()
""", SEED=seed)


def test_runs_come_behind_the_streams_of_inputs(on_standin):
    for seed in (0, 5):
        on_standin(FOREIGN + """
source = Foreign((4, 3))
stream = ctypes.c_void_p()
check("cuStreamCreate", ctypes.byref(stream), 1)
source.__cuda_array_interface__["stream"] = stream.value
used = session()
for factor in (1, 2, 3):
    source.put(x * factor, stream)
    np.testing.assert_allclose(used.run({"x": source})["y"], (expected - small_models.BIAS) * factor + small_models.BIAS)
check("cuStreamDestroy_v2", stream)
fails(hexin.InvalidArgumentError, "no live stream", lambda: used.run({"x": source}))
del used
source.free()
check_nothing_left()
""", SEED=seed)


def test_arrays_of_ours(on_standin):
    on_standin(FOREIGN + """
array = hexin.to_device(x, "cuda:0")
assert (array.shape, array.dtype, array.device) == ((4, 3), np.float32, "cuda:0")
assert array.__dlpack_device__() == (2, 0)
assert array.__cuda_array_interface__["typestr"] == "<f4"
np.testing.assert_array_equal(array.numpy(), x)
used = session()
used.run({"x": x})
outputs, bytes = copied(lambda: used.run({"x": array}, on_device=["y"]))
assert bytes == (0, 0, 0), bytes
y = outputs["y"]
assert isinstance(y, hexin.DeviceArray) and y.shape == (4, 2), y
np.testing.assert_allclose(y.numpy(), expected)
used.run({"x": array}, {"y": y})
del used  # arrays outlive sessions
np.testing.assert_allclose(y.numpy(), expected)
class Lent:  # as other libraries see it
    def __dlpack__(self, **how): return array.__dlpack__(**how)
    def __dlpack_device__(self): return array.__dlpack_device__()
np.testing.assert_allclose(session().run({"x": Lent()})["y"], expected)
fails(hexin.InvalidArgumentError, "has no output 'z'", lambda: session().run({"x": x}, on_device=["z"]))
assert isinstance(session("cpu").run({"x": x}, on_device=["y"])["y"], np.ndarray)
assert isinstance(hexin.to_device(array, "cpu"), np.ndarray)
del array, y, outputs
check_nothing_left()
""")


def test_what_does_not_fit_is_a_typed_error(on_standin):
    on_standin(FOREIGN + """
used = session()
def refused(part, error=hexin.InvalidArgumentError, on=used, **form):
    array = Foreign((4, 3), **form)
    fails(error, part, lambda: on.run({"x": array}))
    array.free()
refused("input 'x' takes f32, got i32", typestr="<i4")
refused("big endian", typestr=">f4")
refused("C-contiguous", strides=(4, 16))
refused("must be C-contiguous and aligned", offset=2)
refused("is of device cuda:1", ordinal=1)
refused("stream 0 is ambiguous", stream=0)
refused("the session runs on 'cpu'", on=session("cpu"))
freed = Foreign((4, 3)); freed.free()
fails(hexin.InvalidArgumentError, "none that the driver has given out", lambda: used.run({"x": freed}))
short = Foreign((4, 3)); short.__cuda_array_interface__["shape"] = (5, 3)
fails(hexin.InvalidArgumentError, "60 bytes are asked for, its allocation ends after 48", lambda: used.run({"x": short}))
short.free()
class Bare:
    __cuda_array_interface__ = {"shape": (4, 3)}
fails(hexin.InvalidArgumentError, "__cuda_array_interface__", lambda: used.run({"x": Bare()}))
far = hexin.to_device(x, "cuda:1")
fails(hexin.InvalidArgumentError, "'cuda:1', the session runs on 'cuda:0'", lambda: used.run({"x": far}))
np.testing.assert_allclose(used.run({"x": hexin.to_device(far, "cuda:0")})["y"], expected)
shifted = Foreign((4, 3), offset=4, stream=1).put(x)  # aligned to its elements only: a copy on the device
np.testing.assert_allclose(used.run({"x": shifted})["y"], expected)
shifted.free()
del used, far, refused
check_nothing_left()
""", DEVICES="sm_80,sm_80")


def test_memory_of_a_dead_context(on_standin):
    on_standin(FOREIGN + """
used, source = session(), Foreign((4, 3)).put(x)
driver.set("FAULT_LAUNCH", 1)
fails(hexin.DeviceLostError, "CUDA_ERROR_ILLEGAL_ADDRESS", lambda: used.run({"x": source}))
fails(hexin.DeviceLostError, "is lost since", lambda: used.run({"x": source}))
works("cpu")
""")
