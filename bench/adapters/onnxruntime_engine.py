"""ONNX Runtime on the CPU: every optimisation, one thread pool of the given size."""

import onnxruntime


class Engine:
    def __init__(self, path: str, threads: int, device: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._names = [port.name for port in self._session.get_outputs()]

    def bind(self, values: dict) -> None:
        self._values = values

    def run(self):
        return self._session.run(None, self._values)

    def outputs(self) -> dict:
        return dict(zip(self._names, self.run()))
