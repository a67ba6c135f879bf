"""What can be said of outputs that no two generators share: which values there may be, and how many of each.

The cases are small, so this finds a wrong formula, no bad generator: tests/e2e/test_random.py has the statistics.
"""

from typing import Any, Optional, Sequence

import numpy as np

FAR = 5.0  # standard deviations


def impossible(name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Optional[str]:
    """What is wrong with the outputs of a case of suite.RANDOM, in a line, or None."""
    return _bernoulli(name, inputs, outputs) if "bernoulli" in name else _dropout(name, inputs, outputs)


def _bernoulli(name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Optional[str]:
    chances, drawn = (np.asarray(x, np.float64) for x in (inputs[0], outputs[0]))
    if not np.isin(drawn, (0, 1)).all():
        return "output 0: other values than 0 and 1"
    # The function's body in the standard draws 1 with the chance of 0.
    return _unlikely(drawn, 1 - chances if "expanded" in name else chances)


def _dropout(name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Optional[str]:
    x, y = (np.asarray(value, np.float64) for value in (inputs[0], outputs[0]))
    ratio = 0.5 if "default" in name else 0.75  # which may be no input: modes.py makes constants of some
    kept = np.isclose(y, x / (1 - ratio), rtol=1e-6)
    if not (kept | (y == 0)).all():
        return "output 0: values that are neither dropped nor scaled"
    if len(outputs) > 1 and not np.array_equal(kept, outputs[1]):
        return "output 1: another mask than output 0 has"
    return _unlikely(kept, np.full(x.shape, 1 - ratio))


def _unlikely(drawn: np.ndarray, chances: np.ndarray) -> Optional[str]:
    expected, deviation = chances.sum(), np.sqrt((chances * (1 - chances)).sum())
    if abs(drawn.sum() - expected) <= FAR * deviation:
        return None
    return f"output 0: {int(drawn.sum())} of {drawn.size}, expected {expected:.1f} ± {deviation:.1f}"
