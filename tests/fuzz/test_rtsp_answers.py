"""Whatever a camera answers, what comes of it is pictures or why there are none, in time and without its password."""

from collections.abc import Callable, Iterable
from random import Random

import pytest
from tests.field.cameras import AAC_WITHOUT_CONFIGURATION, ODD_SOUND, PCMA, Film, OddCamera
from tests.fuzz.effort import in_time, randoms
from tests.media.conftest import write_video

from tynysh.media.decoder import AdaptiveDecoder
from tynysh.media.packet import Packet
from tynysh.media.source import open_source
from tynysh.media.source_fault import SourceError
from tynysh.media.source_spec import SourceSpec, Timeouts

SHORT = Timeouts(open_s=0.5, read_s=0.5)
PASSWORD = "hunter2-of-the-camera"
NUMBERS = ["0", "-1", "65536", "4294967296", "9" * 400, "1e9", "NaN", "", " ", "x"]
LINES = [
    *("m=video 0 RTP/AVP 96 97 98", "m=video 0 RTP/AVP", "m=audio 99999999 RTP/AVP 0", "m=text 0 RTP/AVP 99", "m="),
    *("a=rtpmap:96 H265/90000", "a=rtpmap:96 JPEG/90000", "a=rtpmap:96 /0", "a=rtpmap:96 H264/0"),
    *("a=fmtp:96 sprop-parameter-sets=,,,,", "a=fmtp:96 sprop-parameter-sets=AAAA", "a=fmtp:96 " + "x=1;" * 2000),
    *("a=control:rtsp://192.0.2.1/x", "a=control:" + "y" * 5000, "a=framerate:0", "a=framerate:1e30", "a=range:npt=-"),
    *("a=framesize:96 99999-99999", "a=cliprect:0,0,99999,99999", "b=AS:999999999999", "c=IN IP4 224.0.0.1"),
]  # fmt: skip


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Film]:
    """Half a second of H.264 and of H.265."""
    folder = tmp_path_factory.mktemp("films")
    hevc = {"codec": "libx265", "options": {"x265-params": "log-level=none:bframes=0"}}
    return [
        Film(write_video(folder / "h264.mp4", seconds=0.6, fps=10, keyint=3)),
        Film(write_video(folder / "hevc.mp4", seconds=0.6, fps=10, keyint=3, **hevc)),
    ]


def mangled(text: str, random: Random) -> str:
    """A description or an answer with lines and numbers that are others."""
    lines = text.split("\r\n")
    for _ in range(random.choice([1, 1, 2, 4])):
        at = random.randrange(len(lines))
        match random.choice(["line", "number", "remove", "double", "character", "bare"]):
            case "line":
                lines.insert(at, random.choice(LINES))
            case "number":
                figures = [place for place, sign in enumerate(lines[at]) if sign.isdigit()]
                if figures:
                    place = random.choice(figures)
                    lines[at] = lines[at][:place] + random.choice(NUMBERS) + lines[at][place + 1 :]
            case "remove" if len(lines) > 1:
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "character":
                place = random.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:place] + chr(random.randrange(256)) + lines[at][place:]
            case "bare":
                lines[at] = lines[at].replace(":", "").replace("=", "")
    return "\r\n".join(lines)


def wrecked(random: Random) -> Callable[[int, Iterable[tuple[bytes, bool]]], Iterable[tuple[bytes, bool]]]:
    """RTP packets of which some are missing, changed, twice or in another order."""

    def alter(_: int, given: Iterable[tuple[bytes, bool]]) -> Iterable[tuple[bytes, bool]]:
        packets = list(given)
        match random.choice(["as sent", "as sent", "lost", "bytes", "twice", "shuffled", "cut", "empty"]):
            case "lost":
                packets = packets[1:]
            case "bytes":
                payload = bytearray(packets[0][0])
                for _ in range(3):
                    payload[random.randrange(min(len(payload), 60))] = random.randrange(256)
                packets[0] = (bytes(payload), packets[0][1])
            case "twice":
                packets *= 2
            case "shuffled":
                random.shuffle(packets)
            case "cut":
                packets = [(payload[: random.randrange(len(payload) + 1)], mark) for payload, mark in packets]
            case "empty":
                packets.insert(0, (b"", False))
        return packets

    return alter


def pictures_of(url: str) -> int:
    """How many pictures come of a camera; it may say why none do, and then gives nothing away."""
    spec = SourceSpec.parse(url, user="viewer", password=PASSWORD)
    pictures = 0
    try:
        source = open_source(spec, SHORT)
        try:
            decoder = AdaptiveDecoder(source.info)
            for number, raw in enumerate(source.packets()):
                packet = Packet(source.info, raw.data, number / 10, number / 10, raw.is_key, number)
                pictures += sum(frame.luma.size > 0 for frame in decoder.decode(packet))
        finally:
            source.close()
    except SourceError as error:
        assert error.hint
        assert PASSWORD not in f"{error.message} {error.hint} {error!r}"
        assert error.__context__ is None or error.__suppress_context__
    return pictures


def described(random: Random) -> dict[str, object]:
    """A camera whose description is mangled."""
    return {"sdp": lambda text: mangled(text, random)}


def answered(random: Random) -> dict[str, object]:
    """A camera one of whose answers is mangled, is an error, or does not come."""
    chosen = random.choice(["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
    status = random.choice(
        ["404 Not Found", "454 Session Not Found", "500 Oops", "200", "99999 x", "302 Moved"]
    )

    def answer(method: str, _: int, text: str) -> str | None:
        if method != chosen:
            return text
        kind = random.choice(["mangled", "mangled", "mangled", "status", "status", "none"])
        return {"mangled": mangled(text, random), "status": text.replace("200 OK", status), "none": None}[
            kind
        ]

    return {"answer": answer}


def transmitted(random: Random) -> dict[str, object]:
    """A camera whose packets and times are wrecked."""
    times = {
        "right": lambda _, shown_s: round(shown_s * 90000),
        "still": lambda _number, _shown_s: 5,
        "any": lambda _number, _shown_s: random.randrange(2**32),
        "back": lambda number, _: -number * 9000,
    }
    return {"alter": wrecked(random), "stamp": random.choice(list(times.values()))}


@pytest.mark.torture
@pytest.mark.parametrize("habit", [described, answered, transmitted])
def test_a_camera_gives_pictures_or_the_reason_why_not(
    habit: Callable[[Random], dict[str, object]], films: list[Film]
) -> None:
    pictures = 0
    for random in randoms(25):
        sound = random.choice([None, None, PCMA, AAC_WITHOUT_CONFIGURATION, ODD_SOUND])
        habits = {"sets_in_sdp": random.random() < 0.7, "sets_in_band": random.random() < 0.7, "sound": sound}
        with in_time(), OddCamera(random.choice(films), **habits, **habit(random)) as camera:
            pictures += pictures_of(camera.url)
    assert pictures > 0


def test_a_camera_without_faults_gives_all_its_pictures(films: list[Film]) -> None:
    for film in films:
        with OddCamera(film) as camera:
            assert pictures_of(camera.url) == len(film.pictures)
