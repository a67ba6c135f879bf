"""Help, versions, usage errors, devices, the cache: what needs no model."""

import json

import pytest

COMMANDS = ["compile", "run", "bench", "inspect", "retarget", "devices", "cache"]


def test_help_lists_commands_and_exit_codes(hexin):
    text = hexin("--help").succeeded().out
    for command in COMMANDS:
        assert f"  {command} " in text
    assert "Exit codes" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(hexin, command):
    assert command in hexin(command, "--help").succeeded().out


def test_version(hexin):
    assert hexin("--version").succeeded().out.startswith("hexin ")


@pytest.mark.parametrize("arguments", [
    [], ["frobnicate"], ["run"], ["run", "a.hxm", "--frobnicate"], ["compile", "a.onnx"],
    ["compile", "a.onnx", "-o", "a.hxm", "--emit=nothing"], ["compile", "a.onnx", "-o", "a.hxm", "--shape", "x=1x"],
    ["compile", "a.onnx", "-o", "a.hxm", "--shape", "x"], ["compile", "a.onnx", "-o", "a.hxm", "--state", "a"],
    ["retarget", "a.hxm"], ["bench", "a.hxm", "--runs=0"], ["run", "a.hxm", "--threads=many"],
    ["devices", "--log-level=loud"], ["cache", "frobnicate"],
])
def test_usage_errors(hexin, arguments):
    hexin(*arguments).failed(2)


def test_devices(hexin):
    devices = {device["id"]: device for device in json.loads(hexin("devices", "--json").succeeded().out)}
    assert devices["cpu"]["available"] and devices["cpu"]["imageArchs"]
    assert all(device["available"] or device["reason"] for device in devices.values())
    assert "cpu" in hexin("devices").succeeded().out


def test_devices_without_an_opencl_driver(hexin, tmp_path):
    done = hexin("devices", "--json", env={"OCL_ICD_VENDORS": str(tmp_path)}).succeeded()
    (opencl,) = [device for device in json.loads(done.out) if device["id"].startswith("opencl")]
    assert not opencl["available"] and opencl["reason"]


def test_output_that_cannot_be_written_is_a_failure(hexin_tool):
    import subprocess

    with open("/dev/full", "w") as full:
        done = subprocess.run([str(hexin_tool), "devices"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "standard output" in done.stderr


def test_cache_is_shown_and_cleared(hexin, tmp_path):
    cache = tmp_path / "cache"
    env = {"HEXIN_CACHE_DIR": str(cache)}
    assert str(cache) in hexin("cache", env=env).succeeded().out
    (cache / "opencl").mkdir(parents=True)
    (cache / "opencl" / "0123456789abcdef.entry").write_bytes(b"12345")
    shown = json.loads(hexin("cache", "show", "--json", env=env).succeeded().out)
    assert shown["bytes"] == 5 and shown["caches"][0]["name"] == "opencl"
    hexin("cache", "clear", env=env).succeeded()
    assert not list(cache.iterdir())
    (cache / "thesis.txt").write_text("mine")
    assert "thesis.txt" in hexin("cache", "clear", env=env).succeeded().out
    assert (cache / "thesis.txt").exists()


@pytest.mark.parametrize("folder", ["file", "/proc/nope"])
def test_an_unusable_cache_is_said_once(hexin, small_artifact, tmp_path, folder):
    (tmp_path / "file").write_text("")
    folder = str(tmp_path / folder)
    done = hexin(
        "run", small_artifact("affine"), "--random-inputs", "--shape", "x=1x3", env={"HEXIN_CACHE_DIR": folder}
    ).succeeded()
    assert done.err.count(f"the cache folder '{folder}' cannot be written") == 1


def test_cache_follows_the_environment(hexin, tmp_path):
    env = {"HEXIN_CACHE_DIR": "", "XDG_CACHE_HOME": str(tmp_path / "xdg")}
    assert str(tmp_path / "xdg" / "hexin") in hexin("cache", env=env).succeeded().out
    env = {"HEXIN_CACHE_DIR": "", "XDG_CACHE_HOME": "", "HOME": str(tmp_path)}
    assert str(tmp_path / ".cache" / "hexin") in hexin("cache", env=env).succeeded().out


def test_cache_clear_spares_what_is_no_cache(hexin, tmp_path):
    (tmp_path / "kept").write_text("")
    for directory in ("/", tmp_path):
        hexin("cache", "clear", env={"HEXIN_CACHE_DIR": str(directory), "HOME": str(tmp_path)}).failed(1)
    assert (tmp_path / "kept").exists()


def test_log_level_reaches_the_library(hexin):
    assert "hexin: info: loaded '" in hexin("devices", "--log-level=info").succeeded().err
    assert hexin("devices", env={"HEXIN_LOG_LEVEL": ""}).succeeded().err == ""
    # The flag goes before the environment.
    assert hexin("devices", "--log-level=off", env={"HEXIN_LOG_LEVEL": "debug"}).succeeded().err == ""
