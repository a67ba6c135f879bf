"""Many nodes as one model, so that a family of operators costs one compile: each beside ONNX Runtime, or beside what its
case says it must give.

Import makes the same of a node for every target, so the other devices get the nodes that their
family names to run `everywhere`, or where none is named the first of each operator.
"""

import copy

import numpy as np
import onnx
import onnxruntime
import pytest
from devices import DEVICES
from onnx import helper, numpy_helper

#: The sizes of inputs known when compiling, and none of them.
RUNS = [("cpu", "static"), *((device, "dynamic") for device in DEVICES)]
DOMAIN = "com.microsoft"
OPSETS = [helper.make_opsetid("", 21), helper.make_opsetid(DOMAIN, 1)]
#: Half of the distance between 1 and the next number.
ROUNDING = {np.float64: 2.0**-53, np.float32: 2.0**-24, np.float16: 2.0**-11}


def random(seed, *shape, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


class Cases:
    """Nodes over shared inputs; every case is one node. `depth` is how many terms the longest chain of sums of a
    case has: what two engines may differ by follows from it, and from an `offset` that all of a softmax's terms may
    have in common."""

    def __init__(self, depth=16, offset=0):
        self.depth, self.offset = depth, offset
        self.nodes, self.inputs, self.dims, self.constants = [], {}, {}, {}
        self.expected, self.kinds, self.steps = {}, {}, {}
        self.everywhere, self.fixed = set(), set()

    def input(self, name, value, dims=None, fixed=False):
        """`dims`: sizes or their names, by default as the value has them; `fixed`: they are always known, as those of
        numbers that are sizes must be."""
        self.inputs[name] = np.asarray(value)
        self.dims[name] = dims
        self.fixed |= {name} if fixed else set()
        return name

    def constant(self, name, value):
        self.constants[name] = value if isinstance(value, onnx.TensorProto) else np.asarray(value)
        return name

    def add(self, op, name, inputs, reference=None, outputs=1, skip=(), kinds=(), steps=0, everywhere=False,
            domain=DOMAIN, **attributes):
        """`reference`: the outputs, else ONNX Runtime says them; `skip`: outputs that are left out; `kinds`: types of
        outputs that ONNX Runtime does not infer; `steps`: how far an integer may be off."""
        if reference is not None and not isinstance(reference, (tuple, list)):
            reference = [reference]
        names = ["" if i in skip else f"{name}.{i}" for i in range(max(outputs, len(reference or ())))]
        self.nodes.append(helper.make_node(op, inputs, names, name=name, domain=domain, **attributes))
        self.kinds.update((names[i], kind) for i, kind in dict(kinds).items())
        self.everywhere |= {name} if everywhere else set()
        names = [each for each in names if each]
        self.steps.update(dict.fromkeys(names, steps))
        self.expected.update(zip(names, [None] * len(names) if reference is None else reference))

    def on(self, device):
        """Those of them that run on `device`."""
        if device == "cpu":
            return self
        part, first = copy.copy(self), {}
        for node in self.nodes:
            first.setdefault(node.op_type, node)
        part.nodes = [node for node in self.nodes if node.name in self.everywhere] or list(first.values())
        return part

    def model(self, mode="static", nodes=None):
        nodes = self.nodes if nodes is None else nodes
        read = {name for node in nodes for name in node.input}

        def port(name):
            value, dims = self.inputs[name], self.dims[name]
            if mode == "dynamic" and name not in self.fixed:
                dims = [f"{name}.{i}" for i in range(value.ndim)]
            return helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape if dims is None else dims)

        graph = helper.make_graph(
            nodes, "cases", [port(name) for name in self.inputs if name in read],
            [helper.make_tensor_value_info(name, self.kinds[name], None) if name in self.kinds else
             onnx.ValueInfoProto(name=name) for node in nodes for name in node.output if name],
            [value if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(value, name)
             for name, value in self.constants.items() if name in read])
        return helper.make_model(graph, opset_imports=OPSETS, ir_version=10)

    def feeds(self):
        read = {name for node in self.nodes for name in node.input}
        return {name: value for name, value in self.inputs.items() if name in read}

    def complete(self):
        """ONNX Runtime runs the nodes that come without what they give."""
        nodes = [node for node in self.nodes if any(name and self.expected.get(name, 0) is None for name in node.output)]
        if nodes:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            engine = onnxruntime.InferenceSession(self.model(nodes=nodes).SerializeToString(), options,
                                                  providers=["CPUExecutionProvider"])
            names = [port.name for port in engine.get_outputs()]
            self.expected.update(zip(names, engine.run(names, {port.name: self.inputs[port.name] for port in engine.get_inputs()})))

    def check(self, outputs):
        """That `outputs` of its nodes are what they must be."""
        wrong = []
        for name in (name for node in self.nodes for name in node.output if name in self.expected):
            if text := self.mistake(np.asarray(outputs[name]), np.asarray(self.expected[name]), self.steps[name]):
                wrong.append(f"{name}: {text}")
        assert not wrong, "\n".join(wrong)

    def mistake(self, found, value, steps):
        if found.dtype != value.dtype or found.shape != value.shape:
            return f"{found.dtype}{found.shape} instead of {value.dtype}{value.shape}"
        if value.dtype.kind in "iub":
            off = np.abs(found.astype(np.int64) - value.astype(np.int64)) > steps
            return f"{off.sum()} of {value.size} differ" if off.any() else ""
        allowed = self.tolerance(value)
        off = ~np.isclose(found.astype(np.float64), value.astype(np.float64), rtol=0, atol=allowed, equal_nan=True)
        if not off.any():
            return ""
        first = tuple(int(i) for i in np.argwhere(off)[0])
        return (f"{off.sum()} of {value.size} are off by more than {allowed:.2g}, first at {first}: {found[first]} instead "
                f"of {value[first]}")

    def tolerance(self, value):
        """Of a sum of n terms each engine is off by up to n roundings of the sum of magnitudes, which for numbers of
        both signs is some times the largest result (taken as 4)."""
        unit = ROUNDING.get(value.dtype.type, 0)
        # Narrow results are sums in f32 that are rounded once or twice on the way.
        chain = self.depth if value.dtype in (np.float32, np.float64) else 4
        largest = np.abs(value[np.isfinite(value)], dtype=np.float64).max(initial=0) if value.size else 0
        return 2 * (4 * chain + self.offset) * unit * max(1.0, float(largest))


