"""Kernels for teams of threads that share local memory, on a device that is made to take them.

One artifact serves both kinds of device. PoCL runs local memory and barriers as OpenCL says, but keeps
that memory in RAM and so does not ask for such kernels: HEXIN_OPENCL_LOCAL_MEMORY=1 makes it. The
variable is read once in a process, hence processes of their own.
"""

import json
import os
import subprocess
import sys

import fetch_models
import judge
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper


def random(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def small_ints(seed, dtype, *shape):
    return np.random.default_rng(seed).integers(0, 100, shape).astype(dtype)


# name -> (op, input, its unknown axes, constants, attributes). Unknown sizes, as small ones get no team.
CASES = {
    "matmul": ("MatMul", random(0, 131, 70), [0], [random(1, 70, 100)], {}),
    "matmul-few-columns": ("MatMul", random(2, 70, 33), [0], [random(3, 33, 12)], {}),
    "matmul-half-tile": ("MatMul", random(4, 65, 40), [0, 1], [random(5, 40, 31)], {}),
    "matmul-one-row": ("MatMul", random(6, 1, 500), [0], [random(7, 500, 65)], {}),
    "matmul-batch": ("MatMul", random(8, 3, 2, 66, 17), [0, 2], [random(9, 2, 17, 67)], {}),
    "gemm": ("Gemm", random(10, 67, 37), [0], [random(11, 70, 37), random(12, 70)], {"transB": 1, "alpha": 0.5}),
    "matmul-f16": ("MatMul", random(13, 65, 48).astype(np.float16), [0], [random(14, 48, 40).astype(np.float16)], {}),
    "matmul-integer": ("MatMulInteger", small_ints(15, np.uint8, 67, 300), [0],
                       [small_ints(16, np.int8, 300, 70), np.array(7, np.uint8), np.array(3, np.int8)], {}),
    "conv": ("Conv", random(17, 2, 5, 13, 11), [0, 2, 3], [random(18, 70, 5, 3, 3), random(19, 70)], {"pads": [1] * 4}),
    "conv-of-an-image": ("Conv", random(20, 1, 3, 21, 18), [2, 3], [random(21, 32, 3, 3, 3)],
                         {"strides": [2, 2], "pads": [0, 0, 1, 1]}),
    "conv-dilated": ("Conv", random(22, 1, 20, 17, 15), [2, 3], [random(23, 18, 20, 3, 2)],
                     {"dilations": [2, 3], "pads": [2, 1, 0, 3]}),
    "conv-grouped": ("Conv", random(24, 1, 24, 9, 10), [0, 2, 3], [random(25, 66, 12, 3, 3)],
                     {"group": 2, "auto_pad": "SAME_UPPER"}),
    "conv-depthwise": ("Conv", random(30, 2, 36, 9, 11), [0, 2, 3], [random(31, 36, 1, 3, 3), random(32, 36)],
                       {"group": 36, "strides": [1, 2], "pads": [1] * 4}),
    "conv-pointwise": ("Conv", random(26, 2, 37, 9, 8), [0, 2, 3], [random(27, 67, 37, 1, 1)], {}),
    "conv-integer": ("ConvInteger", small_ints(28, np.uint8, 1, 20, 9, 8), [2, 3],
                     [small_ints(29, np.uint8, 33, 20, 3, 3), np.array(5, np.uint8), np.array(9, np.uint8)],
                     {"pads": [1] * 4}),
    "softmax": ("Softmax", random(30, 5, 1000), [0, 1], [], {"axis": -1}),
    "softmax-fewer-than-threads": ("Softmax", random(40, 3, 7, 40), [0, 1, 2], [], {"axis": -1}),
    "softmax-known": ("Softmax", random(31, 7, 67), [0], [], {"axis": -1}),
    "log-softmax": ("LogSoftmax", random(32, 3, 4, 130), [0, 2], [], {"axis": -1}),
    "layer-norm": ("LayerNormalization", random(33, 6, 384), [0], [random(34, 384), random(35, 384)], {}),
    "reduce-sum": ("ReduceSum", random(36, 9, 777), [0, 1], [np.array([1])], {"keepdims": 0}),
    "reduce-max": ("ReduceMax", random(37, 5, 9, 65), [0, 1, 2], [np.array([0, 2])], {}),
    "reduce-all": ("ReduceMean", random(38, 9, 50), [0, 1], [], {}),
    "reduce-integers": ("ReduceMin", small_ints(39, np.int64, 4, 300), [0, 1], [np.array([1])], {}),
}


def model_of_cases():
    """One model, a node per case and an elementwise one behind it, which joins its kernel."""
    nodes, ports, values, constants, outputs = [], [], {}, [], []
    for name, (op, value, unknown, others, attributes) in CASES.items():
        dims = [f"{name}.{axis}" if axis in unknown else size for axis, size in enumerate(value.shape)]
        ports.append(helper.make_tensor_value_info(f"{name}.x", helper.np_dtype_to_tensor_dtype(value.dtype), dims))
        values[f"{name}.x"] = value
        names = [f"{name}.c{i}" for i in range(len(others))]
        constants += [numpy_helper.from_array(other, each) for each, other in zip(names, others)]
        nodes.append(helper.make_node(op, [f"{name}.x", *names], [f"{name}.y"], name=name, **attributes))
        nodes.append(helper.make_node("Neg", [f"{name}.y"], [f"{name}.out"]))
        outputs.append(f"{name}.out")
    graph = helper.make_graph(nodes, "cases", ports, [onnx.ValueInfoProto(name=name) for name in outputs], constants)
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])
    return onnx.shape_inference.infer_shapes(model), values


