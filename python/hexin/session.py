"""A model on a device, ready to run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Optional, Union

import numpy as np

from . import _arguments, _core
from .errors import InvalidArgumentError
from .model import Model, Port, State


class SessionStats(NamedTuple):
    """Counters since the session was created."""

    runs: int
    plans: int  #: one per new set of input sizes
    commands_prepared: int  #: launches made ready for these plans
    commands_reused: int  #: launches that another plan or session had ready
    kernels_compiled: int  #: built from source; 0 on a warm cache
    weights_reordered: int  #: into a library's own form; 0 on a warm cache
    arena_bytes: int
    transfers: int  #: host <-> device copies in the last run


class Run:
    """A run in flight; see :meth:`Session.submit`."""

    def __init__(self, core: _core.Run, session: Session) -> None:
        self._core: Optional[_core.Run] = core
        self._session = session
        self._outputs: Optional[dict[str, Any]] = None

    def result(self) -> dict[str, Any]:
        """Waits and gives {output name: value}; again the same when called again.

        Raises what the run failed with. Not to be called from two threads at once.
        """
        if self._outputs is None:
            self._outputs = self._core.wait()
            self._core = None
        return self._outputs


class Session:
    """A model on a device, ready to run.

    It owns its working memory, its prepared plans and its state; weights belong to
    the :class:`Model` and are shared, like prepared launches, by the sessions made of
    one Model. Calls from several threads are safe and take turns; use a session per
    thread to run at the same time. The GIL is released while it works.

    Besides what each call names, every call may raise ResourceExhaustedError (memory,
    or a limit), CorruptDataError (the artifact contradicts itself) and DeviceLostError.
    A call that fails changes nothing, and the session stays usable, but for a lost
    device.

    >>> session = hexin.Session("model.hxm", device="opencl:0")
    >>> outputs = session.run({"x": image})
    """

    def __init__(
        self,
        model: Union[Model, str, os.PathLike],
        device: str = "cpu",
        *,
        threads: int = 0,
        pin_threads: bool = True,
        profile: bool = False,
        max_isa: str = "",
        cache_dir: Union[str, os.PathLike, None] = None,
        dump: Iterable[str] = (),
        seed: int = 0,
    ) -> None:
        """Makes `model` (an opened one, or the path of a ``.hxm``) ready on `device`.

        device: ``cpu``, ``opencl:0``, ``opencl:1``; see :func:`hexin.devices`.
        threads: cpu worker threads; 0 is one per core the process may use.
        pin_threads: pin the workers (never the calling thread) to cores.
        profile: record the times that :meth:`trace` gives.
        max_isa: cpu: the highest image to use, as in ``x86-64-v3``.
        cache_dir: where to keep what a device builds; None is the user's cache,
            ``"none"`` switches it off.
        dump: names of intermediate values to keep; see :meth:`dumped`.
        seed: of random operators that have none of their own. With it the numbers of a
            session's first, second, … run are the same in every session and on every
            device; :meth:`reset_state` begins anew.

        Raises UnavailableError for a device that is not there, NotFoundError when the
        file has no program for it or `dump` names no value of that, UnsupportedError
        when the device runs none of its code, InvalidArgumentError for a malformed
        option, VersionMismatchError for a program of another kernel ABI, and
        FailedPreconditionError when the model was opened with ``allow_native=False``
        and holds code. `model` as of :class:`Model` when it is a path.
        """
        self._model = model if isinstance(model, Model) else Model(model)
        self._core = _core.create_session(
            self._model._core,
            _arguments.option("device", device),
            _arguments.threads(threads),
            bool(pin_threads),
            bool(profile),
            _arguments.option("max_isa", max_isa),
            "" if cache_dir is None else _arguments.path("cache_dir", cache_dir),
            _arguments.names("dump", dump),
            _arguments.integer("seed", seed, 2**64 - 1),
        )

    @property
    def model(self) -> Model:
        return self._model

    @property
    def device(self) -> str:
        return self._core.device

    @property
    def inputs(self) -> list[Port]:
        """What :meth:`run` takes."""
        return self._model.inputs

    @property
    def outputs(self) -> list[Port]:
        """What :meth:`run` gives."""
        return self._model.outputs

    @property
    def states(self) -> list[State]:
        """What the session keeps between runs."""
        return self._model.states

    @property
    def metadata(self) -> dict[str, str]:
        return self._model.metadata

    def run(
        self,
        inputs: Mapping[str, Any],
        outputs: Union[None, Sequence[str], Mapping[str, Any]] = None,
        *,
        on_device: Iterable[str] = (),
    ) -> dict[str, Any]:
        """Runs once and gives {output name: value}.

        inputs: a value for every input of the model.

            * tensors: NumPy arrays, anything with the buffer protocol, or DLPack
              objects on the host such as torch tensors. C-contiguous aligned
              memory is read in place, other layouts are copied. On a CUDA device also
              arrays there: :class:`DeviceArray`, DLPack objects, those with
              ``__cuda_array_interface__``. They are read in place (through a copy on
              the device where they are not aligned to 256 bytes), behind what is queued
              in their stream, and must be C-contiguous. The dtype must be
              the declared one; only Python numbers and lists are converted. bf16
              and the 8-bit floats: ml_dtypes arrays, or their bits as uint16 and
              uint8.
            * strings: a str, or an array or (nested) list of str or bytes
            * sequences: lists; optionals: the value or None; maps: dicts

            Sizes with the same symbol in the declarations must be equal.
        outputs: None for all; a list of names for some; or {name: array} to write
            tensors in place: C-contiguous, of the exact dtype and shape; arrays on the
            session's CUDA device as above.
        on_device: names of outputs to leave on the device, as :class:`DeviceArray`.
            On devices whose memory is the host's they are NumPy arrays all the same;
            UnsupportedError for devices that give out no addresses (OpenCL).

        Results are NumPy arrays that own their memory (no copy is made), object
        arrays of str, lists, dicts, None. Raises InvalidArgumentError for a wrong
        name, dtype, rank or size, OutOfRangeError for an index in the contents of
        `inputs` that lies outside its tensor, UnsupportedError when no variant of an
        instruction runs at these sizes.
        """
        on_device = _arguments.names("on_device", on_device)
        if outputs is None:
            return self._core.run(inputs, on_device)
        if isinstance(outputs, Mapping):
            if on_device:
                raise InvalidArgumentError("on_device is for outputs that are not given")
            self._core.run_into(inputs, outputs)
            return dict(outputs)
        names = _arguments.names("outputs", outputs)
        known = [port.name for port in self.outputs]
        for name in names:
            if name not in known:
                raise InvalidArgumentError(
                    f"the model has no output {name!r}; it has {known}"
                )
        results = self._core.run(inputs, on_device)
        return {name: results[name] for name in names}

    def submit(self, inputs: Mapping[str, Any]) -> Run:
        """Starts a run and returns at once; :meth:`Run.result` waits for it.

        The arrays in `inputs` are kept alive, but must not be changed before the
        run has ended. Raises as :meth:`run` does, for what the device meets when it is
        waited for. Whatever is called next waits for this run first.
        """
        return Run(self._core.submit(inputs), self)

    def prepare(self, shapes: Mapping[str, Sequence[int]]) -> None:
        """Does the work that depends on input sizes now, so that the first run at
        them is like any other.

        shapes: {input name: sizes}; inputs of fixed size may be left out. Raises as
        :meth:`run` does.
        """
        shapes = _arguments.mapping("shapes", shapes, "a dict of sizes by input")
        for name in shapes:
            if all(port.name != name for port in self.inputs):
                raise InvalidArgumentError(f"the model has no input {name!r}")
        dims = []
        for port in self.inputs:
            sizes = shapes.get(port.name, port.shape)
            if not isinstance(sizes, Sequence) or not all(
                isinstance(size, (int, np.integer)) and -(2**63) <= size < 2**63 for size in sizes
            ):
                raise InvalidArgumentError(
                    f"prepare needs the sizes of input {port.name!r} {list(port.shape)}, got {sizes!r}"
                )
            dims.append([int(size) for size in sizes])
        self._core.prepare(dims)

    def get_state(self, name: str) -> np.ndarray:
        """A copy of state `name` in canonical form: row-major, declared dtype.

        Before the first run: what that would begin with. NotFoundError for another
        name.
        """
        return self._core.get_state(_arguments.text("name", name))

    def set_state(self, name: str, value: Any) -> None:
        """Replaces state `name`; `value`, which is copied, as an input of :meth:`run`.

        Raises NotFoundError, or InvalidArgumentError for another dtype or other sizes.
        """
        self._core.set_state(_arguments.text("name", name), value)

    def reset_state(self) -> None:
        """Sets every state to its initial value."""
        self._core.reset_state()

    def export_state(self) -> bytes:
        """All states as one blob that a session on any device can import."""
        return self._core.export_state()

    def import_state(self, blob: bytes) -> None:
        """Takes over what :meth:`export_state` of a session of the same model gave.

        A blob that does not fit changes nothing: InvalidArgumentError or NotFoundError
        for one of another model, CorruptDataError for what is none,
        VersionMismatchError for one of another version.
        """
        if not isinstance(blob, (bytes, bytearray, memoryview)):
            raise InvalidArgumentError(f"blob is bytes, got a {type(blob).__name__}")
        self._core.import_state(bytes(blob))

    @property
    def stats(self) -> SessionStats:
        return SessionStats(*self._core.stats())

    def dumped(self) -> dict[str, Any]:
        """The values asked for with `dump`, from the last run.

        FailedPreconditionError before the first one.
        """
        return self._core.dumped()

    def trace(self) -> str:
        """Times of the last run as Chrome trace JSON, which Perfetto opens.

        Needs a session with ``profile=True``, else FailedPreconditionError.
        """
        return self._core.trace()

    def __repr__(self) -> str:
        return f"hexin.Session({self._model.path!r}, device={self.device!r})"
