"""Reads the text of a picture with two models: one finds lines, one reads them."""

import time
from dataclasses import dataclass, field

import numpy

import detection
import recognition


@dataclass
class Line:
    box: numpy.ndarray  # [4 corners, (x, y)], clockwise from the top left
    text: str
    confidence: float


@dataclass
class Reading:
    lines: list[Line]
    outputs: list[numpy.ndarray] = field(repr=False)  # what the networks gave, in order
    detection_ms: float = 0.0
    recognition_ms: float = 0.0  # all lines together


class Reader:
    """`detect` and `recognise` run a network: one array in, one array out."""

    def __init__(self, detect, recognise, characters: list[str]):
        self.detect, self.recognise, self.characters = detect, recognise, characters

    def read(self, image: numpy.ndarray) -> Reading:
        """`image` is [H, W, RGB] bytes. Times are the networks', without what is around them."""
        reading = Reading([], [])
        text_map, reading.detection_ms = timed(self.detect, detection.prepare(image))
        reading.outputs.append(text_map)
        for box in detection.find_boxes(text_map[0, 0], image.shape[:2]):
            line = recognition.prepare(recognition.crop(image, box))
            probabilities, duration_ms = timed(self.recognise, line)
            reading.recognition_ms += duration_ms
            reading.outputs.append(probabilities)
            text, confidence = recognition.decode(probabilities[0], self.characters)
            reading.lines.append(Line(box, text, confidence))
        return reading


def timed(run, value: numpy.ndarray) -> tuple[numpy.ndarray, float]:
    start = time.perf_counter()
    result = run(value)
    return result, 1e3 * (time.perf_counter() - start)
