#!/usr/bin/env python3
"""How good kernels are, told without a GPU: what an assembler and the driver's stand-in count.

    HEXIN_BUILD_DIR=build/release tests/backends/cuda/measure.py [CASE ...]

A line for each case, a small model that is compiled, assembled by ptxas (HEXIN_PTXAS, PATH, or pip's
nvidia-cuda-nvcc) and run on the stand-in. Of the kernels that ran:

    regs, spill   the most registers, and the bytes that are spilled, on any of GPUS
    occ           the least share of a multiprocessor's threads that its registers and memory leave room for, on sm_80
    sectors       of 32 bytes in global memory, against as few as the values of each access need
    traffic       the same, against the bytes of the model's inputs, weights and outputs: 1 is everything once
    shared        passes over shared memory, against as few as the words of each access need
    fma           share of multiply-adds among the instructions of warps (mma counts like 16), in the loop over the
                  depth where there is one: among those that twice the depth takes more

Exits with 1 when a case is beyond the bars of its kind (BARS).
"""

import concurrent.futures
import json
import math
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("HEXIN_BUILD_DIR") or ROOT / "build" / "release")
sys.path[:0] = [str(BUILD / "python"), str(ROOT / "tests" / "contracts"), str(ROOT / "tests" / "cuda_driver")]

import numpy as np  # noqa: E402
import onnx  # noqa: E402
import standin  # noqa: E402
from onnx import helper, numpy_helper  # noqa: E402

GPUS = ["sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"]


class Bars(NamedTuple):
    registers: int
    occupancy: float  # at least
    sectors: float
    traffic: float = math.inf  # where everything need be read but once
    shared: float = 1.1
    spilled: int = 0
    fma: float = 0  # at least


# "misaligned": neighbours are read, from addresses that are no multiple of a sector. An access of 128 bytes then
# meets five of them, and the next access one of those again.
BARS = {
    "elementwise": Bars(registers=40, occupancy=0.5, sectors=1.05),
    "elementwise, misaligned": Bars(registers=40, occupancy=0.5, sectors=1.1),
    "movement": Bars(registers=40, occupancy=0.5, sectors=1.05),
    "row": Bars(registers=64, occupancy=0.5, sectors=1.05, traffic=1.1),
    "row, parameters": Bars(registers=64, occupancy=0.5, sectors=1.05),  # which every row reads again
    "row, misaligned": Bars(registers=64, occupancy=0.5, sectors=1.25),
    "product": Bars(registers=128, occupancy=0.25, sectors=1.3, fma=0.6),
    # Rows that begin anywhere are read byte by byte: four accesses have the sectors of one.
    "product of bytes, misaligned": Bars(registers=128, occupancy=0.25, sectors=3.2, fma=0.4),
    # Its traffic has a transpose, channels last, and one back besides: 2 of it.
    "depthwise": Bars(registers=128, occupancy=0.25, sectors=1.05, traffic=4),
    "depthwise, misaligned": Bars(registers=128, occupancy=0.25, sectors=1.1, traffic=4.5),
    # Of its loop over keys, which is two products and a softmax.
    "attention": Bars(registers=128, occupancy=0.25, sectors=1.05, fma=0.5),
}


ATTENTION = "softmax(x0 x1 / 8) x2"


class Case(NamedTuple):
    kind: str
    op: str
    inputs: list  # arrays
    constants: list = []
    attributes: dict = {}
    unknown: tuple = ()  # axes of the first input whose sizes the compiler is not told


def twice_as_deep(case: Case) -> Case | None:
    """Of products, and of attention over keys."""
    def twice(value, axis):
        return np.concatenate([value, value], axis)

    if case.op == ATTENTION:
        query, keys, values = case.inputs
        return case._replace(inputs=[query, twice(keys, -1), twice(values, -2)])
    if case.op in ("MatMul", "MatMulInteger"):
        return case._replace(inputs=[twice(case.inputs[0], -1)], constants=[twice(case.constants[0], 0)])
    if case.kind == "product":
        return case._replace(inputs=[twice(case.inputs[0], 1)], constants=[twice(case.constants[0], 1)])
    return None


def random(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def halfs(seed, *shapes):
    return [random(seed + i, *shape).astype(np.float16) for i, shape in enumerate(shapes)]


def whole(seed, *shape):
    return np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)