class Compiled:
    """compiled(name, device, mode) -> (cases, artifact), once per family, target and mode."""

    def __init__(self, families, folder):
        self.families, self.folder, self.whole, self.known = families, folder, {}, {}

    def __call__(self, name, device, mode="static"):
        if name not in self.whole:
            self.whole[name] = self.families[name]()
            self.whole[name].complete()
        key = name, device, mode
        if key not in self.known:
            cases = self.whole[name].on(device)
            self.known[key] = cases, compile_cases(cases, device, self.folder / f"{len(self.known)}.hxm", mode)
        return self.known[key]


def compile_cases(cases, device, path, mode="static"):
    import hexin

    # What is imported is tried, not what each processor is given.
    target = device.partition(":")[0]
    hexin.compile(cases.model(mode), str(path), targets=[target], cpu_archs=["x86-64-v2"] if target == "cpu" else [])
    return path


def open_session(artifact, device):
    import hexin

    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")
    return hexin.Session(str(artifact), device=device)


def run_family(compiled, name, device, mode="static"):
    cases, artifact = compiled(name, device, mode)
    cases.check(open_session(artifact, device).run(cases.feeds()))


def refusal(cases, kind=None):
    """The message with which the model is refused."""
    import hexin

    with pytest.raises(kind or hexin.Error) as caught:
        hexin.compile(cases.model(), emit="import")
    return str(caught.value)


def node_refusal(op, inputs, constants=None, outputs=1, domain=DOMAIN, **attributes):
    """The message of a node that cannot be compiled, which names it; `inputs`: name -> array."""
    cases, constants = Cases(), constants or {}
    for name, value in inputs.items():
        cases.input(name, value)
    for name, value in constants.items():
        cases.constant(name, value)
    cases.add(op, "node", [*inputs, *constants], outputs=outputs, domain=domain, **attributes)
    message = refusal(cases)
    assert "'node'" in message
    return message
