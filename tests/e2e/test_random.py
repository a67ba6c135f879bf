"""Random operators: numbers that follow from seed, run and place, the same on every device, and as they should be spread.

Seeds are fixed, so nothing here is left to chance; bounds are those that a fair generator keeps in all but one of
a million draws.
"""

import math

import numpy
import pytest
from devices import DEVICES, TARGETS
from onnx import AttributeProto, TensorProto, ValueInfoProto, helper

COUNT = 200_000
FAR = 5.0  # standard deviations
TYPES = {"float16": TensorProto.FLOAT16, "float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}


def node(op, name, inputs=(), outputs=None, **attributes):
    made = helper.make_node(op, list(inputs), outputs or [name], name=name)
    for key, value in attributes.items():
        kind = AttributeProto.INTS if key == "shape" else None  # also when there are none
        made.attribute.append(helper.make_attribute(key, value, attr_type=kind))
    return made


def model(nodes, inputs=(), opset=22, outputs=None) -> bytes:
    ports = [helper.make_tensor_value_info(*port) for port in inputs]
    names = outputs or [name for each in nodes for name in each.output]
    values = [ValueInfoProto(name=name) for name in names]
    graph = helper.make_graph(nodes, "g", ports, values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10).SerializeToString()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """compiled(model bytes) -> the path of an artifact for both devices, each made once."""
    import hexin

    folder, paths = tmp_path_factory.mktemp("compiled"), {}

    def make(source):
        if source not in paths:
            path = str(folder / f"{len(paths)}.hxm")
            hexin.compile(source, path, targets=sorted({"cpu", *TARGETS}))
            paths[source] = path
        return paths[source]

    return make


def open_session(path, device="cpu", **options):
    import hexin

    return hexin.Session(path, device=device, **options)


def assert_mean(values, mean, deviation):
    values = numpy.asarray(values, numpy.float64)
    assert abs(values.mean() - mean) < FAR * deviation / math.sqrt(values.size), values.mean()


def assert_uniform(values):
    """Mean, variance, Kolmogorov and Smirnov's distance, and neighbours that know nothing of each other."""
    values = numpy.asarray(values, numpy.float64).ravel()
    n = values.size
    assert_mean(values, 0.5, math.sqrt(1 / 12))
    assert_mean((values - 0.5) ** 2, 1 / 12, math.sqrt(1 / 180))
    ordered = numpy.sort(values)
    distance = max((numpy.arange(1, n + 1) / n - ordered).max(), (ordered - numpy.arange(n) / n).max())
    assert distance < math.sqrt(-0.5 * math.log(0.5e-6) / n) + 2**-11  # and the steps of an f16
    for lag in (1, 2, 4, 1000):
        assert_independent(values[lag:], values[:-lag])


def assert_independent(a, b):
    a, b = (numpy.asarray(x, numpy.float64).ravel() for x in (a, b))
    assert abs(numpy.corrcoef(a, b)[0, 1]) < FAR / math.sqrt(a.size)


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """[device][run][name]: what two runs of two devices give."""
    import hexin

    source = model([
        node("RandomUniform", "uniform", shape=[COUNT]),
        node("RandomUniform", "other", shape=[COUNT]),
        node("RandomUniform", "rows", shape=[1000, 200], low=-1.0, high=3.0, seed=2.5),
        *(node("RandomUniform", f"uniform-{name}", shape=[COUNT], dtype=kind) for name, kind in TYPES.items()),
        node("RandomNormal", "normal", shape=[COUNT]),
        node("RandomNormal", "scaled", shape=[7, COUNT // 7], mean=3.0, scale=0.5),
        *(node("RandomNormal", f"normal-{name}", shape=[COUNT], dtype=kind) for name, kind in TYPES.items()),
        node("RandomUniform", "empty", shape=[3, 0]),
        node("RandomUniform", "one", shape=[]),
    ])
    path = str(tmp_path_factory.mktemp("random") / "m.hxm")
    hexin.compile(source, path, targets=sorted({"cpu", *TARGETS}))
    runs = {}
    for device in {"cpu", *DEVICES}:
        session = hexin.Session(path, device=device, seed=7)
        runs[device] = [session.run({}) for _ in range(2)]
    return runs


@pytest.mark.parametrize("name", ["uniform", "other", *(f"uniform-{name}" for name in TYPES)])
def test_uniform_numbers_are_uniform(numbers, name):
    first, second = (run[name] for run in numbers["cpu"])
    for values in (first, second):
        assert values.min() >= 0 and values.max() < 1
        assert_uniform(values)
    assert_independent(first, second)
    assert numpy.unique(first.astype(numpy.float64)).size > (0.95 * COUNT if first.dtype != numpy.float16 else 2000)


def test_low_and_high(numbers):
    values = numbers["cpu"][0]["rows"]
    assert values.shape == (1000, 200) and values.dtype == numpy.float32
    assert values.min() >= -1 and values.max() <= 3
    assert_uniform((values + 1) / 4)
    assert_independent(values[1:], values[:-1])


@pytest.mark.parametrize("name", ["normal", "scaled", *(f"normal-{name}" for name in TYPES)])
def test_normal_numbers_are_normal(numbers, name):
    values = numbers["cpu"][0][name].astype(numpy.float64).ravel()
    if name == "scaled":
        values = (values - 3) / 0.5
    assert_mean(values, 0, 1)
    assert_mean(values**2, 1, math.sqrt(2))
    assert_mean(values**3, 0, math.sqrt(15))
    assert_mean(values**4, 3, math.sqrt(96))
    assert 4 < numpy.abs(values).max() < 7
    cumulated = numpy.array([0.5 * (1 + math.erf(x / math.sqrt(2))) for x in values])
    assert_uniform(cumulated)


def test_nodes_and_runs_draw_apart(numbers):
    drawn = [run[name] for run in numbers["cpu"] for name in ("uniform", "other", "normal", "uniform-float64")]
    for i, a in enumerate(drawn):
        for b in drawn[:i]:
            assert_independent(a, b)


def test_sizes_of_nothing_and_of_one(numbers):
    assert numbers["cpu"][0]["empty"].shape == (3, 0)
    assert numbers["cpu"][0]["one"].shape == ()


@pytest.mark.parametrize("device", [device for device in DEVICES if device != "cpu"])
def test_devices_give_the_same_numbers(numbers, device):
    for one, other in zip(numbers["cpu"], numbers[device]):
        for name, values in one.items():
            if "uniform" in name or name in ("other", "rows", "one"):
                numpy.testing.assert_array_equal(values, other[name], err_msg=name)
            elif values.size:
                ulp = float(numpy.finfo(values.dtype).eps)
                numpy.testing.assert_allclose(values.astype(float), other[name].astype(float), rtol=8 * ulp,
                                              atol=8 * ulp, err_msg=name)


def test_the_first_numbers_are_what_they_were(numbers):
    """A change here changes what every user's seed means."""
    for run in range(2):
        words = (numbers["cpu"][run]["other"][:4] * 2**24).astype(int).tolist()
        assert words == [philox((i, 0, run, 1), (7, 0))[0] >> 8 for i in range(4)]


def philox(counter, key):
    counter, key = list(counter), list(key)
    for _ in range(10):
        even, odd = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [odd >> 32 ^ counter[1] ^ key[0], odd & 0xFFFFFFFF, even >> 32 ^ counter[3] ^ key[1], even & 0xFFFFFFFF]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return counter


@pytest.mark.parametrize("device", DEVICES)
def test_a_seed_is_a_sequence_of_runs(compiled, device):
    path = compiled(model([node("RandomNormal", "y", shape=[50]), node("RandomUniform", "own", shape=[50], seed=3.0)]))

    def runs(count, **options):
        session = open_session(path, device, **options)
        return [session.run({}) for _ in range(count)]

    first, again, other = runs(3), runs(3, seed=0), runs(3, seed=2**63 + 5)
    for i in range(3):
        numpy.testing.assert_array_equal(first[i]["y"], again[i]["y"])
        numpy.testing.assert_array_equal(first[i]["own"], other[i]["own"])
        assert not numpy.array_equal(first[i]["y"], other[i]["y"])
        assert not numpy.array_equal(first[i]["y"], first[i - 1]["y"])
        assert not numpy.array_equal(first[i]["own"], first[i - 1]["own"])


def test_reset_begins_anew_and_state_moves(compiled):
    path = compiled(model([node("RandomUniform", "y", shape=[20])]))
    here, there = open_session(path, "cpu", seed=9), open_session(path, "opencl:0")
    assert here.inputs == [] and [port.name for port in here.outputs] == ["y"]
    first = here.run({})["y"]
    there.import_state(here.export_state())
    second = here.run({})["y"]
    numpy.testing.assert_array_equal(there.run({})["y"], second)
    here.reset_state()
    numpy.testing.assert_array_equal(here.run({})["y"], first)
    (state,) = here.states
    numpy.testing.assert_array_equal(here.get_state(state.name), [9, 1])


def test_a_run_that_fails_draws_nothing(compiled):
    import hexin

    path = compiled(model([node("RandomUniformLike", "u", ["x"]), node("Gather", "y", ["u", "i"])],
                          [("x", TensorProto.FLOAT, [5]), ("i", TensorProto.INT64, [1])], outputs=["y"]))
    x, good, bad = numpy.zeros(5, numpy.float32), numpy.array([2]), numpy.array([7])
    session, other = open_session(path), open_session(path)
    with pytest.raises(hexin.OutOfRangeError):
        session.run({"x": x, "i": bad})
    for _ in range(2):
        numpy.testing.assert_array_equal(session.run({"x": x, "i": good})["y"], other.run({"x": x, "i": good})["y"])


def test_names_of_the_model_are_its_own(compiled):
    path = compiled(model([node("RandomUniformLike", "y", ["hexin.random"])],
                          [("hexin.random", TensorProto.FLOAT, [4])]))
    session = open_session(path)
    assert [port.name for port in session.inputs] == ["hexin.random"]
    assert session.run({"hexin.random": numpy.zeros(4, numpy.float32)})["y"].shape == (4,)


def test_retargeting_keeps_the_numbers(tmp_path):
    import hexin

    hexin.compile(model([node("RandomUniform", "y", shape=[30])]), str(tmp_path / "a.hxm"), targets=["cpu"])
    hexin.retarget(str(tmp_path / "a.hxm"), str(tmp_path / "b.hxm"), targets=["opencl"])
    numpy.testing.assert_array_equal(open_session(str(tmp_path / "a.hxm"), seed=4).run({})["y"],
                                     open_session(str(tmp_path / "b.hxm"), "opencl:0", seed=4).run({})["y"])


@pytest.mark.parametrize("device", DEVICES)
def test_like_takes_size_and_type_of_its_input(compiled, device):
    path = compiled(model(
        [node("RandomNormalLike", "half", ["h"]), node("RandomUniformLike", "float", ["i"], dtype=TensorProto.FLOAT),
         node("RandomUniformLike", "wide", ["h"], dtype=TensorProto.DOUBLE)],
        [("h", TensorProto.FLOAT16, ["N", 3]), ("i", TensorProto.INT64, ["M"])]))
    session = open_session(path, device)
    for n, m in ((2, 5), (0, 1), (400, 0)):
        outputs = session.run({"h": numpy.zeros((n, 3), numpy.float16), "i": numpy.zeros(m, numpy.int64)})
        assert outputs["half"].dtype == numpy.float16 and outputs["half"].shape == (n, 3)
        assert outputs["float"].dtype == numpy.float32 and outputs["float"].shape == (m,)
        assert outputs["wide"].dtype == numpy.float64 and outputs["wide"].shape == (n, 3)


@pytest.mark.parametrize("device", DEVICES)
def test_iterations_draw_apart(compiled, device):
    """Of a Loop in a Loop, with and without a seed of the node; and of a Scan."""
    def body(nodes, outputs, name):
        values = lambda pairs: [helper.make_tensor_value_info(*pair) for pair in pairs]
        ports = [("i" + name, TensorProto.INT64, []), ("c" + name, TensorProto.BOOL, [])]
        nodes = [node("Identity", "go" + name, ["c" + name]), *nodes]
        return helper.make_graph(nodes, name, values(ports), [ValueInfoProto(name=o) for o in ["go" + name, *outputs]])

    inner = body([node("RandomUniform", "u", shape=[40]), node("RandomUniform", "s", shape=[40], seed=1.0)], ["u", "s"], "inner")
    outer = body([node("Loop", "inside", ["three", ""], ["us", "ss"], body=inner)], ["us", "ss"], "outer")
    three = node("Constant", "three", value=helper.make_tensor("t", TensorProto.INT64, [], [3]))
    source = model([three, node("Loop", "outside", ["three", ""], ["y", "z"], body=outer)], outputs=["y", "z"])
    session = open_session(compiled(source), device)
    seen = [session.run({}) for _ in range(2)]
    for name in ("y", "z"):
        rows = numpy.concatenate([run[name].reshape(9, 40) for run in seen] )
        assert len({row.tobytes() for row in rows}) == 18
        assert_mean(rows, 0.5, math.sqrt(1 / 12))
    other = open_session(compiled(source), "cpu").run({})
    numpy.testing.assert_array_equal(seen[0]["y"], other["y"])


@pytest.mark.parametrize("taken", [True, False])
def test_a_branch_draws(compiled, taken):
    branch = lambda op, name: helper.make_graph([node(op, name, shape=[2000])], name, [],
                                                [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2000])])
    path = compiled(model([node("If", "y", ["c"], then_branch=branch("RandomUniform", "a"),
                                else_branch=branch("RandomNormal", "b"))], [("c", TensorProto.BOOL, [])]))
    values = open_session(path).run({"c": numpy.array(taken)})["y"]
    assert_mean(values, 0.5 if taken else 0, 1)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_bernoulli(compiled, device, dtype):
    kinds = {"bool": TensorProto.BOOL, "int64": TensorProto.INT64, "uint8": TensorProto.UINT8, "float64": TensorProto.DOUBLE}
    path = compiled(model([node("Bernoulli", "same", ["p"]),
                           *(node("Bernoulli", name, ["p"], dtype=kind) for name, kind in kinds.items())],
                          [("p", TYPES[dtype], ["R", "N"])]))
    chances = numpy.array([0, 1, 0.25, 0.5, 0.9, numpy.nan, -1, 2], dtype)
    p = numpy.repeat(chances[:, None], 20_000, axis=1)
    for name, values in open_session(path, device, seed=1).run({"p": p}).items():
        assert values.dtype == (p.dtype if name == "same" else numpy.dtype(name))
        assert set(numpy.unique(values).tolist()) <= {0, 1}
        rows = values.astype(float)
        assert not rows[[0, 5, 6]].any() and rows[[1, 7]].all()
        for row, chance in zip(rows[2:5], chances[2:5].astype(float)):
            assert_mean(row, chance, math.sqrt(chance * (1 - chance)))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_multinomial(compiled, device, dtype):
    path = compiled(model([node("Multinomial", "y", ["x"], sample_size=20_000, seed=1.0),
                           node("Multinomial", "wide", ["x"], sample_size=3, dtype=TensorProto.INT64)],
                          [("x", TYPES[dtype], ["N", "C"])]))
    chances = numpy.array([[0.1, 0.2, 0.3, 0.4], [0.001, 0.499, 0.5, 0], [0, 0, 1, 0]])
    with numpy.errstate(divide="ignore"):
        logits = (numpy.log(chances) + [[5], [-80], [0]]).astype(dtype)
    session = open_session(path, device)
    outputs = session.run({"x": logits})
    assert outputs["y"].dtype == numpy.int32 and outputs["wide"].dtype == numpy.int64
    assert outputs["y"].shape == (3, 20_000) and outputs["wide"].shape == (3, 3)
    for row, expected in zip(outputs["y"], chances):
        for index, chance in enumerate(expected):
            assert_mean(row == index, chance, math.sqrt(chance * (1 - chance)) + 1e-12)
    assert not numpy.array_equal(outputs["y"], session.run({"x": logits})["y"])
    assert session.run({"x": logits[:0]})["y"].shape == (0, 20_000)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dropout(compiled, device, dtype):
    """Ratio and mode are operands that only the run knows."""
    path = compiled(model([node("Dropout", "d", ["x", "ratio", "training"], ["y", "mask"], seed=5)],
                          [("x", TYPES[dtype], ["N", 100]), ("ratio", TensorProto.FLOAT, []),
                           ("training", TensorProto.BOOL, [])]))
    session = open_session(path, device)
    x = numpy.random.default_rng(0).normal(size=(300, 100)).astype(dtype)

    def run(ratio, training=True):
        outputs = session.run({"x": x, "ratio": numpy.float32(ratio), "training": numpy.array(training)})
        assert outputs["y"].dtype == x.dtype and outputs["mask"].dtype == bool
        return outputs["y"], outputs["mask"]

    for ratio, training in ((0.6, False), (0.0, True)):
        y, mask = run(ratio, training)
        numpy.testing.assert_array_equal(y, x)
        assert mask.all()
    for ratio in (0.25, 0.6):
        y, mask = run(ratio)
        assert_mean(mask, 1 - ratio, math.sqrt(ratio * (1 - ratio)))
        assert_independent(mask[:, 1:], mask[:, :-1])
        numpy.testing.assert_allclose(y.astype(float), numpy.where(mask, x.astype(float) / (1 - ratio), 0),
                                      rtol=2 * numpy.finfo(dtype).eps + 2e-7, atol=1e-30)
    y, mask = run(1.0)
    assert not mask.any() and not y.any()


def test_dropout_with_what_is_known(compiled):
    import hexin

    def dropout(ratio, training, opset=13):
        constants = [node("Constant", "r", value=helper.make_tensor("r", TensorProto.FLOAT, [], [ratio])),
                     node("Constant", "t", value=helper.make_tensor("t", TensorProto.BOOL, [], [training]))]
        return model([*constants, node("Dropout", "d", ["x", "r", "t"], ["y", "m"])], [("x", TensorProto.FLOAT, [1000])],
                     opset, outputs=["y", "m"])

    x = numpy.ones(1000, numpy.float32)
    for ratio, training in ((0.5, False), (0.0, True)):
        session = open_session(compiled(dropout(ratio, training)))
        assert session.run({"x": x})["m"].all() and session.states == []
    outputs = open_session(compiled(dropout(0.5, True))).run({"x": x})
    assert_mean(outputs["m"], 0.5, 0.5)
    numpy.testing.assert_array_equal(outputs["y"], 2 * outputs["m"])
    for ratio in (-0.5, 1.0, float("nan")):
        with pytest.raises(hexin.CorruptDataError, match="ratio is .* expected 0 to below 1"):
            compiled(dropout(ratio, True))


@pytest.mark.parametrize("bad, message", [
    (node("RandomUniform", "y", shape=[2, -1]), "-1 is no size"),
    (node("RandomNormal", "y"), "'shape' is missing"),
    (node("RandomNormal", "y", shape=[2], dtype=TensorProto.INT32), "dtype"),
    (node("Multinomial", "y", ["x"], sample_size=0), "sample_size=0"),
    (node("Multinomial", "y", ["x"], dtype=TensorProto.FLOAT), "int32 or int64"),
])
def test_what_is_no_random_operator(compiled, bad, message):
    import hexin

    with pytest.raises(hexin.Error, match=message):
        compiled(model([bad], [("x", TensorProto.FLOAT, [2, 3])]))


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "1"])
def test_what_is_no_seed(compiled, seed):
    import hexin

    path = compiled(model([node("RandomUniform", "y", shape=[2])]))
    with pytest.raises(hexin.InvalidArgumentError, match="seed is 0 to"):
        open_session(path, seed=seed)
