"""What browsers of the field ask for, as people who run such systems reported it."""

from io import BytesIO

import av
import numpy as np
import pytest
from tests.api.conftest import House, house, make_house, password_hash, quick, quick_hashes, quiet_logs  # noqa: F401
from tests.media.conftest import draw

from tynysh.media.encoder import FragmentedEncoder

LIST = "/api/v1/incidents"
VIDEO = bytes(range(256)) * 400


def test_safari_gets_the_two_bytes_that_it_asks_for_first(house: House) -> None:  # noqa: F811
    """Safari asks for `bytes=0-1` and plays nothing unless it gets just that, and is told that it may ask so:
    blakeblackshear/frigate-hass-integration#837, misskey-dev/misskey#12881, T4EQ/leap#38.
    """
    number = house.happens()
    house.has_clip(number, VIDEO)
    with house.signed_in() as browser:
        first = browser.get(f"{LIST}/{number}/clip", headers={"Range": "bytes=0-1"})
        rest = browser.get(f"{LIST}/{number}/clip", headers={"Range": f"bytes=2-{len(VIDEO) - 1}"})
    assert (first.status_code, first.content) == (206, VIDEO[:2])
    assert first.headers["content-range"] == f"bytes 0-1/{len(VIDEO)}"
    assert (first.headers["content-length"], first.headers["accept-ranges"]) == ("2", "bytes")
    assert first.content + rest.content == VIDEO


def test_an_empty_still_is_none(house: House) -> None:  # noqa: F811
    """A picture of 0 bytes, as a loss of power leaves it, answered by a fault of the server, or shown as broken:
    blakeblackshear/frigate#24110, roleoroleo/yi-hack-Allwinner-v2#599.
    """
    number = house.happens()
    house.has_clip(number, b"", still=b"")
    with house.signed_in() as browser:
        for what in ("still", "clip"):
            answer = browser.get(f"{LIST}/{number}/{what}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_ready")


@pytest.mark.parametrize("size", [(640, 360), (641, 361), (1920, 1080)])
def test_live_video_is_in_order_and_says_truly_what_it_is(size: tuple[int, int]) -> None:
    """B-frames jump to and fro in Chrome: w3c/media-source#177, AlexxIT/go2rtc#583. Odd sizes that no encoder takes:
    kernel/kernel-images#246, artclarke/humble-video#128. Codecs that are not what was said:
    blakeblackshear/frigate#5509.
    """
    encoder = FragmentedEncoder(*size, 10)
    picture = np.asarray(np.resize(draw(0, 10), (size[1], size[0], 3)))
    fragments = [encoder.encode(np.roll(picture, 7 * number, axis=1), number / 10)[0] for number in range(12)]
    encoder.close()
    with av.open(BytesIO(encoder.header + b"".join(fragments))) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        extradata = stream.codec_context.extradata
        assert (stream.width % 2, stream.height % 2) == (0, 0)
        assert abs(stream.width - size[0]) + abs(stream.height - size[1]) <= 2
    assert extradata is not None
    assert encoder.mime == f'video/mp4; codecs="avc1.{extradata[1:4].hex()}"'
    assert len(packets) == 12
    assert all(packet.pts == packet.dts for packet in packets)
