"""Reads a .hxm file from outside, by its published format and nothing of ours.

The outer form is in runtime/artifact/Container.h, the header's in
runtime/artifact/hexin.fbs; flatc turns the header into JSON.
"""

import ctypes
import ctypes.util
import json
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SCHEMA = Path(__file__).resolve().parents[2] / "runtime" / "artifact" / "hexin.fbs"
# magic, major, minor, preamble bytes, features, header offset, header length,
# header hash, file length, preamble hash
PREAMBLE = struct.Struct("<8sHHIQQQQQQ")
HEADER_IS_COMPRESSED = 1  # of the features


@dataclass
class Artifact:
    path: Path
    data: bytes
    header: dict  # hexin.fbs's Header, defaults filled in

    def program(self, target: str) -> dict:
        for program in self.header["programs"]:
            if program["target"] == target:
                return program
        raise AssertionError(f"{self.path} has no program for {target}")

    def section(self, index: int) -> bytes:
        """What section `index` holds."""
        entry = self.header["sections"][index]
        stored = self.data[entry["offset"]:entry["offset"] + entry["length"]]
        return decompress(stored) if entry["compression"] == "zstd" else stored

    def sections(self, kind: str) -> list[bytes]:
        return [self.section(index) for index, entry in enumerate(self.header["sections"])
                if entry["kind"] == kind]


def decompress(frame: bytes) -> bytes:
    """The contents of a zstd frame, by the library itself."""
    zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    zstd.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    length = zstd.ZSTD_getFrameContentSize(frame, ctypes.c_size_t(len(frame)))
    assert length <= 256 * len(frame), length  # the format's limit
    contents = ctypes.create_string_buffer(length)
    written = zstd.ZSTD_decompress(contents, ctypes.c_size_t(length), frame, ctypes.c_size_t(len(frame)))
    assert written == length
    return contents.raw


def read(path: Path) -> Artifact:
    data = path.read_bytes()
    magic, major, _, _, features, offset, length, _, file_length, _ = PREAMBLE.unpack_from(data)
    assert magic == b"HEXINHXM" and major == 1, f"{path}: not a .hxm of container version 1"
    assert file_length == len(data) and offset + length <= len(data)
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "header.bin"
        header = data[offset:offset + length]
        binary.write_bytes(decompress(header) if features & HEADER_IS_COMPRESSED else header)
        subprocess.run(["flatc", "--json", "--strict-json", "--defaults-json", "--raw-binary",
                        "-o", folder, str(SCHEMA), "--", str(binary)], check=True)
        return Artifact(path, data, json.loads((Path(folder) / "header.json").read_text()))


def run_instructions(program: dict) -> list[dict]:
    return [entry for entry in program.get("instructions", []) if entry["kind"] == "run"]


def variants(program: dict, engine: str) -> list[dict]:
    return [variant for entry in run_instructions(program)
            for variant in entry.get("variants", []) if variant["engine"] == engine]
