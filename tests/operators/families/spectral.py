"""Fourier transforms, windows, losses of classes."""

import math

import numpy as np

from operators.case import Bound, Case, element_type
from operators.registry import strategy


@strategy("DFT")
def dft(draw):
    attributes, kind = {}, draw.pick([np.dtype(np.float32), np.dtype(np.float64)])
    signal = list(draw.shape(2, 3, least=1))
    complex_in = draw.flag()
    rank = len(signal) + 1
    axis = draw.int(1 if len(signal) > 1 else 0, rank - 2)
    inverse = draw.maybe(attributes, "inverse", draw.int(0, 1))
    onesided = draw.maybe(attributes, "onesided", 1) if not complex_in and not inverse else 0
    length = draw.int(1, 9) if draw.flag() else None
    x = draw.values((*signal, 2 if complex_in else 1), kind)
    inputs = [x, None if length is None else np.array(length, np.int64)]
    if draw.since >= 20:
        inputs.append(np.array(axis - rank if draw.flag() else axis, np.int64))
    else:
        attributes["axis"] = axis

    def reference(x, *_):
        y = x[..., 0].astype(np.complex128) + (1j * x[..., 1] if complex_in else 0)
        n = length or y.shape[axis]
        y = np.fft.ifft(y, n, axis) if inverse else np.fft.fft(y, n, axis)
        if onesided:
            y = np.take(y, np.arange(n // 2 + 1), axis)
        return np.stack([y.real, y.imag], -1)

    n = length or signal[axis]
    return Case("DFT", inputs, attributes, constants=frozenset({1, 2} & {i for i, v in enumerate(inputs) if v is not None}),
                bound=Bound(1, 2 * n + 4, 8.0 * (1 if inverse else n)), reference=reference)


@strategy("STFT")
def stft(draw):
    kind, attributes = np.dtype(np.float32), {}
    frame, hop, batch = draw.int(2, 9), draw.int(1, 4), draw.dim(1, 3)
    length = frame + hop * draw.int(0, 5) + draw.int(0, hop - 1)
    one = draw.maybe(attributes, "onesided", draw.int(0, 1))
    onesided = 1 if one is None else one
    x = draw.values((batch, length, 1), kind)
    window = draw.values((frame,), kind, 0, 1) if draw.flag() else None
    inputs = [x, np.array(hop, np.int64), window, np.array(frame, np.int64) if window is None or draw.flag() else None]

    def reference(x, step, w=None, frame_length=None):
        starts = range(0, length - frame + 1, hop)
        frames = np.stack([x[:, s:s + frame, 0].astype(np.float64) for s in starts], 1)
        y = np.fft.fft(frames * (1 if w is None else w.astype(np.float64)), axis=-1)
        y = y[..., :frame // 2 + 1] if onesided else y
        return np.stack([y.real, y.imag], -1)

    return Case("STFT", inputs, attributes, constants=frozenset({1} | ({3} if inputs[3] is not None else set())),
                bound=Bound(1, 2 * frame + 4, 4.0 * frame), reference=reference)


@strategy("HannWindow", "HammingWindow", "BlackmanWindow")
def windows(draw):
    attributes, size = {}, draw.int(1, 17)
    periodic = draw.maybe(attributes, "periodic", draw.int(0, 1))
    n = size if periodic is None or periodic else size - 1
    n = max(n, 1)
    t = 2 * math.pi * np.arange(size) / n
    y = {"HannWindow": 0.5 - 0.5 * np.cos(t), "HammingWindow": 25 / 46 - 21 / 46 * np.cos(t),
         "BlackmanWindow": 0.42 - 0.5 * np.cos(t) + 0.08 * np.cos(2 * t)}[draw.op]
    kind = np.dtype(np.float32)
    if draw.flag(3):
        kind = np.dtype(np.float64)
        attributes["output_datatype"] = element_type(kind)
    return Case(draw.op, [np.array(size, np.int64)], attributes, constants=draw.constants(0),
                bound=Bound(4, 4 + 12 * size if kind == np.float32 else 2.0**10, 1.0), reference=lambda _: y.astype(kind))


@strategy("MelWeightMatrix")
def mel(draw):
    bins, length, rate = draw.int(2, 12), draw.pick([16, 64, 128]), draw.pick([8000, 16000])
    scalars = [np.array(v, np.int64) for v in (bins, length, rate)] + [
        np.array(v, np.float32) for v in (draw.pick([0.0, 20.0]), rate / 2.0)]
    return Case("MelWeightMatrix", scalars, constants=frozenset(range(5)) if draw.flag() else frozenset(),
                bound=Bound(4, 64, 1.0))


@strategy("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss")
def losses(draw):
    attributes, kind = {}, draw.dtype("T")
    n, c, rest = draw.dim(1, 5), draw.dim(1, 5), draw.shape(0, 2, least=1)
    reduction = draw.maybe(attributes, "reduction", draw.pick(["none", "sum", "mean"])) or "mean"
    target = draw.rng().integers(0, c, (n, *rest)).astype(draw.pick([np.int64, np.int32]))
    ignored = draw.maybe(attributes, "ignore_index", int(draw.int(-1, c - 1)))
    if ignored is not None and draw.flag():
        target.reshape(-1)[0] = ignored
    if ignored is not None and (target == ignored).all():
        attributes.pop("ignore_index")
        target = np.abs(target)
        ignored = None
    x = draw.values((n, c, *rest), kind, -4, 0 if draw.op[0] == "N" else 4)
    weight = draw.values((c,), kind, 0.5, 2) if draw.flag() else None
    outputs = 2 if draw.op[0] == "S" and draw.flag() else 1

    def reference(x, t, w=None):
        x, t = x.astype(np.float64), t.astype(np.int64)
        logs = x
        if draw.op[0] == "S":
            shifted = x - x.max(1, keepdims=True)
            logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        kept = np.ones(t.shape, bool) if ignored is None else t != ignored
        safe = np.where(kept, t, 0)
        weights = np.where(kept, (np.ones(c) if w is None else w.astype(np.float64))[safe], 0)
        loss = -np.take_along_axis(logs, safe[:, None], 1)[:, 0] * weights
        result = loss if reduction == "none" else loss.sum() if reduction == "sum" else loss.sum() / weights.sum()
        return (result, logs) if outputs == 2 else np.asarray(result)

    middle = 1 if kind.itemsize >= 4 else 2.0**13 if kind.name == "float16" else 2.0**16
    count = target.size
    return Case(draw.op, [x, target, weight], attributes, outputs,
                bound=Bound(8, (count + c + 8) * middle, 16.0 * (count if reduction == "sum" else 1)), reference=reference)


