"""A case: one node with its inputs, and what its numbers are judged by."""

from dataclasses import dataclass, field
from typing import Any, Callable, Optional

import numpy as np
from onnx import TensorProto, helper


@dataclass(frozen=True)
class Bound:
    """How far a float may lie from the right one: |error| <= u·(ulps·|right| + terms·magnitude)
    with u the unit roundoff of the arithmetic (f32, or f64 for doubles), plus one rounding
    into the element type. Integers, bools and strings are compared exactly whatever this says,
    but for `steps`: units that a quantised result may lie beside the right one.

    ulps: roundings of the result itself, in units in the last place.
    terms: number of summed terms whose roundings add up.
    magnitude: what those terms are at most: a number, an array like the result, or "linear":
        the same node on absolute values (sum of |a|·|b|), worked out by the oracle.
    """

    ulps: float = 0
    terms: float = 0
    magnitude: Any = 0.0
    steps: int = 0


EXACT = Bound()
MOST_SHOWN = 24  # values of an input in a message


@dataclass
class Case:
    """`inputs`: arrays, None where absent, lists for sequences, dicts for maps, Optional for optionals.
    `constants`: positions that are initializers. `reference(*inputs)`: the right
    output, or a tuple or list of all, in f64 where they are floats; without it the oracle asks
    other engines."""

    op: str
    inputs: list
    attributes: dict = field(default_factory=dict)
    outputs: int = 1
    constants: frozenset = frozenset()
    bound: Bound = EXACT
    reference: Optional[Callable] = None
    domain: str = ""
    since: int = 0
    opset: int = 0
    # Types of inputs whose arrays do not say them: position -> TypeProto.
    types: dict = field(default_factory=dict)
    # Only shapes and types are compared, and `check(outputs)` says what is wrong.
    check: Optional[Callable] = None
    # Inputs that only the graphs among the attributes read, by the names "@0", "@1", ….
    captured: frozenset = frozenset()

    def __post_init__(self) -> None:
        # What NumPy computes of arrays of rank 0 is no array.
        self.inputs = [np.asarray(value) if isinstance(value, np.generic) else value for value in self.inputs]

    @property
    def name(self) -> str:
        return f"{self.domain + '.' if self.domain else ''}{self.op}-{self.since}"

    def describe(self) -> str:
        """What a reader needs to make it again: a few lines of Python."""
        lines = [f"# {self.name} at opset {self.opset}"]
        for i, value in enumerate(self.inputs):
            kept = " (initializer)" if i in self.constants else ""
            if isinstance(value, np.ndarray):
                values = value.ravel()
                text = " ".join(map(str, values[:MOST_SHOWN])) + (" …" if values.size > MOST_SHOWN else "")
                lines.append(f"input {i}{kept}: {value.dtype}{list(value.shape)} {text}")
            else:
                lines.append(f"input {i}{kept}: {value!r}")
        shown = {key: value if not hasattr(value, "DESCRIPTOR") else "(graph or tensor)"
                 for key, value in self.attributes.items()}
        lines.append(f"make_node({self.op!r}, {self.outputs} outputs, attributes {shown})")
        return "\n".join(lines)


def element_type(dtype: np.dtype) -> int:
    """ONNX's number of a NumPy type."""
    return TensorProto.STRING if dtype.kind in "OUS" else helper.np_dtype_to_tensor_dtype(dtype)


def is_float(dtype: np.dtype) -> bool:
    """Also the types that ml_dtypes adds."""
    return dtype.kind == "f" or dtype.name.startswith(("bfloat", "float"))
