"""OpenVINO on the CPU: f32, or its default with HEXIN_BENCH_OPENVINO_PRECISION=default, which rounds to bf16 where the
CPU can; latency hint."""

import os

import numpy
import openvino


class Engine:
    def __init__(self, path: str, threads: int, device: str) -> None:
        core = openvino.Core()
        # Threads are pinned by the process's own mask, as all engines' are.
        options = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": threads,
                   "ENABLE_CPU_PINNING": False}
        if os.environ.get("HEXIN_BENCH_OPENVINO_PRECISION") != "default":
            options["INFERENCE_PRECISION_HINT"] = "f32"
        self._compiled = core.compile_model(path, "CPU", options)
        self._request = self._compiled.create_infer_request()

    def bind(self, values: dict) -> None:
        # Bound once: the memory of the arrays is read in every run.
        self._values = {name: numpy.ascontiguousarray(value) for name, value in values.items()}
        for port in self._compiled.inputs:
            name = next(name for name in port.get_names() if name in self._values)
            self._request.set_tensor(port, openvino.Tensor(self._values[name], shared_memory=True))

    def run(self):
        return self._request.infer(share_outputs=True)

    def outputs(self) -> dict:
        self.run()
        return {name: numpy.array(self._request.get_tensor(port).data)
                for port in self._compiled.outputs for name in port.get_names()}
