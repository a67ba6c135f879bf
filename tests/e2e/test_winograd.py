"""3x3 convolutions of stride 1 by Winograd's algorithm: numbers beside f64, where they are no numbers, who takes it.

The bound of an element is the declared constant times 2^-24 times the sum of |x| |w| over the tile's inputs: an element
with a small window may lie in the tile of a large one.
"""

import hexin
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

ARCHS = ["x86-64-v4", "x86-64-v3", "x86-64-v2"]
DISABLED = ["onednn"]


class Case:
    def __init__(self, inputs, outputs, height, width, batch=1, groups=1, pads=(1, 1, 1, 1), relu=False, residual=False,
                 scale=None):
        self.pads, self.groups, self.relu, self.residual = pads, groups, relu, residual
        random = np.random.default_rng(inputs * 1000 + outputs)
        deviation = np.sqrt(2 / (9 * inputs / groups))
        self.weights = (random.standard_normal((outputs, inputs // groups, 3, 3)) * deviation).astype(np.float32)
        self.bias = random.standard_normal(outputs).astype(np.float32)
        self.x = random.standard_normal((batch, inputs, height, width)).astype(np.float32)
        if scale is not None:
            self.x *= scale(random, inputs)
        high, wide = height + pads[0] + pads[2] - 2, width + pads[1] + pads[3] - 2
        self.addend = random.standard_normal((batch, outputs, high, wide)).astype(np.float32)

    def model(self, dynamic=False):
        def port(name, shape):
            shape = [f"{name}{axis}" if dynamic and axis != 1 else size for axis, size in enumerate(shape)]
            return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

        nodes = [helper.make_node("Conv", ["x", "w", "b"], ["conv"], name="conv", pads=self.pads, group=self.groups)]
        inputs = [port("x", self.x.shape)]
        if self.residual:
            nodes.append(helper.make_node("Add", [nodes[-1].output[0], "addend"], ["sum"], name="sum"))
            inputs.append(port("addend", self.addend.shape))
        if self.relu:
            nodes.append(helper.make_node("Relu", [nodes[-1].output[0]], ["relu"], name="relu"))
        result = helper.make_tensor_value_info(nodes[-1].output[0], onnx.TensorProto.FLOAT, None)
        graph = helper.make_graph(nodes, "winograd", inputs, [result], [numpy_helper.from_array(self.weights, "w"),
                                                                       numpy_helper.from_array(self.bias, "b")])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return model.SerializeToString()

    def inputs(self):
        return {"x": self.x, **({"addend": self.addend} if self.residual else {})}

    def sums(self, x, weights):
        x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), self.pads[0::2], self.pads[1::2]))
        high, wide, depth = x.shape[2] - 2, x.shape[3] - 2, weights.shape[1]
        groups = []
        for g, w in enumerate(np.split(weights.astype(np.float64), self.groups)):
            part = x[:, g * depth:(g + 1) * depth]
            groups.append(sum(np.einsum("nchw,kc->nkhw", part[:, :, i:i + high, j:j + wide], w[:, :, i, j])
                              for i in range(3) for j in range(3)))
        return np.concatenate(groups, axis=1)

    def expected(self):
        with np.errstate(all="ignore"):
            y = self.sums(self.x, self.weights) + self.bias[:, None, None]
            y = y + self.addend if self.residual else y
            return np.maximum(y, 0) if self.relu else y

    def magnitude(self):
        """The sum of |x| |w|, the largest of each neighbourhood that a tile may cover."""
        s = self.sums(np.abs(self.x), np.abs(self.weights)) + np.abs(self.bias)[:, None, None] + np.abs(self.addend)
        padded = np.pad(s, ((0, 0), (0, 0), (3, 3), (3, 3)))
        high, wide = s.shape[2:]
        return np.max([padded[:, :, i:i + high, j:j + wide] for i in range(7) for j in range(7)], axis=0)


def ill_scaled(random, channels):
    return 10.0 ** random.uniform(-4, 4, (1, channels, 1, 1)).astype(np.float32)


def one_large_pixel(random, channels):
    scale = np.ones((1, 1, 17, 23), np.float32)
    scale[..., 5, 9] = 1e6
    return scale


CASES = {
    "whole panels": Case(32, 64, 28, 28),
    "relu": Case(64, 32, 15, 30, relu=True),
    "partial panel": Case(64, 48, 17, 23, relu=True, residual=True),
    "overlapping channels": Case(20, 17, 19, 30, pads=(2, 0, 1, 3)),
    "no pads": Case(24, 40, 19, 30, pads=(0, 0, 0, 0)),
    "narrow": Case(16, 16, 13, 11, batch=3),
    "groups": Case(48, 64, 14, 15, groups=2),
    "many blocks": Case(16, 32, 61, 67, batch=2, relu=True),
    "few tiles": Case(160, 40, 7, 7),
    "all positive": Case(32, 32, 20, 20, scale=lambda random, channels: 1),
    "ill-scaled": Case(32, 32, 17, 23, scale=ill_scaled),
    "one large pixel": Case(32, 32, 17, 23, scale=one_large_pixel),
}
CASES["all positive"].x = np.abs(CASES["all positive"].x)


