#!/usr/bin/env python3
"""Packs what a machine with a GPU needs to check and measure the cuda backend: README.md.

    pack.py [--build build/release] [--output build/release/hexin-cuda.tar.gz]

Needs the build, its models and ONNX Runtime, and no GPU: the packed models have run on the CUDA driver's stand-in.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
LIMIT = 64 * 10**6  # bytes of the archive

#: C++ tests that a real driver can run; the others are about drivers that are absent, old or broken.
PROGRAMS = ["hexin_cuda_parts_test", "hexin_cuda_device_test_seed0"]
LIBRARIES = ["libhexin.so.0", "libhexin_backend_cuda.so"]
#: Of the system, on every Linux.
SYSTEM = re.compile(r"lib(c|m|dl|rt|pthread)\.so|ld-linux|linux-vdso")
#: Models that fit into the archive together.
MODELS = ["ppocr-v4-det", "ppocr-v4-rec", "ppocr-v2-cls", "magika-v3_3", "minilm-l6-int8", "silero-vad-op18-ifless",
          "basic-pitch", "asr-pre-whisper80-conv", "light-squeezenet", "light-shufflenet"]
#: Of outputs of small models beside ONNX Runtime, relative to the largest value.
CASES_BOUND = 2e-5


def copy_programs(build: Path, folder: Path) -> None:
    for name in ("bin", "lib"):
        (folder / name).mkdir()
    binaries = [build / "bin" / name for name in ("hexin", *PROGRAMS)] + [build / "lib" / name for name in LIBRARIES]
    needed = {}
    for binary in binaries:
        if not binary.exists():
            sys.exit(f"pack: {binary} is not there: build everything first (make build)")
        shutil.copy(binary.resolve(), folder / binary.parent.name / binary.name)
        for line in subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=True).stdout.splitlines():
            name, _, path = line.strip().partition(" => ")
            if path.startswith("/") and not SYSTEM.search(name):
                needed.setdefault(name, path.split(" ")[0])
    for name, path in needed.items():
        if not (folder / "lib" / name).exists():
            shutil.copy(Path(path).resolve(), folder / "lib" / name)
    if shutil.which("strip"):
        subprocess.run(["strip", "--strip-unneeded", *map(str, (*folder.glob("bin/*"), *folder.glob("lib/libhexin*")))],
                       check=True)


class Data:
    """Arrays as files of their own, under names without a meaning."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0

    def save(self, value) -> str:
        import numpy

        self.count += 1
        name = f"{self.count}.npy"
        numpy.save(self.folder / name, numpy.asarray(value, order="C"))
        return name


def pack_check(name: str, artifact: Path, values: dict, expected: dict, bound: float, data: Data) -> dict:
    """The row of a model that has run on the stand-in, within its bound."""
    import hexin
    import judge

    error = judge.error_of(hexin.Session(str(artifact), device="cuda:0").run(values), expected)
    print(f"pack: {name}: error {error:.2g} on the stand-in, bound {bound:.2g}", flush=True)
    if error > bound:
        sys.exit(f"pack: {name} is wrong on the stand-in: mend that first")
    return {"name": name, "artifact": artifact.name, "bound": bound,
            "inputs": {port: data.save(value) for port, value in values.items()},
            "outputs": {port: data.save(value) for port, value in expected.items()}}


def pack_cases(folder: Path, data: Data) -> list[dict]:
    import hexin
    import onnxruntime
    import schedule_cases

    rows = []
    for name, (model, values) in {"schedules": schedule_cases.model_of(schedule_cases.CASES),
                                  "teams": schedule_cases.model_of_teams(schedule_cases.TEAM_CASES)}.items():
        hexin.compile(model, folder / f"{name}.hxm", targets=["cuda"])
        engine = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        expected = dict(zip([port.name for port in engine.get_outputs()], engine.run(None, values)))
        rows.append(pack_check(name, folder / f"{name}.hxm", values, expected, CASES_BOUND, data))
    return rows


def pack_model(name: str, folder: Path, data: Data) -> tuple[dict, dict]:
    """Its rows: of the check, and of the benchmark."""
    import fetch_models
    import hexin
    import judge
    import onnxruntime
    import test_models_cuda

    model = fetch_models.find_model(name)
    source, artifact = fetch_models.fetch(model), folder / f"{name}.hxm"
    hexin.compile(str(source), str(artifact), targets=["cuda"])
    values, cache = test_models_cuda.values_of(name), fetch_models.default_cache() / "judged"
    expected = judge.judged_outputs(source, values, cache)
    engine = onnxruntime.InferenceSession(str(source), providers=["CPUExecutionProvider"])
    theirs = dict(zip([port.name for port in engine.get_outputs()], engine.run(None, values)))
    bound = max(judge.bound_of(judge.error_of(theirs, expected)), judge.derived_bound(source, values, expected, cache))
    fills = {entry["name"]: entry["value"] if entry["fill"] == "const" else entry["values"][0]
             for entry in model["inputs"] if entry["fill"] in ("const", "values")}
    bench = {"name": name, "artifact": artifact.name, "fills": fills,
             "shapes": {entry["name"]: entry["shape"] for entry in model["inputs"] if entry["shape"]}}
    return pack_check(name, artifact, values, expected, bound, data), bench


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path(os.environ.get("HEXIN_BUILD_DIR") or ROOT / "build" / "release"))
    parser.add_argument("--output", type=Path)
    parser.add_argument("--model", action="append", help=f"instead of {', '.join(MODELS)}")
    options = parser.parse_args()
    build = options.build.resolve()
    output = (options.output or build / "hexin-cuda.tar.gz").resolve()
    os.environ["HEXIN_BUILD_DIR"] = str(build)
    sys.path[:0] = [str(build / "python"), *(str(ROOT / folder) for folder in (
        "tests/models", "tests/cuda_driver", "tests/e2e", "bench"))]
    import standin

    standin.use(build)
    import hexin

    folder = output.parent / "hexin-cuda"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("models", "data"):
        (folder / name).mkdir(parents=True)
    copy_programs(build, folder)
    data = Data(folder / "data")
    models = [pack_model(name, folder / "models", data) for name in options.model or MODELS]
    checks = pack_cases(folder / "models", data) + [check for check, _ in models]
    manifest = {"hexin": hexin.__version__, "programs": PROGRAMS, "checks": checks, "bench": [bench for _, bench in models]}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    for name in ("run.sh", "run.py", "README.md"):
        shutil.copy(HERE / name, folder / name)
    with tarfile.open(output, "w:gz", compresslevel=6) as archive:
        archive.add(folder, folder.name)
    size = output.stat().st_size
    print(f"pack: {output}: {size / 1e6:.1f} MB")
    if size > LIMIT:
        sys.exit(f"pack: the archive may have {LIMIT / 1e6:.0f} MB: leave a model out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
