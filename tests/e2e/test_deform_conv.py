"""DeformConv beside ONNX Runtime."""

import numpy as np
import pytest
from contrib_cases import RUNS, Cases, Compiled, node_refusal, open_session, run_family

rng = np.random.default_rng(330)


def floats(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def deformed():
    cases = Cases()
    for name, channels, filters, taps, size, groups, offset_groups, window in (
            ("groups", 6, 4, (3, 2), (9, 6), 2, 3, dict(pads=[1, 0, 2, 1], strides=[2, 1])),
            ("plain", 3, 4, (3, 3), (7, 8), 1, 1, {}),
            ("dilated", 4, 8, (2, 3), (8, 11), 4, 2, dict(dilations=[2, 3], pads=[2, 2, 2, 2], kernel_shape=[2, 3])),
            ("point", 2, 3, (1, 1), (4, 4), 1, 2, {})):
        pads, strides = window.get("pads", [0] * 4), window.get("strides", [1, 1])
        dilations = window.get("dilations", [1, 1])
        out = [(size[i] + pads[i] + pads[2 + i] - dilations[i] * (taps[i] - 1) - 1) // strides[i] + 1 for i in range(2)]
        x = cases.input(name + ".x", floats(2, channels, *size))
        w = cases.constant(name + ".w", floats(filters, channels // groups, *taps) * 0.5)
        offset = cases.input(name + ".offset", floats(2, offset_groups * taps[0] * taps[1] * 2, *out) * 2)
        mask = cases.input(name + ".mask", rng.uniform(0, 1, (2, offset_groups * taps[0] * taps[1], *out)).astype(np.float32))
        bias = cases.constant(name + ".bias", floats(filters))
        attributes = dict(group=groups, offset_group=offset_groups, **window)
        cases.add("DeformConv", name + "-bias-mask", [x, w, offset, bias, mask], domain="", **attributes)
        cases.add("DeformConv", name, [x, w, offset], domain="", **attributes)
    # Offsets of nothing are a convolution, along any number of axes.
    for rank, shape in ((1, (9,)), (3, (4, 5, 6))):
        taps = (2,) * rank
        out = [length - 1 for length in shape]
        x, w = floats(2, 4, *shape), floats(6, 2, *taps)
        windows = np.lib.stride_tricks.sliding_window_view(x, taps, tuple(range(2, 2 + rank)))
        columns = np.moveaxis(windows, 1, 1 + rank).reshape(2, -1, 2, 2 * 2**rank)  # [N, O, groups, C/g * K]
        y = np.einsum("nogc,gmc->ngmo", columns.astype(np.float64), w.reshape(2, 3, -1)).reshape(2, 6, *out)
        names = [cases.input(f"x{rank}", x), cases.constant(f"w{rank}", w), cases.input(f"none{rank}", np.zeros((2, 2**rank * rank, *out), np.float32))]
        cases.add("DeformConv", f"axes-{rank}", names, [y.astype(np.float32)], domain="", group=2)
    return cases


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    return Compiled({"deformed": deformed}, tmp_path_factory.mktemp("deformed"))


@pytest.mark.parametrize(("device", "mode"), RUNS)
def test_agrees(compiled, device, mode):
    run_family(compiled, "deformed", device, mode)


def test_wild_offsets_read_nothing(compiled):
    cases, artifact = compiled("deformed", "cpu", "static")
    session, feeds = open_session(artifact, "cpu"), dict(cases.inputs)
    for wild in (np.nan, np.inf, -np.inf, 3e38, -1e9):
        feeds["groups.offset"] = np.full_like(feeds["groups.offset"], wild)
        assert np.isfinite(session.run(feeds)["groups.0"]).all() or not np.isfinite(wild)


def test_sizes_must_fit():
    x, w, offset = floats(1, 2, 5, 5), floats(3, 2, 3, 3), floats(1, 18, 3, 3)

    def message(*arrays, **attributes):
        return node_refusal("DeformConv", dict(zip("xwo", arrays)), domain="", **attributes)

    assert "channels of the offsets" in message(x, w, offset[:, :9])
    assert "channels of the offsets" in message(x, w, offset, offset_group=2)
    assert "the number of offsets along spatial axis 0 is 2, but that of windows is 3" in message(x, w, offset[:, :, :2])
    assert "the number of channels of X is 2, but group times that of W is 4" in message(x, w, offset, group=2)
    assert "offset_group=0" in message(x, w, offset, offset_group=0)
    assert "kernel_shape says 2" in message(x, w, offset, kernel_shape=[2, 3])
    assert "has rank 3" in message(x, w, offset[0])
