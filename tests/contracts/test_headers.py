"""Contracts that can be read off the public headers and the format."""

import re
import subprocess


def enumerators(text: str, name: str) -> list[str]:
    body = re.search(rf"enum(?: class)? {name}[^{{]*{{([^}}]*)}}", text).group(1)
    body = re.sub(r"//[^\n]*", "", body)
    return re.findall(r"(\w+)\s*(?:=[^,]*)?,?", body.replace("\n", " "))


def test_contract_07_values_have_every_kind(root):
    """Values are tensor | sequence | optional | map | string tensor from the first day."""
    kinds = enumerators((root / "runtime/include/hexin/value.h").read_text(), "ValueKind")
    assert {"tensor", "sequence", "optional", "map"} <= set(kinds)
    assert any("string" in kind for kind in kinds) or "string" in enumerators(
        (root / "runtime/include/hexin/value.h").read_text(), "DType")
    port = re.search(r"table Port {([^}]*)}", (root / "runtime/artifact/hexin.fbs").read_text()).group(1)
    assert "kind:ubyte" in port, "an artifact's ports must be able to say what kind they are"


def test_contract_03_ops_mark_what_the_host_reads(root):
    """Operands that are read on the host are marked where the op is defined."""
    definitions = [path for path in (root / "compiler/ir/ops").glob("*.td")
                   if "HX_HostReads" in path.read_text()]
    assert len(definitions) >= 3, "movement, sort and control flow read operands on the host"


def test_contract_14_device_abi_is_small_and_grows_at_the_end(root):
    """At most 12 mandatory functions; structs start with their size; plain C."""
    path = root / "runtime/device/hexin_device.h"
    text = path.read_text()
    table = re.search(r"typedef struct hexin_device_api {(.*?)} hexin_device_api;", text, re.S).group(1)
    mandatory, optional = table.split("optional", 1)
    assert len(re.findall(r"\(\*\w+\)\(", mandatory)) <= 12
    assert re.findall(r"\(\*\w+\)\(", optional)
    for name in ("info", "options", "image", "command_desc", "submission", "copy", "device_api"):
        struct = re.search(rf"typedef struct hexin(?:_device)?_{name.removeprefix('device_')} {{\s*(.*?)\n", text)
        assert struct and struct.group(1).startswith("uint32_t struct_size"), f"hexin_{name} must start with its size"
    subprocess.run(["clang-22", "-std=c99", "-pedantic-errors", "-Wall", "-Werror", "-fsyntax-only",
                    "-x", "c", str(path)], check=True)


def test_contract_11_versions_are_apart(root):
    """Container, program, kernel ABI and device ABI are versioned apart, with feature bits."""
    schema = (root / "runtime/artifact/hexin.fbs").read_text()
    program = re.search(r"table Program {([^}]*)}", schema).group(1)
    header = re.search(r"table Header {([^}]*)}", schema).group(1)
    assert "kernel_abi:" in program and "required_features:" in program
    assert "format_minor:" in header and "required_features:" in header and "portable_version:" in header
    assert "HEXIN_DEVICE_ABI_MAJOR" in (root / "runtime/device/hexin_device.h").read_text()


def test_contract_13_a_bool_is_one_byte_and_nothing_is_narrower(root):
    """bool is a byte in memory; 4-bit types are encodings of weights only."""
    text = (root / "runtime/include/hexin/value.h").read_text()
    assert re.search(r"boolean = 0,\s*///< one byte", text)
    assert "Types below 8 bits take one byte" in (root / "runtime/base/DType.h").read_text()
