"""hexin.Session and hexin.Model: what goes in, what comes out, what is kept."""

import gc
import sys
import threading
import weakref

import hexin
import numpy as np
import pytest
from small_models import BIAS, METADATA, WEIGHTS


def expected(x):
    return x @ WEIGHTS + BIAS


@pytest.fixture
def affine(small_artifact, device):
    return hexin.Session(small_artifact("affine"), device=device)


@pytest.fixture
def x():
    return np.arange(12, dtype=np.float32).reshape(4, 3)


def test_ports_tell_names_types_and_sizes(affine):
    (port,) = affine.inputs
    assert port == hexin.Port("x", "tensor", "f32", ("N", 3), port.doc)
    assert port.dtype == np.float32
    assert [port.name for port in affine.outputs] == ["y"]


def test_metadata_and_doc_survive(affine):
    assert affine.metadata == METADATA
    assert affine.model.doc == "a small model"
    assert affine.model.name == "affine"
    assert set(affine.model.targets) == {"cpu", "opencl"}


def test_run(affine, x):
    outputs = affine.run({"x": x})
    assert list(outputs) == ["y"]
    assert outputs["y"].dtype == np.float32
    np.testing.assert_allclose(outputs["y"], expected(x), rtol=1e-6)


@pytest.mark.parametrize("rows", [1, 5, 0, 3])
def test_sizes_are_dynamic(affine, rows):
    x = np.ones((rows, 3), np.float32)
    np.testing.assert_allclose(affine.run({"x": x})["y"], expected(x), rtol=1e-6)


@pytest.mark.parametrize("layout", [
    lambda x: x, np.asfortranarray, lambda x: x[::-1], lambda x: x[::2], memoryview, list,
    lambda x: x.tolist(), lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape),
], ids=["contiguous", "fortran", "reversed", "strided", "memoryview", "list", "nested lists", "unaligned"])
def test_any_layout(affine, x, layout):
    given = layout(x)
    np.testing.assert_allclose(affine.run({"x": given})["y"], expected(np.asarray(given, np.float32)), rtol=1e-6)


def test_read_only_arrays_are_inputs(affine, x):
    x.flags.writeable = False
    np.testing.assert_allclose(affine.run({"x": x})["y"], expected(x), rtol=1e-6)


class OnlyDlpack:
    """What a tensor of another framework looks like."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_dlpack(affine, x):
    for array in (x, x[::2]):
        np.testing.assert_allclose(affine.run({"x": OnlyDlpack(array)})["y"], expected(array), rtol=1e-6)


def test_inputs_are_released_after_the_run(affine):
    x = np.ones((1000, 3), np.float32)
    before = sys.getrefcount(x)
    affine.run({"x": x})
    assert sys.getrefcount(x) == before


def test_outputs_own_their_memory(affine, x):
    first = affine.run({"x": x})["y"]
    kept = first.copy()
    for _ in range(3):
        affine.run({"x": x + 1})
    np.testing.assert_array_equal(first, kept)
    del affine
    gc.collect()
    np.testing.assert_array_equal(first, kept)


def test_preallocated_outputs(affine, x):
    y = np.zeros((4, 2), np.float32)
    outputs = affine.run({"x": x}, outputs={"y": y})
    assert outputs["y"] is y
    np.testing.assert_allclose(y, expected(x), rtol=1e-6)


def test_chosen_outputs(small_artifact, device):
    session = hexin.Session(small_artifact("accumulate"), device=device)
    zeros = np.zeros(2, np.float32)
    assert list(session.run({"x": zeros, "total_in": zeros}, outputs=["y"])) == ["y"]


def test_submit(affine, x):
    runs = [affine.submit({"x": x + i}) for i in range(3)]
    for i, run in enumerate(runs):
        np.testing.assert_allclose(run.result()["y"], expected(x + i), rtol=1e-6)
        assert run.result() is run.result()


def test_submitted_inputs_are_kept_alive(affine):
    x = np.ones((100, 3), np.float32)
    run = affine.submit({"x": x})
    alive = weakref.ref(x)
    del x
    np.testing.assert_allclose(run.result()["y"][0], expected(np.ones((1, 3)))[0], rtol=1e-6)
    del run
    gc.collect()
    assert alive() is None


def test_a_run_may_be_dropped(affine, x):
    affine.submit({"x": x})
    gc.collect()
    affine.run({"x": x})


def test_prepare_makes_the_plan(affine, x):
    affine.prepare({"x": x.shape})
    plans = affine.stats.plans
    affine.run({"x": x})
    assert affine.stats.plans == plans
    assert affine.stats.runs == 1


def test_sessions_share_a_model(small_artifact, x):
    model = hexin.Model(small_artifact("affine"))
    sessions = [hexin.Session(model, device=device) for device in ("cpu", "opencl:0", "cpu")]
    for session in sessions:
        assert session.model is model
        np.testing.assert_allclose(session.run({"x": x})["y"], expected(x), rtol=1e-6)


def test_threads_take_turns(affine):
    failures = []

    def work(rows):
        x = np.full((rows, 3), rows, np.float32)
        for _ in range(20):
            if not np.allclose(affine.run({"x": x})["y"], expected(x)):
                failures.append(rows)

    threads = [threading.Thread(target=work, args=(rows,)) for rows in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert affine.stats.runs == 80


def test_trace_is_json(small_artifact, device, x):
    import json

    session = hexin.Session(small_artifact("affine"), device=device, profile=True)
    session.run({"x": x})
    assert json.loads(session.trace())["traceEvents"]


def test_trace_needs_profile(affine, x):
    affine.run({"x": x})
    with pytest.raises(hexin.FailedPreconditionError):
        affine.trace()


@pytest.mark.parametrize("name, dtype", [
    ("FLOAT", np.float32), ("DOUBLE", np.float64), ("FLOAT16", np.float16), ("INT32", np.int32), ("INT64", np.int64),
])
def test_dtypes(device, tmp_path, name, dtype):
    import onnx
    import small_models

    model = small_models.double(getattr(onnx.TensorProto, name))
    hexin.compile(model, tmp_path / "a.hxm", targets=[device.split(":")[0]])
    x = np.array([0, 1, 2, 3], dtype)
    y = hexin.Session(tmp_path / "a.hxm", device=device).run({"x": x})["y"]
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, x + x)


def test_bfloat16(device, tmp_path):
    """As an ml_dtypes array, or as its bits."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    import onnx
    import small_models

    hexin.compile(small_models.double(onnx.TensorProto.BFLOAT16), tmp_path / "a.hxm", targets=[device.split(":")[0]])
    session = hexin.Session(tmp_path / "a.hxm", device=device)
    x = np.array([0, 1, 2.5, -3], ml_dtypes.bfloat16)
    for given in (x, x.view(np.uint16)):
        y = session.run({"x": given})["y"]
        assert y.dtype == ml_dtypes.bfloat16
        np.testing.assert_array_equal(y, x + x)


def test_reprs_name_file_and_device(affine):
    assert affine.device in repr(affine) and "affine" in repr(affine.model)