def depthwise(seed, images, channels, height, width, taps, **attributes):
    return Case("depthwise", "Conv", [random(seed, images, channels, height, width)], [random(seed + 1, channels, 1, taps, taps)],
                {"group": channels, "pads": [taps // 2] * 4, **attributes})


CASES = {
    "add": Case("elementwise", "Add", [random(0, 256, 384), random(1, 256, 384)]),
    "add-odd": Case("elementwise", "Add", [random(2, 257, 383), random(3, 257, 383)]),
    "add-unknown": Case("elementwise", "Add", [random(4, 97, 1021), random(5, 97, 1021)], unknown=(0, 1)),
    "add-row": Case("elementwise", "Add", [random(6, 256, 384)], [random(7, 384)]),
    "add-row-odd": Case("elementwise, misaligned", "Add", [random(8, 259, 381)], [random(9, 381)]),
    "gelu": Case("elementwise", "Gelu", [random(10, 256, 384)]),
    "f16": Case("elementwise", "Mul", [random(11, 256, 384).astype(np.float16)] * 2),
    "concat": Case("movement", "Concat", [random(12, 128, 192), random(13, 128, 64)], attributes={"axis": 1}),
    "slice": Case("movement", "Slice", [random(14, 256, 384)], [np.array([8]), np.array([264]), np.array([1])]),
    "transpose-rows": Case("movement", "Transpose", [random(15, 64, 12, 64)], attributes={"perm": [1, 0, 2]}),
    "gather": Case("movement", "Gather", [random(16, 1000, 96), np.random.default_rng(17).integers(0, 1000, 1000)],
                   attributes={"axis": 0}),
    "softmax-64": Case("row", "Softmax", [random(20, 1024, 64)], attributes={"axis": -1}),
    "softmax-384": Case("row", "Softmax", [random(21, 512, 384)], attributes={"axis": -1}),
    "softmax-1000": Case("row", "Softmax", [random(22, 128, 1000)], attributes={"axis": -1}),
    "softmax-odd": Case("row, misaligned", "Softmax", [random(23, 129, 999)], attributes={"axis": -1}),
    "softmax-unknown": Case("row, misaligned", "Softmax", [random(24, 129, 777)], attributes={"axis": -1}, unknown=(0, 1)),
    "log-softmax": Case("row", "LogSoftmax", [random(25, 128, 1000)], attributes={"axis": -1}),
    "layer-norm": Case("row, parameters", "LayerNormalization", [random(26, 512, 768)], [random(27, 768), random(28, 768)]),
    "rms-norm": Case("row, parameters", "RMSNormalization", [random(78, 512, 768)], [random(79, 768)]),
    "layer-norm-odd": Case("row, misaligned", "LayerNormalization", [random(29, 513, 765)], [random(30, 765), random(31, 765)]),
    "reduce-row": Case("row", "ReduceSum", [random(32, 256, 1024)], [np.array([1])]),
    "reduce-column": Case("row", "ReduceSum", [random(33, 64, 4096)], [np.array([0])]),
    "arg-max": Case("row", "ArgMax", [random(34, 256, 1024)], attributes={"axis": 1}),
    "matmul-large-tiles": Case("product", "MatMul", [random(41, 1408, 128)], [random(42, 128, 1536)]),
    "matmul-small-tiles": Case("product", "MatMul", [random(43, 256, 512)], [random(44, 512, 192)]),
    "conv": Case("product", "Conv", [random(45, 1, 64, 32, 32)], [random(46, 128, 64, 3, 3)], attributes={"pads": [1] * 4}),
    "matmul-bytes": Case("product", "MatMulInteger", [whole(70, 512, 252)], [whole(71, 252, 192)]),
    "matmul-bytes-odd": Case("product of bytes, misaligned", "MatMulInteger", [whole(72, 512, 253)], [whole(73, 253, 192)]),
    "depthwise": depthwise(60, 1, 64, 56, 56, 3),
    "depthwise-strided": depthwise(62, 1, 64, 56, 56, 3, strides=[2, 2]),
    "depthwise-5x5": depthwise(64, 1, 240, 28, 28, 5),
    "depthwise-odd": depthwise(66, 1, 58, 28, 28, 3)._replace(kind="depthwise, misaligned"),
    "matmul-f16": Case("product", "MatMul", halfs(74, (512, 256)), halfs(75, (256, 192))),
    "matmul-bytes-16": Case("product", "MatMulInteger", [whole(76, 512, 256)], [whole(77, 256, 192)]),
    "attention-64": Case("attention", ATTENTION, [random(35, 1, 2, 128, 64), random(36, 1, 2, 64, 128), random(37, 1, 2, 128, 64)]),
    "attention-128": Case("attention", ATTENTION, [random(38, 1, 2, 96, 128), random(39, 1, 2, 128, 96), random(40, 1, 2, 96, 128)]),
    "attention-256": Case("attention", ATTENTION, [random(41, 1, 2, 96, 256), random(42, 1, 2, 256, 96), random(43, 1, 2, 96, 256)]),
    "attention-f16": Case("attention", ATTENTION, halfs(44, (1, 2, 128, 64), (1, 2, 64, 128), (1, 2, 128, 64))),
    "attention-f16-128": Case("attention", ATTENTION, halfs(47, (1, 2, 128, 128), (1, 2, 128, 128), (1, 2, 128, 128))),
    "attention-f16-256": Case("attention", ATTENTION, halfs(50, (1, 2, 128, 256), (1, 2, 256, 128), (1, 2, 128, 256))),
}


def model_of(case: Case) -> tuple[onnx.ModelProto, dict]:
    values = {f"x{i}": value for i, value in enumerate(case.inputs)}
    constants = [numpy_helper.from_array(value, f"c{i}") for i, value in enumerate(case.constants)]
    ports = [helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(value.dtype),
        [f"n{axis}" if axis in case.unknown else size for axis, size in enumerate(value.shape)])
        for name, value in values.items()]
    if case.op == ATTENTION:
        constants.append(numpy_helper.from_array(np.array(0.125, case.inputs[0].dtype), "scale"))
        nodes = [helper.make_node("MatMul", ["x0", "x1"], ["products"]),
                 helper.make_node("Mul", ["products", "scale"], ["scores"]),
                 helper.make_node("Softmax", ["scores"], ["weights"], axis=-1),
                 helper.make_node("MatMul", ["weights", "x2"], ["y"], name="y")]
    else:
        nodes = [helper.make_node(case.op, [*values, *(constant.name for constant in constants)], ["y"], name="y",
                                  **case.attributes)]
    graph = helper.make_graph(nodes, "case", ports, [onnx.ValueInfoProto(name="y")], constants)
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 23)])
    return onnx.shape_inference.infer_shapes(model), values


