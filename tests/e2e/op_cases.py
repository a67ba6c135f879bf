"""Operators of ai.onnx, many to a model, beside ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime
import pytest
from devices import TARGETS
from onnx import helper, numpy_helper


class Cases:
    """Nodes over shared inputs; every case is one node, its outputs are the model's."""

    def __init__(self, opset=17):
        self.nodes, self.inputs, self.constants, self.outputs, self.opset = [], {}, {}, [], opset

    def input(self, name, value):
        self.inputs[name] = np.asarray(value)
        return name

    def constant(self, name, value):
        self.constants[name] = np.asarray(value)
        return name

    def add(self, op, name, inputs, outputs=1, **attributes):
        names = [f"{name}.{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=name, **attributes))
        self.outputs += names

    def model(self):
        def port(name, value):
            kind = helper.np_dtype_to_tensor_dtype(value.dtype)
            return helper.make_tensor_value_info(name, kind, value.shape)

        graph = helper.make_graph(
            self.nodes, "cases", [port(*item) for item in self.inputs.items()],
            [onnx.ValueInfoProto(name=name) for name in self.outputs],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 8
        return onnx.shape_inference.infer_shapes(model)


def random(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class Families:
    """families(name) -> (cases, artifact, expected outputs), once per family; `makers`: name -> its cases."""

    def __init__(self, makers, folder):
        self.makers, self.folder, self.known = makers, folder, {}

    def __call__(self, name):
        import hexin

        if name not in self.known:
            cases = self.makers[name]()
            model = cases.model()
            source, artifact = self.folder / f"{name}.onnx", self.folder / f"{name}.hxm"
            onnx.save(model, source)
            hexin.compile(str(source), str(artifact), targets=TARGETS)
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            engine = onnxruntime.InferenceSession(model.SerializeToString(), options)
            self.known[name] = cases, artifact, dict(zip(cases.outputs, engine.run(cases.outputs, cases.inputs)))
        return self.known[name]

    def check(self, name, device):
        cases, artifact, expected = self(name)
        outputs = open_session(artifact, device).run(cases.inputs)
        wrong = []
        for output, value in expected.items():
            try:
                # A step of the quantised scale may fall either way at the rounding's edge.
                atol = 1 if value.dtype == np.uint8 else 2e-5
                if value.dtype in (np.int32, np.int64):
                    np.testing.assert_array_equal(outputs[output], value)
                else:
                    np.testing.assert_allclose(outputs[output], value, rtol=2e-5, atol=atol)
                assert outputs[output].dtype == value.dtype
            except AssertionError as error:
                wrong.append(f"{output}: {error}")
        assert not wrong, "\n".join(wrong)


def open_session(artifact, device):
    import hexin

    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")
    return hexin.Session(str(artifact), device=device)
