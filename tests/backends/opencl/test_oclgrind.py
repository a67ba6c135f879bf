"""Our kernels under oclgrind: no access out of bounds, no race, no uninitialised read.

oclgrind interprets each work item, so sizes are small: large enough that every
schedule has whole blocks and remainders. Its ICD is used by itself, beside no other
driver, in a process of its own.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from schedule_cases import CASES, TEAM_CASES, model_of, model_of_teams

ICD = Path("/usr/lib/oclgrind/liboclgrind-rt-icd.so")

pytestmark = pytest.mark.skipif(not ICD.exists(), reason=f"oclgrind is not installed: there is no {ICD}")


# Kernels that sum a vector's lanes: oclgrind 21.10 follows uninitialised values into a
# shuffle of another width by the wrong number of bytes, and falls.
SHUFFLES = {"softmax-row", "softmax-column", "layer-norm", "reduce-row", "reduce-all", "lstm"}


def no_freeze(names):
    """Where convolutions divide, LLVM writes `freeze`, which the check for uninitialised reads does not know."""
    return [name for name in sorted(names) if "conv" not in name]


CHECKS = {
    "bounds-and-races": (sorted(CASES), ["OCLGRIND_CHECK_API", "OCLGRIND_DATA_RACES"]),
    "uninitialized": (no_freeze(set(CASES) - SHUFFLES), ["OCLGRIND_UNINITIALIZED"]),
}


def under_oclgrind(command, folder, checks):
    """The finished process, and what oclgrind has to say."""
    log = folder / "oclgrind.log"
    env = {**os.environ, "OCL_ICD_VENDORS": str(ICD), "OCLGRIND_LOG": str(log), **dict.fromkeys(checks, "1")}
    env.pop("HEXIN_OPENCL_LIBRARY", None)
    done = subprocess.run(list(map(str, command)), env=env, cwd=folder, capture_output=True, text=True, timeout=280)
    return done, log.read_text() if log.exists() else ""


def check_kernels(hexin_tool, folder, model, values, checks):
    """Runs the model on oclgrind's device; returns the trace."""
    import hexin
    import onnxruntime

    hexin.compile(model, folder / "cases.hxm", targets=["opencl"])
    arguments = []
    for i, (name, value) in enumerate(values.items()):
        np.save(folder / f"in{i}.npy", value)
        arguments += ["--input", f"{name}=in{i}.npy"]
    done, said = under_oclgrind([hexin_tool, "run", "cases.hxm", "--device=opencl:0", "--cache-dir=none",
                                 "--output-dir=out", "--trace=trace.json", *arguments], folder, checks)
    assert done.returncode == 0, done.stderr
    assert said == ""

    session = onnxruntime.InferenceSession(model.SerializeToString())
    outputs = [port.name for port in session.get_outputs()]
    for name, wanted in zip(outputs, session.run(None, values)):
        found = np.load(folder / "out" / f"{name}.npy")
        scale = max(float(np.abs(wanted).max()), 1.0)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-5 * scale, err_msg=name)
    return (folder / "trace.json").read_text()


@pytest.mark.parametrize("names, checks", CHECKS.values(), ids=CHECKS)
def test_kernels_are_clean_and_right(hexin_tool, tmp_path, names, checks):
    check_kernels(hexin_tool, tmp_path, *model_of(names), checks)


TEAM_CHECKS = {
    "bounds-and-races": (sorted(TEAM_CASES), ["OCLGRIND_CHECK_API", "OCLGRIND_DATA_RACES"]),
    "uninitialized": (no_freeze(TEAM_CASES), ["OCLGRIND_UNINITIALIZED"]),
}


@pytest.mark.parametrize("names, checks", TEAM_CHECKS.values(), ids=TEAM_CHECKS)
def test_kernels_for_teams_are_clean_and_right(hexin_tool, tmp_path, names, checks):
    trace = check_kernels(hexin_tool, tmp_path, *model_of_teams(names), checks)
    shown = subprocess.run([hexin_tool, "inspect", "--json", tmp_path / "cases.hxm"], capture_output=True, text=True, check=True)
    teams = [(instruction["node"], variant) for instruction in json.loads(shown.stdout)["programs"][0]["instructions"]
             for variant in instruction.get("variants", []) if "team" in variant]
    assert all(variant["name"] in trace for _, variant in teams)
    assert {node for node, _ in teams} == set(names)


@pytest.mark.skipif(not shutil.which("oclgrind-kernel"), reason="there is no oclgrind-kernel")
def test_oclgrind_finds_what_is_wrong(tmp_path):
    """The check itself: a kernel that writes one element too far."""
    (tmp_path / "bad.cl").write_text("kernel void bad(global int *x) { x[get_global_id(0) + 1] = 1; }\n")
    (tmp_path / "bad.sim").write_text("bad.cl\nbad\n4 1 1\n1 1 1\n<size=16 fill=0 int>\n")
    done, said = under_oclgrind(["oclgrind-kernel", "bad.sim"], tmp_path, [])
    assert "Invalid write" in said + done.stdout + done.stderr
