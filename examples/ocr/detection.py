"""Text detection with a DBNet model: picture -> boxes around lines of text."""

import cv2
import numpy

MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32)
STD = numpy.array([0.229, 0.224, 0.225], numpy.float32)
MULTIPLE = 32       # the network halves its input five times
THRESHOLD = 0.3     # a pixel is text above this
BOX_THRESHOLD = 0.6  # a box is kept when its pixels average above this
UNCLIP_RATIO = 1.6  # the network marks shrunk lines; boxes grow back by this
MIN_SIDE = 3        # pixels of the map


def prepare(image: numpy.ndarray) -> numpy.ndarray:
    """[H, W, RGB] bytes -> the network's input [1, 3, H', W'], sizes rounded to 32."""
    height, width = (max(MULTIPLE, round(size / MULTIPLE) * MULTIPLE) for size in image.shape[:2])
    resized = cv2.resize(image, (width, height)).astype(numpy.float32) / 255.0
    # The network was trained on BGR pictures.
    channels = ((resized[:, :, ::-1] - MEAN) / STD).transpose(2, 0, 1)
    return numpy.ascontiguousarray(channels[None])


def find_boxes(text_map: numpy.ndarray, image_size: tuple[int, int]) -> list[numpy.ndarray]:
    """Probabilities [H', W'] -> boxes [4 corners, (x, y)] in the picture, top to bottom.

    Corners go clockwise from the top left one. `image_size` is (height, width).
    """
    mask = (text_map > THRESHOLD).astype(numpy.uint8)
    # A little wider, so that the marks of one line's words join.
    mask = cv2.dilate(mask, numpy.ones((2, 2), numpy.uint8))
    contours = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    scale = numpy.array([image_size[1] / text_map.shape[1], image_size[0] / text_map.shape[0]])
    limit = numpy.array([image_size[1] - 1, image_size[0] - 1])
    boxes = []
    for contour in contours:
        rectangle = cv2.minAreaRect(contour)
        if min(rectangle[1]) < MIN_SIDE or score_of(text_map, contour) < BOX_THRESHOLD:
            continue
        corners = order_corners(cv2.boxPoints(unclip(rectangle)))
        boxes.append(numpy.clip(corners * scale, 0, limit).astype(numpy.float32))
    return sorted(boxes, key=lambda box: (box[:, 1].mean(), box[0, 0]))


def score_of(text_map: numpy.ndarray, contour: numpy.ndarray) -> float:
    """The mean probability inside a contour."""
    left, top, width, height = cv2.boundingRect(contour)
    inside = numpy.zeros((height, width), numpy.uint8)
    cv2.fillPoly(inside, [contour - [left, top]], 1)
    return cv2.mean(text_map[top:top + height, left:left + width], inside)[0]


def unclip(rectangle: tuple) -> tuple:
    """The rectangle grown on all sides by area x ratio / perimeter."""
    centre, (width, height), angle = rectangle
    distance = width * height * UNCLIP_RATIO / (2 * (width + height))
    return centre, (width + 2 * distance, height + 2 * distance), angle


def order_corners(corners: numpy.ndarray) -> numpy.ndarray:
    """Top left, top right, bottom right, bottom left."""
    by_x = corners[numpy.argsort(corners[:, 0])]
    left, right = (side[numpy.argsort(side[:, 1])] for side in (by_x[:2], by_x[2:]))
    return numpy.array([left[0], right[0], right[1], left[1]])
