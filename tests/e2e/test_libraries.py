"""Library variants: oneDNN before our kernels, with the same numbers, and our kernels where it is not."""

import json
import os
import re
import shutil
import subprocess
import sys

import hexin
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper


ANY_ARCH = ["x86-64-v2"]  # our kernels are not what is looked at: one image that runs everywhere


class Nodes:
    """Chains of nodes over shared inputs. The last of a chain gives an output of the model."""

    def __init__(self):
        self.nodes, self.inputs, self.dynamic, self.constants, self.outputs = [], {}, {}, {}, []
        self.random = np.random.default_rng(0)

    def input(self, name, *shape, dynamic=()):
        self.inputs[name] = self.random.standard_normal(shape).astype(np.float32)
        self.dynamic[name] = dynamic
        return name

    def weights(self, *shape):
        name = f"w{len(self.constants)}"
        scale = 1 / np.sqrt(max(1, np.prod(shape[1:])))
        self.constants[name] = (self.random.standard_normal(shape) * scale).astype(np.float32)
        return name

    def scalar(self, value):
        name = f"s{len(self.constants)}"
        self.constants[name] = np.float32(value)
        return name

    def add(self, op, name, inputs, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def output(self, op, name, inputs, **attributes):
        self.outputs.append(self.add(op, name, inputs, **attributes))

    def model(self):
        def port(name, value):
            shape = [f"{name}_{axis}" if axis in self.dynamic[name] else size for axis, size in enumerate(value.shape)]
            return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

        graph = helper.make_graph(
            self.nodes, "libraries", [port(*item) for item in self.inputs.items()],
            [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in self.outputs],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def convolutions():
    cases = Nodes()
    x = cases.input("x", 2, 16, 13, 17)
    cases.output("Conv", "pointwise", [x, cases.weights(24, 16, 1, 1), cases.weights(24)])
    cases.output("Conv", "no-bias", [x, cases.weights(33, 16, 3, 3)], pads=[1, 1, 1, 1])
    cases.output("Conv", "strides", [x, cases.weights(8, 16, 5, 3)], pads=[2, 0, 1, 1], strides=[2, 3])
    cases.output("Conv", "dilations", [x, cases.weights(40, 16, 3, 3)], dilations=[2, 3], pads=[2, 2, 2, 2])
    cases.output("Conv", "groups", [x, cases.weights(32, 4, 3, 3), cases.weights(32)], group=4, pads=[1, 1, 1, 1])
    cases.output("Conv", "depthwise", [x, cases.weights(16, 1, 3, 3), cases.weights(16)], group=16, strides=[2, 2])
    cases.output("Conv", "same-upper", [x, cases.weights(16, 16, 4, 4)], auto_pad="SAME_UPPER", strides=[2, 2])
    line = cases.input("x1", 2, 12, 31)
    cases.output("Conv", "line", [line, cases.weights(20, 12, 5)], pads=[2, 2], strides=[2])
    volume = cases.input("x3", 1, 16, 5, 6, 7)
    cases.output("Conv", "volume", [volume, cases.weights(16, 16, 3, 3, 3), cases.weights(16)], pads=[1] * 6)
    for name, attributes in {"up": {"strides": [3, 2], "pads": [1, 0, 1, 1]},
                             "up-padded": {"strides": [2, 2], "output_padding": [1, 1], "pads": [1, 1, 1, 1]}}.items():
        cases.output("ConvTranspose", name, [x, cases.weights(16, 24, 3, 3), cases.weights(24)], **attributes)
    return cases


def products():
    cases = Nodes()
    rows, batch = cases.input("rows", 21, 48), cases.input("stack", 3, 7, 48)
    cases.output("MatMul", "plain", [rows, cases.weights(48, 40)])
    cases.output("MatMul", "batched", [batch, cases.weights(48, 33)])
    cases.output("Gemm", "transposed", [rows, cases.weights(50, 48), cases.weights(50)], transB=1)
    cases.output("Add", "bias", [cases.add("MatMul", "bias-product", [batch, cases.weights(48, 64)]), cases.weights(64)])
    cases.output("Add", "residual", [cases.add("MatMul", "residual-product", [batch, cases.weights(48, 48)]), batch])
    return cases


def post_ops():
    """One epilogue per node; x is what the convolution gives."""
    cases = Nodes()
    x = cases.input("x", 1, 16, 9, 11)
    residual = cases.add("Conv", "residual", [x, cases.weights(32, 16, 1, 1)])

    def conv(name):
        return cases.add("Conv", name + "-conv", [x, cases.weights(32, 16, 3, 3), cases.weights(32)], pads=[1] * 4)

    for op in ("Relu", "Sigmoid", "Tanh", "Elu", "LeakyRelu", "HardSigmoid", "HardSwish", "Mish", "Softplus", "Abs", "Exp"):
        cases.output(op, op, [conv(op)])
    cases.output("Clip", "Clip", [conv("Clip"), cases.scalar(-0.5), cases.scalar(0.7)])
    cases.output("Gelu", "Gelu", [conv("Gelu")])
    cases.output("Relu", "add-relu", [cases.add("Add", "add", [conv("add"), residual])])
    cases.output("Mul", "mul", [conv("mul"), residual])
    cases.output("Sub", "sub", [conv("sub"), residual])
    cases.output("Mul", "per-channel", [conv("per-channel"), cases.weights(1, 32, 1, 1)])
    c = conv("swish")
    cases.output("Mul", "swish", [c, cases.add("Sigmoid", "swish-sigmoid", [c])])
    c = conv("gelu")
    scaled = cases.add("Div", "gelu-div", [c, cases.scalar(2**0.5)])
    erf = cases.add("Add", "gelu-add", [cases.add("Erf", "gelu-erf", [scaled]), cases.scalar(1)])
    cases.output("Mul", "gelu", [cases.add("Mul", "gelu-mul", [c, erf]), cases.scalar(0.5)])
    # The writing of PaddlePaddle: a learned affine step, hard swish by hand, another one.
    c = cases.add("Add", "lab-add", [cases.add("Mul", "lab-mul", [cases.scalar(1.4), conv("lab")]), cases.scalar(0.6)])
    clipped = cases.add("Clip", "lab-clip", [cases.add("Add", "lab-3", [c, cases.scalar(3)]),
                                             cases.scalar(0), cases.scalar(6)])
    hard = cases.add("Div", "lab-div", [cases.add("Mul", "lab-swish", [c, clipped]), cases.scalar(6)])
    cases.output("Sub", "lab", [cases.scalar(0.25), cases.add("Mul", "lab-scale", [hard, cases.scalar(0.2)])])
    return cases


def pools():
    cases = Nodes()
    x = cases.input("x", 2, 16, 13, 12)
    for op in ("MaxPool", "AveragePool"):
        cases.output(op, op, [x], kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1])
        cases.output(op, op + "-ceil", [x], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    cases.output("MaxPool", "dilated", [x], kernel_shape=[2, 2], dilations=[2, 3])
    cases.output("AveragePool", "with-pads", [x], kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1)
    return cases


def dynamic():
    cases = Nodes()
    image = cases.input("image", 2, 8, 20, 24, dynamic=(0, 2, 3))
    c = cases.add("Conv", "conv", [image, cases.weights(32, 8, 3, 3), cases.weights(32)], pads=[1] * 4, strides=[2, 2])
    cases.output("Relu", "conv-relu", [c])
    tokens = cases.input("tokens", 2, 5, 48, dynamic=(0, 1))
    cases.output("Add", "dense", [cases.add("MatMul", "product", [tokens, cases.weights(48, 64)]), cases.weights(64)])
    return cases


REFUSED = {"dilated": "only as reference code"}  # when the plan is made, by the library itself
FAMILIES = {"convolutions": convolutions, "products": products, "post-ops": post_ops, "pools": pools, "dynamic": dynamic}


@pytest.fixture(scope="module")
def has_library(build_dir):
    if not (build_dir / "lib" / "libhexin_onednn.so").exists():
        pytest.skip("this build is without oneDNN")


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """family(name) -> (cases, artifact that prefers the library, ONNX Runtime), once per family."""
    folder, known = tmp_path_factory.mktemp("libraries"), {}

    def get(name):
        if name not in known:
            cases, path = FAMILIES[name](), folder / f"{name}.hxm"
            model = cases.model().SerializeToString()
            hexin.compile(model, path, prefer=["onednn"], cpu_archs=ANY_ARCH)
            known[name] = cases, path, onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        return known[name]

    return get


def launches(session):
    """What ran on the device in the last run."""
    events = json.loads(session.trace())["traceEvents"]
    return [event["args"] for event in events if "engine" in event.get("args", {})]


def engines_of(events, node):
    """Which engines ran the launches that `node` is part of; changes of layout are some of them."""
    return {args["engine"] for args in events if node in args["node"].split("+")}


def check(session, cases, reference, inputs):
    outputs = session.run(inputs)
    for name, expected in zip(cases.outputs, reference.run(cases.outputs, inputs)):
        np.testing.assert_allclose(outputs[name], expected, rtol=1e-4, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", FAMILIES)
def test_library_agrees(has_library, family, name, threads):
    cases, path, reference = family(name)
    session = hexin.Session(path, threads=threads, profile=True)
    check(session, cases, reference, cases.inputs)
    ran = launches(session)
    for node in cases.outputs:
        refusals = [args["passedOver"] for args in ran if args["node"] == node and "passedOver" in args]
        assert REFUSED[node] in refusals[0] if node in REFUSED else "library" in engines_of(ran, node), (node, ran)


def test_other_sizes(has_library, family):
    """One session, several plans; the weights are brought into oneDNN's form at most once per form."""
    cases, path, reference = family("dynamic")
    session = hexin.Session(path, cache_dir="none")
    for n, height, width, steps in ((2, 20, 24, 5), (1, 33, 7, 1), (3, 2, 2, 9), (2, 20, 24, 5)):
        random = np.random.default_rng(n)
        check(session, cases, reference, {"image": random.standard_normal((n, 8, height, width)).astype(np.float32),
                                          "tokens": random.standard_normal((n, steps, 48)).astype(np.float32)})


def test_empty_sizes(has_library, family):
    cases, path, _ = family("dynamic")
    outputs = hexin.Session(path).run({"image": np.zeros((0, 8, 6, 6), np.float32), "tokens": np.zeros((2, 0, 48), np.float32)})
    assert outputs["conv-relu"].shape == (0, 32, 3, 3) and outputs["dense"].shape == (2, 0, 64)


@pytest.mark.parametrize("name", ["ppocr-v2-cls", "light-squeezenet", "silero-vad"])
def test_whole_models(has_library, name, tmp_path):
    """The same numbers, inside of what changing the order of sums may change, with the library and without."""
    import fetch_models
    import inputs

    model = fetch_models.find_model(name)
    source, values = str(fetch_models.fetch(model)), inputs.make_inputs(model)
    outputs = {}
    for option in ("prefer", "disable"):
        hexin.compile(source, tmp_path / f"{option}.hxm", cpu_archs=ANY_ARCH, **{option: ["onednn"]})
        session = hexin.Session(tmp_path / f"{option}.hxm", profile=True)
        outputs[option] = session.run(values)
        engines = {args["engine"] for args in launches(session)}
        assert ("library" in engines) == (option == "prefer")
    for port, value in outputs["disable"].items():
        scale = np.abs(value).max()
        np.testing.assert_allclose(outputs["prefer"][port], value, rtol=0, atol=2e-5 * scale, err_msg=port)


def run_tool(tool, *arguments, **environment):
    done = subprocess.run([str(tool), *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, **{key: str(value) for key, value in environment.items()}})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_device_without_the_library(hexin_tool, build_dir, family, tmp_path):
    """The backend alone in a folder: our kernels run, and the trace says why."""
    _, path, _ = family("products")
    shutil.copy(build_dir / "lib" / "libhexin_backend_cpu.so", tmp_path)
    run_tool(hexin_tool, "run", path, "--random-inputs", "--trace", tmp_path / "trace.json", HEXIN_BACKEND_PATH=tmp_path)
    events = [event["args"] for event in json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
              if "engine" in event.get("args", {})]
    assert events and all(args["engine"] == "kernel" for args in events)
    assert any("libhexin_onednn.so cannot be loaded" in args.get("passedOver", "") for args in events)


def test_weights_are_reordered_once_per_machine(has_library, hexin_tool, family, tmp_path):
    _, path, _ = family("products")
    cache = tmp_path / "cache"

    def reordered():
        report = run_tool(hexin_tool, "run", path, "--random-inputs", "--json", HEXIN_CACHE_DIR=cache)
        return json.loads(report)["stats"]["weightsReordered"]

    first = reordered()
    assert first > 0 and reordered() == 0
    entries = list((cache / "onednn").iterdir())
    assert len(entries) == first
    caches = json.loads(run_tool(hexin_tool, "cache", "show", "--json", HEXIN_CACHE_DIR=cache))["caches"]
    assert next(each["files"] for each in caches if each["name"] == "onednn") == first
    # A damaged entry is made again.
    entries[0].write_bytes(entries[0].read_bytes()[:-1])
    assert reordered() == 1 and reordered() == 0
    run_tool(hexin_tool, "cache", "clear", HEXIN_CACHE_DIR=cache)
    assert reordered() == first


def test_sessions_share_packed_weights(has_library, family):
    cases, path, reference = family("products")
    script = ("import hexin, numpy, sys\n"
              "inputs = {'rows': numpy.ones((21, 48), 'f'), 'stack': numpy.ones((3, 7, 48), 'f')}\n"
              "sessions = [hexin.Session(sys.argv[1], cache_dir='none') for _ in range(3)]\n"
              "[session.run(inputs) for session in sessions]\n"
              "print([session.stats.weights_reordered for session in sessions])\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts[0] > 0 and len(set(counts)) == 1


def entries_of(text, node):
    """What --explain says of the launches of `node`; changes of layout are some of them."""
    return [entry for entry in re.split(r"\n  (?! )", text) if entry.split("\n")[0] == node]


def test_inspect_shows_the_candidates(hexin_tool, family):
    _, path, _ = family("products")
    text = run_tool(hexin_tool, "inspect", path, "--instructions")
    assert "library onednn.matmul, else kernel k_" in text and "5 weights for a library" in text
    program = json.loads(run_tool(hexin_tool, "inspect", path, "--json"))["programs"][0]
    assert program["libraryWeights"] == 5
    variant = next(entry["variants"][0] for entry in program["instructions"] if len(entry.get("variants", ())) > 1)
    assert variant["order"] == "free" and variant["errorConstant"] == 1


def test_explain_says_what_the_library_refuses(tmp_path):
    cases = Nodes()
    x, y = cases.input("x", 1, 8, 16), cases.input("y", 1, 16, 24)
    cases.output("MatMul", "computed", [x, y])
    cases.output("Floor", "floor", [cases.add("MatMul", "product", [x, cases.weights(16, 24)])])
    cases.output("MatMul", "taken", [x, cases.weights(16, 32)])
    model = cases.model().SerializeToString()
    text = hexin.compile(model, tmp_path / "a.hxm", prefer=["onednn"], explain=True).text
    assert "onednn: the right-hand side is computed, and packed for our kernel" in text
    assert "onednn: no post-op for floor" in text or "onednn: no post-op for hx.unary" in text
    assert "onednn.matmul, else " in text
    text = hexin.compile(model, tmp_path / "a.hxm", disable=["onednn"], explain=True).text
    assert "onednn: disabled by an option" in text and "onednn.matmul" not in text


def test_the_faster_one_goes_first(has_library, tmp_path):
    """By known sizes when compiling, by a guard where only the run tells them."""
    cases = Nodes()
    fixed, free = cases.input("fixed", 1, 64, 28, 28), cases.input("free", 1, 64, 28, 28, dynamic=(2, 3))
    cases.output("Conv", "large", [fixed, cases.weights(64, 8, 3, 3)], group=8)
    cases.output("Conv", "pointwise", [fixed, cases.weights(64, 64, 1, 1)])
    cases.output("Clip", "bounded", [cases.add("Conv", "bounded-conv", [fixed, cases.weights(64, 64, 3, 3)]),
                                     cases.scalar(0), cases.scalar(6)])
    cases.output("Conv", "unknown", [free, cases.weights(64, 8, 3, 3)], pads=[1] * 4, group=8)
    wide = cases.input("wide", 4, 64, 56, 56)
    cases.output("AveragePool", "apart", [wide], kernel_shape=[2, 2], strides=[2, 2])
    cases.output("AveragePool", "overlapping", [wide], kernel_shape=[3, 3], pads=[1] * 4)
    model, path = cases.model().SerializeToString(), tmp_path / "a.hxm"
    text = hexin.compile(model, path, explain=True, cpu_archs=ANY_ARCH, disable=["winograd"]).text
    for node, expected in (("large", "onednn.conv, else "), ("pointwise", "onednn: our kernel is faster"),
                           ("bounded-conv+bounded", "onednn: its clip:0:6 does not keep NaN"),
                           ("unknown", "onednn.conv (guarded), else "),
                           ("apart", "onednn: our kernel is faster"), ("overlapping", "onednn.pool, else ")):
        assert any(expected in entry for entry in entries_of(text, node)), text
    session = hexin.Session(path, profile=True)
    for size, engine in ((28, "library"), (3, "kernel")):
        session.run({**cases.inputs, "free": np.ones((1, 64, size, size), np.float32)})
        engines = [args["engine"] for args in launches(session) if args["node"] == "unknown"]
        assert ("library" in engines) == (engine == "library"), (size, engines)


def test_nan_and_infinities_stay(has_library, tmp_path):
    """oneDNN's own relu gives 0 for NaN."""
    cases = Nodes()
    x = cases.input("x", 1, 64, 12, 12)
    for op in ("Relu", "Sigmoid", "LeakyRelu", "HardSwish", "Tanh"):
        cases.output(op, op, [cases.add("Conv", op + "-conv", [x, cases.weights(64, 64, 3, 3)], pads=[1] * 4)])
    model = cases.model().SerializeToString()
    hexin.compile(model, tmp_path / "a.hxm", prefer=["onednn"], cpu_archs=ANY_ARCH, disable=["winograd"])
    session, reference = hexin.Session(tmp_path / "a.hxm", profile=True), onnxruntime.InferenceSession(model)
    for special in (np.nan, np.inf, -np.inf):
        cases.inputs["x"][0, 5, 4, 4] = special
        check(session, cases, reference, cases.inputs)
    assert all("library" in engines_of(launches(session), node) for node in cases.outputs)


@pytest.mark.parametrize("op", ["Sigmoid", "Tanh", "Relu", "Clip", "Exp"])
def test_nan_stays_in_three_dimensions(op, tmp_path):
    """Convolutions that oneDNN takes without being asked; some of its functions make a number of NaN there."""
    cases = Nodes()
    conv = cases.add("Conv", "conv", [cases.input("x", 1, 8, 9, 10, 11), cases.weights(8, 8, 3, 3, 3)], pads=[1] * 6)
    cases.output(op, "y", [conv, *([cases.scalar(-1), cases.scalar(1)] if op == "Clip" else [])])
    model = cases.model().SerializeToString()
    hexin.compile(model, tmp_path / "a.hxm", cpu_archs=ANY_ARCH)
    cases.inputs["x"][0, 3, 4, 5, 6] = np.nan
    check(hexin.Session(tmp_path / "a.hxm", profile=True), cases, onnxruntime.InferenceSession(model), cases.inputs)


def test_an_unknown_library_is_an_error(tmp_path):
    with pytest.raises(hexin.InvalidArgumentError, match="no target here has a library 'onedn' to prefer"):
        hexin.compile(Nodes().model().SerializeToString(), tmp_path / "a.hxm", prefer=["onedn"])
