"""hexin run and bench."""

import json

import numpy as np
import pytest
import small_models

DEVICES = ["cpu", "opencl:0"]


@pytest.fixture
def x(tmp_path):
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(tmp_path / "x.npy", x)
    return x


@pytest.mark.parametrize("device", DEVICES)
def test_inputs_from_files_outputs_to_files(hexin, small_artifact, tmp_path, x, device):
    hexin("run", small_artifact("affine"), f"--device={device}", "--input", "x=x.npy", "--output-dir", "out").succeeded()
    np.testing.assert_allclose(np.load(tmp_path / "out" / "y.npy"), x @ small_models.WEIGHTS + small_models.BIAS)


def test_an_onnx_file_is_compiled_first(hexin, small_model, tmp_path, x):
    path = small_model("affine")
    hexin("run", path, "--input", "x=x.npy", "--output-dir", "out").succeeded()
    np.testing.assert_allclose(np.load(tmp_path / "out" / "y.npy"), x @ small_models.WEIGHTS + small_models.BIAS)
    assert not list(tmp_path.glob("*.hxm"))


def test_fortran_order_is_transposed(hexin, small_artifact, tmp_path, x):
    np.save(tmp_path / "f.npy", np.asfortranarray(x))
    done = hexin("run", small_artifact("affine"), "--input", "x=f.npy", "--output-dir", "out", "--log-level=info")
    assert "transposed" in done.succeeded().err
    np.testing.assert_allclose(np.load(tmp_path / "out" / "y.npy"), x @ small_models.WEIGHTS + small_models.BIAS)


def test_unsafe_names_are_made_safe(hexin, small_artifact, tmp_path):
    hexin("run", small_artifact("add_rows"), "--random-inputs", "--shape", "in/a:0=2x4", "--output-dir", "out").succeeded()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["out_c_0.npy"]


def test_random_inputs_depend_on_the_seed_only(hexin, small_artifact):
    def summary(*arguments):
        done = hexin("run", small_artifact("affine"), "--random-inputs", "--shape", "x=8x3", "--json", *arguments)
        return json.loads(done.succeeded().out)["outputs"][0]

    assert summary() == summary("--seed=0") == summary("--threads=1")
    assert summary() != summary("--seed=1")
    assert summary()["dims"] == [8, 2]


def test_the_seed_is_that_of_random_operators(hexin, tmp_path):
    from onnx import ValueInfoProto, helper

    node = helper.make_node("RandomUniform", [], ["y"], shape=[9])
    graph = helper.make_graph([node], "g", [], [ValueInfoProto(name="y")])
    (tmp_path / "r.onnx").write_bytes(helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10).SerializeToString())

    def summary(*arguments):
        done = hexin("run", tmp_path / "r.onnx", "--json", *arguments)
        return json.loads(done.succeeded().out)["outputs"][0]

    assert summary() == summary("--seed=0") == summary("--device=opencl:0")
    assert summary() != summary("--seed=1")


def test_fill(hexin, small_artifact):
    done = hexin("run", small_artifact("affine"), "--fill", "x=1", "--shape", "x=1x3", "--json").succeeded()
    (output,) = json.loads(done.out)["outputs"]
    assert [output["min"], output["max"]] == [19, 32]


def test_an_input_may_be_a_number_or_a_file_of_that_name(hexin, small_artifact, tmp_path, x):
    def output(value):
        return json.loads(hexin("run", small_artifact("affine"), "--input", f"x={value}", "--json").succeeded().out)

    # A dynamic size that nothing gives is 1.
    assert output("1")["outputs"][0]["dims"] == [1, 2] and output("1")["outputs"][0]["max"] == 32
    (tmp_path / "x.npy").rename(tmp_path / "1")
    assert output("1")["outputs"][0]["dims"] == [2, 2]


def test_sizes_that_nothing_gives(hexin, small_artifact):
    path = small_artifact("add_rows")
    done = hexin("run", path, "--random-inputs", "--input", "in/b:0=2", "--log-level=info").succeeded()
    assert "inputs: in/a:0 f32 [1, 4], in/b:0 f32 [1, 4]" in done.err
    # One input's size is the other's, where the model says so.
    done = hexin("bench", path, "--runs=1", "--shape", "in/b:0=5x4").succeeded()
    assert "inputs     in/a:0 f32 [5, 4], in/b:0 f32 [5, 4]" in done.out


@pytest.mark.parametrize("device", DEVICES)
def test_trace(hexin, small_artifact, tmp_path, x, device):
    hexin("run", small_artifact("affine"), f"--device={device}", "--input", "x=x.npy", "--trace", "t.json").succeeded()
    assert json.loads((tmp_path / "t.json").read_text())["traceEvents"]


