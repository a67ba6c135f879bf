"""The problems that bench/kernels.py times: right, by our kernels and by oneDNN."""

import json

import hexin
import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from operators.problems import inputs_of, model_of, parse, problems


def exact_and_scale(model: onnx.ModelProto, feeds: dict) -> tuple[np.ndarray, np.ndarray]:
    """y in f64, and how large the terms of its sums are: a sum's error hangs on them, not on the sum."""
    wide, sizes = onnx.ModelProto(), onnx.ModelProto()
    for copy, change in ((wide, lambda value: value), (sizes, np.abs)):
        copy.CopyFrom(model)
        for tensor in copy.graph.initializer:
            tensor.CopyFrom(onnx.numpy_helper.from_array(change(onnx.numpy_helper.to_array(tensor)).astype(np.float64),
                                                         tensor.name))
        for port in [*copy.graph.input, *copy.graph.output]:
            port.type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    run = lambda model, change: ReferenceEvaluator(model).run(  # noqa: E731
        ["y"], {name: change(value).astype(np.float64) for name, value in feeds.items()})[0]
    return run(wide, lambda value: value), run(sizes, np.abs)


@pytest.mark.parametrize("problem", problems(), ids=lambda problem: problem.name.replace(" ", "-"))
@pytest.mark.parametrize("engine", ["ours", "onednn"])
def test_problem(problem, engine, tmp_path):
    model = model_of(problem)
    feeds = inputs_of(model)
    path = str(tmp_path / "problem.hxm")
    choice = {"disable": ["onednn"]} if engine == "ours" else {"prefer": ["onednn"]}
    hexin.compile(model, path, targets=["cpu"], **choice)
    session = hexin.Session(path, device="cpu", profile=True)
    found = session.run(feeds)["y"]
    engines = {event["args"]["engine"] for event in json.loads(session.trace())["traceEvents"] if "engine" in event["args"]}
    if engine == "onednn" and "library" not in engines:
        pytest.skip("no library takes it here")
    assert engine == "onednn" or engines == {"kernel"}
    exact, scale = exact_and_scale(model, feeds)
    # A running error bound of gamma(K) would be 2^-24 times the terms of a sum; sums in registers are
    # added up in few long chains, whose errors go with the root of their length.
    depth = {"conv": lambda: problem.c // problem.get("groups", 1) * problem.k**2,
             "matmul": lambda: problem.depth}.get(problem.kind, lambda: 64)()
    if problem.kind in ("conv", "matmul"):
        assert (np.abs(found - exact) <= 2**-24 * (8 + 4 * np.sqrt(depth)) * scale + 1e-30).all()
    else:
        np.testing.assert_allclose(found, exact, rtol=2e-5, atol=2e-5 * np.abs(exact).max())


def test_a_line_that_is_no_problem_is_named():
    with pytest.raises(ValueError, match="line 2: no problem 'convolution'; expected one of conv"):
        parse("# list\nconvolution n=1")
