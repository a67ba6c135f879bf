"""How many instructions a plan step and opening a model take: counts of valgrind's, the same in every run, so that a
slower way through is seen on a machine that is busy, too. A bar is what was counted, and a tenth: whoever makes a thing
faster lowers its bar. Timings are bench's business."""

import numpy
import onnx
import pytest
from instructions import needs_valgrind, of_one
from onnx import helper, numpy_helper

import hexin

pytestmark = needs_valgrind

STEPS = 64
MARGIN = 1.1
# Instructions, at -O3 by clang 22. A step: a kernel of 8 outputs, a fourth of them its own.
STEP_BAR = 455
OPEN_BAR = 670_000


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """`STEPS` products of an 8-vector and an 8x8 matrix, one behind the other: as many kernels, which do next to
    nothing and which nobody fuses."""
    folder = tmp_path_factory.mktemp("chain")
    random = numpy.random.default_rng(0)
    weights = [numpy_helper.from_array(random.standard_normal((8, 8), numpy.float32) / 8, f"w{i}") for i in range(STEPS)]
    names = ["x", *(f"t{i}" for i in range(STEPS - 1)), "y"]
    nodes = [helper.make_node("MatMul", [names[i], f"w{i}"], [names[i + 1]]) for i in range(STEPS)]
    port = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 8]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "chain", port[:1], port[1:], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), folder / "chain.onnx")
    path = folder / "chain.hxm"
    hexin.compile(folder / "chain.onnx", path, targets=["cpu"], disable=["onednn"])
    return path


def test_a_plan_step(build_dir, tmp_path, chain):
    per_step = of_one(build_dir, tmp_path, "run", chain) / STEPS
    assert per_step < STEP_BAR * MARGIN, f"{per_step:.0f} instructions a step"


def test_opening_a_model(build_dir, tmp_path, chain):
    per_open = of_one(build_dir, tmp_path, "open", chain)
    assert per_open < OPEN_BAR * MARGIN, f"{per_open:.0f} instructions"
