"""Products by cuBLASLt where an option prefers it: in the artifact, with the same numbers, and our kernels where it is not.

The library is tests/cuda_driver/cublaslt.
"""

import hexin
import numpy as np
import onnx
import onnxruntime
import pytest
import standin
from onnx import helper, numpy_helper

RANDOM = np.random.default_rng(0)
INPUTS = {"rows": RANDOM.standard_normal((21, 48)).astype(np.float32),
          "stack": RANDOM.standard_normal((3, 7, 48)).astype(np.float32),
          "halfs": RANDOM.standard_normal((5, 32)).astype(np.float16)}
#: Node that ends it: what it should run on.
TAKEN = ["plain", "gemm", "relu", "half"]
REFUSED = {"residual": "cublaslt: no epilogue for hx.binary",
           "stacked": "cublaslt: the right-hand side is computed, and packed for our kernel"}

RUN = """
import json
inputs = dict(np.load(os.environ["CASE"] + ".inputs.npz"))
expected = np.load(os.environ["CASE"] + ".expected.npz")
for name in ("graph", "profile"):
    session = hexin.Session(os.environ["CASE"] + ".hxm", device="cuda:0", cache_dir="none", profile=name == "profile")
    for _ in range(3):
        results = session.run(inputs)
        for output, value in expected.items():
            tolerance = 1e-2 if value.dtype == np.float16 else 1e-4
            np.testing.assert_allclose(results[output], value, rtol=tolerance, atol=tolerance, err_msg=output)
launches = [event["args"] for event in json.loads(session.trace())["traceEvents"] if "engine" in event.get("args", {})]
def launch(node):
    return next(each for each in launches if node in each["node"].split("+"))
"""


def model():
    def weights(name, *shape, dtype=np.float32):
        return numpy_helper.from_array((RANDOM.standard_normal(shape) / 8).astype(dtype), name)

    def node(op, name, *inputs, **attributes):
        return helper.make_node(op, inputs, [name], name=name, **attributes)

    nodes = [node("MatMul", "plain", "rows", "w0"),
             node("Gemm", "gemm", "rows", "w1", "b1", transB=1),
             node("MatMul", "relu-product", "stack", "w2"), node("Add", "relu-bias", "b2", "relu-product"),
             node("Relu", "relu", "relu-bias"),
             node("Transpose", "turned", "stack", perm=[0, 2, 1]), node("MatMul", "stacked", "stack", "turned"),
             node("MatMul", "half", "halfs", "w3"),
             node("MatMul", "residual-product", "stack", "w4"), node("Add", "residual", "residual-product", "stack")]
    elements = {"half": onnx.TensorProto.FLOAT16}
    inputs = [helper.make_tensor_value_info("rows", onnx.TensorProto.FLOAT, ["N", 48]),
              helper.make_tensor_value_info("stack", onnx.TensorProto.FLOAT, ["B", 7, 48]),
              helper.make_tensor_value_info("halfs", onnx.TensorProto.FLOAT16, [5, 32])]
    outputs = [helper.make_tensor_value_info(name, elements.get(name, onnx.TensorProto.FLOAT), None)
               for name in [*TAKEN, *REFUSED]]
    graph = helper.make_graph(nodes, "products", inputs, outputs, [
        weights("w0", 48, 40), weights("w1", 50, 48), weights("b1", 50), weights("w2", 48, 64), weights("b2", 64),
        weights("w3", 32, 24, dtype=np.float16), weights("w4", 48, 48)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9).SerializeToString()


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """The path, without its ending, of an artifact with its inputs and what they should give."""
    path = tmp_path_factory.mktemp("cublaslt") / "products"
    source = model()
    text = hexin.compile(source, path.with_suffix(".hxm"), targets=["cuda"], prefer=["cublaslt"], explain=True).text
    for refusal in REFUSED.values():
        assert refusal in text, text
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    np.savez(f"{path}.inputs.npz", **INPUTS)
    np.savez(f"{path}.expected.npz", **dict(zip(names, session.run(names, INPUTS))))
    return str(path)


def test_products_run_on_the_library(needs_cuda, on_standin, case, build_dir):
    library = standin.library_folder(build_dir) / "libcublasLt.so.13"
    on_standin(RUN + f"""
for node in {TAKEN!r}:
    assert (launch(node)["engine"], launch(node)["name"]) == ("library", "cublaslt.matmul"), launch(node)
for node in {list(REFUSED)!r}:
    assert launch(node)["engine"] == "kernel", launch(node)
del session
check_nothing_left()
""", environment={"CASE": case, "HEXIN_CUBLASLT_LIBRARY": str(library)}, SCHEDULE="late", SEED=3)


@pytest.mark.parametrize("switches, reason", [
    ({"HEXIN_CUBLASLT_LIBRARY": "libhexin-no-such-cublaslt.so"}, "libhexin-no-such-cublaslt.so"),
    ({"HEXIN_FAKE_CUBLASLT": "create:1"}, "CUBLAS_STATUS_NOT_INITIALIZED"),
    ({"HEXIN_FAKE_CUBLASLT": "heuristic:15"}, "CUBLAS_STATUS_NOT_SUPPORTED")])
def test_our_kernels_run_where_it_does_not(needs_cuda, on_standin, case, build_dir, switches, reason):
    library = standin.library_folder(build_dir) / "libcublasLt.so.13"
    on_standin(RUN + f"""
for node in {TAKEN!r}:
    assert launch(node)["engine"] == "kernel" and {reason!r} in launch(node)["passedOver"], launch(node)
""", environment={"CASE": case, "HEXIN_CUBLASLT_LIBRARY": str(library)} | switches)


def test_only_an_option_asks_for_it(needs_cuda, tmp_path):
    text = hexin.compile(model(), tmp_path / "a.hxm", targets=["cuda"], explain=True).text
    assert "cublaslt: taken only where an option prefers it" in text and "cublaslt.matmul" not in text
