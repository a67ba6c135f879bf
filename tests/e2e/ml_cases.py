"""What tests of ai.onnx.ml share: the cases of one family are nodes of one model, so that it costs one compile."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto as T
from onnx import helper

TRANSFORMS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]


class Cases:
    """Nodes of ai.onnx.ml over shared inputs; every output is the model's."""

    def __init__(self, version=3):
        self.nodes, self.inputs, self.types, self.tolerances, self.version = [], {}, {}, {}, version

    def input(self, name, value):
        self.inputs[name] = np.asarray(value)
        return name

    def add(self, op, name, inputs, types, tolerance=2e-5, **attributes):
        names = [f"{name}.{i}" for i in range(len(types))]
        self.types.update(zip(names, types))
        if attributes.get("post_transform") in ("PROBIT", 4):  # steep around 0.5
            tolerance = 1e-3
        self.tolerances.update((each, tolerance) for each in names)
        self.nodes.append(helper.make_node(op, inputs, names, name=name, domain="ai.onnx.ml", **attributes))

    def model(self, sizes=None):
        def port(name, value):
            dims = sizes(name, value) if sizes else value.shape
            kind = T.STRING if value.dtype == object else helper.np_dtype_to_tensor_dtype(value.dtype)
            return helper.make_tensor_value_info(name, kind, dims)

        graph = helper.make_graph(
            self.nodes, "cases", [port(*item) for item in self.inputs.items()],
            [helper.make_tensor_value_info(name, kind, None) for name, kind in self.types.items()])
        return helper.make_model(graph, ir_version=9, opset_imports=[
            helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", self.version)])

    def check(self, folder, device, sizes=None):
        """Against ONNX Runtime, which has all of these."""
        model = self.model(sizes)
        session = opened(model, folder, device)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        engine = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        found = session.run(self.inputs)
        for name, expected in zip(self.types, engine.run(list(self.types), self.inputs)):
            same(found[name], expected, self.tolerances[name], name)


def same(found, expected, tolerance, name):
    assert found.shape == expected.shape and found.dtype == expected.dtype, name
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance, err_msg=name)
    else:
        assert found.tolist() == expected.tolist(), name


def opened(model, folder, device):
    import hexin

    if device not in {found.id for found in hexin.devices() if found.available}:
        pytest.skip(f"there is no {device} here")
    hexin.compile(model, str(folder / "ml.hxm"), targets=[device.partition(":")[0]])
    return hexin.Session(str(folder / "ml.hxm"), device=device)


def refused(model, folder, message):
    import hexin

    with pytest.raises(hexin.Error, match=message):
        hexin.compile(model, str(folder / "bad.hxm"), targets=["cpu"])


def tensor(kind, values):
    return helper.make_tensor("t", kind, [len(values)], values)
