"""ImageDecoder on bytes that are no picture."""

import hexin
import numpy as np
import pytest
from value_cases import parsed


def test_damaged_pictures(tmp_path):
    """Bytes that are no picture give an empty one; nothing that they say takes memory without a bound."""
    artifact = str(tmp_path / "decode.hxm")
    hexin.compile(parsed("(uint8[n] s) => (uint8[h, w, 3] y) { y = ImageDecoder(s) }", 20), artifact)
    session = hexin.Session(artifact)

    def decoded(data):
        return session.run({"s": np.frombuffer(bytes(data), np.uint8)})["y"]

    try:
        assert decoded(b"P6 2 1 255\n\1\2\3\4\5\6").tolist() == [[[1, 2, 3], [4, 5, 6]]]
    except hexin.UnavailableError as error:
        pytest.skip(str(error))
    assert decoded(b"P1 3 1 101").tolist() == [[[0] * 3, [255] * 3, [0] * 3]]
    assert decoded(b"P5 1 2 65535\n\x80\0\xff\xff").tolist() == [[[128] * 3], [[255] * 3]]
    bmp = b"BM" + bytes(8) + b"\x36\0\0\0" + b"\x28\0\0\0" + b"\2\0\0\0" + b"\1\0\0\0" + b"\1\0\x18\0" + bytes(24)
    assert decoded(bmp + b"\1\2\3\4\5\6\0\0").tolist() == [[[3, 2, 1], [6, 5, 4]]]
    for empty in (b"", b"P6", b"P6 2 1 255\n\1\2", bmp, b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40), b"II*\0" + bytes(30),
                  b"\xff\xd8\xff" + bytes(40), b"RIFF\0\0\0\0WEBPVP8 " + bytes(20), b"\xff\x4f\xff\x51" + bytes(60)):
        assert decoded(empty).shape == (0, 0, 3), empty
    with pytest.raises(hexin.ResourceExhaustedError, match="more than 268435456 pixels"):
        decoded(b"P6 4000000000 4000000000 255\n")
    files = [np.asarray(case.data_sets[0][0][0]) for case in decoder_cases()]
    random = np.random.default_rng(0)
    for file in files:
        for _ in range(12):
            damaged = file.copy()
            damaged[random.integers(0, min(len(damaged), 200), 4)] = random.integers(0, 256, 4)
            try:
                assert decoded(damaged[:random.integers(1, len(damaged))]).ndim == 3
            except hexin.ResourceExhaustedError:
                pass


def decoder_cases():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_node_model_tests

        return [case for case in load_node_model_tests() if "image_decoder" in case.name]