def archs_here():
    """Those that the machine runs."""
    flags = set(open("/proc/cpuinfo").read().split())
    return [arch for arch in ARCHS if arch == "x86-64-v2" or {"x86-64-v4": "avx512vl", "x86-64-v3": "fma"}[arch] in flags]


def start(model, path, arch="", **options):
    hexin.compile(model, path, cpu_archs=[arch] if arch else [], disable=DISABLED, **options)
    return hexin.Session(path, profile=True)


@pytest.mark.parametrize("arch", archs_here())
@pytest.mark.parametrize("name", CASES)
def test_numbers(name, arch, tmp_path):
    case = CASES[name]
    session = start(case.model(), tmp_path / "a.hxm", arch)
    actual = next(iter(session.run(case.inputs()).values()))
    error = np.abs(actual - case.expected())
    constant = 14 if case.x.shape[2] > 7 else 3
    assert np.all(error <= 2 ** -24 * (constant * case.magnitude() + 4 * np.abs(case.expected())))


@pytest.mark.parametrize("threads", [1, 2])
def test_one_artifact_at_many_sizes(threads, tmp_path):
    case = CASES["partial panel"]
    hexin.compile(case.model(dynamic=True), tmp_path / "a.hxm", disable=DISABLED)
    session = hexin.Session(tmp_path / "a.hxm", threads=threads)
    for batch, height, width in ((1, 28, 28), (2, 17, 9), (1, 4, 5), (3, 12, 13), (1, 61, 70)):
        small = Case(64, 48, height, width, batch=batch, relu=True, residual=True)
        actual = session.run(small.inputs())["relu"]
        error = np.abs(actual - small.expected())
        assert np.all(error <= 2 ** -24 * (14 * small.magnitude() + 4 * np.abs(small.expected()))), (batch, height, width)


@pytest.mark.parametrize("arch", archs_here())
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38, 3e38, -np.finfo(np.float32).max])
def test_what_is_not_finite_stays_where_it_belongs(value, arch, tmp_path):
    """Direct sums decide: nine results see a pixel, and a sum of large numbers that cancel is finite."""
    case = Case(32, 40, 28, 28)
    for channel, row, column in ((5, 9, 13), (7, 0, 27), (31, 27, 0), (0, 16, 16), (1, 17, 19)):
        case.x[0, channel, row, column] = value
    actual = start(case.model(), tmp_path / "a.hxm", arch).run(case.inputs())["conv"]
    with np.errstate(all="ignore"):
        expected = case.expected().astype(np.float32)
    assert np.array_equal(np.isnan(actual), np.isnan(expected))
    touched = ~np.isfinite(expected)
    assert 0.9 * touched.sum() <= (~np.isfinite(actual)).sum() <= max(1.1 * touched.sum(), 5 * 9 * 40)
    usual = np.isfinite(expected) & (np.abs(expected) < 1e6)
    assert np.abs(actual[usual] - expected[usual]).max() < 1e-4


def test_sentinels(tmp_path):
    """Half of the picture is the least float: the other half is as it is without."""
    case = Case(32, 32, 24, 24, relu=True)
    plain = start(case.model(), tmp_path / "a.hxm").run(case.inputs())["relu"]
    case.x[:, :, :, 12:] = -np.finfo(np.float32).max
    actual = start(case.model(), tmp_path / "a.hxm").run(case.inputs())["relu"]
    np.testing.assert_allclose(actual[..., :11], plain[..., :11], atol=1e-4)


def test_who_takes_it(tmp_path):
    """--explain says why not; the option turns it off; the weights are in the artifact twice."""
    def explain(case, **options):
        return hexin.compile(case.model(), tmp_path / "a.hxm", explain=True, **options).text

    assert "winograd: disabled by an option" in explain(CASES["relu"], disable=["winograd"])
    plain = (tmp_path / "a.hxm").stat().st_size
    assert "winograd: " not in explain(CASES["relu"], prepack="full")
    assert (tmp_path / "a.hxm").stat().st_size > plain + 3 * CASES["relu"].weights.nbytes
    assert "winograd: 8 to 32 channels are fewer than 16" in explain(Case(8, 32, 28, 28))
    assert "winograd: there are fewer than 12 tiles" in explain(Case(32, 32, 4, 4))
    assert "winograd: disabled by an option" in explain(CASES["relu"], prefer=["onednn"])


def test_other_devices_have_none(tmp_path):
    """One artifact: the transformed weights are the cpu's, and retargeting reads the plain ones."""
    case = CASES["relu"]
    hexin.compile(case.model(), tmp_path / "a.hxm", targets=["cpu", "opencl"])
    actual = {device: hexin.Session(tmp_path / "a.hxm", device=device).run(case.inputs())["relu"]
              for device in ("cpu", "opencl:0")}
    np.testing.assert_allclose(actual["cpu"], actual["opencl:0"], rtol=0, atol=2e-5)
