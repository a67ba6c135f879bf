"""hexin compile, inspect and retarget."""

import json
import os
import resource
import signal

import pytest


def test_compile_writes_and_reports(hexin, small_model, tmp_path):
    done = hexin("compile", small_model("affine"), "-o", "a.hxm", "--targets=cpu,opencl", "--json").succeeded()
    report = json.loads(done.out)
    assert report["artifactBytes"] == (tmp_path / "a.hxm").stat().st_size
    assert done.err == "", "progress is for terminals"


def test_progress_on_request(hexin, small_model):
    assert "%]" in hexin("compile", small_model("affine"), "-o", "a.hxm", "--progress").succeeded().err


@pytest.mark.parametrize("emit", ["import", "optimized", "placed", "kernels"])
def test_emit_prints_and_writes_no_artifact(hexin, small_model, tmp_path, emit):
    assert hexin("compile", small_model("affine"), f"--emit={emit}").succeeded().out.strip()
    hexin("compile", small_model("affine"), f"--emit={emit}", "-o", "text").succeeded()
    assert (tmp_path / "text").read_text().strip()
    assert hexin("compile", small_model("affine"), f"--emit={emit}", "-o", "-").succeeded().out.strip()
    assert not list(tmp_path.glob("*.hxm")) and not (tmp_path / "-").exists()


def test_explain_names_nodes_and_devices(hexin, small_model):
    text = hexin("compile", small_model("affine"), "-o", "a.hxm", "--targets=cpu,opencl", "--explain").succeeded().out
    for word in ("product", "cpu", "opencl", "transfer", "sync"):
        assert word in text


def test_shapes_are_fixed(hexin, small_model):
    hexin("compile", small_model("affine"), "-o", "a.hxm", "--shape", "x=5x3").succeeded()
    assert "[5, 3]" in hexin("inspect", "a.hxm").succeeded().out
    hexin("compile", small_model("affine"), "-o", "b.hxm", "--shape", "x=Rx?").succeeded()
    assert "[R, 3]" in hexin("inspect", "b.hxm").succeeded().out
    hexin("compile", small_model("affine"), "-o", "c.hxm", "--shape", "x=5x4").failed(2, "x")
    hexin("compile", small_model("affine"), "-o", "c.hxm", "--shape", "nope=5x4").failed(2, "nope")


def test_state_is_declared(hexin, small_model):
    hexin("compile", small_model("accumulate"), "-o", "a.hxm", "--state", "total_in=total_out").succeeded()
    text = hexin("inspect", "a.hxm").succeeded().out
    assert "state  " in text and "input  total_in" not in text


def test_inspect(hexin, small_artifact):
    text = hexin("inspect", small_artifact("affine"), "--instructions").succeeded().out
    for line in ("input  x  f32 [N, 3]", "output  y  f32 [", "metadata  characters = ", "program  cpu",
                 "program  opencl", "product"):
        assert line in text
    description = json.loads(hexin("inspect", small_artifact("affine"), "--json").succeeded().out)
    assert {program["target"] for program in description["programs"]} == {"cpu", "opencl"}
    assert hexin("inspect", small_artifact("affine"), "--verify").succeeded()


def test_retarget(hexin, small_model):
    hexin("compile", small_model("affine"), "-o", "a.hxm", "--targets=cpu").succeeded()
    os.remove(small_model("affine"))
    hexin("retarget", "a.hxm", "-o", "b.hxm", "--targets=opencl").succeeded()
    for device in ("cpu", "opencl:0"):
        hexin("run", "b.hxm", f"--device={device}", "--random-inputs", "--shape", "x=2x3").succeeded()


# Bad models: a clear error, an exit code, no crash, no file.

@pytest.mark.parametrize("contents", [b"", b"garbage\n" * 50, b"\x08" * 999, b"\xff" * 999, b"\x3a\xff\xff\xff\xff\x0f"],
                         ids=["empty", "text", "tags", "ones", "length"])
def test_garbage_is_no_model(hexin, tmp_path, contents):
    (tmp_path / "bad.onnx").write_bytes(contents)
    done = hexin("compile", "bad.onnx", "-o", "a.hxm")
    assert done.code in (4, 5), done.err
    assert "bad.onnx" in done.err and not (tmp_path / "a.hxm").exists()


def test_long_chains_become_several_kernels(hexin, tmp_path):
    import onnx
    from onnx import helper

    nodes = [helper.make_node("Tanh", [f"v{i}"], [f"v{i + 1}"]) for i in range(200)]
    values = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [4]) for name in ("v0", "v200")]
    graph = helper.make_graph(nodes, "chain", values[:1], values[1:])
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]),
              tmp_path / "chain.onnx")
    text = hexin("compile", "chain.onnx", "--emit=placed").succeeded().out
    assert text.count("hx.group ") == 4
    assert "reason" not in text, "no schedule but map is for elementwise ops"


