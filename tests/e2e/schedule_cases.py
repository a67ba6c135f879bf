"""A case for every schedule of the code generator: small models, and their inputs."""

import numpy as np
import onnx
from onnx import helper, numpy_helper


def random(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


# name -> (op, inputs, constants, attributes, number of outputs)
CASES = {
    "matmul-packed": ("MatMul", [random(0, 13, 37)], [random(1, 37, 41)], {}, 1),
    "matmul-row": ("MatMul", [random(2, 1, 37)], [random(3, 37, 41)], {}, 1),
    "matmul-computed": ("MatMul", [random(4, 2, 9, 17), random(5, 2, 17, 19)], [], {}, 1),
    "gemm": ("Gemm", [random(6, 7, 21)], [random(7, 18, 21), random(8, 18)], {"transB": 1, "alpha": 0.5}, 1),
    "conv": ("Conv", [random(9, 1, 5, 11, 13)], [random(10, 18, 5, 3, 3), random(11, 18)], {"pads": [1] * 4}, 1),
    "conv-strided": ("Conv", [random(12, 1, 4, 11, 10)], [random(13, 6, 4, 3, 3)],
                     {"strides": [2, 2], "pads": [0, 1, 1, 0]}, 1),
    "conv-pointwise": ("Conv", [random(14, 2, 9, 5, 7)], [random(15, 17, 9, 1, 1)], {}, 1),
    "conv-depthwise": ("Conv", [random(16, 1, 19, 9, 7)], [random(17, 19, 1, 3, 3)], {"group": 19, "pads": [1] * 4}, 1),
    "conv-transpose": ("ConvTranspose", [random(18, 1, 5, 4, 6)], [random(19, 5, 7, 2, 2)], {"strides": [2, 2]}, 1),
    "softmax-row": ("Softmax", [random(20, 5, 67)], [], {"axis": -1}, 1),
    "softmax-column": ("Softmax", [random(21, 17, 5)], [], {"axis": 0}, 1),
    "layer-norm": ("LayerNormalization", [random(22, 6, 45)], [random(23, 45), random(24, 45)], {}, 1),
    "reduce-row": ("ReduceSum", [random(25, 7, 131)], [np.array([1], np.int64)], {}, 1),
    "reduce-column": ("ReduceMax", [random(26, 33, 7)], [np.array([0], np.int64)], {}, 1),
    "reduce-all": ("ReduceMean", [random(27, 9, 5, 11)], [np.array([0, 2], np.int64)], {}, 1),
    "arg-max": ("ArgMax", [random(28, 6, 23)], [], {"axis": 1}, 1),
    "scan": ("CumSum", [random(29, 4, 37)], [np.array(1, np.int64)], {"exclusive": 1}, 1),
    "top-k": ("TopK", [random(30, 3, 29)], [np.array([5], np.int64)], {}, 2),
    "scatter": ("ScatterElements", [random(31, 9, 6), np.random.default_rng(32).integers(-9, 9, (4, 6)), random(33, 4, 6)],
                [], {"axis": 0, "reduction": "add"}, 1),
    "scatter-nd": ("ScatterND", [random(34, 8, 5), np.array([[1], [7], [1]], np.int64), random(35, 3, 5)], [], {}, 1),
    "gather": ("Gather", [random(36, 11, 6), np.array([[-1, 0, 10], [3, 3, -11]], np.int64)], [], {"axis": 0}, 1),
    "gather-nd": ("GatherND", [random(37, 5, 4, 3), np.array([[0, 1], [-1, 3]], np.int64)], [], {}, 1),
    "transpose": ("Transpose", [random(38, 5, 7, 9)], [], {"perm": [2, 0, 1]}, 1),
    "pool-max": ("MaxPool", [random(39, 1, 3, 9, 8)], [], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4}, 1),
    "pool-average": ("AveragePool", [random(40, 1, 3, 9, 8)], [], {"kernel_shape": [2, 3]}, 1),
    "resize": ("Resize", [random(41, 1, 2, 5, 6)], [np.array([], np.float32), np.array([1, 1, 2, 1.5], np.float32)],
               {"mode": "linear"}, 1),
    "lstm": ("LSTM", [random(42, 3, 2, 5)], [random(43, 1, 12, 5), random(44, 1, 12, 3)], {"hidden_size": 3}, 3),
    "broadcast": ("Add", [random(45, 5, 1, 7), random(46, 3, 1)], [], {}, 1),
    "slice": ("Slice", [random(47, 9, 8)], [np.array([7, 1]), np.array([-100, 8]), np.array([0, 1]), np.array([-2, 3])],
              {}, 1),
    "pad": ("Pad", [random(48, 3, 4)], [np.array([1, 2, 0, 3])], {"mode": "reflect"}, 1),
    "search": ("LabelEncoder", [np.array([[7, 0, 9], [-3, 8, 10]], np.int64)], [],
               {"domain": "ai.onnx.ml", "keys_int64s": [9, -3, 8, 1], "values_floats": [0.5, 1.5, 2.5, 3.5]}, 1),
    "trees": ("TreeEnsembleRegressor", [random(64, 9, 2)], [],
              {"domain": "ai.onnx.ml", "nodes_treeids": [0] * 5, "nodes_nodeids": [0, 1, 2, 3, 4], "nodes_featureids": [1, 0, 0, 0, 0],
               "nodes_values": [0.1, 0.0, -0.2, 0.0, 0.0], "nodes_modes": ["BRANCH_LEQ", "LEAF", "BRANCH_GT", "LEAF", "LEAF"],
               "nodes_truenodeids": [1, 0, 3, 0, 0], "nodes_falsenodeids": [2, 0, 4, 0, 0], "n_targets": 2,
               "target_treeids": [0] * 3, "target_nodeids": [1, 3, 4], "target_ids": [0, 1, 0], "target_weights": [1.0, 2.0, 3.0]}, 1),
    "couple": ("SVMClassifier", [random(65, 4, 2)], [],
               {"domain": "ai.onnx.ml", "classlabels_ints": [5, 3, 1], "vectors_per_class": [1, 1, 1], "kernel_type": "LINEAR",
                "kernel_params": [0.0, 0.0, 0.0], "support_vectors": [0.1, 0.2, -0.4, 0.5, 1.0, -1.0], "rho": [0.1, 0.2, 0.3],
                "coefficients": [0.5, -0.4, 0.3, 0.2, -0.1, 0.6], "prob_a": [-1.0, -2.0, -1.5], "prob_b": [0.1, 0.2, 0.3]}, 2),
}

