"""The engines that the runner can drive.

An engine module has a class Engine:

    Engine(device)              may raise: the engine or the device is not there
    prepare(model) -> Prepared  an onnx.ModelProto
    Prepared.run(inputs)        values in the model's order -> list of values
    Prepared.facts()            {} or numbers and names that the runner sums up
    explain(error, running) -> (verdict, reason)
                                what an exception of prepare (running: of run) means:
                                "refused", or "error"; the reason is the engine's own

Values are arrays (ml_dtypes for what NumPy lacks), object arrays of str, lists, None.
"""

import importlib
import importlib.util
from pathlib import Path


def load(name: str):
    """`name`: hexin, onnxruntime, openvino, oracle, or the path of a Python file."""
    if name.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(name).stem, name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    return importlib.import_module(f"engines.{name}_engine")
