"""Hexin through hexin.onnx_backend: what a program written against ONNX's interface gets."""

import re

import hexin
import hexin.onnx_backend

# Node names say which case it was; a reason says what was missing.
NODE = re.compile(r"node '[^']*' \((\w+)\)")
NAMED = re.compile(r"'[^']*'")
TYPES = re.compile(r"tensor<[^>]*>")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?![\w.])")
LONGEST = 110


class Prepared:
    built_before = 0  # by the device, which sessions share

    def __init__(self, rep) -> None:
        self._rep = rep

    def run(self, inputs):
        return list(self._rep.run(inputs))

    def facts(self):
        session, report = self._rep.session, self._rep.report
        program = session.model.inspect()["programs"][0]
        on_host = [step for step in program["instructions"]
                   if any(variant["engine"] == "host" for variant in step.get("variants", ())[:1])]
        built = session.stats.kernels_compiled
        newly, Prepared.built_before = built - min(built, Prepared.built_before), built
        return {"kernels": report.kernels, "reused": report.kernels_reused, "built": newly,
                "host": sorted({step.get("op", "?") for step in on_host}), "fallbacks": program["fallbacks"]}


class Engine:
    def __init__(self, device: str) -> None:
        found = {entry.id: entry for entry in hexin.devices()}
        if device not in found or not found[device].available:
            reason = found[device].reason if device in found else f"there are {sorted(found)}"
            raise RuntimeError(f"device {device} is not available: {reason}")
        self._device = device
        # One image, the machine's own: what other images give is tests/e2e's business.
        self._options = {"cpu_archs": [found["cpu"].image_archs[0]]} if device == "cpu" else {}
        self._options["threads"] = 1
        if device.startswith("opencl"):
            # Drivers keep what they built themselves; our cache asks them for it, which
            # makes PoCL compile each kernel once more.
            self._options["session_options"] = {"cache_dir": "none"}

    def prepare(self, model):
        return Prepared(hexin.onnx_backend.prepare(model, self._device, **self._options))

    @staticmethod
    def explain(error: Exception, running: bool) -> tuple[str, str]:
        if not isinstance(error, hexin.Error):
            return "error", f"{type(error).__name__}: {error}"[:LONGEST]
        refused = isinstance(error, (hexin.UnsupportedError, hexin.VersionMismatchError)) and not running
        return ("refused" if refused else "error"), f"{error.code}: {shorten(str(error))}"


def shorten(message: str) -> str:
    """The message without names and numbers of the case, and without the advice behind
    it, so that equal causes read the same."""
    message = message.splitlines()[0].partition(";")[0] if message else ""
    node = NODE.match(message)
    if node:
        message = message[node.end():]
        if not message.startswith(f": operator {node[1]} "):
            message = node[1] + message
        message = message.removeprefix(": ")
    for pattern, text in ((NAMED, "…"), (TYPES, "tensor"), (NUMBER, "N")):
        message = pattern.sub(text, message)
    return message if len(message) <= LONGEST else message[:LONGEST - 1] + "…"
