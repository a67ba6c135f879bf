"""Weights of 64 MiB lie on a device once, and not a second time in memory of the process's own."""

import functools

import hexin
import numpy as np
import onnx
import pytest
import standin
from onnx import helper, numpy_helper

SIZE, LAYERS = 2048, 4
BYTES = LAYERS * SIZE * SIZE * 4

RUN = """
def anonymous():
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("RssAnon")))

path, product, most = os.environ["CASE"], os.environ["PRODUCT"], int(os.environ["MOST"])
values = {"x": np.full((1, 2048), 0.5, np.float32)}
works("cuda:0")  # all that a first session brings with it, and the stand-in
before, uploaded = anonymous(), driver.counters().hostToDeviceBytes
session = hexin.Session(path, device="cuda:0", cache_dir="none")
for _ in range(3):
    result = session.run(values)["y"]
np.testing.assert_allclose(result, np.load(path + ".npy"), rtol=1e-4, atol=1e-4)
uploaded = driver.counters().hostToDeviceBytes - uploaded
assert uploaded <= most + (1 << 16), f"{uploaded} bytes went to the device, expected {most} of weights"
grown = anonymous() - before  # the device's memory is the stand-in's, in this process
others = (16 << 20) + (32 << 20) * (product == "library") + (8 << 20)  # what copies go through, a library's workspace
assert grown <= most + others, f"{grown} more bytes of memory, expected at most {most} and {others}"
assert grown >= most, "the stand-in's device memory is not seen here"
"""


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """By what the compiler was told to prefer: an artifact, and beside it what it should give."""
    folder, random = tmp_path_factory.mktemp("weights"), np.random.default_rng(0)
    weights = [(random.standard_normal((SIZE, SIZE)) / 64).astype(np.float32) for _ in range(LAYERS)]
    names = ["x", *(f"h{i}" for i in range(1, LAYERS)), "y"]
    nodes = [helper.make_node("MatMul", [names[i], f"w{i}"], [names[i + 1]], name=names[i + 1]) for i in range(LAYERS)]
    graph = helper.make_graph(nodes, "products", [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", SIZE])],
                              [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(each, f"w{i}") for i, each in enumerate(weights)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9).SerializeToString()
    expected = functools.reduce(np.matmul, weights, np.full((1, SIZE), 0.5))
    for name, prefer in (("kernel", []), ("both", ["cublaslt"])):
        hexin.compile(model, folder / f"{name}.hxm", targets=["cuda"], prefer=prefer)
        np.save(f"{folder / name}.hxm.npy", expected)
    return folder


@pytest.mark.parametrize("artifact, library, product", [
    ("kernel", "", "kernel"), ("both", "libcublasLt.so.13", "library"), ("both", "libhexin-no-such-cublaslt.so", "kernel")])
def test_a_device_gets_what_is_read_once(needs_cuda, on_standin, paths, build_dir, artifact, library, product):
    name = str(standin.library_folder(build_dir) / library) if library.startswith("libcublas") else library
    on_standin(RUN, environment={"CASE": str(paths / f"{artifact}.hxm"), "PRODUCT": product, "MOST": str(BYTES),
                                 "HEXIN_CUBLASLT_LIBRARY": name})
