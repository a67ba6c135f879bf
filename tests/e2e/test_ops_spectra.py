"""STFT on every device, beside numpy in f64."""

import numpy as np
import pytest
from devices import DEVICES, TARGETS
from op_cases import Cases, open_session, random

SPECTRA = ((20, 5), (16, 16), (75, 10), (400, 160), (1, 3))  # frame length, step


@pytest.fixture(scope="module")
def spectra(tmp_path_factory):
    """STFT with and without a window, of real and complex signals; the truth is numpy's in f64."""
    import hexin

    cases = Cases()
    cases.input("signal", random(100, 2, 700))
    cases.input("deep", random(101, 2, 700, 1))
    cases.input("pairs", random(102, 2, 500, 2))
    for length, step in SPECTRA:
        cases.constant(f"length{length}", np.array(length, np.int64))
        cases.constant(f"step{length}", np.array(step, np.int64))
        cases.constant(f"window{length}", np.hanning(length + 1)[:-1].astype(np.float32))
        cases.add("STFT", f"plain-{length}", ["signal", f"step{length}", "", f"length{length}"])
        cases.add("STFT", f"window-{length}", ["deep", f"step{length}", f"window{length}"])
        cases.add("STFT", f"complex-{length}", ["pairs", f"step{length}", f"window{length}"], onesided=0)
    path = tmp_path_factory.mktemp("spectra") / "spectra.hxm"
    hexin.compile(cases.model(), str(path), targets=TARGETS)
    return cases, path


@pytest.mark.parametrize("device", DEVICES)
def test_short_time_spectra(spectra, device):
    cases, artifact = spectra
    outputs = open_session(artifact, device).run(cases.inputs)
    signal, deep, pairs = (cases.inputs[name].astype(np.float64) for name in ("signal", "deep", "pairs"))
    for length, step in SPECTRA:
        window = cases.constants[f"window{length}"].astype(np.float64)
        for name, samples, weights, transform in (
                ("plain", signal, np.ones(length), np.fft.rfft), ("window", deep[..., 0], window, np.fft.rfft),
                ("complex", pairs[..., 0] + 1j * pairs[..., 1], window, np.fft.fft)):
            frames = np.lib.stride_tricks.sliding_window_view(samples, length, axis=1)[:, ::step]
            expected = transform(frames * weights)
            expected = np.stack([expected.real, expected.imag], -1)
            found = outputs[f"{name}-{length}.0"]
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * length, err_msg=f"{name}-{length}")
    assert not outputs["plain-20.0"][..., [0, 10], 1].any()  # exactly
