"""Nodes of com.microsoft as outputs of one model, so that a family costs one compile.

What a node must give comes with it, or from ONNX Runtime where that has a kernel. A family runs with the sizes of its
inputs known when compiling and with none of them known; on OpenCL, whose compiler is slow, the first node of each
operator, with the latter.
"""

import copy


import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

DEVICES = ["cpu", "opencl:0"]
RUNS = [("cpu", "static"), ("cpu", "dynamic"), ("opencl:0", "dynamic")]
DOMAIN = "com.microsoft"
OPSETS = [helper.make_opsetid("", 19), helper.make_opsetid(DOMAIN, 1)]


class Cases:
    def __init__(self):
        self.nodes, self.inputs, self.constants, self.expected, self.steps = [], {}, {}, {}, {}
        self.fixed = set()

    def input(self, name, value, fixed=False):
        """`fixed`: its sizes are always known, as those of numbers that are sizes must be."""
        self.inputs[name] = np.asarray(value)
        self.fixed |= {name} if fixed else set()
        return name

    def constant(self, name, value):
        self.constants[name] = np.asarray(value)
        return name

    def add(self, op, name, inputs, expected=None, outputs=1, steps=0, domain=DOMAIN, **attributes):
        """`expected`: its outputs, else ONNX Runtime's; `steps`: how far an integer may be off."""
        names = [f"{name}.{i}" for i in range(outputs if expected is None else len(expected))]
        self.nodes.append(helper.make_node(op, inputs, names, name=name, domain=domain, **attributes))
        self.expected.update(zip(names, [None] * len(names) if expected is None else expected))
        self.steps.update(dict.fromkeys(names, steps))

    def on(self, device):
        """Those of them that run on `device`."""
        if device == "cpu":
            return self
        part, first = copy.copy(self), {}
        for node in self.nodes:
            first.setdefault(node.op_type, node)
        part.nodes = list(first.values())
        part.inputs = {name: value for name, value in self.inputs.items() if any(name in node.input for node in part.nodes)}
        part.expected = {name: self.expected[name] for node in part.nodes for name in node.output}
        return part

    def model(self, mode="static", nodes=None):
        nodes = self.nodes if nodes is None else nodes
        used = {name for node in nodes for name in node.input}

        def port(name, value):
            sizes = value.shape if mode == "static" or name in self.fixed else [f"{name}.{i}" for i in range(value.ndim)]
            return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), sizes)

        graph = helper.make_graph(
            nodes, "cases", [port(name, value) for name, value in self.inputs.items() if name in used],
            [onnx.ValueInfoProto(name=name) for node in nodes for name in node.output],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items() if name in used])
        return helper.make_model(graph, opset_imports=OPSETS, ir_version=9)

    def complete(self):
        """ONNX Runtime runs the nodes that come without what they give."""
        nodes = [node for node in self.nodes if self.expected[node.output[0]] is None]
        if nodes:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            engine = onnxruntime.InferenceSession(self.model(nodes=nodes).SerializeToString(), options,
                                                  providers=["CPUExecutionProvider"])
            names = [port.name for port in engine.get_outputs()]
            feeds = {port.name: self.inputs[port.name] for port in engine.get_inputs()}
            self.expected.update(zip(names, engine.run(names, feeds)))


def mistake(got, value, steps):
    """What is wrong with an output, or nothing."""
    if got.shape != value.shape or got.dtype != value.dtype:
        return f"{got.dtype}{got.shape}, expected {value.dtype}{value.shape}"
    if not np.issubdtype(value.dtype, np.floating):
        off = np.abs(got.astype(np.int64) - value.astype(np.int64)).max(initial=0)
        return f"off by {off}" if off > steps else ""
    if not np.array_equal(np.isfinite(got), np.isfinite(value)):
        return "infinite or NaN elsewhere"
    # Sums of a few hundred products, in another order: of the largest number that went into them.
    finite = np.isfinite(value)
    off = np.abs(got[finite].astype(np.float64) - value[finite]).max(initial=0)
    bound = 64 * np.finfo(value.dtype).eps * max(np.abs(value[finite]).max(initial=0), 1e-3)
    return f"off by {off:.3g}, bound {bound:.3g}" if off > bound else ""


def compiled(cases, mode, path, targets=("cpu", "opencl")):
    import hexin

    hexin.compile(cases.model(mode), str(path), targets=list(targets))
    return path


def check_family(cases, device, mode, folder):
    """Compiles what runs on `device`, runs and checks it."""
    part = cases.on(device)
    artifact = compiled(part, mode, folder / "family.hxm", [device.partition(":")[0]])
    found = run(artifact, device, part.inputs)
    mistakes = {name: mistake(found[name], value, cases.steps[name]) for name, value in part.expected.items()}
    assert not (wrong := {name: text for name, text in mistakes.items() if text}), wrong


def run(path, device, feeds):
    import hexin

    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")
    return hexin.Session(str(path), device=device).run(feeds)


def refusal(folder, op, inputs, constants=None, outputs=1, domain=DOMAIN, **attributes):
    """The message of a node that cannot be compiled; `inputs`: name -> array."""
    import hexin

    cases = Cases()
    cases.inputs = {name: np.asarray(value) for name, value in inputs.items()}
    cases.constants = {name: np.asarray(value) for name, value in (constants or {}).items()}
    cases.add(op, "node", list(inputs) + list(constants or {}), outputs=outputs, domain=domain, **attributes)
    with pytest.raises(hexin.Error) as error:
        hexin.compile(cases.model(), str(folder / "bad.hxm"), targets=["cpu"])
    assert "'node'" in str(error.value)
    return str(error.value)