def test_dump(hexin, small_artifact, tmp_path, x):
    path = small_artifact("two_products")
    done = hexin("run", path, "--input", "x=x.npy", "--dump=first", "--output-dir", "out", "--json")
    (dumped,) = json.loads(done.succeeded().out)["dumped"]
    assert dumped["name"] == "first"
    np.testing.assert_allclose(np.load(tmp_path / "out" / "first.npy"), x @ small_models.WEIGHTS)
    hexin("run", path, "--input", "x=x.npy", "--dump=nope").failed(2, "nope")


@pytest.mark.parametrize("device", DEVICES)
def test_bench(hexin, small_artifact, device):
    done = hexin("bench", small_artifact("affine"), f"--device={device}", "--threads=1", "--runs=5", "--shape", "x=4x3",
                 "--json").succeeded()
    report = json.loads(done.out)
    assert report["runs"] == 5 and report["shapes"] == {"x": [4, 3]} and report["device"]["id"] == device
    assert 0 < report["minMs"] <= report["medianMs"] <= report["p90Ms"]
    for key in ("openMs", "sessionMs", "firstRunMs", "peakMemoryBytes"):
        assert report[key] > 0
    assert "median" in hexin("bench", small_artifact("affine"), "--runs=2", "--shape", "x=4x3").succeeded().out


@pytest.mark.parametrize("device", DEVICES)
def test_bench_per_op(hexin, small_artifact, device):
    arguments = ["bench", small_artifact("affine"), f"--device={device}", "--runs=3", "--shape", "x=4x3", "--per-op",
                 "--peak-gflops=1", "--peak-gbs=1000"]
    report = json.loads(hexin(*arguments, "--json").succeeded().out)["perOp"]
    assert report["peak"] == {"gflops": pytest.approx(1), "gbs": pytest.approx(1000)}
    [product] = [op for op in report["ops"] if op["operations"]]
    assert product["node"] == "product+sum" and product["launches"] == 1
    assert product["operations"] == 2 * 4 * 3 * 2
    # What it binds: x, the packed weights (at least their elements), the bias, y.
    assert product["bytes"] >= 4 * (4 * 3 + 3 * 2 + 2 + 4 * 2)
    assert product["limitMs"] == pytest.approx(48 / 1e9 * 1e3)
    assert report["totalMs"] == pytest.approx(sum(op["ms"] for op in report["ops"]))
    assert sum(op["share"] for op in report["ops"]) == pytest.approx(1)
    table = hexin(*arguments).succeeded().out
    assert "GFLOP/s" in table and "product+sum" in table


def test_bench_per_op_measures_the_cpu(hexin, small_artifact):
    done = hexin("bench", small_artifact("affine"), "--runs=1", "--shape", "x=4x3", "--threads=1", "--per-op", "--json")
    peak = json.loads(done.succeeded().out)["perOp"]["peak"]
    if peak:  # absent on CPUs without AVX2
        assert peak["gflops"] > 1 and peak["gbs"] > 0.1 and peak["isa"] in ("avx2", "avx512")


def test_bench_per_op_wants_positive_peaks(hexin, small_artifact):
    hexin("bench", small_artifact("affine"), "--shape", "x=4x3", "--per-op", "--peak-gflops=0").failed(2, "--peak-gflops")


# Bad input: a clear error and an exit code.

@pytest.mark.parametrize("arguments, words", [
    (["--input", "nope=x.npy"], ["nope", "'x'"]),
    (["--input", "x=wide.npy"], ["'x'", "f64"]),
    (["--input", "x=flat.npy"], ["'x'", "[6]"]),
    (["--input", "x=four.npy"], ["x"]),
    (["--input", "x"], ["NAME=VALUE"]),
    (["--input", "x=x.npy", "--input", "x=x.npy"], ["twice"]),
    ([], ["'x'", "--random-inputs"]),
    (["--input", "x=1", "--fill", "x=2"], ["'x'", "one is enough"]),
    (["--random-inputs", "--shape", "x=2x4"], ["x"]),
    (["--random-inputs", "--shape", "x=2"], ["'x'"]),
    (["--random-inputs", "--shape", "x=99999999999x99999999999"], ["x"]),
    (["--random-inputs", "--shape", "nope=2x3"], ["nope"]),
    (["--fill", "x=many", "--shape", "x=1x3"], ["many"]),
], ids=lambda value: " ".join(value))
def test_wrong_inputs(hexin, small_artifact, tmp_path, x, arguments, words):
    np.save(tmp_path / "wide.npy", x.astype(np.float64))
    np.save(tmp_path / "flat.npy", x.ravel())
    np.save(tmp_path / "four.npy", np.zeros((2, 4), np.float32))
    hexin("run", small_artifact("affine"), *arguments).failed(2, *words)


def test_unequal_sizes_of_one_symbol(hexin, small_artifact):
    hexin("run", small_artifact("add_rows"), "--random-inputs", "--shape", "in/a:0=2x4", "--shape", "in/b:0=3x4").failed(
        2, "rows", "in/b:0 f32 [3, 4]", "made-up", "--input NAME=NUMBER")


