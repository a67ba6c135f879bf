"""Latencies of several engines, taken in turn so that they see the same machine."""

import statistics
import time
from collections.abc import Callable

BLOCK_SECONDS = 0.05  # an engine runs at least this long before the next has its turn
PAUSE_SECONDS = 0.02  # threads of the engine before that still spin go to sleep in this


def timed_ms(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - start)


def interleaved_medians(engines: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """name -> median latency in ms.

    Each round gives each engine a block of runs. The first of a block is not
    counted: it pays for cold caches and sleeping threads.
    """
    samples = {name: [] for name in engines}
    for _ in range(rounds):
        for name, run in engines.items():
            time.sleep(PAUSE_SECONDS)
            run()
            start = time.perf_counter()
            while True:
                samples[name].append(timed_ms(run))
                if time.perf_counter() - start >= BLOCK_SECONDS:
                    break
    return {name: statistics.median(values) for name, values in samples.items()}