@pytest.mark.parametrize("option", ["--disable", "--allow-fallback"])
def test_unknown_names_in_options(hexin, small_model, tmp_path, option):
    hexin("compile", small_model("affine"), "-o", "a.hxm", f"{option}=foo").failed(2, "foo")
    assert not (tmp_path / "a.hxm").exists()
    for known in ("hx.softmax", "LayerNorm", "product"):
        hexin("compile", small_model("affine"), "-o", "a.hxm", f"--allow-fallback={known}").succeeded()
    for known in ("row", "hx.softmax"):
        hexin("compile", small_model("affine"), "-o", "a.hxm", f"--disable={known}").succeeded()


def test_missing_models(hexin, tmp_path):
    hexin("compile", "none.onnx", "-o", "a.hxm").failed(4, "none.onnx")
    assert hexin("compile", tmp_path, "-o", "a.hxm").code in (1, 2, 4)
    hexin("run", "none.onnx", "--random-inputs").failed(4, "none.onnx")


def test_truncated_models(hexin, small_model):
    path = small_model("affine")
    whole = path.read_bytes()
    for length in range(1, len(whole), len(whole) // 12):
        path.write_bytes(whole[:length])
        assert hexin("compile", path, "-o", "a.hxm").code in (0, 2, 4, 5)


@pytest.mark.parametrize("name", ["cyclic", "huge_initializer"])
def test_hostile_models(hexin, small_model, name):
    done = hexin("compile", small_model(name), "-o", "a.hxm", preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_AS, (8 << 30, 8 << 30)))
    assert done.code in (2, 4), done.err


@pytest.mark.parametrize("depth", [3, 40, 2000])
def test_deep_nesting(hexin, small_model, depth):
    assert hexin("compile", small_model("nested_ifs", depth), "--emit=import").code in (0, 1, 4, 5)


def test_unknown_op(hexin, small_model):
    hexin("compile", small_model("unknown_op"), "-o", "a.hxm").failed(5, "strange", "Frobnicate", "com.example")


def test_external_data(hexin, small_model, tmp_path):
    import numpy as np

    path = small_model("external_weight", "w.bin")
    hexin("compile", path, "-o", "a.hxm").failed(4, "w.bin")
    (tmp_path / "w.bin").write_bytes(np.array([1, 2], np.float32).tobytes())
    hexin("compile", path, "-o", "a.hxm").succeeded()
    (tmp_path / "w.bin").write_bytes(b"1234")
    hexin("compile", path, "-o", "b.hxm").failed(4, "'w'")


@pytest.mark.parametrize("location", ["../outside.bin", "/etc/hostname", "link.bin", "folder/../../outside.bin"])
def test_external_data_does_not_escape(hexin, tmp_path, location):
    import small_models

    folder = tmp_path / "model"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "outside.bin").write_bytes(b"12345678")
    (folder / "link.bin").symlink_to(tmp_path / "outside.bin")
    (folder / "m.onnx").write_bytes(small_models.external_weight(location).SerializeToString())
    done = hexin("compile", folder / "m.onnx", "-o", "a.hxm")
    assert done.code in (2, 4) and location.split("/")[-1] in done.err
    assert not (tmp_path / "a.hxm").exists()


def test_unknown_target_and_switches(hexin, small_model):
    done = hexin("compile", small_model("affine"), "-o", "a.hxm", "--targets=tpu")
    assert done.code in (2, 4) and "tpu" in done.err and "cpu" in done.err
    assert hexin("compile", small_model("affine"), "-o", "a.hxm", "--cpu-archs=x86-64-v9").code in (2, 5)


def test_disabled_op_is_a_named_error(hexin, small_model, tmp_path):
    done = hexin("compile", small_model("affine"), "-o", "a.hxm", "--disable=hx.matmul")
    done.failed(5, "product", "--allow-fallback")
    assert not (tmp_path / "a.hxm").exists()


def limited_file_size():
    """Writes beyond 2 KiB fail, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))


def test_a_full_disk_leaves_the_old_file(hexin, small_model, tmp_path):
    hexin("compile", small_model("affine"), "-o", "a.hxm").succeeded()
    old = (tmp_path / "a.hxm").read_bytes()
    assert len(old) > 2048
    env = {"HEXIN_CACHE_DIR": "none"}
    assert hexin("compile", small_model("affine"), "-o", "a.hxm", env=env, preexec_fn=limited_file_size).code == 1
    assert hexin("retarget", "a.hxm", "--targets=opencl", env=env, preexec_fn=limited_file_size).code == 1
    assert (tmp_path / "a.hxm").read_bytes() == old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.hxm", "affine.onnx"], "nothing is left over"


def test_a_folder_that_is_not_there(hexin, small_model):
    done = hexin("compile", small_model("affine"), "-o", "none/a.hxm")
    assert done.code in (1, 4) and "none" in done.err


def test_what_is_no_model_to_compile(hexin, small_model):
    hexin("compile", small_model("affine"), "-o", "a.hxm").succeeded()
    hexin("compile", "a.hxm", "-o", "b.hxm").failed(2, "a.hxm", "is a .hxm already", "retarget")
    hexin("compile", "", "-o", "b.hxm").failed(2, "path", "empty")


def test_unknown_architectures_name_the_known(hexin, small_model):
    compiled = hexin("compile", small_model("affine"), "-o", "a.hxm", "--cpu-archs=x86-64-v9")
    compiled.failed(2, "x86-64-v9", "x86-64-v4, x86-64-v3")
