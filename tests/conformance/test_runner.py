"""The runner itself, with an engine that crashes, hangs and lies on demand."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import compare  # noqa: E402
import expectations  # noqa: E402
import modes  # noqa: E402
import runner  # noqa: E402
import second_sizes  # noqa: E402
import suite  # noqa: E402
import table  # noqa: E402
from engines import narrow  # noqa: E402
from expectations import Finding, Place  # noqa: E402

CPU = Place("cpu", "static")
CASES = "^test_(abs|add|neg|relu)$"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """run({case: behaviour}, listed=…, *arguments) -> (exit code, {case: verdict and reason})."""
    (tmp_path / "README.md").write_text(f"{table.BEGIN}\n{table.END}\n")

    def call(behaviours, *arguments, listed=None, mode="static", device="cpu"):
        behaviour_file = tmp_path / "behaviours.json"
        behaviour_file.write_text(json.dumps(behaviours))
        monkeypatch.setenv("FAKE_ENGINE", str(behaviour_file))
        if listed is not None:
            expectations.write(tmp_path / "expected.txt", listed, modes.MODES)
        code = runner.main([
            "--engine", str(HERE / "Inputs" / "fake_engine.py"), "--device", device, "--mode", mode, "--step-seconds", "3",
            "--folder", str(tmp_path), "--json", str(tmp_path / "out.json"),
            "--case", CASES, *arguments])
        rows = json.loads((tmp_path / "out.json").read_text())
        return code, {row["case"].removeprefix("test_"): (row["verdict"], row["reason"]) for row in rows}

    return call


def verdicts(outcome):
    return {name: verdict for name, (verdict, _) in outcome.items()}


def test_all_pass(run, capsys):
    code, outcome = run({})
    assert code == 0 and set(verdicts(outcome).values()) == {"pass"} and len(outcome) == 4
    assert "4 of 4 pass; kernels: 4 compiled, 4 reused" in capsys.readouterr().out


def test_a_crash_is_charged_to_its_case_alone(run):
    code, outcome = run({"test_add": "crash"}, "--jobs", "1")
    assert code == 1
    assert verdicts(outcome) == {"abs": "pass", "add": "crash", "neg": "pass", "relu": "pass"}
    assert outcome["add"][1] == "SIGSEGV (about to fall over) at: run"


@pytest.mark.parametrize("behaviour, verdict", [("crash", "crash"), ("hang", "timeout"), ("refuse", "refused")])
def test_a_case_of_a_batch_is_charged_alone(run, behaviour, verdict):
    _, outcome = run({"test_add": behaviour}, "--step-seconds", "1", device="one that builds in batches")
    assert verdicts(outcome) == {"abs": "pass", "add": verdict, "neg": "pass", "relu": "pass"}


def test_a_crash_that_does_not_come_back_is_a_crash(run):
    code, outcome = run({"test_add": "crash once"})
    assert code == 1 and verdicts(outcome)["add"] == "crash"
    assert "passed when run again" in outcome["add"][1]


def test_a_hang_is_ended_and_charged_to_its_case(run):
    code, outcome = run({"test_neg": "hang"}, "--step-seconds", "1")
    assert code == 1 and outcome["neg"] == ("timeout", "more than 1 s at: run")
    assert verdicts(outcome)["relu"] == "pass"


def test_memory_is_bounded(run):
    code, outcome = run({"test_neg": "memory"}, "--memory-gib", "2")
    assert code == 1 and outcome["neg"] == ("error", "MemoryError: ")


def test_a_wrong_answer_fails(run, capsys):
    code, outcome = run({"test_relu": "wrong"})
    assert code == 1 and outcome["relu"][0] == "wrong"
    assert "test_relu on cpu, static: wrong: output 0: other values" in capsys.readouterr().out


def test_a_listed_refusal_is_no_failure(run):
    listed = {("test_abs", CPU): Finding("refused", "NotImplementedError: no such operator")}
    assert run({"test_abs": "refuse"}, listed=listed)[0] == 0


def test_a_listed_case_with_another_verdict_fails(run):
    listed = {("test_abs", CPU): Finding("refused", "NotImplementedError: no such operator")}
    assert run({"test_abs": "wrong"}, listed=listed)[0] == 1


def test_a_listed_case_that_passes_fails(run, capsys):
    listed = {("test_abs", CPU): Finding("refused", "NotImplementedError: no such operator")}
    assert run({}, listed=listed)[0] == 1
    assert "test_abs on cpu, static: passes, but is listed as refused" in capsys.readouterr().out


def test_an_op_that_left_its_device_fails(run):
    code, outcome = run({"test_abs": "left", "test_add": "host by nature"})
    assert code == 1 and outcome["abs"] == ("left", "left the device: conv")
    assert verdicts(outcome)["add"] == "pass"


def test_only_strings_are_moved_on_the_host():
    result = runner.Result(runner.Task("test_x", "static"), "pass", "", {"host": ["concat", "seq_at"]})
    assert table.placed(result, "sequence, optional, string").verdict == "pass"
    assert table.placed(result, "other, opset ≤ 26").reason == "left the device: concat"
    result = result._replace(facts={"fallbacks": ["conv"]})
    assert table.placed(result, "sequence, optional, string").verdict == "left"


def test_an_absent_device_is_said(run, capsys):
    assert runner.main(["--engine", str(HERE / "Inputs" / "fake_engine.py"), "--device", "absent:0", "--mode", "static",
                        "--case", CASES]) == 2
    assert "absent:0 is not available" in capsys.readouterr().err


def test_bad_inputs_that_are_accepted_fail(run):
    code, outcome = run({}, mode="hostile")
    assert code == 1 and outcome["abs"][0] == "error" and "was accepted" in outcome["abs"][1]


@pytest.mark.parametrize("value", [np.float32(np.ones((2, 3))), np.int64([1, 2]), np.zeros((0, 2)), np.array(3),
                                   np.ones((2, 0), np.uint8)])
def test_hostile_inputs_differ_from_the_right_ones(value):
    found = list(modes.hostile_inputs([value, "text"]))
    assert len({what for what, _, _ in found}) == len(found) >= 2
    for what, must_fail, (given, text) in found:
        same = given.shape == value.shape and given.dtype == value.dtype
        assert same != must_fail and text == "text", what


def test_expectations_survive_writing(tmp_path):
    findings = {("test_a", CPU): Finding("refused", "unsupported: x: y"),
                ("test_a", Place("opencl:0", "dynamic")): Finding("refused", "unsupported: x: y"),
                ("test_b", CPU): Finding("wrong", "output 0: other values")}
    expectations.write(tmp_path / "e.txt", findings, modes.MODES)
    assert expectations.read(tmp_path / "e.txt") == findings
    (tmp_path / "e.txt").write_text("  a cpu: static\n")
    with pytest.raises(ValueError, match="e.txt:1: expected"):
        expectations.read(tmp_path / "e.txt")


def test_what_was_not_run_is_not_judged():
    listed = {("test_a", CPU): Finding("refused", "r"), ("test_b", CPU): Finding("refused", "r")}
    difference = expectations.compare(listed, {("test_a", CPU): Finding("refused", "other")}, {("test_a", CPU)})
    assert not difference.broken and not difference.passing and len(difference.reworded) == 1


def test_samples_are_parts_of_the_suite():
    names = [f"test_{i}" for i in range(500)]
    parts = [{name for name in names if suite.in_sample(name, part, 3)} for part in (1, 2, 3)]
    assert set().union(*parts) == set(names) and sum(map(len, parts)) == 500 and min(map(len, parts)) > 100


@pytest.mark.parametrize("want, got, found", [
    ([np.float32([1, np.nan])], [np.float32([1.0001, np.nan])], None),
    ([np.float32([1])], [np.float32([1.1])], "1 of 1 values"),
    ([np.float32([1])], [np.float64([1])], "type float64"),
    ([np.float32([1])], [np.float32([[1]])], "shape"),
    ([np.int64([2**53 + 1])], [np.int64([2**53])], "1 of 1 values"),
    ([np.array(["a"], object)], [np.array(["b"], object)], "other strings"),
    ([[np.float32([1])]], [np.float32([1])], "expected a sequence"),
    ([[np.float32([1])]], [[]], "0 outputs, expected 1"),
    ([None], [np.float32([1])], "expected nothing"),
])
def test_the_rule(want, got, found):
    difference = compare.difference(want, got, 1e-3, 1e-7)
    assert (difference is None) if found is None else found in difference


@pytest.mark.parametrize("name, count", [("int4", 5), ("uint4", 4), ("int2", 7), ("uint2", 9), ("float4_e2m1fn", 3)])
def test_packed_elements_survive(name, count):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = (np.arange(count) % 3 - (name[0] != "u")).astype(getattr(ml_dtypes, name))
    unpacked = narrow.unpack(narrow.pack(values), values.dtype, count)
    assert unpacked.dtype == values.dtype and (unpacked.astype(np.float32) == values.astype(np.float32)).all()


@pytest.fixture(scope="module")
def cases():
    return suite.freeze(runner.set_environment())


def test_modes(cases):
    assert not modes.applies("constant-inputs", cases.case("test_add"))
    case = cases.case("test_reshape_reordered_all_dims")
    model = onnx.load_model_from_string(case.model)
    assert modes.make_dynamic(model)
    data, shape = model.graph.input
    assert [dim.dim_param for dim in data.type.tensor_type.shape.dim] == ["data_0", "data_1", "data_2"]
    assert shape.type.tensor_type.shape.dim[0].dim_value == 3  # a rank
    indices = onnx.load_model_from_string(cases.case("test_gathernd_example_int32").model)
    modes.make_dynamic(indices)
    assert [dim.dim_param for dim in indices.graph.input[1].type.tensor_type.shape.dim] == ["indices_0", ""]
    [(inputs, _)] = modes.fold_shape_operands(model, case.data_sets)
    assert len(inputs) == len(model.graph.input) == 1 and model.graph.initializer[0].name == "shape"


def test_second_sizes_have_right_numbers(cases, tmp_path):
    case = cases.case("test_matmul_2d")
    assert second_sizes.make(tmp_path, "test_matmul_2d", case) == "ONNX Runtime"
    second = second_sizes.read(tmp_path, "test_matmul_2d")
    a, b = second["inputs"]
    assert a.shape != case.data_sets[0][0][0].shape
    np.testing.assert_allclose(second["outputs"][0], a @ b, rtol=1e-5)


def test_second_sizes_are_other_sizes(cases, tmp_path):
    name = "test_concat_1d_axis_0"  # whose size is an attribute's, too
    case = cases.case(name)
    if second_sizes.make(tmp_path, name, case) != "none":
        shapes = [[np.shape(value) for value in inputs]
                  for inputs in (case.data_sets[0][0], second_sizes.read(tmp_path, name)["inputs"])]
        assert shapes[0] != shapes[1]


def test_update_writes_what_was_found(run, tmp_path, cases):
    listed = {("test_abs", CPU): Finding("refused", "r"), ("test_neg", CPU): Finding("refused", "r"),
              ("test_sub", CPU): Finding("refused", "r"), ("test_of_an_older_suite", CPU): Finding("refused", "r")}
    column = {"cases": table.count(cases, cases.entries), "host": ["test_relu"]}
    (tmp_path / "counts.json").write_text(json.dumps({"hexin cpu static": column}))
    assert run({"test_add": "refuse", "test_neg": "refuse"}, "--update", listed=listed)[0] == 1  # test_add is news
    findings = expectations.read(tmp_path / "expected.txt")
    missing = Finding("refused", "NotImplementedError: no such operator")
    assert findings == {("test_add", CPU): missing, ("test_neg", CPU): missing, ("test_sub", CPU): Finding("refused", "r")}
    assert "| **all** | 2033/2036 |" in (tmp_path / "README.md").read_text()


def test_the_table_is_that_of_the_files(cases):
    """README.md agrees with counts.json and expected.txt."""
    findings = expectations.read(HERE / "expected.txt")
    columns = json.loads((HERE / "counts.json").read_text())
    text = (HERE / "README.md").read_text()
    assert text[text.index(table.BEGIN) + len(table.BEGIN):text.index(table.END)].strip() == \
        table.render(cases, columns, findings).strip(), "run runner.py --update"
