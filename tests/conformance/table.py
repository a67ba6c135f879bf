"""Classes of cases, their counts per category, and README.md's table made of them."""

import json
from collections import Counter
from pathlib import Path
from typing import Iterable

import onnx

import expectations
import suite
from pool import Result

# What may run on the host without having left the device: the closed set of the design.
HOST_BY_NATURE = {
    "share", "seq_make", "seq_at", "seq_insert", "seq_erase", "seq_length", "seq_split", "seq_concat",
    "opt_make", "opt_get", "opt_has", "map_make", "map_read",
    "string_constant", "string_concat", "string_split", "string_normalize", "regex_match", "ngram_count", "lookup",
    "decode_image",
}
# And these where they move strings: in the two categories that have them.
MOVES = {"reshape", "transpose", "broadcast_to", "slice", "concat", "pad", "gather", "gather_elements", "gather_nd",
         "scatter_elements", "scatter_nd", "select", "compare", "cast"}
WITH_STRINGS = ("sequence, optional, string", "ai.onnx.ml")
BEGIN, END = "<!-- table: made by runner.py --update -->", "<!-- end of table -->"
ENGINE_NAMES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}


def placed(result: Result, category: str) -> Result:
    """A case passes only where all that is not host by nature ran on the device."""
    if result.verdict == "pass" and result.retried.startswith("crash"):
        return result._replace(verdict="crash", reason=f"{result.retried}; passed when run again")
    natural = HOST_BY_NATURE | (MOVES if category in WITH_STRINGS else set())
    strayed = sorted(set(result.facts.get("host", ())) - natural) + list(result.facts.get("fallbacks", ()))
    if result.verdict == "pass" and strayed:
        return result._replace(verdict="left", reason=f"left the device: {', '.join(strayed)}")
    return result


def update(folder: Path, cases: suite.Suite, results: dict, findings: expectations.Findings, whole: bool) -> None:
    """Brings counts.json up to date with a run, and README.md's table with both files.

    `whole`: the run had all cases of its places; else only those places that are there
    already change, by what the run had of them.
    """
    path = folder / "counts.json"
    columns = json.loads(path.read_text()) if path.exists() else {}
    for (engine, device, mode), column in results.items():
        key = f"{engine} {device} {mode}"
        if not whole and key not in columns:
            continue
        if whole:
            columns[key] = {"cases": count(cases, [result.task.case for result in column])}
        if engine in ENGINE_NAMES and whole:
            columns[key]["passed"] = count(cases, [result.task.case for result in column if result.verdict == "pass"])
        elif engine not in ENGINE_NAMES:
            ran = {result.task.case for result in column}
            host = {result.task.case for result in column if result.verdict == "pass" and result.facts.get("host")}
            columns[key]["host"] = sorted(host | (set(columns[key].get("host", ())) - ran))
            one_size = {result.task.case for result in column if result.facts.get("one_size")}
            if mode == "dynamic":
                columns[key]["one_size"] = sorted(one_size | (set(columns[key].get("one_size", ())) - ran))
    path.write_text(json.dumps(columns, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    readme = folder / "README.md"
    text = readme.read_text()
    before, after = text[:text.index(BEGIN) + len(BEGIN)], text[text.index(END):]
    readme.write_text(f"{before}\n{render(cases, columns, findings)}\n{after}")


def count(cases: suite.Suite, names: Iterable[str]) -> dict[str, int]:
    """Per category."""
    counts = Counter(cases.entries[name].category for name in names)
    return {category: counts[category] for category in suite.CATEGORIES if counts[category]}


def passed(cases: suite.Suite, key: str, column: dict, findings: expectations.Findings) -> Counter:
    """Per category: of other engines counted in a run, ours whatever expected.txt does not list."""
    if "passed" in column:
        return Counter(column["passed"])
    _, device, mode = key.split()
    place = expectations.Place(device, mode)
    return Counter(column["cases"]) - Counter(count(cases, [case for case, where in findings if where == place]))


def render(cases: suite.Suite, columns: dict, findings: expectations.Findings) -> str:
    """`columns`: what counts.json holds."""
    keys = sorted(columns, key=column_order)
    good = {key: passed(cases, key, columns[key], findings) for key in keys}
    totals = {key: Counter(columns[key]["cases"]) for key in keys}
    excluded = {key: good[key]["random output"] for key in keys}
    shown = [key for key in keys if not key.endswith("hostile")]

    def row(label: str, cell) -> str:
        return f"| {label} | " + " | ".join(cell(key) for key in shown) + " |"

    def cell(numerator: int, denominator: int) -> str:
        return f"{numerator}/{denominator}" if denominator else "–"

    lines = [f"onnx {onnx.__version__}. Cells: passed of the cases that the mode changes.", "",
             row("category", title), "|---|" + "---:|" * len(shown)]
    lines += [row(category, lambda key: cell(good[key][category], totals[key][category])) for category in suite.CATEGORIES]
    lines.append(row("**all**", lambda key: cell(good[key].total(), totals[key].total())))
    lines.append(row("of those not excluded", lambda key: percent(good[key].total() - excluded[key],
                                                                  totals[key].total() - excluded[key])))
    ours = {key: len(columns[key].get("host", ())) for key in shown if "host" in columns[key]}
    lines.append(row("on the device", lambda key: str(good[key].total() - excluded[key] - ours[key]) if key in ours else ""))
    lines.append(row("host by nature", lambda key: str(ours[key]) if key in ours else ""))
    lines.append(row("excluded", lambda key: str(excluded[key])))
    small = {key: len(columns[key]["one_size"]) for key in shown if "one_size" in columns[key]}
    if small:
        lines.append(row("at one set of sizes only", lambda key: str(small.get(key, ""))))
    for key in keys:
        if key not in shown:
            lines.append(f"| hostile, {key.split()[1]} | {cell(good[key].total(), totals[key].total())} "
                         + "| " * (len(shown) - 1) + "|")
    listed, reasons = len({case for case, _ in findings}), len(set(findings.values()))
    lines += ["", f"{listed} cases do not pass somewhere, for {reasons} reasons: [expected.txt](expected.txt)."]
    return "\n".join(lines)


def column_order(key: str) -> tuple:
    engine, device, mode = key.split()
    return engine != "hexin", engine, device, ("static", "dynamic", "constant-inputs", "hostile").index(mode)


def title(key: str) -> str:
    engine, device, mode = key.split()
    return ENGINE_NAMES.get(engine, f"{device} {mode}")


def percent(numerator: int, denominator: int) -> str:
    return f"{100 * numerator / denominator:.1f} %" if denominator else "–"
