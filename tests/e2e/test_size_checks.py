"""Sizes that only a run knows and that do not go together: a typed error that names the node, and the session lives on. What
is asked of them outlives the import, whatever the operator is made of."""

import hexin
import numpy as np
import pytest
from devices import DEVICES
from onnx import TensorProto, helper

OPSETS = [helper.make_opsetid("", 24), helper.make_opsetid("com.microsoft", 1)]


def floats(*shape):
    return np.random.default_rng(5).standard_normal(shape).astype(np.float32)


def ints(*values, kind=np.int64):
    return np.array(values, kind)


def session_of(op, values, folder, domain="", device="cpu", fixed=(), **attributes):
    """One node over inputs none of whose sizes is known, but for those that are `fixed`."""
    names = [f"x{i}" if value is not None else "" for i, value in enumerate(values)]
    ports = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape if i in fixed else
                                           [f"{name}.{axis}" for axis in range(value.ndim)])
             for i, (name, value) in enumerate(zip(names, values)) if name]
    node = helper.make_node(op, names, ["y"], name="the_node", domain=domain, **attributes)
    graph = helper.make_graph([node], "sizes", ports, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=10)
    path = str(folder / "sizes.hxm")
    hexin.compile(model, path, targets=[device.partition(":")[0]])
    session = hexin.Session(path, device=device)
    return lambda *given: session.run({f"x{i}": value for i, value in enumerate(given) if value is not None})


MS = {"domain": "com.microsoft"}
X = floats(1, 4, 6, 6)
TOKENS = floats(2, 3, 8)
CACHE = floats(9, 2)
PLACES = np.tile(np.arange(3), (2, 1))
EXPERTS = floats(4, 8, 16), None, floats(4, 16, 8)
# name: (op, attributes, good inputs, (position, wrong input, what the error says)...)
CASES = {
    "max-roi-pool": ("MaxRoiPool", {"pooled_shape": [2, 2]}, [X, floats(1, 5) * 0], (1, floats(1, 6) * 0, "the columns of rois is 6, expected 5")),
    "deform-conv": ("DeformConv", {}, [X, floats(3, 4, 3, 3), floats(1, 18, 4, 4)],
                    (2, floats(1, 20, 4, 4), "channels of the offsets is 20, but offset_group times taps times axes is 18"),
                    (2, floats(1, 18, 4, 5), "offsets along spatial axis 1 is 5, but that of windows is 4"),
                    (1, floats(3, 3, 3, 3), "channels of X is 4, but group times that of W is 3")),
    "det": ("Det", {}, [floats(2, 3, 3)], (0, floats(2, 3, 4), "the number of rows is 3, but that of columns is 4")),
    "split-gelu": ("BiasSplitGelu", MS, [floats(1, 2, 6), floats(6)], (0, floats(1, 2, 7), "the last axis is 7|broadcast")),
    "crop": ("CropAndResize", MS | {"fixed": [3]}, [X, floats(2, 4), ints(0, 0, kind=np.int32), ints(2, 2, kind=np.int32)],
             (1, floats(2, 5), "the columns of rois is 5, expected 4"), (2, ints(0, kind=np.int32), "the number of rois is 2, but that of batch_indices is 1")),
    "complex": ("ComplexMul", MS, [floats(5, 2), floats(5, 2)], (1, floats(5, 3), "the parts of a number, is 3, expected 2")),
    "rotary": ("RotaryEmbedding", {"num_heads": 2}, [TOKENS, CACHE, CACHE, PLACES],
               (1, floats(9, 1), "twice the number of columns of cos_cache is 2, but the number of features to turn is 4"),
               (2, floats(9, 1), "twice the number of columns of sin_cache is 2")),
    "rotary-part": ("RotaryEmbedding", MS | {"num_heads": 2, "rotary_embedding_dim": 4}, [TOKENS, PLACES, CACHE, CACHE],
                    (2, floats(9, 1), "columns of cos_cache is 2")),
    "m-rotary": ("MRotaryEmbedding", MS | {"num_heads": 2, "mrope_section": [1, 1, 0]}, [TOKENS, np.stack([PLACES] * 3), CACHE, CACHE],
                 (1, np.stack([PLACES] * 4), "axis 0 of position_ids is 4, expected 3"), (2, floats(9, 3), "which mrope_section divides, is 3, expected 2")),
    "attention": ("Attention", MS | {"num_heads": 2}, [TOKENS, floats(8, 24), floats(24)],
                  (1, floats(8, 25), "features is not made of 3 x 2 heads|broadcast")),
    "attention-sizes": ("Attention", MS | {"num_heads": 2, "qkv_hidden_sizes": [8, 8, 4]}, [TOKENS, floats(8, 20), None],
                        (1, floats(8, 24), "the sum of qkv_hidden_sizes is 20, but the number of columns of the weights is 24")),
    "attention-mask": ("Attention", MS | {"num_heads": 2}, [TOKENS, floats(8, 24), floats(24), np.ones((2, 3), np.int32)],
                       (3, np.ones((2, 1), np.int32), "the last axis of the mask is 1, but the number of keys is 3")),
    "attention-lengths": ("Attention", MS | {"num_heads": 2}, [TOKENS, floats(8, 24), floats(24), ints(3, 1, kind=np.int32)],
                          (3, ints(3, 1, 2, kind=np.int32), "the mask has 3 elements for a batch of 2")),
    "packed-heads": ("MultiHeadAttention", MS | {"num_heads": 2}, [floats(2, 3, 2, 3, 4)],
                     (0, floats(2, 3, 2, 4, 4), "parts of a packed head is 4, expected 3"), (0, floats(2, 3, 3, 3, 4), "packed heads is 3, expected 2")),
    "experts": ("MoE", MS | {"k": 2}, [floats(3, 16), floats(3, 4), floats(4, 8, 16), None, floats(4, 16, 8)],
                (1, floats(5, 4), "rows of router_probs is 5, but that of tokens is 3")),
    "halved-experts": ("MoE", MS | {"k": 2, "activation_type": "swiglu", "swiglu_fusion": 1},
                       [floats(3, 16), floats(3, 4), floats(4, 16, 16), None, floats(4, 16, 8)],
                       (2, floats(4, 17, 16), "the width of what swiglu halves is 17")),
    "few-bits": ("MatMulNBits", MS | {"K": 40, "N": 8, "bits": 4, "block_size": 32, "fixed": [1, 2]},
                 [floats(2, 40), np.zeros((8, 2, 16), np.uint8), floats(8, 2)], (0, floats(2, 41), "columns of the input is 41, expected 40")),
    "causal-conv": ("CausalConvWithState", MS, [floats(2, 4, 5), floats(4, 1, 3)],
                    (1, floats(1, 1, 3), "channels of the weight is 1, but that of the input is 4")),
    "spectrum": ("STFT", {"fixed": [1]}, [floats(1, 32, 1), np.array(8), floats(16)], (0, floats(1, 32, 2), "which onesided=1 wants real, is 2, expected 1")),
    "transform": ("DFT", {}, [floats(1, 8, 2)], (0, floats(1, 8, 3), "1 of real and 2 of complex numbers, is 3")),
    "scatter": ("ScatterND", {}, [floats(4, 5), ints([1, 2], [0, 3]), floats(2)], (1, ints([1], [0]), "coordinates by index is 1, expected 2")),
}


