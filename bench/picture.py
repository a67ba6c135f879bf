"""compare.json as a picture: latency of each engine over ONNX Runtime's, one thread, a bar each."""

from xml.sax.saxutils import escape

import table

COLOURS = {"cpu": "#c0392b", "opencl:0": "#e59866", "onnxruntime": "#95a5a6", "openvino": "#5d6d7e"}
LABELS = {"cpu": "Hexin", "opencl:0": "Hexin on opencl:0", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO f32"}
LEFT, WIDTH, BAR, GAP, TOP = 190, 560, 8, 8, 48
LARGEST = 2.0  # ratios beyond are cut, with their number beside


def text(x: float, y: float, content: str, anchor: str = "start", size: int = 12) -> str:
    return (f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}" '
            f'font-family="sans-serif" fill="#2c3e50">{escape(content)}</text>')


def bars_of(row: dict, threads: str, names: list[str], y: float) -> list[str]:
    reference = table.latency(row, threads, "onnxruntime")
    parts = [text(LEFT - 8, y + BAR * len(names) / 2 + 4, row["model"], "end")]
    for i, name in enumerate(names):
        value = table.ratio(table.latency(row, threads, name), reference)
        if value is None or not table.sound(row, name):
            continue
        length = min(value, LARGEST) / LARGEST * WIDTH
        parts.append(f'<rect x="{LEFT}" y="{y + i * BAR:g}" width="{length:.1f}" height="{BAR - 1}" fill="{COLOURS[name]}"/>')
        if value > LARGEST:
            parts.append(text(LEFT + WIDTH + 4, y + (i + 1) * BAR - 1, f"{value:.1f}", size=9))
    return parts


def svg(result: dict, threads: str = "1") -> str:
    names = [name for name in ("cpu", *result["peers"]) if name == "cpu" or name in COLOURS]
    rows = [row for row in result["rows"] if table.latency(row, threads, "onnxruntime")]
    pitch = BAR * len(names) + GAP
    height = TOP + pitch * len(rows) + 16
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 50}" height="{height}" '
             f'viewBox="0 0 {LEFT + WIDTH + 50} {height}">',
             '<rect width="100%" height="100%" fill="white"/>',
             text(LEFT, 16, f"Latency over ONNX Runtime's, {threads} thread; shorter is faster", size=13)]
    for i, name in enumerate(names):
        parts.append(f'<rect x="{LEFT + i * 150}" y="24" width="10" height="10" fill="{COLOURS[name]}"/>')
        parts.append(text(LEFT + i * 150 + 14, 33, LABELS[name]))
    for i, row in enumerate(rows):
        parts += bars_of(row, threads, names, TOP + i * pitch)
    for mark in (0.5, 1.0, 1.5, 2.0):
        x = LEFT + mark / LARGEST * WIDTH
        parts.append(f'<line x1="{x:g}" y1="{TOP - 4}" x2="{x:g}" y2="{height - 14}" stroke="#2c3e50" '
                     f'stroke-opacity="{0.6 if mark == 1 else 0.15}"/>')
        parts.append(text(x, height - 3, f"{mark:g}", "middle", 10))
    return "\n".join([*parts, "</svg>"]) + "\n"
