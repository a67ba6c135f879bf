"""Operators of com.microsoft, many to a model: each case beside ONNX Runtime, or beside numpy where it has no kernel.

Import makes the same of a case for every target, so where a family names cases to run `everywhere`, OpenCL only gets
those: its compiler is what takes the time.
"""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

DEVICES = ["cpu", "opencl:0"]
DOMAIN = "com.microsoft"
#: Half of the distance between 1 and the next number.
ROUNDING = {np.float32: 2.0**-24, np.float16: 2.0**-11}


def random(seed, *shape, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


class Cases:
    """Nodes over shared inputs; every case is one node. `depth` is how many terms the longest chain of sums of a
    case has: what two engines may differ by follows from it, and from an `offset` that all of a softmax's terms may
    have in common."""

    def __init__(self, depth, offset=0):
        self.depth, self.offset = depth, offset
        self.nodes, self.ports, self.inputs, self.constants, self.references = [], [], {}, {}, {}
        self.kinds, self.everywhere = {}, set()

    def input(self, name, value, dims=None):
        """`dims`: sizes or their names; by default as the value has them."""
        self.inputs[name] = value = np.asarray(value)
        self.port(name, helper.np_dtype_to_tensor_dtype(value.dtype), dims or value.shape)
        return name

    def port(self, name, kind, dims):
        self.ports.append(helper.make_tensor_value_info(name, kind, dims))

    def constant(self, name, value):
        if name not in self.constants:
            self.constants[name] = value if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(
                np.asarray(value), name)
        return name

    def add(self, op, name, inputs, outputs=1, reference=None, skip=(), kinds=(), everywhere=False,
            **attributes):
        """`reference`: the outputs by numpy, else ONNX Runtime says them; `skip`: outputs that are left out; `kinds`:
        types of outputs that ONNX Runtime does not infer."""
        names = ["" if i in skip else f"{name}.{i}" for i in range(outputs)]
        node = helper.make_node(op, inputs, names, name=name, domain=DOMAIN, **attributes)
        self.nodes.append((node, reference is None))
        if everywhere:
            self.everywhere.add(name)
        self.kinds.update((names[i], kind) for i, kind in dict(kinds).items())
        names = [each for each in names if each]
        if reference is not None:
            values = reference if isinstance(reference, (tuple, list)) else [reference]
            self.references.update(zip(names, values))

    def keep_those_everywhere(self):
        if self.everywhere:
            self.nodes = [each for each in self.nodes if each[0].name in self.everywhere]
            kept = {name for node, _ in self.nodes for name in node.output}
            self.references = {name: value for name, value in self.references.items() if name in kept}

    def model(self, for_engine=False):
        """All cases, or only those that ONNX Runtime judges."""
        nodes = [node for node, is_judged in self.nodes if is_judged or not for_engine]
        read = {name for node in nodes for name in node.input}
        graph = helper.make_graph(
            nodes, "cases", [port for port in self.ports if port.name in read],
            [helper.make_tensor_value_info(name, self.kinds[name], None) if name in self.kinds else
             onnx.ValueInfoProto(name=name) for node in nodes for name in node.output if name],
            [value for name, value in self.constants.items() if name in read])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(DOMAIN, 1)])
        model.ir_version = 10
        return model

    def expected(self):
        model = self.model(for_engine=True)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        known = dict(self.references)
        if model.graph.node:
            engine = onnxruntime.InferenceSession(model.SerializeToString(), options)
            names = [port.name for port in engine.get_outputs()]
            read = {port.name for port in engine.get_inputs()}
            known.update(zip(names, engine.run(names, {k: v for k, v in self.inputs.items() if k in read})))
        return known

    def tolerance(self, value):
        """Of a sum of n terms each engine is off by up to n roundings of the sum of magnitudes, which for numbers of
        both signs is some times the largest result (taken as 4)."""
        unit = ROUNDING.get(value.dtype.type, 0)
        # Narrow results are sums in f32 that are rounded once or twice on the way.
        chain = self.depth if value.dtype == np.float32 else 4
        largest = np.abs(value[np.isfinite(value)], dtype=np.float64).max(initial=0) if value.size else 0
        return 2 * (4 * chain + self.offset) * unit * max(1.0, float(largest))

    def check(self, device, outputs, expected):
        wrong = []
        for name, value in expected.items():
            value, found = np.asarray(value), outputs[name]
            if found.dtype != value.dtype or found.shape != value.shape:
                wrong.append(f"{name}: {found.dtype}{found.shape} instead of {value.dtype}{value.shape}")
            elif value.dtype.kind in "iub":
                if not np.array_equal(found, value):
                    wrong.append(f"{name}: {(found != value).sum()} of {value.size} differ")
            else:
                allowed = self.tolerance(value)
                off = ~np.isclose(found.astype(np.float64), value.astype(np.float64), rtol=0, atol=allowed, equal_nan=True)
                if off.any():
                    first = tuple(int(i) for i in np.argwhere(off)[0])
                    wrong.append(f"{name}: {off.sum()} of {value.size} are off by more than {allowed:.2g}, first at "
                                 f"{first}: {found[first]} instead of {value[first]}")
        assert not wrong, f"on {device}:\n" + "\n".join(wrong)


class Compiled:
    """compiled(name, device) -> (cases, artifact, expected outputs), once per family and target."""

    def __init__(self, families, folder):
        self.families, self.folder, self.known = families, folder, {}

    def __call__(self, name, device):
        import hexin

        target = device.partition(":")[0]
        if (name, target) not in self.known:
            cases = self.families[name]()
            if target == "opencl":
                cases.keep_those_everywhere()
            artifact = self.folder / f"{name}-{target}.hxm"
            # What is imported is tried, not what each processor is given.
            archs = ["x86-64-v2"] if target == "cpu" else []
            hexin.compile(cases.model(), str(artifact), targets=[target], cpu_archs=archs)
            self.known[name, target] = cases, artifact, cases.expected()
        return self.known[name, target]


def open_session(artifact, device):
    import hexin

    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")
    return hexin.Session(str(artifact), device=device)


def run_family(compiled, name, device):
    cases, artifact, expected = compiled(name, device)
    read = {port for node, _ in cases.nodes for port in node.input}
    outputs = open_session(artifact, device).run({k: v for k, v in cases.inputs.items() if k in read})
    cases.check(device, outputs, expected)


def refusal(cases, kind=None):
    """The message with which the model is refused."""
    import hexin

    with pytest.raises(kind or hexin.Error) as caught:
        hexin.compile(cases.model(), emit="import")
    return str(caught.value)
