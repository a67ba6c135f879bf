"""How many instructions kernels of each schedule take: counts of valgrind's, of code for AVX2, which is all it knows. A
bar is what was counted; a kernel may take a twentieth more. Fewer instructions are not always faster, but kernels that
fall back to single elements, or lose what was hoisted out of their loops, are seen on a machine that is busy, too."""

import pytest
from instructions import needs_valgrind, of_one
from operators.problems import model_of, parse

import hexin

pytestmark = needs_valgrind

MARGIN = 1.05
# Problems of tests/operators/problems.py and their instructions, at -O3 by LLVM 22.
BARS = {
    "matmul rows=48 depth=96 columns=96": 109_156,
    "matmul rows=1 depth=256 columns=512": 28_626,
    "conv n=1 h=28 w=28 c=32 m=32 k=3 stride=1 pad=1": 901_330,
    "conv n=1 h=28 w=28 c=32 m=32 k=3 stride=2 pad=1": 491_513,
    "conv n=1 h=28 w=28 c=32 m=64 k=1 stride=1 pad=0": 438_172,
    "conv n=1 h=28 w=28 c=64 m=64 k=3 stride=1 pad=1 groups=64": 305_266,
    "softmax rows=64 columns=128": 63_564,
    "layernorm rows=64 columns=384": 52_926,
    "lstm steps=8 inputs=64 hidden=64": 90_936,
    "attention heads=2 queries=64 keys=128 features=64": 653_808,
    "attention heads=2 queries=1 keys=256 features=64": 42_832,
    "gelu rows=32 columns=256": 108_488,
    "reduce rows=128 columns=128 axis=0": 12_132,
    "reduce rows=128 columns=128 axis=1": 10_846,
    "transpose batch=2 rows=64 columns=32": 8_702,
}


@pytest.mark.parametrize("line", BARS)
def test_a_kernel(build_dir, tmp_path, line):
    path = tmp_path / "kernel.hxm"
    hexin.compile(model_of(parse(line)[0]), path, targets=["cpu"], disable=["onednn"])
    count = of_one(build_dir, tmp_path, "run", path, few=2, many=6)
    assert count < BARS[line] * MARGIN, f"{count:.0f} instructions"
