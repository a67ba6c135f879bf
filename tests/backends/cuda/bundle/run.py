#!/usr/bin/env python3
"""Runs what pack.py put beside this file: C++ tests, models against their numbers, the benchmark.

    run.py [--device cuda:0] [--only WORD] [--runs 50] [--no-bench] [--output results.json]

Needs no package. Exits with 1 when anything failed, with 3 when there is no such device.
"""

import argparse
import array
import ast
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CODES = {"f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q",
         "b1": "B"}


def environment():
    env = dict(os.environ)
    env["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, [str(HERE / "lib"), env.get("LD_LIBRARY_PATH")]))
    env.setdefault("HEXIN_CUDA_LIBRARY", "libcuda.so.1")
    env.setdefault("HEXIN_CACHE_DIR", "none")
    return env


def call(command, seconds=600, cwd=None):
    """(exit code, output, errors); a command that hangs is one that failed."""
    try:
        done = subprocess.run([str(word) for word in command], env=environment(), cwd=cwd, timeout=seconds,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        return done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired:
        return -1, "", "did not end within {} s".format(seconds)


def tool(*arguments, **options):
    return call([HERE / "bin" / "hexin", *arguments], **options)


def read_npy(path):
    """(sizes, kind, values) of an array in C order."""
    data = Path(path).read_bytes()
    if data[:6] != b"\x93NUMPY":
        raise ValueError("{} is no .npy file".format(path))
    length, begin = (struct.unpack("<H", data[8:10])[0], 10) if data[6] == 1 else (struct.unpack("<I", data[8:12])[0], 12)
    header = ast.literal_eval(data[begin:begin + length].decode("latin-1"))
    kind, body = header["descr"][1:], data[begin + length:]
    if header["fortran_order"] and len(header["shape"]) > 1:
        raise ValueError("{} is not in C order".format(path))
    if kind == "f2":
        values = struct.unpack("<{}e".format(len(body) // 2), body)
    else:
        values = array.array(CODES[kind])
        values.frombytes(body)
    return tuple(header["shape"]), kind, values


def error_of(found, wanted):
    """The largest difference relative to the largest value; of integers: none, or infinite."""
    if found[0] != wanted[0] or len(found[2]) != len(wanted[2]):
        return math.inf
    if wanted[1][0] != "f":
        return 0.0 if list(found[2]) == list(wanted[2]) else math.inf
    scale = max((abs(value) for value in wanted[2] if math.isfinite(value)), default=0.0) or 1.0
    worst = 0.0
    for a, b in zip(found[2], wanted[2]):
        if math.isfinite(b):
            worst = max(worst, abs(a - b) / scale) if math.isfinite(a) else math.inf
        elif not (a == b or (a != a and b != b)):
            worst = math.inf
    return worst


def run_program(name):
    code, out, err = call([HERE / "bin" / name, "--gtest_brief=1"])
    lines = [line for line in (out + err).splitlines() if line.startswith("[  ")]
    passed = re.search(r"\[  PASSED  \] (\d+) test", out)
    if code == 0 and not (passed and int(passed[1])):
        return {"name": name, "passed": False, "said": "no test of it ran: " + out[-2000:]}
    return {"name": name, "passed": code == 0, "said": ", ".join(line for line in lines if " test" in line) if code == 0 else (out + err)[-2000:]}


def check_model(case, device):
    arguments = ["run", HERE / "models" / case["artifact"], "--device", device, "--json"]
    for port, file in case["inputs"].items():
        arguments += ["--input", "{}={}".format(port, HERE / "data" / file)]
    with tempfile.TemporaryDirectory() as folder:
        code, out, err = tool(*arguments, "--output-dir", folder)
        if code != 0:
            return {"name": case["name"], "passed": False, "said": err.strip()[-2000:]}
        files = {port["name"]: port["files"][0] for port in json.loads(out)["outputs"]}
        worst = max(error_of(read_npy(Path(folder) / files[port]), read_npy(HERE / "data" / file))
                    for port, file in case["outputs"].items())
    return {"name": case["name"], "passed": worst <= case["bound"], "error": worst, "bound": case["bound"],
            "said": "error {:.2g}, bound {:.2g}".format(worst, case["bound"])}


def measure(case, device, runs):
    arguments = ["bench", HERE / "models" / case["artifact"], "--device", device, "--json", "--runs", runs]
    for port, sizes in case["shapes"].items():
        arguments += ["--shape", "{}={}".format(port, "x".join(map(str, sizes)))]
    for port, number in case["fills"].items():
        arguments += ["--fill", "{}={}".format(port, number)]
    code, out, err = tool(*arguments)
    if code != 0:
        return {"name": case["name"], "passed": False, "said": err.strip()[-2000:]}
    found = json.loads(out)
    return {"name": case["name"], "passed": True, "first_ms": found["firstRunMs"], "median_ms": found["medianMs"],
            "said": "first run {:.1f} ms, then {:.3f} ms".format(found["firstRunMs"], found["medianMs"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--only", default="", help="what has this word in its name")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--no-bench", action="store_true")
    parser.add_argument("--output", type=Path, default=Path("results.json"))
    options = parser.parse_args()
    manifest = json.loads((HERE / "manifest.json").read_text())

    code, out, err = tool("devices", "--json")
    devices = {device["id"]: device for device in json.loads(out)} if code == 0 else {}
    if not devices.get(options.device, {}).get("available"):
        reasons = ["{}: {}".format(name, device.get("reason")) for name, device in devices.items() if name.startswith("cuda")]
        print("there is no {} here. {}".format(options.device, "; ".join(reasons) or err.strip()), file=sys.stderr)
        return 3
    device = devices[options.device]
    print("{}: {}, {}".format(options.device, device["name"], device["driver"]))

    rows = []
    stages = [("test", manifest["programs"], run_program, lambda name: name),
              ("model", manifest["checks"], lambda case: check_model(case, options.device), lambda case: case["name"])]
    if not options.no_bench:
        stages.append(("bench", manifest["bench"], lambda case: measure(case, options.device, options.runs),
                       lambda case: case["name"]))
    for stage, cases, run, name_of in stages:
        for case in cases:
            if options.only not in name_of(case):
                continue
            row = dict(run(case), stage=stage)
            rows.append(row)
            print("{:6} {:34} {:6} {}".format(stage, row["name"], "ok" if row["passed"] else "FAILED", row["said"]), flush=True)
    options.output.write_text(json.dumps({"device": device, "hexin": manifest["hexin"], "rows": rows}, indent=1) + "\n")
    failed = [row["name"] for row in rows if not row["passed"]]
    print("{} of {} failed: {}".format(len(failed), len(rows), " ".join(failed)) if failed else
          "all {} passed; details in {}".format(len(rows), options.output))
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