@pytest.mark.parametrize("name", CASES)
def test_sizes_that_do_not_go_together(name, tmp_path):
    op, attributes, good, *wrong = CASES[name]
    run = session_of(op, good, tmp_path, **attributes)
    before = run(*good)
    for position, value, message in wrong:
        given = list(good)
        given[position] = value
        with pytest.raises(hexin.InvalidArgumentError, match=f"(?s)the_node.*({message})"):
            run(*given)
    after = run(*good)
    for key, value in before.items():
        np.testing.assert_array_equal(after[key], value)


@pytest.mark.parametrize("device", DEVICES)
def test_parts_of_a_number_that_only_a_run_knows(device, tmp_path):
    """A real signal is a complex one whose imaginary part is 0."""
    transform = session_of("DFT", [floats(2, 12, 2)], tmp_path, device=device)
    spectrum = session_of("STFT", [floats(2, 32, 2), np.array(4), floats(16)], tmp_path, device=device, onesided=0)
    for parts in (1, 2):
        x = floats(2, 12, parts)
        expected = np.fft.fft(x[..., 0] + 1j * (x[..., 1] if parts == 2 else 0))
        np.testing.assert_allclose(transform(x)["y"], np.stack([expected.real, expected.imag], -1), rtol=1e-5, atol=1e-5)
        x, window = floats(2, 32, parts), floats(16)
        frames = np.lib.stride_tricks.sliding_window_view(x[..., 0] + 1j * (x[..., 1] if parts == 2 else 0), 16, axis=1)[:, ::4]
        expected = np.fft.fft(frames * window)
        np.testing.assert_allclose(spectrum(x, np.array(4), window)["y"], np.stack([expected.real, expected.imag], -1), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("device", DEVICES)
def test_coordinates_that_only_a_run_counts(device, tmp_path):
    """The rank of GatherND's result hangs on them: what follows is there for each number, and comes to one rank again."""
    names = ["x.0", "x.1", "x.2"]
    nodes = [helper.make_node("GatherND", ["x", "i"], ["picked"], name="the_node"), helper.make_node("ReduceSum", ["picked"], ["y"], keepdims=0)]
    graph = helper.make_graph(nodes, "count", [helper.make_tensor_value_info("x", TensorProto.FLOAT, names),
                                               helper.make_tensor_value_info("i", TensorProto.INT64, ["n", "count"])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])])
    path = str(tmp_path / "gather.hxm")
    hexin.compile(helper.make_model(graph, opset_imports=OPSETS[:1], ir_version=10), path, targets=[device.partition(":")[0]])
    session, x = hexin.Session(path, device=device), floats(4, 5, 3)
    for indices in ([[1]], [[1, 2], [0, 3]], [[1, 2, 0], [3, 4, 2]]):
        expected = sum(x[tuple(at)].sum() for at in indices)
        np.testing.assert_allclose(session.run({"x": x, "i": ints(*indices)})["y"], expected, rtol=1e-5)
    with pytest.raises(hexin.InvalidArgumentError, match="(?s)the_node|coordinates"):
        session.run({"x": x, "i": ints([1, 2, 0, 1])})
    with pytest.raises(hexin.UnsupportedError, match="(?s)the_node.*rank hangs on a condition.*fix the model's input sizes"):
        session_of("GatherND", [floats(4, 5), ints([1, 2])], tmp_path)
