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
