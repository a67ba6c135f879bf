"""compile(shapes=...): sizes that are fixed, named, renamed and equated."""

import hexin
import numpy as np
import pytest
import small_models


@pytest.fixture
def sizes(tmp_path):
    """sizes({"a": ...}) -> {input: its shape in the artifact of small_models.apart()}."""

    def compiled(shapes):
        hexin.compile(small_models.apart(), tmp_path / "a.hxm", shapes=shapes)
        return {port.name: port.shape for port in hexin.Model(tmp_path / "a.hxm").inputs}

    return compiled


def test_sizes_are_fixed_at_every_axis_of_their_name(sizes):
    assert sizes({"a": (6, 4)}) == {"a": (6, 4), "b": (6, "q"), "c": (None, "q"), "d": (8,)}


@pytest.mark.parametrize("spec", ["Rx4", ("R", 4), ("R", None), ("R", "?")])
def test_a_name_takes_the_place_of_the_declared_one(sizes, spec):
    assert sizes({"a": spec}) == {"a": ("R", 4), "b": ("R", "q"), "c": (None, "q"), "d": (8,)}


def test_names_make_sizes_equal_across_inputs(sizes, tmp_path):
    assert sizes({"c": ("p", -1), "b": (None, "p")}) == {"a": ("p", 4), "b": ("p", "p"), "c": ("p", "p"), "d": (8,)}
    session = hexin.Session(tmp_path / "a.hxm")
    a, d = np.ones((3, 4), np.float32), np.ones(8, np.float32)
    session.run({"a": a, "b": np.ones((3, 3), np.float32), "c": np.ones((3, 3), np.float32), "d": d})
    with pytest.raises(hexin.InvalidArgumentError, match="'p' is 5"):
        session.run({"a": a, "b": np.ones((3, 3), np.float32), "c": np.ones((5, 3), np.float32), "d": d})


def test_names_may_trade_places(sizes):
    assert sizes({"b": ("q", "p")}) == {"a": ("q", 4), "b": ("q", "p"), "c": (None, "p"), "d": (8,)}


def test_a_name_and_its_size(sizes):
    assert sizes({"a": ("R", 4), "c": (7, "R"), "b": (9, -1)})["c"] == (7, 9)


@pytest.mark.parametrize("shapes, words", [
    ({"nope": (1,)}, "'nope', but the model's inputs are 'a', 'b', 'c', 'd'"),
    ({"a": (1,)}, "'a' has rank 2, but 1 sizes"),
    ({"a": (2, 4), "b": (3, 4)}, "input 'b', axis 0: size 'p' is 3 here, but 2 at input 'a', axis 0"),
    ({"a": ("R", 4), "b": ("S", None)}, "input 'b', axis 0: .* 'S' here and 'R' at input 'a', axis 0"),
    ({"d": ("R",)}, "input 'd', axis 0: the name 'R' was given, but the size is 8"),
    ({"a": ("R", 4), "b": (2, 3), "c": (3, "R")}, "input 'b', axis 1: size 'R' is 3 here, but 2 at input 'b', axis 0"),
    ({"a": ("R,S", 4)}, "'R,S' is no name"),
    ({"a": ("3R", 4)}, "'3R' is no name"),
    ({"a": (-7, 4)}, "-7"),
])
def test_what_cannot_be(sizes, shapes, words):
    with pytest.raises(hexin.InvalidArgumentError, match=words):
        sizes(shapes)
