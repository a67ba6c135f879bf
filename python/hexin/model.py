"""An opened ``.hxm`` file."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple, Optional, Union

import numpy as np

from . import _arguments, _arrays, _core

Shape = tuple[Union[int, str, None], ...]


class Port(NamedTuple):
    """A declared input or output of a model."""

    name: str
    #: ``tensor``, ``strings``, ``sequence``, ``optional`` or ``map``.
    kind: str
    #: Element type as Hexin names it everywhere: ``f32``, ``i64``, ``bool``, …; of
    #: a sequence, optional or map that of the tensors in it.
    type: str
    #: Per axis an int, or the name of a size that a run decides, or None for a
    #: nameless one.
    shape: Shape
    doc: str

    @property
    def dtype(self) -> np.dtype:
        """The NumPy dtype of its arrays; of their bits for bf16 and the 8-bit
        floats when ml_dtypes is not installed; object for strings."""
        return _arrays.numpy_dtype(self.type)


class State(NamedTuple):
    """A value that a session keeps from one run to the next."""

    name: str
    type: str
    shape: Shape

    @property
    def dtype(self) -> np.dtype:
        return _arrays.numpy_dtype(self.type)


class Model:
    """A mapped, verified artifact.

    Immutable and safe to use from several threads. Its weights are shared by all
    sessions made from it, and by all processes that opened the same file. The
    file may be deleted or replaced meanwhile, but not changed in place.
    """

    def __init__(
        self,
        path: Union[str, os.PathLike],
        *,
        allow_native: bool = True,
        verify: bool = False,
    ) -> None:
        """Opens `path`.

        A ``.hxm`` holds code: machine code for cpu, source text for OpenCL. Opening
        checks the file's structure, never what its code does, and code can do
        whatever this process can. Run only files from a source that you trust.

        allow_native: False lets no code of the file run, for a look at a file from
            elsewhere: a :class:`hexin.Session` of a program with code then raises
            FailedPreconditionError.
        verify: read the whole file and check every section's hash. That finds
            damage, not intent.

        Raises NotFoundError, CorruptDataError (a structure that is damaged or lies,
        with the place) or VersionMismatchError.
        """
        self._core = _core.open_model(
            _arguments.path("path", path),
            _arguments.flag("allow_native", allow_native),
            _arguments.flag("verify", verify),
        )
        self._inputs = [Port(*port) for port in self._core.inputs]
        self._outputs = [Port(*port) for port in self._core.outputs]

    @property
    def path(self) -> str:
        return self._core.path

    @property
    def name(self) -> str:
        """The source model's graph name."""
        return self._core.name

    @property
    def doc(self) -> str:
        """The source model's doc string."""
        return self._core.doc

    @property
    def inputs(self) -> list[Port]:
        """What a run takes, in the model's order."""
        return list(self._inputs)

    @property
    def outputs(self) -> list[Port]:
        """What a run gives, in the model's order."""
        return list(self._outputs)

    @property
    def states(self) -> list[State]:
        """What a session keeps between runs."""
        return [State(*state) for state in self._core.states]

    @property
    def metadata(self) -> dict[str, str]:
        """The source model's ``metadata_props``, dictionaries of OCR models too."""
        return self._core.metadata

    @property
    def targets(self) -> list[str]:
        """Targets that the file has a program for: ``cpu``, ``opencl``, …"""
        return self._core.targets

    def inspect(self) -> dict[str, Any]:
        """Everything ``hexin inspect --json`` prints."""
        return json.loads(self._core.describe_json())

    def __repr__(self) -> str:
        return f"hexin.Model({self.path!r}, targets={self.targets})"


def inspect(path: Union[str, os.PathLike]) -> dict[str, Any]:
    """What is in the artifact `path`: versions, sections with sizes, and per
    target the instructions with kernel, device, reason and transfers.

    Raises like :class:`Model`.
    """
    return Model(path).inspect()
