"""Compiled kernels are found again: by later compiles, other processes, other models."""

import concurrent.futures
import json
import os
import subprocess

import hexin
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper


def model_bytes(activation: str) -> bytes:
    """A product, an activation, a softmax and a cumulative sum: several kernels."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["product"], name="product"),
        helper.make_node("CumSum", ["product", "axis"], ["sums"], name="sums"),
        helper.make_node("Softmax", ["sums"], ["soft"], name="soft", axis=-1),
        helper.make_node("CumSum", ["soft", "axis"], ["again"], name="again"),
        helper.make_node(activation, ["again"], ["y"], name="act"),
    ]
    weights = np.random.default_rng(0).normal(size=(7, 9)).astype(np.float32)
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 7])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 9])],
        [onnx.numpy_helper.from_array(weights, "w"),
         onnx.numpy_helper.from_array(np.array(0, np.int64), "axis")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


@pytest.fixture
def compile_here(hexin_tool, tmp_path):
    """compile_here(activation, cache) -> (report, artifact's bytes), in a new process."""

    def call(activation="Tanh", cache=tmp_path / "cache", out="a.hxm", archs="x86-64-v2,x86-64-v3", threads=0):
        model = tmp_path / f"{activation}-{out}.onnx"
        model.write_bytes(model_bytes(activation))
        done = subprocess.run(
            [hexin_tool, "compile", model, "-o", tmp_path / out, "--json", f"--cpu-archs={archs}",
             f"--compile-threads={threads}"],
            env={**os.environ, "HEXIN_CACHE_DIR": str(cache)}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), (tmp_path / out).read_bytes()

    return call


def entries(cache):
    return sorted((cache / "kernels").iterdir())


def test_a_second_compile_reuses_every_kernel(compile_here, tmp_path):
    first, artifact = compile_here()
    assert first["kernels"] >= 3 and first["kernelsReused"] == 0
    assert len(entries(tmp_path / "cache")) == 2 * first["kernels"], "one per kernel and arch"
    second, again = compile_here(out="b.hxm")
    assert second["kernelsReused"] == second["kernels"] == first["kernels"]
    assert again == artifact


def test_a_changed_op_compiles_its_kernel_only(compile_here):
    compile_here("Tanh")
    changed, _ = compile_here("Sigmoid")
    assert changed["kernelsReused"] == changed["kernels"] - 1


def test_an_arch_that_is_missing_counts_as_compiled(compile_here):
    compile_here(archs="x86-64-v2")
    assert compile_here(archs="x86-64-v2,x86-64-v3")[0]["kernelsReused"] == 0


def test_damaged_entries_are_made_again(compile_here, tmp_path):
    first, artifact = compile_here()
    damaged = entries(tmp_path / "cache")
    for i, path in enumerate(damaged):
        content = bytearray(path.read_bytes())
        if i % 3 == 0:
            content = content[: len(content) // 2]
        elif i % 3 == 1:
            content[len(content) // 2] ^= 0x40
        else:
            content = b""
        path.write_bytes(content)
    second, again = compile_here()
    assert second["kernelsReused"] == 0
    assert again == artifact
    assert compile_here()[0]["kernelsReused"] == first["kernels"]


@pytest.mark.parametrize("cache", ["/proc/hexin-cache", "/dev/null/cache", "none"])
def test_without_a_usable_folder_nothing_is_kept(compile_here, cache):
    for _ in range(2):
        assert compile_here(cache=cache)[0]["kernelsReused"] == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_read_only_folder_still_finds(compile_here, tmp_path):
    first, _ = compile_here()
    (tmp_path / "cache" / "kernels").chmod(0o500)
    assert compile_here()[0]["kernelsReused"] == first["kernels"]
    assert compile_here("Sigmoid")[0]["kernelsReused"] > 0
    (tmp_path / "cache" / "kernels").chmod(0o700)


def test_concurrent_compiles_share_a_folder(compile_here):
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda i: compile_here(out=f"{i}.hxm"), range(3)))
    assert len({artifact for _, artifact in done}) == 1
    assert compile_here()[0]["kernelsReused"] == done[0][0]["kernels"]


def test_memory_serves_without_a_folder(tmp_path):
    reports = [hexin.compile(model_bytes("Erf"), tmp_path / "a.hxm", cpu_archs=["x86-64-v2"], cache_dir="none")
               for _ in range(2)]
    assert reports[1].kernels_reused == reports[1].kernels > 0


def test_the_command_shows_and_clears_it(hexin_tool, compile_here, tmp_path):
    report, _ = compile_here(archs="x86-64-v2")
    env = {**os.environ, "HEXIN_CACHE_DIR": str(tmp_path / "cache")}
    shown = subprocess.run([hexin_tool, "cache", "--json"], env=env, capture_output=True, text=True)
    caches = {cache["name"]: cache for cache in json.loads(shown.stdout)["caches"]}
    assert caches["kernels"]["files"] == report["kernels"]
    assert subprocess.run([hexin_tool, "cache", "clear"], env=env, capture_output=True).returncode == 0
    assert compile_here(archs="x86-64-v2")[0]["kernelsReused"] == 0


def test_threads_change_nothing(compile_here):
    artifacts = {compile_here("Tanh", "none", f"{threads}.hxm", "x86-64-v2", threads)[1] for threads in (1, 2, 5)}
    assert len(artifacts) == 1
