"""Convolutions, plain and transposed, and exact products of 8-bit integers, with every option, on every device."""

import numpy as np
import pytest
from devices import DEVICES
from op_cases import Cases, Families, random


def integer_products():
    """Exact sums of 8-bit products, over depths at which f32 would round."""
    cases = Cases()
    bytes_ = np.random.default_rng(80).integers
    for rows, depth, columns in ((1, 5, 3), (50, 768, 40), (7, 3001, 33)):
        name = f"{rows}x{depth}x{columns}"
        for lhs, rhs in (("uint8", "int8"), ("uint8", "uint8"), ("int8", "int8")):
            low, high = np.iinfo(lhs).min, np.iinfo(lhs).max
            a = cases.input(f"{name}.{lhs}.{rhs}.a", bytes_(low, high + 1, (2, rows, depth)).astype(lhs))
            # Most at the ends, where sums grow fastest.
            ends = bytes_(0, 2, (depth, columns)) * (np.iinfo(rhs).max - np.iinfo(rhs).min) + np.iinfo(rhs).min
            b = cases.constant(f"{name}.{lhs}.{rhs}.b", ends.astype(rhs))
            za = cases.constant(f"{name}.{lhs}.za", np.array(3, lhs))
            zb = cases.constant(f"{name}.{rhs}.zb", np.array([7], rhs))
            zeros = cases.constant(f"{name}.{rhs}.zeros", np.zeros(columns, rhs))
            each = cases.constant(f"{name}.{rhs}.each", bytes_(0, 9, columns).astype(rhs))
            for how, zero_points in (("plain", []), ("both", [za, zb]), ("lhs", [za]), ("zeros", [za, zeros]),
                                     ("columns", [za, each])):
                cases.add("MatMulInteger", f"{name}-{lhs}-{rhs}-{how}", [a, b, *zero_points])
    x = cases.input("x", bytes_(0, 256, (2, 24, 61)).astype(np.uint8))
    image = cases.input("image", bytes_(0, 256, (1, 8, 17, 13)).astype(np.uint8))
    zero = cases.constant("zero", np.array(131, np.uint8))
    kernel_zero = cases.constant("kernel-zero", np.array(2, np.int8))
    for groups in (1, 4, 24):
        w = cases.constant(f"w{groups}", bytes_(-128, 128, (48, 24 // groups, 11)).astype(np.int8))
        for pads in ([0, 0], [5, 5], [10, 0]):
            for dilation in (1, 3):
                cases.add("ConvInteger", f"conv-{groups}-{pads}-{dilation}", [x, w, zero], group=groups, pads=pads,
                          dilations=[dilation], strides=[1 if dilation == 3 else 2])
    w = cases.constant("w2d", bytes_(-128, 128, (21, 8, 3, 3)).astype(np.int8))
    cases.add("ConvInteger", "conv2d", [image, w, zero, kernel_zero], pads=[1, 1, 1, 1])
    cases.add("ConvInteger", "conv2d-plain", [image, w], strides=[2, 1])
    return cases


def transposed_convolutions():
    """Strides that divide the taps and strides that do not, pads, output padding, groups."""
    cases = Cases()
    line, image = cases.input("line", random(90, 2, 6, 19)), cases.input("image", random(91, 1, 6, 7, 5))
    bias = cases.constant("bias", random(92, 10))
    for taps, stride, pads, output_padding in ((20, 10, [5, 5], 0), (12, 6, [3, 3], 0), (20, 5, [0, 0], 0),
                                               (3, 2, [1, 1], 1), (5, 3, [0, 2], 1), (7, 1, [3, 3], 0),
                                               (4, 4, [0, 0], 0), (2, 5, [0, 0], 3), (5, 2, [4, 0], 0)):
        for groups in (1, 2):
            w = cases.constant(f"w{taps}.{stride}.{groups}", random(taps, 6, 10 // groups, taps))
            cases.add("ConvTranspose", f"line-{taps}-{stride}-{groups}", [line, w, bias], strides=[stride], pads=pads,
                      output_padding=[output_padding], group=groups)
    for taps, strides, pads in (((4, 4), [2, 2], [1, 1, 1, 1]), ((3, 5), [2, 3], [1, 0, 0, 2]), ((2, 2), [2, 2], [0] * 4)):
        w = cases.constant(f"w{taps}", random(99, 6, 10, *taps))
        cases.add("ConvTranspose", f"image-{taps}", [image, w], strides=strides, pads=pads)
    w = cases.constant("dilated", random(98, 6, 10, 3))
    cases.add("ConvTranspose", "dilated", [line, w], strides=[2], dilations=[2])
    return cases


def convolutions():
    """Groups of every kind: whole, grouped, depthwise, depthwise with several outputs per channel."""
    cases = Cases()
    for c, m, groups in ((3, 5, 1), (6, 9, 3), (4, 4, 4), (4, 8, 4), (20, 60, 20), (32, 64, 32), (64, 128, 64)):
        image = cases.input(f"image-{c}-{groups}", random(130 + c, 2, c, 9, 11))
        for taps, pads, strides, dilations in ((1, 0, 1, 1), (3, 1, 1, 1), (3, 0, 2, 1), (3, 2, 1, 2)):
            name = f"{c}-{m}-{groups}-{taps}-{pads}-{strides}"
            w = cases.constant("w-" + name, random(131 + c, m, c // groups, taps, taps))
            cases.add("Conv", name, [image, w], group=groups, pads=[pads] * 4, strides=[strides] * 2,
                      dilations=[dilations] * 2)
    return cases


FAMILIES = {
    "convolutions": convolutions, "integer-products": integer_products, "transposed-convolutions": transposed_convolutions,
}


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    return Families(FAMILIES, tmp_path_factory.mktemp("ops"))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", FAMILIES)
def test_family_agrees(families, name, device):
    families.check(name, device)
