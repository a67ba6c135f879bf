"""The installed C++ package: layout, find_package, the examples."""

import os
import re
import subprocess

import pytest

EXAMPLES = ["run_model", "dynamic_shapes", "zero_copy", "state", "compile_in_process"]


def call(*command, **options) -> str:
    # The tree under test is found by itself, not through variables of the tests.
    env = {key: value for key, value in os.environ.items() if key not in ("LD_LIBRARY_PATH", "HEXIN_BACKEND_PATH")}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=env, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def prefix(build_dir, tmp_path_factory):
    """The build, installed and then moved: nothing may depend on the place."""
    folder = tmp_path_factory.mktemp("install")
    call("cmake", "--install", build_dir, "--prefix", folder / "first")
    (folder / "first").rename(folder / "moved")
    return folder / "moved"


@pytest.fixture(scope="session")
def examples(root, prefix, build_dir, tmp_path_factory):
    cache = (build_dir / "CMakeCache.txt").read_text()
    compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.M).group(1)
    folder = tmp_path_factory.mktemp("examples")
    call("cmake", "-S", root / "examples" / "cpp", "-B", folder, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
         f"-DCMAKE_CXX_COMPILER={compiler}", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
    call("cmake", "--build", folder)
    return folder


@pytest.fixture
def artifact(prefix, tmp_path):
    """artifact("affine", ...) -> a .hxm made by the installed command."""
    import small_models

    def make(name, *arguments):
        source, path = tmp_path / f"{name}.onnx", tmp_path / f"{name}.hxm"
        source.write_bytes(getattr(small_models, name)().SerializeToString())
        call(prefix / "bin" / "hexin", "compile", source, "-o", path, "--targets=cpu,opencl", *arguments)
        return path

    return make


def test_layout(prefix):
    for header in ("status", "value", "device", "model", "session", "compile", "hexin"):
        assert (prefix / "include" / "hexin" / f"{header}.h").exists()
    (library,) = prefix.glob("lib*/**/libhexin.so")
    names = {path.name for path in library.parent.iterdir()}
    assert {"libhexin_backend_cpu.so", "libhexin_backend_opencl.so", "libhexin_compiler.so"} <= names
    assert (library.parent / "cmake" / "hexin" / "hexinConfig.cmake").exists()


@pytest.mark.parametrize("compiler", ["g++", "clang++-22"])
@pytest.mark.parametrize("header", ["status", "value", "device", "model", "session", "compile", "hexin"])
def test_each_header_stands_alone(prefix, tmp_path, compiler, header):
    (tmp_path / "a.cpp").write_text(f"#include <hexin/{header}.h>\n")
    call(compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
         "-I", prefix / "include", tmp_path / "a.cpp")


def test_installed_command_finds_its_libraries(prefix):
    assert "cpu" in call(prefix / "bin" / "hexin", "devices")


def test_versions_that_do_not_fit_are_refused(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(p LANGUAGES CXX)\nfind_package(hexin 9.0 REQUIRED)\n")
    done = subprocess.run(["cmake", "-S", str(tmp_path), "-B", str(tmp_path / "b"), f"-DCMAKE_PREFIX_PATH={prefix}"],
                          capture_output=True, text=True)
    assert done.returncode != 0 and "9.0" in done.stderr


@pytest.mark.parametrize("device", ["cpu", "opencl:0"])
def test_examples_run(examples, artifact, device):
    affine = artifact("affine")
    assert "y: 19 32" in call(examples / "run_model", affine, device)
    shapes = call(examples / "dynamic_shapes", affine, device)
    assert "batch 8: 16 elements" in shapes and "plans: 3" in shapes
    total = artifact("accumulate", "--state", "total_in=total_out")
    assert "2 -> " in call(examples / "zero_copy", artifact("double_f32"), device)
    lines = call(examples / "state", total, device, "cpu").splitlines()
    assert [line.rsplit(" ", 1)[1] for line in lines] == ["6", "10", "0"]


def test_compile_in_process(examples, tmp_path):
    import small_models

    (tmp_path / "a.onnx").write_bytes(small_models.affine().SerializeToString())
    out = call(examples / "compile_in_process", tmp_path / "a.onnx", tmp_path / "a.hxm", "cpu", "opencl")
    assert "runs on cpu" in out and "runs on opencl" in out


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_report_errors(examples, tmp_path, example):
    done = subprocess.run([str(examples / example), str(tmp_path / "none"), str(tmp_path / "out")],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "none" in done.stderr
    assert subprocess.run([str(examples / example)], capture_output=True).returncode == 2
