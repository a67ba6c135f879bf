"""Who says what a model's right numbers are, and how far off one may be."""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy

# ONNX Runtime's own error, times this, is always allowed.
ENGINE_FACTOR = 4.0
# Below this many roundings of the largest value nothing is a difference.
FLOOR = 16 * float(numpy.finfo(numpy.float32).eps)

# Runs with random rounding errors, and what their largest error is multiplied by.
ROUNDING_SAMPLES = 7
ROUNDING_FACTOR = 3.0

Values = dict[str, numpy.ndarray]


def evaluator() -> Path:
    """The tool that runs a model op by op with the reference kernels."""
    build = Path(os.environ.get("HEXIN_BUILD_DIR", Path(__file__).parents[1] / "build/release"))
    return build / "bin" / "hexin-onnx-evaluate"


def judge_label() -> str:
    return "reference kernels, f64"


def judged_outputs(model_path: Path, inputs: Values, cache: Path) -> Values:
    """The outputs that everyone is compared with, computed once and kept in `cache`."""
    kept = cache / f"{model_path.stem}-{_digest(model_path, inputs)}.npz"
    if kept.exists():
        with numpy.load(kept) as archive:
            return {name[1:]: archive[name] for name in archive.files}
    outputs = judge(model_path, inputs)
    cache.mkdir(parents=True, exist_ok=True)
    # The prefix keeps names like "file" from being taken for savez's own arguments.
    numpy.savez(kept, **{"_" + name: value for name, value in outputs.items()})
    return outputs


def _digest(model_path: Path, inputs: Values) -> str:
    digest = hashlib.sha256(judge_label().encode())
    with open(model_path, "rb") as handle:
        digest.update(hashlib.file_digest(handle, "sha256").digest())
    for name, value in inputs.items():
        digest.update(name.encode() + value.tobytes())
    return digest.hexdigest()[:16]


def judge(model_path: Path, inputs: Values, mode: str = "--f64") -> Values:
    """One run of the reference kernels in f64, or in another mode of the evaluator."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(model_path), load_external_data=False)
    weights = {weight.name for weight in model.graph.initializer}
    names = [port.name for port in model.graph.input if port.name not in weights]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.onnx").symlink_to(model_path.resolve())
        for i, input_name in enumerate(names):
            tensor = numpy_helper.from_array(numpy.asarray(inputs[input_name], order="C"))
            (folder / f"input_{i}.pb").write_bytes(tensor.SerializeToString())
        subprocess.run([str(evaluator()), mode, str(folder)], check=True)
        if (folder / "error.txt").exists():
            raise RuntimeError(f"{model_path.name}: {(folder / 'error.txt').read_text()}")
        outputs = {}
        for i, port in enumerate(model.graph.output):
            tensor = onnx.TensorProto.FromString((folder / f"result_{i}.pb").read_bytes())
            outputs[port.name] = numpy_helper.to_array(tensor)
        return outputs


def error_of(outputs: Values, judged: Values) -> float:
    """The largest difference, relative to each output's largest value; the worst output.

    Integers count as right or wrong. Infinite when a shape differs, an output is
    missing, or a value is not finite where the judge's is.
    """
    worst = 0.0
    for name, wanted in judged.items():
        found = outputs.get(name)
        if found is None or numpy.shape(found) != wanted.shape:
            return float("inf")
        found = numpy.asarray(found)
        if wanted.dtype.kind != "f":
            worst = max(worst, 0.0 if numpy.array_equal(found, wanted) else float("inf"))
            continue
        found, wanted = found.astype(numpy.float64), wanted.astype(numpy.float64)
        finite = numpy.isfinite(wanted)
        if not numpy.array_equal(found[~finite], wanted[~finite], equal_nan=True):
            return float("inf")
        if not finite.any():
            continue
        scale = max(float(numpy.abs(wanted[finite]).max()), float(numpy.finfo(numpy.float32).tiny))
        difference = numpy.abs(found[finite] - wanted[finite])
        worst = max(worst, float(difference.max()) / scale if numpy.isfinite(difference).all() else float("inf"))
    return worst


def bound_of(engine_error: float) -> float:
    """What an error may be at most, as far as ONNX Runtime's own error says: a small
    multiple of it, or the floor."""
    return max(FLOOR, ENGINE_FACTOR * engine_error)


def bound_for(error: float, engine_error: float, derive: Callable[[], float]) -> float:
    """The whole bound. `derive` gives its derived term, which takes a while and is
    worked out only for an error above the rest."""
    bound = bound_of(engine_error)
    return bound if error <= bound else max(bound, derive())


def derived_bound(model_path: Path, inputs: Values, judged: Values, cache: Path,
                  samples: int = ROUNDING_SAMPLES) -> float:
    """What rounding may do to the outputs of this model on these inputs, in the
    measure of `error_of`: ROUNDING_FACTOR times the largest error of `samples` runs
    in f64 that have an f32 engine's rounding errors, drawn at random, behind every op.

    This is Monte Carlo arithmetic (Parker 1997) on whole ops. The errors of an op are
    modelled in tests/frontends/onnx/Rounding.h; sums have those of recursive
    summation, from the very sizes of their terms, which worst-case bounds
    (gamma(K) |A| |B|, multiplied up through the layers) exceed by orders of magnitude.
    Assumed is that
      - the roundings of an op are independent and of mean 0 (Higham and Mary 2019
        build probabilistic bounds on the same; sums grow with sqrt(K), not K),
      - the order of a sum has nothing to do with the sizes of its terms,
      - no algorithm is worse than recursive summation by more than a part of the
        factor (F(4,3) Winograd: about 2; sums in blocks are better).
    How errors travel from op to op is not assumed, but run.

    Confidence: an f32 engine for which the assumptions hold is one more sample. Its
    error exceeds the largest of n others with probability 1 / (n + 1), whatever the
    distribution (Sohier et al. 2021); with the factor, for one normally distributed
    output and n = 7, with probability 0.0015, and for a model's many outputs, whose
    largest error varies little between samples, with far less. Where an integer
    output flips, or a value is lost, the bound is infinite: nothing can be said.
    """
    kept = cache / f"rounding-{samples}-{_digest(model_path, inputs)}.txt"
    if not kept.exists():
        errors = [error_of(judge(model_path, inputs, f"--rounding={seed}"), judged) for seed in range(1, samples + 1)]
        cache.mkdir(parents=True, exist_ok=True)
        kept.write_text("\n".join(map(repr, errors)) + "\n")
    return ROUNDING_FACTOR * max(map(float, kept.read_text().split()))
