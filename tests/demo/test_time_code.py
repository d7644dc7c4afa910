"""The time code survives what video does to a picture, and is never read where there is none."""

import av
import cv2
import numpy as np
import pytest

from tynysh.demo.time_code import read_time_code, write_time_code
from tynysh.media.frame import Frame


def picture(level: int = 128) -> np.ndarray:
    return np.full((360, 640, 3), level, dtype=np.uint8)


def brightness(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


@pytest.mark.parametrize("number", [0, 1, 511, 899, 2730, 4095])
def test_what_was_written_is_read(number: int) -> None:
    image = picture()
    write_time_code(image, number)
    assert read_time_code(brightness(image)) == number


@pytest.mark.parametrize("level", [0, 20, 128, 255])
def test_a_picture_without_one_says_nothing(level: int) -> None:
    assert read_time_code(brightness(picture(level))) is None


def test_a_covered_lens_hides_it() -> None:
    image = picture()
    write_time_code(image, 300)
    assert read_time_code(brightness(cv2.convertScaleAbs(image, alpha=0.1))) is None


def test_a_small_picture_has_none() -> None:
    assert read_time_code(np.full((10, 20), 200, dtype=np.uint8)) is None


def test_it_survives_strong_compression() -> None:
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt, codec.framerate = 640, 360, "yuv420p", 10
    codec.time_base = 1 / codec.framerate
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "36"}
    decoder = av.CodecContext.create("h264", "r")
    read = []
    for number in range(890, 910):
        image = picture(40 + number % 50)
        write_time_code(image, number)
        for packet in codec.encode(av.VideoFrame.from_ndarray(image, format="bgr24")):
            read += [read_time_code(Frame(found, time_s=0, index=0).luma) for found in decoder.decode(packet)]
    read += [read_time_code(Frame(found, time_s=0, index=0).luma) for found in decoder.decode(None)]
    assert read == list(range(890, 910))
