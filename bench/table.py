"""compare.json as Markdown."""

import math

NAMES = {"onnxruntime": "ORT", "openvino": "OpenVINO"}


def geometric_mean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def number(value, digits: int = 3) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.{digits}g}"


def latency(row: dict, threads: str, name: str) -> float | None:
    return row.get("latency", {}).get(threads, {}).get(name)


def sound(row: dict, name: str) -> bool:
    """Whether an engine's time counts: one that computes something else is not compared with."""
    error = row.get("errors", {}).get(name)
    return error is not None and error < 0.01


def fastest_peer(row: dict, threads: str, peers: list[str]) -> float | None:
    times = [latency(row, threads, peer) for peer in peers if sound(row, peer)]
    return min((time for time in times if time), default=None)


def ratio(ours: float | None, theirs: float | None) -> float | None:
    return ours / theirs if ours and theirs else None


def share_of_peak(row: dict, threads: str, name: str, result: dict) -> float | None:
    time = latency(row, threads, name)
    return 100 * row["gflop"] / (time * 1e-3) / result["peak"][threads]["gflops"] if time else None


def line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def head(titles: list[str]) -> list[str]:
    return [line(titles), "|---" + "|---:" * (len(titles) - 1) + "|"]


def machine_line(result: dict) -> str:
    machine = result["machine"]
    peaks = "; ".join(f"{threads} thread{'s' if threads != '1' else ''}: {peak['gflops']:.0f} GFLOP/s ({peak['isa']}), "
                      f"{peak['read_gbs']:.0f} GB/s read" for threads, peak in result["peak"].items())
    return (f"{machine['cpu']}, {machine['cores']} cores, {' '.join(machine['features'])}; measured peaks, {peaks}; "
            f"others took {machine['others']:.0%} of the machine at the start, load {machine['load']:.2f}.")


def latency_table(result: dict) -> list[str]:
    devices, peers = result["devices"], result["peers"]
    titles = ["model", "error", "bound"]
    for threads in result["peak"]:
        ours = [device for device in devices if device == "cpu" or threads == max(result["peak"])]
        titles += [f"{device}, {threads} thr." for device in ours] + [NAMES[peer] for peer in peers]
        titles += ["x ORT", "x best", "% of peak"]
    lines = head(titles)
    for row in result["rows"]:
        if "failure" in row:
            lines.append(line([row["model"], row["failure"].replace("|", "/")] + [""] * (len(titles) - 2)))
            continue
        error = max((row["errors"][device] for device in devices if device in row["errors"]), default=None)
        cells = [row["model"], number(error, 2) + (" **over**" if error and error > row["bound"] else ""),
                 number(row.get("bound"), 2)]
        for threads in result["peak"]:
            ours = [device for device in devices if device == "cpu" or threads == max(result["peak"])]
            cells += [number(latency(row, threads, name)) + ("" if name in devices or sound(row, name) else " ✗")
                      if latency(row, threads, name) else "fails" for name in ours + peers]
            cpu = latency(row, threads, "cpu")
            peer = latency(row, threads, "onnxruntime") if sound(row, "onnxruntime") else None
            cells += [number(ratio(cpu, peer), 2), number(ratio(cpu, fastest_peer(row, threads, peers)), 2),
                      number(share_of_peak(row, threads, "cpu", result), 2)]
        lines.append(line(cells))
    return lines


def startup_table(result: dict) -> list[str]:
    names = ["cpu", *result["peers"]] if "cpu" in result["devices"] else result["peers"]
    keys = {name: ["total_ms", "open_ms", "over_warm_ms", "anonymous_mib"] for name in names}
    titles = ["model"]
    for name in names:
        title = NAMES.get(name, "Hexin")
        titles += [f"{title}: start to result", "open", "first run over warm", "MiB"]
        if name == "cpu":
            keys[name] += ["over_warm_cached_ms", "second_mib"]
            titles += ["over warm, filled cache", "2nd session MiB"]
    lines = head([*titles, "model MB", ".hxm MB", "compile s"])
    for row in result["rows"]:
        if "startup" not in row:
            continue
        cells = [row["model"]]
        for name in names:
            of = row["startup"].get(name, {})
            cells += [number(of.get(key)) for key in keys[name]]
        lines.append(line([*cells, number(row["model_bytes"] / 1e6), number(row["artifact_bytes"] / 1e6),
                           number(row["compile_s"])]))
    return lines


def summary(result: dict) -> list[str]:
    """Geometric means over the f32 models, per thread count."""
    lines = []
    rows = [row for row in result["rows"] if row.get("precision") == "f32"]
    for threads in result["peak"]:
        for what, of in (("ONNX Runtime", lambda row: latency(row, threads, "onnxruntime") if sound(row, "onnxruntime") else None),
                         ("the faster of the others", lambda row: fastest_peer(row, threads, result["peers"]))):
            ratios = {row["model"]: ratio(latency(row, threads, "cpu"), of(row)) for row in rows}
            ratios = {name: value for name, value in ratios.items() if value}
            if ratios:
                slowest = max(ratios, key=ratios.get)
                lines.append(f"cpu, {threads} thread{'s' if threads != '1' else ''}: {geometric_mean(list(ratios.values())):.2f}x "
                             f"{what} in geometric mean over {len(ratios)} f32 models, at most {ratios[slowest]:.2f}x ({slowest})  ")
    disturbed = [f"{row['model']} ({share:.0%})" for row in result["rows"] for share in row.get("disturbed", {}).values()
                 if share > 0.05]
    if disturbed:
        lines.append(f"Disturbed by others while measured, not to be judged: {', '.join(disturbed)}  ")
    return lines


def failures(result: dict) -> list[str]:
    return [f"{row['model']}, {name}: {message}  " for row in result["rows"]
            for name, message in row.get("failures", {}).items()]


def markdown(result: dict) -> str:
    """An empty cell was not measured; ✗: an engine whose result is off by more than 1 %, which is not compared with."""
    notes = ("Latencies are medians in ms of turns taken by processes of their own; \"x\" is Hexin on cpu over ONNX "
             "Runtime (ORT), or over the faster of the other engines whose result is right; errors are relative to the "
             f"output's largest value, against: {result['judge']}. Start-up: ms from the start of a process to its first "
             "result, less what an empty one takes; MiB: anonymous memory at its peak.")
    return "\n".join([machine_line(result), "", notes, "", *latency_table(result), "", *summary(result),
                      *failures(result), "", *startup_table(result)]) + "\n"
