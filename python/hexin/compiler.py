"""From a model file to a ``.hxm``.

The compiler is a library of its own that is loaded by the first call; where it is
not installed, the functions raise UnavailableError.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Optional, Union

import numpy as np

from . import _arguments, _core
from .errors import InvalidArgumentError

Path = Union[str, os.PathLike]
Progress = Callable[[str, float], None]
ShapeSpec = Union[str, Sequence[Union[int, str, None]]]


class CompileReport(NamedTuple):
    text: str  #: what `emit` or `explain` asked for
    artifact_bytes: int
    kernels: int  #: distinct kernels, per target
    kernels_reused: int  #: of them found in the cache; those that ship as text never are
    seconds: float
    error: float  #: measured, of `precision`; see `max_error`


def _dims(name: str, spec: ShapeSpec) -> list[Union[int, str]]:
    """Sizes, names, and -1 for what the model declares."""
    if isinstance(spec, str):
        spec = spec.split("," if "," in spec else "x") if spec else []
        spec = [int(part) if part.lstrip("-").isdigit() else part for part in spec]
    try:
        sizes = list(spec)
    except TypeError:
        raise InvalidArgumentError(
            f"shapes[{name!r}] is {spec!r}; expected a sequence of sizes, as in (1, 3), or a str, as in '1x3'"
        ) from None
    dims = []
    for size in sizes:
        if size is None or (isinstance(size, str) and size in ("?", "-1")) or size == -1:
            dims.append(-1)
        elif isinstance(size, str):
            dims.append(_arguments.text(f"a size of shapes[{name!r}]", size))
        elif isinstance(size, (int, np.integer)) and 0 <= size < 2**63:
            dims.append(int(size))
        else:
            raise InvalidArgumentError(
                f"shapes[{name!r}]: {size!r} is no size; expected an int below 2**63, a name, "
                f"or None or -1 for what the model declares"
            )
    return dims


class _Progress:
    """Calls `function` until it raises. The compiler cannot be stopped: what was raised
    is raised behind it."""

    def __init__(self, function: Optional[Progress]) -> None:
        if function is not None and not callable(function):
            raise InvalidArgumentError(
                f"progress is a function of (phase, fraction), got {function!r}"
            )
        self._function = function
        self._raised: Optional[BaseException] = None

    def __call__(self, phase: str, fraction: float) -> None:
        if self._function is None or self._raised is not None:
            return
        try:
            self._function(phase, fraction)
        except BaseException as error:
            self._raised = error

    def done(self, report: tuple) -> CompileReport:
        if self._raised is not None:
            raise self._raised
        return CompileReport(*report)


def _options(
    targets: Iterable[str],
    shapes: Optional[Mapping[str, ShapeSpec]] = None,
    states: Optional[Mapping[str, str]] = None,
    allow_fallback: Iterable[str] = (),
    disable: Iterable[str] = (),
    prefer: Iterable[str] = (),
    cpu_archs: Iterable[str] = (),
    prepack: Optional[str] = None,
    precision: Optional[str] = None,
    max_error: Optional[float] = None,
    emit: Optional[str] = None,
    explain: bool = False,
    verify_each: bool = False,
    threads: int = 0,
    cache_dir: Optional[Path] = None,
    progress: Optional[Progress] = None,
) -> dict[str, Any]:
    names = _arguments.names
    shapes = _arguments.mapping("shapes", shapes, "a dict of sizes by input")
    states = _arguments.mapping("states", states, "a dict of outputs by input")
    return {
        "targets": names("targets", targets),
        "shapes": {name: _dims(name, spec) for name, spec in shapes.items()},
        "states": {
            name: _arguments.text(f"states[{name!r}]", output) for name, output in states.items()
        },
        "allow_fallback": names("allow_fallback", allow_fallback),
        "disable": names("disable", disable),
        "prefer": names("prefer", prefer),
        "cpu_archs": names("cpu_archs", cpu_archs),
        "prepack": "" if prepack is None else _arguments.text("prepack", prepack),
        "precision": "" if precision is None else _arguments.text("precision", precision),
        "max_error": 0.0 if max_error is None else _arguments.bound("max_error", max_error),
        "emit": "" if emit is None else _arguments.text("emit", emit),
        "explain": bool(explain),
        "verify_each": bool(verify_each),
        "threads": _arguments.threads(threads),
        "cache_dir": "" if cache_dir is None else _arguments.path("cache_dir", cache_dir),
        "progress": _Progress(progress),
    }


def compile(
    model: Any,
    out: Optional[Path] = None,
    *,
    targets: Iterable[str] = ("cpu",),
    shapes: Optional[Mapping[str, ShapeSpec]] = None,
    states: Optional[Mapping[str, str]] = None,
    allow_fallback: Iterable[str] = (),
    disable: Iterable[str] = (),
    prefer: Iterable[str] = (),
    cpu_archs: Iterable[str] = (),
    prepack: Optional[str] = None,
    precision: Optional[str] = None,
    max_error: Optional[float] = None,
    emit: Optional[str] = None,
    explain: bool = False,
    verify_each: bool = False,
    threads: int = 0,
    cache_dir: Optional[Path] = None,
    progress: Optional[Progress] = None,
) -> CompileReport:
    """Compiles an ONNX model into the artifact `out`.

    model: a path, the file's bytes, or an ``onnx.ModelProto``. Only a path may
        refer to external data.
    out: the ``.hxm`` to write; written beside it first and renamed, so an old file
        survives any failure. May be left out with `emit`.
    targets: ``cpu``, ``cuda``, ``opencl``.
    shapes: fixes or names input sizes: ``{"x": (1, 3, "H", None)}`` or
        ``{"x": "1x3xHx?"}``. A name keeps a size dynamic and makes it equal to all
        sizes of that name, at whatever input; None, -1 or ``?`` keep what the model
        declares.
    states: {input: output}: the input takes the output's value of the run before,
        and both leave the signature.
    allow_fallback: hx ops ("layer_norm") or node names that may run off the device; any
        other op that the target cannot take is an error.
    disable: libraries, ops or schedules to do without, as in ``onednn``.
    prefer: libraries that go before our kernels wherever they can, as in ``onednn``.
    cpu_archs: cpu images to emit; all of x86-64-v2, -v3 and -v4 by default.
    prepack: weights in forms of kernels' own that follow from others, up to four times as
        large: ``lazy`` (the default), they are made when first used and kept in the cache
        folder; ``full``, they are shipped.
    precision: of products with constant weights: ``f32`` (the default); ``bf16``, both sides
        rounded to it and summed in f32, everything else f32; ``int8-dynamic``, where weights
        are of 8 bits with scales, the other side rounded to 8 bits as well, by a scale that
        each run finds for each row.
    max_error: by how much of an output's largest value `precision` may change it, against
        f32, measured by a run on made inputs: 1/16 by default (int8-dynamic: 1). A model
        that breaks it is refused with a FailedPreconditionError; infinity measures nothing.
    emit: ``import``, ``optimized``, ``placed`` or ``kernels``: give that form of the
        program as ``report.text`` instead of an artifact.
    explain: give the placement, with its reasons, as ``report.text``.
    verify_each: check the program after every pass.
    threads: of the compiler; 0 is one per core.
    cache_dir: where compiled kernels are kept for later compiles; None is the user's
        cache, "none" keeps them in this process only.
    progress: called with (phase, fraction) from the compiler's threads. What it raises
        is raised when the compiler is done; it is not called again.

    The GIL is released meanwhile. Raises NotFoundError, CorruptDataError (no valid
    ONNX), UnsupportedError (an op, with node and opset), InvalidArgumentError,
    UnavailableError (no compiler here), IoError (the old `out` is intact).
    """
    options = _options(
        targets, shapes, states, allow_fallback, disable, prefer, cpu_archs, prepack,
        precision, max_error, emit, explain, verify_each, threads, cache_dir, progress,
    )
    if out is None and not emit:
        raise InvalidArgumentError("compile needs `out`, or `emit` to give text instead")
    out_path = "" if out is None else _arguments.path("out", out)
    if hasattr(model, "SerializeToString"):
        model = model.SerializeToString()
    if isinstance(model, (bytes, bytearray, memoryview)):
        return options["progress"].done(_core.compile_bytes(bytes(model), out_path, options))
    if isinstance(model, (str, os.PathLike)):
        source = _arguments.path("model", model)
        return options["progress"].done(_core.compile_path(source, out_path, options))
    raise InvalidArgumentError(
        f"model is a path, bytes or an onnx.ModelProto, got a {type(model).__name__}"
    )


def retarget(
    path: Path,
    out: Optional[Path] = None,
    *,
    targets: Iterable[str],
    allow_fallback: Iterable[str] = (),
    disable: Iterable[str] = (),
    prefer: Iterable[str] = (),
    cpu_archs: Iterable[str] = (),
    prepack: Optional[str] = None,
    precision: Optional[str] = None,
    max_error: Optional[float] = None,
    explain: bool = False,
    verify_each: bool = False,
    threads: int = 0,
    cache_dir: Optional[Path] = None,
    progress: Optional[Progress] = None,
) -> CompileReport:
    """Adds (or replaces) programs for `targets` in the artifact `path`, from its
    portable section; the source model is not needed.

    out: the file to write, by default `path` itself. Options and errors are those
    of :func:`compile`.
    """
    options = _options(
        targets, None, None, allow_fallback, disable, prefer, cpu_archs, prepack,
        precision, max_error, None, explain, verify_each, threads, cache_dir, progress,
    )
    source = _arguments.path("path", path)
    out_path = source if out is None else _arguments.path("out", out)
    return options["progress"].done(_core.retarget(source, out_path, options))