# -- What an assembler says ------------------------------------------------------------


def find_ptxas() -> str | None:
    given = os.environ.get("HEXIN_PTXAS") or shutil.which("ptxas")
    packages = Path(sysconfig.get_path("purelib"))
    return given or next((str(each) for each in packages.glob("nvidia/*/bin/ptxas")), None)


class Assembled(NamedTuple):
    registers: int
    spilled: int
    shared: int  # bytes


def assemble(ptx: Path, gpu: str) -> dict[str, Assembled]:
    """What ptxas says of each kernel."""
    done = subprocess.run([find_ptxas(), "-v", "-arch", gpu, "-o", os.devnull, str(ptx)], capture_output=True, text=True)
    assert done.returncode == 0, f"{gpu}: {done.stderr[:2000]}"
    kernels = {}
    for part in done.stderr.split("Compiling entry function '")[1:]:
        shared = re.search(r"(\d+) bytes smem", part)
        kernels[part.split("'")[0]] = Assembled(
            int(re.search(r"Used (\d+) registers", part)[1]),
            sum(int(n) for n in re.findall(r"(\d+) bytes spill", part)), int(shared[1]) if shared else 0)
    return kernels


def block_threads(ptx: str) -> dict[str, int]:
    """By kernel: threads of its blocks, the most where it leaves that open."""
    found = re.findall(r"\.entry (\w+)\(.*?\)\s*\.(?:maxntid|reqntid) (\d+)", ptx, re.DOTALL)
    return {name: int(threads) for name, threads in found}


