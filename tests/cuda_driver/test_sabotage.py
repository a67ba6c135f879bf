"""The comparison of the operators' tests goes red when the stand-in gets something wrong; kernels make the numbers.

One case for each schedule, and for kernels of teams, beside ONNX Runtime; README.md has the list and what became of it.
"""

import os
import subprocess
import sys

import hxm
import numpy as np
import onnxruntime
import pytest
import standin
from schedule_cases import CASES, TEAM_CASES, model_of, model_of_teams

#: name -> (switch, its value, the instruction that a kernel must have for it to do harm)
SWITCHES = {
    "barriers": ("SABOTAGE", "barriers", "bar.sync"),
    "shuffles": ("SABOTAGE", "shuffles", "shfl.sync"),
    "fma": ("SABOTAGE", "fma", "fma.rn"),
    "async-copies": ("SABOTAGE", "async-copies", "cp.async"),
    "lost-launch": ("LOSE_LAUNCH", "2", ".entry"),
    "ignored-waits": ("IGNORE_WAIT", "all", ".entry"),
}

RUN = """
import sys, numpy, hexin
for artifact, given, made in zip(*[iter(sys.argv[1:])] * 3):
    try:
        outputs = hexin.Session(artifact, device="cuda:0").run(dict(numpy.load(given)))
    except hexin.Error as error:  # wrong enough to be one
        outputs = {}
        print(error, file=sys.stderr)
    numpy.savez(made, **outputs)
"""


class Models:
    """Both models, and what is expected of them."""

    def __init__(self, build, folder):
        import hexin

        self.build, self.ptx, self.kernels, self.arguments, self.expected = build, "", set(), [], {}
        for name, (model, values) in {"items": model_of(CASES), "teams": model_of_teams(TEAM_CASES)}.items():
            path = folder / f"{name}.hxm"
            hexin.compile(model, path, targets=["cuda"])
            read = hxm.read(path)
            program = read.program("cuda")
            self.ptx += "".join(read.section(image["section"]).decode() for image in program["images"])
            self.kernels |= {kernel["name"] for kernel in program["kernels"]}
            np.savez(folder / f"{name}-in.npz", **values)
            self.arguments += map(str, (path, folder / f"{name}-in.npz", folder / f"{name}-out.npz"))
            engine = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            self.expected |= dict(zip([port.name for port in engine.get_outputs()], engine.run(None, values)))

    def wrong(self, **switches):
        """The outputs that are not as expected, in a process of their own: what is broken there stays there."""
        env = standin.environment(self.build, **{"SEED": 3, "PTXAS": standin.find_ptxas(), **switches})
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(self.build / "python"), env.get("PYTHONPATH")]))
        done = subprocess.run([sys.executable, "-c", RUN, *self.arguments], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = {name: value for path in self.arguments[2::3] for name, value in np.load(path).items()}
        return {name for name, value in self.expected.items() if name not in found or not agrees(found[name], value)}, done


def agrees(found, expected):
    """As tests/e2e/op_cases.py compares."""
    try:
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)
    except AssertionError:
        return False
    return True


@pytest.fixture(scope="module")
def models(build_dir, tmp_path_factory):
    if standin.is_real():
        pytest.skip("tests the stand-in; HEXIN_REAL_CUDA=1 asks for the machine's driver")
    if not (standin.library_folder(build_dir) / "libcuda.so.1").exists():
        pytest.skip("the stand-in is not built")
    return Models(build_dir, tmp_path_factory.mktemp("sabotage"))


@pytest.mark.parametrize("seed", [0, 3, 7])
def test_nothing_is_wrong_without(models, seed):
    wrong, done = models.wrong(SEED=seed, LEAKS="fail")
    assert (wrong, done.stderr) == (set(), "")


@pytest.mark.parametrize("name", SWITCHES)
def test_sabotage_is_noticed(models, name):
    switch, value, instruction = SWITCHES[name]
    assert instruction in models.ptx, f"no kernel of these cases has {instruction}"
    wrong, done = models.wrong(**{switch: value})
    assert wrong, done.stderr


def test_kernels_make_the_numbers(models, tmp_path):
    """What runs is the artifact's kernels, and without any of them no output is right."""
    wrong, _ = models.wrong(TRACE=tmp_path / "trace")
    assert wrong == set()
    lines = [line.split() for line in (tmp_path / "trace").read_text().splitlines()]
    launched = {line[1] for line in lines if line[0] == "launch"}
    assert launched and launched <= models.kernels
    wrong, _ = models.wrong(LOSE_LAUNCH="all")
    assert wrong == set(models.expected), "right without a kernel"