RUN = """
import sys, numpy, hexin
values = dict(numpy.load(sys.argv[2]))
numpy.savez(sys.argv[3], **hexin.Session(sys.argv[1], device="opencl:0").run(values))
"""


def run_with_teams(build_dir, folder, artifact, values, teams="1"):
    """The outputs, of a process in which the device has (or has not) local memory."""
    np.savez(folder / "in.npz", **values)
    path = os.pathsep.join(filter(None, [str(build_dir / "python"), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "HEXIN_OPENCL_LOCAL_MEMORY": teams, "PYTHONPATH": path, "HEXIN_CACHE_DIR": "none"}
    done = subprocess.run([sys.executable, "-c", RUN, str(artifact), str(folder / "in.npz"), str(folder / "out.npz")],
                          env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(np.load(folder / "out.npz"))


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """The artifact of CASES, its inputs, and what ONNX Runtime makes of a set of inputs."""
    import hexin

    folder = tmp_path_factory.mktemp("cases")
    model, values = model_of_cases()
    hexin.compile(model, folder / "cases.hxm", targets=["opencl"])
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [port.name for port in session.get_outputs()]
    return folder / "cases.hxm", values, lambda given: dict(zip(names, session.run(None, given)))


def check(found, wanted):
    for name, value in wanted.items():
        assert found[name].shape == value.shape, name
        if value.size and np.issubdtype(value.dtype, np.floating):
            tolerance = (2e-3 if value.dtype == np.float16 else 3e-6) * max(float(np.abs(value).max()), 1)
            np.testing.assert_allclose(found[name], value, rtol=0, atol=tolerance, err_msg=name)
        else:
            np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize("teams", ["0", "1"])
def test_every_kind_of_team_kernel_is_right(build_dir, tmp_path, cases, teams):
    artifact, values, expected = cases
    check(run_with_teams(build_dir, tmp_path, artifact, values, teams), expected(values))


# The axis that the next test shortens, where it is not the first unknown one. An image keeps its pixels,
# and a mean its elements.
SHORTENED = {"matmul-batch": 2, "reduce-max": 1, "reduce-all": None, "conv-of-an-image": None, "conv-dilated": None,
             "conv-integer": None}


@pytest.mark.parametrize("size", [0, 1])
def test_sizes_of_zero_and_one(build_dir, tmp_path, cases, size):
    artifact, values, expected = cases
    fewer = {}
    for name, (_, value, unknown, _, _) in CASES.items():
        axis = SHORTENED.get(name, unknown[0])
        fewer[f"{name}.x"] = value if axis is None else np.take(value, range(size), axis)
    check(run_with_teams(build_dir, tmp_path, artifact, fewer), expected(fewer))


def test_explain_and_trace_say_who_runs_what(hexin_tool, tmp_path, cases):
    artifact, values, _ = cases
    description = json.loads(subprocess.run([hexin_tool, "inspect", "--json", artifact], capture_output=True,
                                            text=True, check=True).stdout)
    variants = [variant for instruction in description["programs"][0]["instructions"]
                for variant in instruction.get("variants", [])]
    for_teams = {variant["name"]: variant["team"]["schedule"] for variant in variants if "team" in variant}
    assert set(for_teams.values()) == {"tiled", "team_depthwise", "team_row", "team_reduce", "team_transpose"}

    arguments = []
    for i, (name, value) in enumerate(values.items()):
        np.save(tmp_path / f"in{i}.npy", value)
        arguments += ["--input", f"{name}=in{i}.npy"]
    for teams in "01":
        subprocess.run([hexin_tool, "run", artifact, "--device=opencl:0", "--trace=trace.json", "--output-dir=out", *arguments],
                       env={**os.environ, "HEXIN_OPENCL_LOCAL_MEMORY": teams}, cwd=tmp_path, check=True,
                       capture_output=True)
        events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
        ran = {event["args"].get("name") for event in events} & set(for_teams)
        assert ran == (set(for_teams) if teams == "1" else set())


QUICK = [model["name"] for model in fetch_models.models_of_set("quick") if "opencl:0" in model["devices"]]


@pytest.mark.parametrize("name", QUICK)
def test_model_is_within_its_bound(build_dir, tmp_path, artifacts, expectation, name):
    values, judged, bound_for = expectation(name)
    outputs = run_with_teams(build_dir, tmp_path, artifacts(name), values)
    error = judge.error_of(outputs, judged)
    assert error <= bound_for(error)


def test_an_item_alone_works_in_vectors(hexin_tool, tmp_path):
    """Team kernels stand beside the others; those for CPU-like devices are what they were."""
    model, _ = model_of_cases()
    onnx.save(model, tmp_path / "cases.onnx")
    subprocess.run([hexin_tool, "compile", "cases.onnx", "-o", "kernels.mlir", "--targets=opencl", "--emit=kernels"],
                   cwd=tmp_path, capture_output=True, check=True)
    kernels = [kernel for kernel in (tmp_path / "kernels.mlir").read_text().split("func.func ") if "math.exp" in kernel]
    alone = [kernel for kernel in kernels if "hx.team_threads" not in kernel]
    assert len(alone) >= 2 and all("vector<16xf32>" in kernel for kernel in alone)
    assert len(kernels) > len(alone)
