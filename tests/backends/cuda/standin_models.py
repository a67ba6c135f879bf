"""Small models on the driver's stand-in: made, run in a process of their own, compared."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "cuda_driver"))
import standin  # noqa: E402

SEEDS = [0, 7]
RUN = """
import sys, numpy, hexin
sys.path.insert(0, sys.argv[4])
import standin
values = dict(numpy.load(sys.argv[2]))
results = hexin.Session(sys.argv[1], device="cuda:0", cache_dir="none").run(values)
peak = 0 if standin.is_real() else standin.Standin().counters().peakDeviceBytes
numpy.savez(sys.argv[3], **results, **{"peak device bytes": peak})
"""


def random(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class Graph:
    """A model of many small ones, each with inputs of its own."""

    def __init__(self):
        self.nodes, self.ports, self.constants, self.values, self.outputs = [], [], [], {}, []

    def input(self, name, value, unknown=()):
        """`unknown`: axes of unknown size, or their names."""
        names = unknown if isinstance(unknown, dict) else {axis: f"{name}.{axis}" for axis in unknown}
        dims = [names.get(axis, size) for axis, size in enumerate(value.shape)]
        self.ports.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), dims))
        self.values[name] = value
        return name

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, op, inputs, output, is_output=True, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        if is_output:
            self.outputs.append(output)
        return output

    def model(self, opset=20):
        outputs = [onnx.ValueInfoProto(name=name) for name in self.outputs]
        graph = helper.make_graph(self.nodes, "cases", self.ports, outputs, self.constants)
        model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", opset)])
        return onnx.shape_inference.infer_shapes(model)

    def expected(self):
        session = onnxruntime.InferenceSession(self.model().SerializeToString())
        return dict(zip(self.outputs, session.run(None, self.values)))


def run(build, folder, model, values, seed, targets=("cuda",)):
    """The outputs, of a process in which the stand-in is the driver, and the peak of its memory."""
    import hexin

    artifact = folder / "model.hxm"
    if not artifact.exists():
        hexin.compile(model, artifact, targets=list(targets))
    np.savez(folder / "in.npz", **values)
    env = standin.environment(build, SEED=seed, LEAKS="fail")
    env["PYTHONPATH"] = str(Path(build) / "python")
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(artifact), str(folder / "in.npz"), str(folder / "out.npz"), standin.__file__.rsplit("/", 1)[0]],
        env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = dict(np.load(folder / "out.npz"))
    return results, int(results.pop("peak device bytes"))


def check(found, wanted, tolerance=3e-6):
    for name, value in wanted.items():
        assert found[name].shape == value.shape, name
        if np.issubdtype(value.dtype, np.floating):
            finite = value[np.isfinite(value)]
            atol = tolerance * max(float(np.abs(finite).max()) if finite.size else 1, 1)
            np.testing.assert_allclose(found[name], value, rtol=0, atol=atol, err_msg=name)
        else:
            np.testing.assert_array_equal(found[name], value, err_msg=name)
