"""Text recognition with a CTC model: the picture of one line -> its text."""

import math

import cv2
import numpy

HEIGHT = 48      # the network's fixed input height
MIN_WIDTH = 48


def crop(image: numpy.ndarray, box: numpy.ndarray) -> numpy.ndarray:
    """The box's part of the picture, turned upright."""
    width = round(max(math.dist(box[0], box[1]), math.dist(box[3], box[2])))
    height = round(max(math.dist(box[0], box[3]), math.dist(box[1], box[2])))
    corners = numpy.array([[0, 0], [width, 0], [width, height], [0, height]], numpy.float32)
    transform = cv2.getPerspectiveTransform(box, corners)
    return cv2.warpPerspective(image, transform, (width, height), flags=cv2.INTER_CUBIC,
                               borderMode=cv2.BORDER_REPLICATE)


def prepare(line: numpy.ndarray) -> numpy.ndarray:
    """[H, W, RGB] bytes -> the network's input [1, 3, 48, W'], each line as wide as it is."""
    height, width = line.shape[:2]
    resized = cv2.resize(line, (max(MIN_WIDTH, math.ceil(HEIGHT * width / height)), HEIGHT))
    channels = (resized[:, :, ::-1].astype(numpy.float32) / 127.5 - 1.0).transpose(2, 0, 1)
    return numpy.ascontiguousarray(channels[None])


def load_characters(metadata: dict[str, str]) -> list[str]:
    """The network's classes: the blank, the dictionary in the model's metadata, the space."""
    if "character" not in metadata:
        raise SystemExit("the recognition model has no 'character' entry in its metadata")
    return ["", *metadata["character"].splitlines(), " "]


def decode(probabilities: numpy.ndarray, characters: list[str]) -> tuple[str, float]:
    """[steps, classes] -> the text and its mean confidence, by the greedy CTC rule.

    Repeated classes count once, the blank (class 0) separates repetitions.
    """
    classes = probabilities.argmax(axis=1)
    first = numpy.ones(len(classes), bool)
    first[1:] = classes[1:] != classes[:-1]
    kept = first & (classes != 0)
    text = "".join(characters[index] for index in classes[kept])
    confidence = float(probabilities[kept, classes[kept]].mean()) if kept.any() else 0.0
    return text, confidence
