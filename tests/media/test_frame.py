"""A frame says what its picture looks like to the thread that decoded it, in numbers that do not depend on how."""

from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest

from tynysh.media.frame import Frame

FORMATS = ["yuv420p", "yuvj420p", "yuvj422p", "yuv444p", "nv12", "yuv420p10le", "gray", "bgr24", "yuyv422"]
HAVE_NO_LUMA = {"yuv420p10le", "bgr24", "yuyv422"}
"""Of their own, in a plane of bytes."""


def decoded(pixel_format: str, width: int, height: int) -> av.VideoFrame:
    """A picture of smooth colours with noise, as a decoder gives it."""
    random = np.random.default_rng(3)
    smooth = np.add.outer(np.linspace(20, 200, height), np.linspace(0, 50, width))[:, :, None] + [0, 20, -20]
    noisy = np.clip(smooth + random.integers(-9, 10, (height, width, 3)), 0, 255).astype(np.uint8)
    return av.VideoFrame.from_ndarray(noisy, format="bgr24").reformat(format=pixel_format)


@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize("size", [(1920, 1080), (354, 290)])
def test_conversions_are_those_of_swscale_and_read_only(pixel_format: str, size: tuple[int, int]) -> None:
    picture = decoded(pixel_format, *size)
    frame = Frame(picture, time_s=0, index=0)
    scaled = picture.reformat(width=192, height=108, format="bgr24", interpolation="AREA").to_ndarray()
    assert np.array_equal(frame.bgr, picture.to_ndarray(format="bgr24"))
    assert np.array_equal(frame.bgr_resized(192, 108), scaled)
    if pixel_format in HAVE_NO_LUMA:
        assert np.array_equal(frame.luma, picture.to_ndarray(format="gray"))
    else:
        plane = np.frombuffer(picture.planes[0], np.uint8).reshape(-1, picture.planes[0].line_size)
        assert np.array_equal(frame.luma, plane[: size[1], : size[0]])
    for array in (frame.bgr, frame.luma, frame.bgr_resized(192, 108)):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 0


def test_another_thread_than_the_one_that_decoded_it_is_refused() -> None:
    frame = Frame(decoded("yuv420p", 64, 48), time_s=0, index=0)
    with ThreadPoolExecutor(1) as other:
        for ask in (lambda: frame.bgr, lambda: frame.luma, lambda: frame.bgr_resized(32, 24)):
            with pytest.raises(RuntimeError, match="another thread"):
                other.submit(ask).result()


def test_a_picture_that_was_drawn_stays_its_owners_to_write_to() -> None:
    drawn = np.zeros((48, 64, 3), np.uint8)
    frame = Frame(drawn, time_s=0, index=0)
    drawn[:] = 7
    for array in (frame.bgr, frame.luma, frame.bgr_resized(32, 24)):
        assert not array.flags.writeable
        assert (array == 7).all()
