"""Every kernel that we write is PTX that NVIDIA's assembler takes, for every GPU it knows, and how many registers they spill.

ptxas is HEXIN_PTXAS, or one on PATH, or that of the pip package nvidia-cuda-nvcc.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import fetch_models
import hxm
import pytest
from schedule_cases import CASES, TEAM_CASES, model_of, model_of_teams

GPUS = ["sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"]
QUICK_MODELS = ["silero-vad-op18-ifless", "magika-v3_3", "ppocr-v4-rec", "minilm-l6-int8"]


def find_ptxas():
    given = os.environ.get("HEXIN_PTXAS") or shutil.which("ptxas")
    packages = Path(sysconfig.get_path("purelib"))
    return given or next((str(each) for each in packages.glob("nvidia/*/bin/ptxas")), None)


pytestmark = pytest.mark.skipif(not find_ptxas(), reason="there is no ptxas: HEXIN_PTXAS, PATH, or pip's nvidia-cuda-nvcc")


@pytest.fixture(autouse=True)
def needs_the_target(build_dir):
    if not (Path(build_dir) / "lib" / "libhexin_backend_cuda.so").exists():
        pytest.skip("this build has no cuda target: -DHEXIN_WITH_CUDA=ON")


def assemble(ptx: Path, gpu: str) -> dict:
    """What ptxas says of each kernel: registers and spilled bytes."""
    done = subprocess.run([find_ptxas(), "-v", "-arch", gpu, "-o", os.devnull, str(ptx)], capture_output=True, text=True)
    assert done.returncode == 0, f"{gpu}: {done.stderr[:2000]}"
    kernels = {}
    for part in done.stderr.split("Compiling entry function '")[1:]:
        spilled = sum(int(n) for n in re.findall(r"(\d+) bytes spill", part))
        kernels[part.split("'")[0]] = {"registers": int(re.search(r"Used (\d+) registers", part)[1]), "spilled": spilled}
    return kernels


def judge(artifact: Path, folder: Path, record_property) -> None:
    read = hxm.read(artifact)
    program = read.program("cuda")
    (image,) = program["images"]
    text = folder / "kernels.ptx"
    text.write_bytes(read.section(image["section"]))
    assert ".extern" not in text.read_text()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        by_gpu = dict(zip(GPUS, pool.map(lambda gpu: assemble(text, gpu), GPUS)))
    for gpu, kernels in by_gpu.items():
        assert {kernel["name"] for kernel in program["kernels"]} <= kernels.keys()
        assert {name: of for name, of in kernels.items() if of["spilled"]} == {}, gpu
        record_property(f"registers {gpu}", max(of["registers"] for of in kernels.values()))


@pytest.mark.parametrize("build, cases", [(model_of, CASES), (model_of_teams, TEAM_CASES)], ids=["items", "teams"])
def test_schedules(build, cases, tmp_path, record_property):
    import hexin

    hexin.compile(build(sorted(cases))[0], tmp_path / "cases.hxm", targets=["cuda"])
    judge(tmp_path / "cases.hxm", tmp_path, record_property)


@pytest.mark.parametrize("name", QUICK_MODELS)
def test_models(name, tmp_path, record_property):
    import hexin

    hexin.compile(str(fetch_models.fetch(name)), tmp_path / "model.hxm", targets=["cuda"])
    judge(tmp_path / "model.hxm", tmp_path, record_property)
