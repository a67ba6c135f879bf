"""Resampling: Resize, Upsample, GridSample, AffineGrid, regions, determinants.

Beside ONNX Runtime where it knows the operator; bounds by the number of taps, plus what the
rounding of a coordinate (at most the size) moves a value of a linear interpolation."""

import numpy as np

from operators.case import EXACT, Bound, Case
from operators.registry import strategy

FLOAT = np.dtype(np.float32)


@strategy("Upsample")
def upsample(draw):
    attributes, shape = {}, (draw.dim(1, 2), draw.dim(1, 3), draw.int(2, 5), draw.int(2, 5))
    mode = draw.maybe(attributes, "mode", draw.pick(["nearest", "linear"])) or "nearest"
    scales = [1.0, 1.0, float(draw.int(1, 3)), float(draw.int(1, 3))]
    x = draw.values(shape, FLOAT)
    bound = EXACT if mode == "nearest" else Bound(4, 16, 4.0)
    if draw.since < 7:
        attributes.update(height_scale=scales[2], width_scale=scales[3])
        if mode != "nearest":
            attributes["mode"] = "bilinear"
        return Case("Upsample", [x], attributes, bound=bound, reference=lambda x: _upsampled(x, scales, mode))
    if draw.since < 9:
        return Case("Upsample", [x], {**attributes, "scales": scales}, bound=bound, reference=lambda x: _upsampled(x, scales, mode))
    return Case("Upsample", [x, np.array(scales, np.float32)], attributes, constants=draw.constants(1), bound=bound,
                reference=lambda x, _: _upsampled(x, scales, mode))


def _upsampled(x, scales, mode):
    """Asymmetric: output i reads input i / scale."""
    y = x.astype(np.float64)
    for axis in (2, 3):
        size = x.shape[axis]
        at = np.arange(int(size * scales[axis])) / scales[axis]
        low = np.minimum(np.floor(at).astype(int), size - 1)
        if mode == "nearest":
            y = np.take(y, low, axis)
            continue
        high, weight = np.minimum(low + 1, size - 1), (at - low).reshape((-1,) + (1,) * (3 - axis))
        y = np.take(y, low, axis) * (1 - weight) + np.take(y, high, axis) * weight
    return y


@strategy("Resize")
def resize(draw):
    attributes = {}
    shape = (draw.dim(1, 2), draw.dim(1, 3), draw.int(2, 6), draw.int(2, 6))
    x = draw.values(shape, FLOAT)
    mode = draw.maybe(attributes, "mode", draw.pick(["nearest", "linear"] + (["cubic"] if draw.since >= 11 else []))) or "nearest"
    sizes = None
    # Scales that f32 holds, at which no coordinate lies on a tie that f32 might move.
    scales = [1.0, 1.0, draw.pick([2.0, 1.5, 1.25, 0.5]), draw.pick([2.0, 3.0, 0.75])]
    if draw.since < 11:
        scales = [1.0, 1.0, 2.0, 3.0]
        bound = EXACT if mode == "nearest" else Bound(4, 32, 4.0)
        return Case("Resize", [x, np.array(scales, np.float32)], attributes, constants=draw.constants(1), bound=bound,
                    reference=lambda x, _: _upsampled(x, scales, mode))
    modes = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"] + (["half_pixel_symmetric"] if draw.since >= 19 else [])
    coordinate = draw.maybe(attributes, "coordinate_transformation_mode", draw.pick(modes)) or "half_pixel"
    if mode == "nearest":
        draw.maybe(attributes, "nearest_mode", draw.pick(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]))
    if mode == "cubic":
        draw.maybe(attributes, "cubic_coeff_a", -0.5)
        draw.maybe(attributes, "exclude_outside", 1)
    if coordinate == "align_corners" or draw.flag():  # with scales, align_corners divides by a fractional length
        sizes = [shape[0], shape[1], draw.int(1, 9), draw.int(2, 9)]
        if coordinate == "pytorch_half_pixel" or mode == "nearest":
            sizes = [shape[0], shape[1], shape[2] * 2, shape[3] * 2]
    if draw.since >= 18 and mode != "nearest":
        if coordinate == "half_pixel":
            draw.maybe(attributes, "antialias", 1)
    inputs = [x, None, None if sizes else np.array(scales, np.float32), np.array(sizes, np.int64) if sizes else None]
    if draw.since < 13:
        inputs[1] = np.zeros(0, np.float32)
        if sizes:
            inputs[2] = np.zeros(0, np.float32)
    present = {i for i in (1, 2, 3) if inputs[i] is not None}
    bound = EXACT if mode == "nearest" else Bound(8, 8 * 64 + 64, 4.0)
    return Case("Resize", inputs, attributes, constants=frozenset(present) if draw.flag() or draw.since < 13 else frozenset(present & {1}),
                bound=bound)


