"""Which strategy draws cases of which operator: one entry per (domain, operator), for all its
versions. `families/` fills it."""

import importlib
from functools import lru_cache
from pathlib import Path
from typing import Callable, NamedTuple

from hypothesis import strategies as st
from onnx import defs

from operators.case import Case
from operators.draw import Draw

OLDEST, NEWEST = 6, 28  # opsets of ai.onnx that are taken
TRAINING = "ai.onnx.preview.training"


class Version(NamedTuple):
    domain: str
    op: str
    since: int
    last: int  # the newest opset at which it is in force

    def __str__(self) -> str:
        return f"{self.domain + '.' if self.domain else ''}{self.op}-{self.since}"

    @property
    def opsets(self) -> tuple[int, ...]:
        """The edges of its time in force."""
        first = max(self.since, 7) if self.last >= 7 else OLDEST
        return tuple(sorted({first if not self.domain else self.since, self.last}))


_strategies: dict[tuple[str, str], Callable[[Draw], Case]] = {}


def strategy(*ops: str, domain: str = ""):
    """Registers `draw_case(draw: Draw) -> Case` for operators."""
    def register(draw_case):
        for op in ops:
            assert (domain, op) not in _strategies, f"{op} has two strategies"
            _strategies[domain, op] = draw_case
        return draw_case
    return register


@lru_cache(maxsize=1)
def strategies() -> dict[tuple[str, str], Callable[[Draw], Case]]:
    for path in sorted((Path(__file__).parent / "families").glob("*.py")):
        importlib.import_module(f"operators.families.{path.stem}")
    return _strategies


@lru_cache(maxsize=1)
def versions() -> tuple[Version, ...]:
    """Every (operator, since version) in force at an opset that is taken, from onnx.defs."""
    history = {}
    for schema in defs.get_all_schemas_with_history():
        history.setdefault((schema.domain, schema.name), set()).add(schema.since_version)
    found = []
    for (domain, op), sinces in sorted(history.items()):
        ordered = sorted(sinces)
        for since, following in zip(ordered, [*ordered[1:], None]):
            newest = NEWEST if not domain else max(ordered)
            last = min(following - 1 if following else newest, newest)
            if domain or (last >= OLDEST and not defs.get_schema(op, since, domain).deprecated):
                found.append(Version(domain, op, since, last))
    return tuple(found)


@st.composite
def cases(draw, version: Version):
    """A case of a version, at one of its opsets."""
    opset = draw(st.sampled_from(version.opsets))
    case = strategies()[version.domain, version.op](Draw(draw, version.domain, version.op, version.since, opset))
    case.domain, case.since, case.opset = version.domain, version.since, opset
    return case
