"""Makes a model's inputs by the recipe in models.json, the same every time."""

import io
import math
from pathlib import Path

import numpy

import fetch_models


def make_inputs(model: dict, shapes: dict[str, list[int]] | None = None,
                cache: Path | None = None) -> dict[str, numpy.ndarray]:
    """name -> array. `shapes` asks for other sizes than the listed ones.

    All draws come from one generator with seed 0, in the order listed.
    """
    rng = numpy.random.default_rng(0)
    return {entry["name"]: make_input(entry, (shapes or {}).get(entry["name"], entry["shape"]), rng, cache)
            for entry in model["inputs"]}


def make_input(entry: dict, shape: list[int], rng, cache: Path | None) -> numpy.ndarray:
    dtype = numpy.dtype(entry["dtype"])
    fill = entry["fill"]
    if fill == "rand":
        return rng.uniform(entry["lo"], entry["hi"], shape).astype(dtype)
    if fill == "randint":
        return rng.integers(entry["lo"], entry["hi"], shape).astype(dtype)
    if fill == "const":
        return numpy.full(shape, entry["value"], dtype)
    if fill == "values":
        # Another size repeats the values.
        return numpy.resize(numpy.array(entry["values"], dtype), math.prod(shape)).reshape(shape)
    if fill == "npz":
        data = fetch_models.read_source(entry["source"], (cache or fetch_models.default_cache()).resolve())
        with numpy.load(io.BytesIO(data)) as archive:
            return archive[entry["key"]][entry["row"]].reshape(shape).astype(dtype)
    raise ValueError(f"models.json: input '{entry['name']}' has unknown fill '{fill}'")
