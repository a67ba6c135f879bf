"""Det and com.microsoft's Inverse, beside numpy in f64; batches and sizes of the run."""

import numpy as np
import pytest
from contrib_cases import Cases, compile_cases, node_refusal, open_session
from devices import DEVICES

rng = np.random.default_rng(320)


def matrices(kind, *shape):
    return rng.standard_normal(shape).astype(kind)


INPUTS = {"single": ("float32", 2), "batch": ("float32", 4), "wide": ("float64", 3), "narrow": ("float16", 3)}


@pytest.fixture(scope="module")
def solve(tmp_path_factory):
    """solve(device, name -> matrices) -> outputs; on OpenCL, whose compiler is slow, of those in f32."""
    folder, artifacts = tmp_path_factory.mktemp("elimination"), {}

    def on(device, feeds):
        names = [name for name, (kind, _) in INPUTS.items() if device == "cpu" or kind == "float32"]
        if device not in artifacts:
            cases = Cases()
            for name in names:
                kind, rank = INPUTS[name]
                cases.input(name, np.zeros((1,) * rank, kind))
                cases.add("Det", f"det-{name}", [name], domain="")
                cases.add("Inverse", f"inverse-{name}", [name])
            artifacts[device] = compile_cases(cases, device, folder / f"{device}.hxm", "dynamic")
        return open_session(artifacts[device], device).run({name: feeds[name] for name in names})

    return on


@pytest.mark.parametrize("device", DEVICES)
def test_beside_numpy(solve, device):
    for n in (1, 2, 3, 7, 16):
        feeds = {"single": matrices("float32", n, n), "batch": matrices("float32", 2, 3, n, n),
                 "wide": matrices("float64", 4, n, n), "narrow": matrices("float16", 2, n, n) / np.float16(n**0.5)}
        found = solve(device, feeds)
        for name in [output[4:-2] for output in found if output.startswith("det-")]:
            x = feeds[name]
            exact = x.astype(np.float64)
            # Elimination is backward stable: what it gives is exact for a matrix that is n * u away.
            unit = np.finfo(x.dtype).eps + np.finfo(np.float32).eps * (x.dtype == np.float16)
            condition = np.linalg.cond(exact)[..., None, None] if n > 1 else np.ones((*x.shape[:-2], 1, 1))
            inverse, det = np.linalg.inv(exact), np.linalg.det(exact)
            bound = 8 * n * unit * condition
            assert (np.abs(found[f"inverse-{name}.0"] - inverse) <= bound * np.abs(inverse).max((-1, -2), keepdims=True)).all(), (name, n)
            assert (np.abs(found[f"det-{name}.0"] - det) <= bound[..., 0, 0] * np.abs(det)).all(), (name, n)
            assert found[f"det-{name}.0"].dtype == x.dtype and found[f"det-{name}.0"].shape == x.shape[:-2]


@pytest.mark.parametrize("device", DEVICES)
def test_rows_change_places_and_singular_ones_are_zero(solve, device):
    swap = np.float32([[0, 1, 0], [0, 0, 2], [3, 0, 0]])
    singular = np.float32([[1, 2, 3], [2, 4, 6], [1, 0, 1]])
    batch = np.stack([swap, singular, np.zeros((3, 3), np.float32), swap[[1, 0, 2]], np.eye(3, dtype=np.float32), -np.eye(3, dtype=np.float32)])
    feeds = {"single": swap, "batch": batch.reshape(2, 3, 3, 3), "wide": np.eye(2)[None], "narrow": np.eye(2, dtype=np.float16)[None]}
    found = solve(device, feeds)
    np.testing.assert_array_equal(found["det-single.0"], np.float32(6))
    np.testing.assert_array_equal(found["det-batch.0"], np.float32([[6, 0, 0], [-6, 1, -1]]))
    np.testing.assert_allclose(found["inverse-single.0"], np.linalg.inv(swap), rtol=1e-6)
    feeds["single"] = np.float32([[1, np.nan], [2, 3]])
    assert np.isnan(solve(device, feeds)["det-single.0"])


@pytest.mark.parametrize("device", DEVICES)
def test_no_rows_and_no_matrices(solve, device):
    feeds = {"single": np.zeros((0, 0), np.float32), "batch": np.zeros((2, 0, 3, 3), np.float32),
             "wide": np.zeros((2, 0, 0)), "narrow": np.zeros((0, 1, 1), np.float16)}
    found = solve(device, feeds)
    np.testing.assert_array_equal(found["det-single.0"], np.float32(1))
    assert found["det-batch.0"].shape == (2, 0) and found["inverse-batch.0"].shape == (2, 0, 3, 3)
    if device == "cpu":
        np.testing.assert_array_equal(found["det-wide.0"], np.ones(2))


def test_matrices_must_be_square(solve, tmp_path):
    import hexin

    assert "the number of rows is 2, but that of columns is 3" in node_refusal("Det", {"x": matrices("float32", 2, 3)}, domain="")
    assert "rank 1" in node_refusal("Inverse", {"x": matrices("float32", 3)})
    with pytest.raises(hexin.Error):
        solve("cpu", {"single": np.zeros((2, 3), np.float32), "batch": np.zeros((1, 1, 2, 2), np.float32),
                      "wide": np.zeros((1, 1, 1)), "narrow": np.zeros((1, 1, 1), np.float16)})