def test_bad_input_files(hexin, small_artifact, tmp_path, x):
    (tmp_path / "bad.npy").write_bytes(b"garbage")
    np.save(tmp_path / "big.npy", x.astype(">f4"))
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    for name, code in [("none", 4), ("bad", 4), ("big", 5), ("objects", 5)]:
        hexin("run", small_artifact("affine"), "--input", f"x={name}.npy").failed(code, name)


@pytest.mark.parametrize("device", ["tpu", "opencl:99", "cuda:99", "cpu:9"])
def test_unknown_devices(hexin, small_artifact, device):
    hexin("run", small_artifact("affine"), "--random-inputs", "--shape", "x=1x3", f"--device={device}").failed(
        3, device.split(":")[0])


def test_no_opencl_driver(hexin, small_artifact, tmp_path):
    hexin("run", small_artifact("affine"), "--random-inputs", "--shape", "x=1x3", "--device=opencl:0",
          env={"OCL_ICD_VENDORS": str(tmp_path)}).failed(3, "opencl")


def test_an_opencl_choice_that_is_none(hexin, small_artifact):
    hexin("run", small_artifact("affine"), "--random-inputs", "--shape", "x=1x3", "--device=opencl:0",
          env={"HEXIN_OPENCL_LOCAL_MEMORY": "yes"}).failed(3, "HEXIN_OPENCL_LOCAL_MEMORY is 'yes': expected 0 or 1")


def test_inputs_that_no_file_holds(hexin, tmp_path):
    from onnx import TensorProto, helper

    info = helper.make_tensor_value_info
    for kind, port, op in (("sequence", helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None), "SequenceLength"),
                           ("strings", info("s", TensorProto.STRING, ["n"]), "Identity")):
        output = info("y", TensorProto.INT64 if kind == "sequence" else TensorProto.STRING, None)
        graph = helper.make_graph([helper.make_node(op, ["s"], ["y"])], kind, [port], [output])
        path = tmp_path / f"{kind}.onnx"
        path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
        hexin("compile", str(path), "-o", f"{kind}.hxm", "--targets=cpu").succeeded()
        words = "use the C++ or the Python API" if kind == "sequence" else "--input 's=FILE.npy'"
        hexin("run", f"{kind}.hxm").failed(2, words)
        done = hexin("run", f"{kind}.hxm", "--random-inputs")
        assert done.code != 0 and words in done.err


def test_target_that_the_file_lacks(hexin, small_model):
    hexin("compile", small_model("affine"), "-o", "a.hxm", "--targets=cpu").succeeded()
    done = hexin("run", "a.hxm", "--random-inputs", "--shape", "x=1x3", "--device=opencl:0")
    assert done.code in (2, 3, 5) and "retarget" in done.err


def test_bad_artifacts(hexin, small_artifact, tmp_path):
    whole = small_artifact("affine").read_bytes()
    bad = tmp_path / "bad.hxm"
    for contents in (b"", b"garbage" * 100, whole[:40], whole[:64], whole[: len(whole) // 2], whole[:-1],
                     whole[:64] + b"\xff" * (len(whole) - 64)):
        bad.write_bytes(contents)
        for command in (["run", "--random-inputs", "--shape", "x=1x3"], ["inspect"], ["retarget", "--targets=opencl"]):
            hexin(*command, "bad.hxm").failed(4, "bad.hxm")
    hexin("run", "none.hxm", "--random-inputs").failed(4, "none.hxm")


def test_artifact_of_another_version(hexin, small_artifact, tmp_path):
    """The version follows the eight bytes of magic in the preamble."""
    contents = bytearray(small_artifact("affine").read_bytes())
    contents[8:10] = b"\xff\x7f"
    (tmp_path / "new.hxm").write_bytes(contents)
    hexin("inspect", "new.hxm").failed(4, "version")


def test_damaged_bytes_never_crash(hexin, small_artifact, tmp_path):
    whole = small_artifact("affine").read_bytes()
    generator = np.random.default_rng(1)
    for position in generator.integers(0, min(len(whole), 8192), 40):
        changed = bytearray(whole)
        changed[position] ^= 1 << int(generator.integers(0, 8))
        (tmp_path / "a.hxm").write_bytes(changed)
        hexin("inspect", "a.hxm", "--verify")


def test_outputs_that_cannot_be_written(hexin, small_artifact, tmp_path, x):
    (tmp_path / "file").write_text("")
    for folder in ("file", "file/below"):
        hexin("run", small_artifact("affine"), "--input", "x=x.npy", "--output-dir", folder).failed(1, "file")
    hexin("run", small_artifact("affine"), "--input", "x=x.npy", "--trace", "none/t.json").failed(1, "t.json")


def test_native_code_can_be_refused(hexin, small_artifact):
    done = hexin("run", small_artifact("affine"), "--random-inputs", "--shape", "x=1x3", "--no-native")
    assert done.code not in (0, 4), done.err
    assert "holds code" in done.err
