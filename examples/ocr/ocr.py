#!/usr/bin/env python3
"""Reads the text of a picture on several devices, from the same two files.

    ocr.py [--image FILE] [--device cpu --device opencl:0] [--output-dir DIR]

Compiles the detection and the recognition model once, for all devices; then
each device reads the picture. Prints the text, and per device the latency and
the largest difference from the first device. Saves the picture with its boxes
and the text as ocr.png.
"""

import argparse
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tests" / "models")]

import hexin  # noqa: E402

import fetch_models  # noqa: E402
import picture  # noqa: E402
import recognition  # noqa: E402
from reader import Reader, Reading  # noqa: E402


@dataclass
class DeviceResult:
    device: str
    first_ms: float       # the first reading: every size is new to the sessions
    detection_ms: float   # medians of later readings
    recognition_ms: float
    reading: Reading


def compile_models(folder: Path, devices: list[str]) -> tuple[Path, Path]:
    """The two .hxm files, each with a program for every device's target."""
    targets = sorted({device.split(":")[0] for device in devices})
    paths = []
    for name in ("ppocr-v4-det", "ppocr-v4-rec"):
        source, path = fetch_models.fetch(name), folder / f"{name}.hxm"
        start = time.perf_counter()
        hexin.compile(str(source), str(path), targets=targets)
        print(f"compiled {name} for {' and '.join(targets)}: {path}, "
              f"{path.stat().st_size / 1e6:.1f} MB, {time.perf_counter() - start:.1f} s", flush=True)
        paths.append(path)
    return paths[0], paths[1]


def open_reader(detection_file: Path, recognition_file: Path, device: str, threads: int = 0) -> Reader:
    detector = hexin.Session(str(detection_file), device=device, threads=threads)
    recogniser = hexin.Session(str(recognition_file), device=device, threads=threads)
    return Reader(single(detector), single(recogniser), recognition.load_characters(recogniser.metadata))


def single(session):
    """A session of one input and one output as a function of arrays."""
    name = session.inputs[0].name

    def run(value: numpy.ndarray) -> numpy.ndarray:
        (result,) = session.run({name: value}).values()
        return numpy.asarray(result)

    return run


def read_on(device: str, files: tuple[Path, Path], image: numpy.ndarray, runs: int, threads: int) -> DeviceResult:
    reader = open_reader(*files, device, threads)
    start = time.perf_counter()
    reading = reader.read(image)
    first_ms = 1e3 * (time.perf_counter() - start)
    later = [reader.read(image) for _ in range(runs)]
    return DeviceResult(device, first_ms,
                        statistics.median(each.detection_ms for each in later),
                        statistics.median(each.recognition_ms for each in later), reading)


def largest_difference(left: Reading, right: Reading) -> float:
    """Over all outputs of both networks; infinite when the lines found differ."""
    shapes = [[output.shape for output in reading.outputs] for reading in (left, right)]
    if shapes[0] != shapes[1]:
        return float("inf")
    return max(float(numpy.abs(a - b).max()) for a, b in zip(left.outputs, right.outputs))


def report(results: list[DeviceResult]) -> None:
    for line in results[0].reading.lines:
        print(f"  {line.confidence:.3f}  {line.text}")
    print(f"{'device':12}{'first':>10}{'detection':>12}{'recognition':>14}{'largest difference':>22}{'text':>8}")
    for result in results:
        same = [line.text for line in result.reading.lines] == [line.text for line in results[0].reading.lines]
        difference = largest_difference(result.reading, results[0].reading)
        print(f"{result.device:12}{result.first_ms:>7.1f} ms{result.detection_ms:>9.1f} ms"
              f"{result.recognition_ms:>11.1f} ms{difference:>22.2g}{'same' if same else 'OTHER':>8}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path, help="a picture of your own (default: one is made)")
    parser.add_argument("--device", action="append", help="default: cpu and opencl:0")
    parser.add_argument("--output-dir", type=Path, default=Path("build/demo"))
    parser.add_argument("--runs", type=int, default=5, help="readings to take the median of (default 5)")
    parser.add_argument("--threads", type=int, default=0, help="cpu threads (default: all cores)")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1")

    devices = options.device or ["cpu", "opencl:0"]
    options.output_dir.mkdir(parents=True, exist_ok=True)
    image = Image.open(options.image).convert("RGB") if options.image else picture.make_picture()
    files = compile_models(options.output_dir, devices)
    results = [read_on(device, files, numpy.asarray(image), options.runs, options.threads) for device in devices]
    report(results)

    saved = options.output_dir / "ocr.png"
    picture.draw_result(image, results[0].reading.lines).save(saved)
    print(f"picture with boxes and text: {saved}")
    texts = [[line.text for line in result.reading.lines] for result in results]
    if not options.image and any(text != picture.LINES for text in texts):
        print("the text that was read is not the text of the picture", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