def occupancy(kernel: Assembled, threads: int) -> float:
    """Of sm_80, by the published rules: 64 warps and 32 blocks, 65536 registers that warps get in lots of 256,
    four warps at a time, and 164 KiB of shared memory, of which a block takes 1 KiB more than it asks for."""
    warps = -(-threads // 32)
    per_warp = -(-kernel.registers * 32 // 256) * 256
    by_registers = 65536 // per_warp // 4 * 4 // warps
    by_memory = (164 << 10) // (kernel.shared + 1024)
    return min(64 // warps, 32, by_registers, by_memory) * warps / 64


# -- What the stand-in counts ------------------------------------------------------------


def count(case: Case, artifact: Path) -> tuple[dict, list[str], float]:
    """Counters of one run, the kernels that ran, and the bytes that it must read and write."""
    import hexin

    driver = standin.Standin()
    _, values = model_of(case)
    session = hexin.Session(artifact, device="cuda:0", cache_dir="none")
    before, launches = driver.counters(), launches_of(driver)
    results = session.run(values)
    after = driver.counters()
    ran = [name for name, number in launches_of(driver).items() if number > launches.get(name, 0)]
    names = ("warpInstructions", "globalSectors", "idealGlobalSectors", "sharedWavefronts", "idealSharedWavefronts",
             "fma", "mma", "peakDeviceBytes")
    counters = {name: getattr(after, name) - (0 if name == "peakDeviceBytes" else getattr(before, name)) for name in names}
    weights = [] if case.op in ("Slice", "ReduceSum") else case.constants  # those are read when it is compiled
    arrays = [*values.values(), *weights, *results.values()]
    return counters, ran, float(sum(array.nbytes for array in arrays))


def launches_of(driver: standin.Standin) -> dict[str, int]:
    return {name: int(number) for name, number in re.findall(r"kernel (\w+): (\d+) launches", driver.report())}


# -- A case ------------------------------------------------------------------------------


class Measured(NamedTuple):
    registers: int
    spilled: int
    occupancy: float
    sectors: float
    traffic: float
    shared: float
    fma: float
    peak: int  # bytes of device memory


def ratio(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def measure(name: str, folder: Path) -> Measured:
    """In a process that finds the stand-in by its name."""
    import hexin
    import hxm

    case, artifact, text = CASES[name], folder / f"{name}.hxm", folder / f"{name}.ptx"
    hexin.compile(model_of(case)[0], artifact, targets=["cuda"])
    read = hxm.read(artifact)
    (image,) = read.program("cuda")["images"]
    text.write_bytes(read.section(image["section"]))
    counters, ran, needed = count(case, artifact)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        by_gpu = dict(zip(GPUS, pool.map(lambda gpu: assemble(text, gpu), GPUS)))
    threads = block_threads(text.read_text())
    loop, deeper = dict(counters), twice_as_deep(case)
    if deeper:
        hexin.compile(model_of(deeper)[0], artifact, targets=["cuda"])
        more, _, _ = count(deeper, artifact)
        loop = {name: more[name] - counters[name] for name in counters}
    every = [by_gpu[gpu][kernel] for gpu in GPUS for kernel in ran]
    return Measured(
        registers=max(kernel.registers for kernel in every), spilled=max(kernel.spilled for kernel in every),
        occupancy=min(occupancy(by_gpu["sm_80"][kernel], threads[kernel]) for kernel in ran),
        sectors=ratio(counters["globalSectors"], counters["idealGlobalSectors"]),
        traffic=ratio(32 * counters["globalSectors"], needed),
        shared=ratio(counters["sharedWavefronts"], counters["idealSharedWavefronts"]),
        fma=ratio(loop["fma"] + 16 * loop["mma"], loop["warpInstructions"]), peak=counters["peakDeviceBytes"])


def beyond(measured: Measured, bars: Bars) -> list[str]:
    """What is beyond its bar, in words."""
    wrong = [f"{what} {getattr(measured, what):.4g}, expected at most {getattr(bars, what)}"
             for what in ("registers", "spilled", "sectors", "traffic", "shared")
             if getattr(measured, what) > getattr(bars, what)]
    wrong += [f"{what} {getattr(measured, what):.2f}, expected at least {getattr(bars, what)}"
              for what in ("occupancy", "fma") if getattr(measured, what) < getattr(bars, what)]
    return wrong


def measure_all(names: list[str]) -> dict[str, Measured]:
    """In a process of its own, which the stand-in is for."""
    done = subprocess.run([sys.executable, __file__, "--json", *names], env=standin.environment(BUILD, DEVICES="sm_80"),
                          stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"measure.py ended with {done.returncode}"
    return {name: Measured(*values) for name, values in json.loads(done.stdout).items()}


def main(arguments: list[str]) -> int:
    if "--json" in arguments:
        names = [name for name in arguments if name != "--json"] or list(CASES)
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps({name: measure(name, Path(folder)) for name in names}))
        return 0
    if not find_ptxas():
        print("there is no ptxas: HEXIN_PTXAS, PATH, or pip's nvidia-cuda-nvcc", file=sys.stderr)
        return 2
    print(f"{'case':18}{'kind':25}{'regs':>5}{'spill':>6}{'occ':>6}{'sectors':>9}{'traffic':>9}{'shared':>8}{'fma':>6}")
    failed = False
    for name, found in measure_all(arguments).items():
        kind = CASES[name].kind
        wrong = beyond(found, BARS[kind])
        failed |= bool(wrong)
        print(f"{name:18}{kind:25}{found.registers:5}{found.spilled:6}{found.occupancy:6.2f}{found.sectors:9.3f}"
              f"{found.traffic:9.3f}{found.shared:8.3f}{found.fma:6.2f}  {'; '.join(wrong)}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
