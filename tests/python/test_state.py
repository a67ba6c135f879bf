"""State: set, reset, moved between sessions and devices."""

import hexin
import numpy as np
import pytest

ONES = np.ones(2, np.float32)


@pytest.fixture
def artifact(small_artifact):
    return small_artifact("accumulate", states={"total_in": "total_out"})


@pytest.fixture
def session(artifact, device):
    return hexin.Session(artifact, device=device)


def state_name(session):
    (state,) = session.states
    assert state.dtype == np.float32 and state.shape == (2,)
    return state.name


def test_state_leaves_the_signature(session):
    assert [port.name for port in session.inputs] == ["x"]


def test_state_outlives_runs(session):
    for total in (1, 2, 3):
        np.testing.assert_array_equal(session.run({"x": ONES})["y"], 2 * total * ONES)
    np.testing.assert_array_equal(session.get_state(state_name(session)), 3 * ONES)


def test_set_and_reset(session):
    session.set_state(state_name(session), [10, 20])
    np.testing.assert_array_equal(session.run({"x": ONES})["y"], [22, 42])
    session.reset_state()
    np.testing.assert_array_equal(session.run({"x": ONES})["y"], [2, 2])


def test_get_state_is_a_copy(session):
    session.run({"x": ONES})
    copy = session.get_state(state_name(session))
    copy[:] = 100
    np.testing.assert_array_equal(session.get_state(state_name(session)), ONES)


@pytest.mark.parametrize("other", ["cpu", "opencl:0"])
def test_state_moves_to_another_device(artifact, session, other):
    for _ in range(3):
        session.run({"x": ONES})
    moved = hexin.Session(artifact, device=other)
    moved.import_state(session.export_state())
    np.testing.assert_array_equal(moved.run({"x": ONES})["y"], 8 * ONES)


@pytest.mark.parametrize("damage", [lambda blob: b"", lambda blob: blob[:-1], lambda blob: b"\xff" * len(blob)],
                         ids=["empty", "cut", "garbage"])
def test_damaged_blobs_change_nothing(session, damage):
    session.run({"x": ONES})
    with pytest.raises(hexin.Error):
        session.import_state(damage(session.export_state()))
    np.testing.assert_array_equal(session.get_state(state_name(session)), ONES)


def test_wrong_state_is_an_error(session):
    with pytest.raises(hexin.NotFoundError, match="nope"):
        session.get_state("nope")
    with pytest.raises(hexin.NotFoundError, match="nope"):
        session.set_state("nope", ONES)
    for value in (np.ones(3, np.float32), np.ones(2), np.ones((1, 2), np.float32)):
        with pytest.raises(hexin.InvalidArgumentError):
            session.set_state(state_name(session), value)


@pytest.mark.parametrize("states", [{"nope": "total_out"}, {"total_in": "nope"}, {"x": "y", "total_in": "y"}])
def test_impossible_states_do_not_compile(tmp_path, states):
    import small_models

    with pytest.raises(hexin.Error):
        hexin.compile(small_models.accumulate(), tmp_path / "a.hxm", states=states)
    assert not (tmp_path / "a.hxm").exists()


def run_recurrent(session, steps, batch):
    rng = np.random.default_rng(1)
    return [session.run({"x": rng.standard_normal((2, batch, 3)).astype(np.float32)})["y"] for _ in range(steps)]


def test_a_state_takes_the_size_that_the_model_needs_equal(small_artifact, device):
    """Nothing names the batch of h and c, but LSTM wants that of x."""
    session = hexin.Session(small_artifact("recurrent", states={"h": "h_out", "c": "c_out"}), device=device)
    free = hexin.Session(small_artifact("recurrent"), device=device)
    h = c = np.zeros((1, 3, 2), np.float32)
    rng = np.random.default_rng(1)
    for tied in run_recurrent(session, 3, batch=3):
        outputs = free.run({"x": rng.standard_normal((2, 3, 3)).astype(np.float32), "h": h, "c": c})
        h, c = outputs["h_out"], outputs["c_out"]
        np.testing.assert_allclose(tied, outputs["y"], rtol=1e-6, atol=1e-6)
    assert session.get_state("h").shape == (1, 3, 2)
    with pytest.raises(hexin.InvalidArgumentError, match=r"resetState\(\)"):
        run_recurrent(session, 1, batch=4)
    session.reset_state()
    run_recurrent(session, 1, batch=4)


def test_a_cache_begins_empty_and_a_kept_state_with_one(small_artifact, device):
    session = hexin.Session(small_artifact("growing", states={"past": "all", "last": "last_out"}), device=device)
    for count in (2, 4, 6):
        assert session.run({"x": np.ones((2, 2), np.float32)})["y"].shape == (count, 2)
    assert session.get_state("last").shape == (1, 2)


def test_a_failed_first_run_leaves_no_state(small_artifact, device):
    session = hexin.Session(small_artifact("recurrent", states={"h": "h_out", "c": "c_out"}), device=device)
    with pytest.raises(hexin.InvalidArgumentError):
        session.run({"x": np.zeros((2, 3, 4), np.float32)})
    run_recurrent(session, 1, batch=2)