# Kernels for teams (oclgrind's device has local memory), of inputs whose size nobody knows before.
# name -> (op, input, its unknown axes, constants, attributes)
TEAM_CASES = {
    "matmul": ("MatMul", random(50, 35, 37), [0], [random(51, 37, 41)], {}),
    "matmul-tiles": ("MatMul", random(52, 66, 19), [0], [random(53, 19, 67)], {}),
    "conv": ("Conv", random(54, 1, 5, 7, 9), [2, 3], [random(55, 18, 5, 3, 3), random(56, 18)], {"pads": [1] * 4}),
    "conv-grouped": ("Conv", random(57, 1, 6, 8, 7), [2, 3], [random(58, 34, 3, 3, 3)], {"group": 2, "strides": [2, 2]}),
    "conv-depthwise": ("Conv", random(69, 1, 36, 9, 11), [2, 3], [random(70, 36, 1, 3, 3), random(71, 36)],
                       {"group": 36, "pads": [1] * 4}),
    "matmul-integer": ("MatMulInteger", np.random.default_rng(66).integers(0, 256, (35, 36)).astype(np.uint8), [0],
                       [np.random.default_rng(67).integers(-128, 128, (36, 41)).astype(np.int8), np.array(5, np.uint8)], {}),
    "matmul-integer-odd": ("MatMulInteger", np.random.default_rng(72).integers(0, 256, (35, 37)).astype(np.uint8), [0],
                           [np.random.default_rng(73).integers(-128, 128, (37, 41)).astype(np.int8)], {}),
    "transpose": ("Transpose", random(68, 3, 35, 41), [0, 1], [], {"perm": [2, 0, 1]}),
    "softmax": ("Softmax", random(59, 3, 300), [0, 1], [], {"axis": -1}),
    "layer-norm": ("LayerNormalization", random(60, 3, 90), [0], [random(61, 90), random(62, 90)], {}),
    "reduce": ("ReduceSum", random(63, 3, 5, 70), [0, 1, 2], [np.array([0, 2])], {}),
}


def model_of(cases):
    """One model of these cases, each with inputs of its own, and the inputs."""
    nodes, values, constants, outputs = [], {}, [], []
    for name in cases:
        op, inputs, weights, attributes, count = CASES[name]
        names = [f"{name}.in{i}" for i in range(len(inputs))]
        values |= dict(zip(names, inputs))
        constants += [numpy_helper.from_array(weight, f"{name}.const{i}") for i, weight in enumerate(weights)]
        names += [f"{name}.const{i}" for i in range(len(weights))]
        made = [f"{name}.out{i}" for i in range(count)]
        nodes.append(helper.make_node(op, names, made, name=name, **attributes))
        outputs += made
    ports = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
             for name, value in values.items()]
    graph = helper.make_graph(nodes, "cases", ports, [onnx.ValueInfoProto(name=name) for name in outputs], constants)
    model = helper.make_model(graph, ir_version=9, opset_imports=[
        helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)])
    return onnx.shape_inference.infer_shapes(model), values


def model_of_teams(cases):
    """The same for some of TEAM_CASES."""
    nodes, values, constants, ports = [], {}, [], []
    for name in cases:
        op, value, unknown, weights, attributes = TEAM_CASES[name]
        dims = [f"{name}.{axis}" if axis in unknown else size for axis, size in enumerate(value.shape)]
        ports.append(helper.make_tensor_value_info(f"{name}.in", helper.np_dtype_to_tensor_dtype(value.dtype), dims))
        values[f"{name}.in"] = value
        names = [f"{name}.const{i}" for i in range(len(weights))]
        constants += [numpy_helper.from_array(weight, each) for each, weight in zip(names, weights)]
        nodes.append(helper.make_node(op, [f"{name}.in", *names], [f"{name}.out"], name=name, **attributes))
    outputs = [onnx.ValueInfoProto(name=f"{name}.out") for name in cases]
    graph = helper.make_graph(nodes, "teams", ports, outputs, constants)
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])
    return onnx.shape_inference.infer_shapes(model), values
