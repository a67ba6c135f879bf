"""The OCR example reads known text on both devices."""

import numpy
import pytest

DEVICES = ["cpu", "opencl:0"]
SIZES = [(800, 480), (1000, 600), (640, 400)]  # three picture sizes from one artifact


@pytest.fixture(scope="module")
def readers(artifacts):
    import ocr

    files = artifacts("ppocr-v4-det"), artifacts("ppocr-v4-rec")
    return {device: ocr.open_reader(*files, device) for device in DEVICES}


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("device", DEVICES)
def test_reads_the_text(readers, device, size):
    import picture

    reading = readers[device].read(numpy.asarray(picture.make_picture(size=size)))
    assert [line.text for line in reading.lines] == picture.LINES


def test_devices_agree(readers):
    import ocr
    import picture

    image = numpy.asarray(picture.make_picture())
    readings = [readers[device].read(image) for device in DEVICES]
    # Probabilities of two f32 runs of a network of about a hundred layers.
    assert ocr.largest_difference(*readings) < 1e-3
