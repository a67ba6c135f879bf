"""Group normalisation as models write it, between two convolutions: rows by a reshape, InstanceNormalization, and back.

What is compiled normalises the image where it lies (compiler/transforms/UnmergeRows.cpp); the numbers are those of the
formula in f64, and nothing between the convolutions is transposed or stored twice."""

import numpy as np
import onnx
import pytest
from devices import DEVICES, TARGETS
from onnx import helper, numpy_helper

import hexin

F32 = onnx.TensorProto.FLOAT
# Batch, channels, pixels along each axis, groups. Groups of one, three and all channels; one axis and two; no elements.
CASES = {
    "one group, one axis": (1, 24, [37], 1),
    "one group, batch": (3, 24, [37], 1),
    "three channels": (2, 24, [5, 7], 8),
    "each channel": (1, 18, [6, 6], 18),
    "all channels": (1, 33, [4, 9], 1),
    "sixteen channels": (1, 64, [8, 8], 4),
    "nothing": (0, 8, [3, 3], 2),
}


class Block:
    """conv, PReLU, group norm with scale and shift, conv: all convolutions 1x1, so that the reference is a product."""

    def __init__(self, batch, channels, pixels, groups, is_dynamic=False):
        random = np.random.default_rng(7)
        self.groups, self.shape = groups, (batch, channels, *pixels)
        ones = [1] * len(pixels)
        draw = lambda *sizes: random.standard_normal(sizes).astype(np.float32)  # noqa: E731
        self.values = {"w1": draw(channels, channels, *ones), "w2": draw(channels, channels, *ones),
                       "slope": np.full([1] * (1 + len(ones)), 0.25, np.float32),
                       "gamma": draw(channels, *ones), "beta": draw(channels, *ones)}
        self.x = draw(*self.shape)
        constants = {**self.values, "one": np.ones(groups, np.float32), "zero": np.zeros(groups, np.float32),
                     "rows": np.array([0, groups, -1]), "back": np.array([0, channels, *pixels])}
        if batch == 0:
            constants["rows"] = np.array([0, groups, channels // groups * int(np.prod(pixels))])
        nodes = [helper.make_node("Conv", ["x", "w1"], ["a"]), helper.make_node("PRelu", ["a", "slope"], ["p"]),
                 helper.make_node("Reshape", ["p", "rows"], ["r"]),
                 helper.make_node("InstanceNormalization", ["r", "one", "zero"], ["n"], epsilon=1e-5),
                 helper.make_node("Reshape", ["n", "back"], ["b"]), helper.make_node("Mul", ["b", "gamma"], ["m"]),
                 helper.make_node("Add", ["m", "beta"], ["s"]), helper.make_node("Conv", ["s", "w2"], ["y"])]
        sizes = ["n" if is_dynamic else batch, channels, *pixels]
        graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", F32, sizes)],
                                  [helper.make_tensor_value_info("y", F32, None)],
                                  [numpy_helper.from_array(value, name) for name, value in constants.items()])
        self.model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])

    def expected(self):
        """In f64, and how far f32 may be off: each product rounds once per channel, the norm divides by a deviation."""
        v = {name: value.astype(np.float64) for name, value in self.values.items()}
        product = lambda w, x: np.einsum("oc,nc...->no...", w.reshape(w.shape[:2]), x)  # noqa: E731
        a = product(v["w1"], self.x.astype(np.float64))
        p = np.where(a < 0, 0.25 * a, a)
        rows = p.reshape(len(p), self.groups, int(np.prod(p.shape[1:])) // self.groups)
        deviation = np.sqrt(rows.var(axis=2, keepdims=True) + 1e-5)
        n = ((rows - rows.mean(axis=2, keepdims=True)) / deviation).reshape(p.shape)
        y = product(v["w2"], n * v["gamma"] + v["beta"])
        channels = self.shape[1]
        step = 2.0 ** -24
        # An error of p, of the mean and of the deviation, each of so many sums, reaches n divided by the deviation.
        worst = product(abs(v["w1"]), abs(self.x.astype(np.float64))).max(initial=0) / deviation.min(initial=np.inf)
        of_n = step * (channels + rows.shape[2] + 8) * worst * (1 + abs(n).max(initial=0))
        magnitude = product(abs(v["w2"]), abs(n * v["gamma"]) + abs(v["beta"]))
        bound = of_n * product(abs(v["w2"]), np.broadcast_to(abs(v["gamma"]), n.shape)) + step * (channels + 4) * magnitude
        return y, bound


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("is_dynamic", [False, True], ids=["static", "dynamic"])
@pytest.mark.parametrize("name", CASES)
def test_numbers(tmp_path, name, is_dynamic, device):
    block = Block(*CASES[name], is_dynamic=is_dynamic)
    hexin.compile(block.model, str(tmp_path / "a.hxm"), targets=TARGETS)
    y = hexin.Session(str(tmp_path / "a.hxm"), device=device).run({"x": block.x})["y"]
    expected, bound = block.expected()
    assert y.shape == expected.shape
    assert np.all(np.abs(y - expected) <= bound)


@pytest.mark.parametrize("name", ["one group, one axis", "three channels", "sixteen channels"])
def test_the_image_stays_where_it_lies(tmp_path, name):
    """What stands between the convolutions is part of the first or one kernel behind the sums."""
    report = hexin.compile(Block(*CASES[name]).model, str(tmp_path / "a.hxm"), targets=["cpu"], explain=True)
    lines = [line.strip() for line in report.text.splitlines()]
    assert "a+p" in lines and "n+m+s" in lines, report.text
    assert sum("transpose" in line for line in lines) == 2, report.text  # the input and the result