@strategy("GridSample")
def grid_sample(draw):
    attributes, kind = {}, FLOAT
    names = ["linear", "cubic"] if draw.since >= 20 else ["bilinear", "bicubic"]
    rank = 3 if draw.since >= 20 and draw.flag(4) else 2
    mode = draw.maybe(attributes, "mode", draw.pick([names[0], "nearest"] + ([names[1]] if rank == 2 else [])))
    # Of a cubic beyond the border the text does not say whether the place or each tap is clamped.
    draw.maybe(attributes, "padding_mode", draw.pick(["zeros", "reflection"] + ([] if mode == names[1] else ["border"])))
    draw.maybe(attributes, "align_corners", draw.int(0, 1))
    n, c = draw.dim(1, 2), draw.dim(1, 3)
    sizes = [draw.int(2, 5) for _ in range(rank)]
    x = draw.values((n, c, *sizes), kind)
    grid = draw.values((n, *(draw.int(1, 4) for _ in range(rank)), rank), kind, -1.3, 1.3)
    # A weight is off by the rounding of a coordinate of size up to 8, a cubic one four times that.
    return Case("GridSample", [x, grid], attributes, bound=EXACT if mode == "nearest" else Bound(8, 16 * 4 * 8 * 4, 4.0))


@strategy("AffineGrid")
def affine_grid(draw):
    attributes, kind, spatial = {}, FLOAT, draw.int(2, 3)
    align = draw.maybe(attributes, "align_corners", draw.int(0, 1)) or 0
    n = draw.dim(1, 3)
    sizes = [draw.int(2, 5) for _ in range(spatial)]
    theta = draw.values((n, spatial, spatial + 1), kind)

    def reference(theta, _):
        axes = [np.linspace(-1, 1, s) if align else (2 * np.arange(s) + 1) / s - 1 for s in sizes]
        grid = np.stack([*reversed(np.meshgrid(*axes, indexing="ij")), np.ones(sizes)], -1)
        return np.einsum("nij,...j->n...i", theta.astype(np.float64), grid)

    return Case("AffineGrid", [theta, np.array([n, draw.dim(1, 3), *sizes], np.int64)], attributes, constants=draw.constants(1),
                bound=Bound(1, 4 * (spatial + 2), 16.0), reference=reference)


def _rois(draw, count, height, width):
    corners = draw.rng().uniform(0, 1, (count, 4)) * [width - 1, height - 1, width - 1, height - 1]
    low, high = np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])
    return np.concatenate([low, high], 1).astype(np.float32)


@strategy("RoiAlign")
def roi_align(draw):
    attributes, n, count = {}, draw.dim(1, 2), draw.dim(1, 3)
    draw.maybe(attributes, "output_height", draw.int(1, 3))
    draw.maybe(attributes, "output_width", draw.int(1, 3))
    draw.maybe(attributes, "sampling_ratio", draw.int(0, 2))
    draw.maybe(attributes, "spatial_scale", draw.pick([1.0, 0.5]))
    draw.maybe(attributes, "mode", "avg")
    if draw.since >= 16:
        draw.maybe(attributes, "coordinate_transformation_mode", draw.pick(["half_pixel", "output_half_pixel"]))
    x = draw.values((n, draw.dim(1, 3), 6, 7), FLOAT)
    batch = draw.rng().integers(0, n, count).astype(np.int64)
    return Case("RoiAlign", [x, _rois(draw, count, 6, 7), batch], attributes, bound=Bound(8, 16 * 8 * 4, 4.0))


@strategy("MaxRoiPool")
def max_roi_pool(draw):
    n, count = draw.dim(1, 2), draw.dim(1, 3)
    rois = np.round(_rois(draw, count, 6, 7))
    rois = np.concatenate([draw.rng().integers(0, n, (count, 1)).astype(np.float32), rois], 1)
    attributes = {"pooled_shape": [draw.int(1, 3), draw.int(1, 3)]}
    return Case("MaxRoiPool", [draw.values((n, draw.dim(1, 3), 6, 7), FLOAT), rois], attributes)


@strategy("DeformConv")
def deform_conv(draw):
    n, c, m, h, w, k = draw.dim(1, 2), draw.dim(1, 3), draw.dim(1, 3), 5, 4, draw.int(1, 2)
    oh, ow = h - k + 1, w - k + 1
    inputs = [draw.values((n, c, h, w), FLOAT), draw.values((m, c, k, k), FLOAT), draw.values((n, 2 * k * k, oh, ow), FLOAT, -0.9, 0.9),
              draw.values((m,), FLOAT) if draw.flag() else None, draw.values((n, k * k, oh, ow), FLOAT, 0, 1) if draw.flag() else None]
    return Case("DeformConv", inputs, bound=Bound(4, c * k * k * 8 * 8 * 4 + 4, 4.0))


@strategy("Det")
def det(draw):
    size, kind = draw.int(1, 4), draw.dtype(without=["tensor(bfloat16)"])
    x = draw.values((*draw.shape(0, 2, least=1, most=3), size, size), kind)
    # Of elimination with pivots: n³ operations on products of norms of rows (Hadamard), growth 2ⁿ⁻¹.
    return Case("Det", [x], bound=Bound(1, 2 * size**3, (4.0 * size**0.5)**size * 2**(size - 1)),
                reference=lambda x: np.asarray(np.linalg.det(x.astype(np.float64))))


