"""Sources are understood, opened in time, and say what is wrong without giving secrets away."""

import ssl
import textwrap
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.servers import ProxyServer, SilentServer, UdpCamera, free_port

from tynysh.media.packet import compressed
from tynysh.media.source import open_source
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceKind, SourceSpec, Timeouts, Transport, Trust, plugins
from tynysh.media.video_files import files_of

QUICK = Timeouts(open_s=1.5, read_s=1.5)


def fault_of(spec: SourceSpec | str | Path, timeouts: Timeouts = QUICK) -> SourceError:
    with pytest.raises(SourceError) as caught:
        source = open_source(spec if isinstance(spec, SourceSpec) else SourceSpec.parse(spec), timeouts)
        list(source.packets())
    return caught.value


def first_packets(spec: SourceSpec, count: int = 10):
    source = open_source(spec, Timeouts(5, 3))
    packets = []
    for packet in source.packets():
        packets.append(packet)
        if len(packets) == count:
            break
    source.close()
    return source.info, packets


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("rtsp://host/stream", SourceKind.RTSP),
        ("rtsps://host:322/stream", SourceKind.RTSP),
        ("http://host/video.mjpg", SourceKind.HTTP),
        ("https://host/video", SourceKind.HTTP),
        ("/dev/video0", SourceKind.USB),
        ("clip.mp4", SourceKind.FILE),
        ("file:///videos/clip%201.mp4", SourceKind.FILE),
    ],
)
def test_kinds_are_told_by_the_address(text, kind):
    assert SourceSpec.parse(text).kind is kind


def test_a_folder_is_told_from_a_file(tmp_path):
    assert SourceSpec.parse(tmp_path).kind is SourceKind.FOLDER


def test_usb_cameras_take_settings_in_the_address():
    spec = SourceSpec.parse("/dev/video2?input_format=mjpeg&video_size=1280x720")
    assert spec.address == "/dev/video2"
    assert dict(spec.options) == {"input_format": "mjpeg", "video_size": "1280x720"}


def test_credentials_leave_the_address_and_appear_nowhere():
    spec = SourceSpec.parse("rtsp://admin:s%40cret@host:554/live?channel=1&password=hunter2&token=abc")
    assert spec.credentials is not None
    assert spec.credentials.password == "s@cret"
    shown = f"{spec} {spec!r} {spec.redacted} {spec.credentials!r}"
    for secret in ("admin", "s@cret", "s%40cret", "hunter2", "abc"):
        assert secret not in shown
    assert "host:554/live?channel=1" in spec.redacted


@pytest.mark.parametrize("text", ["ftp://host/x", "rtsp:///stream", "rtsp://host:notaport/x"])
def test_an_address_that_nothing_opens_is_refused(text):
    with pytest.raises(SourceError):
        SourceSpec.parse(text)


def test_a_missing_file():
    error = fault_of("/nowhere/clip.mp4")
    assert error.fault is SourceFault.MISSING
    assert error.hint


def test_an_empty_file(tmp_path):
    (tmp_path / "clip.mp4").touch()
    assert fault_of(tmp_path / "clip.mp4").fault is SourceFault.EMPTY


def test_an_mp4_without_its_end(video):
    path = video("clip.mp4", seconds=1)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert fault_of(path).fault is SourceFault.TRUNCATED


@pytest.mark.parametrize("name", ["notes.txt", "clip.mp4", "picture.png", "words.srt"])
def test_a_file_that_is_no_video(tmp_path, name):
    content = b"\x89PNG\r\n\x1a\n" if name.endswith("png") else b"Hello, this is not a video.\n" * 50
    (tmp_path / name).write_bytes(content)
    assert fault_of(tmp_path / name).fault is SourceFault.NOT_VIDEO


def test_a_playlist_cannot_make_us_fetch_other_addresses(tmp_path):
    (tmp_path / "clip.mp4").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/secret.ts\n#EXT-X-ENDLIST\n"
    )
    assert fault_of(tmp_path / "clip.mp4").fault in {SourceFault.NOT_VIDEO, SourceFault.TRUNCATED}


def test_a_codec_without_decoder(video):
    path = video("clip.avi", seconds=1, codec="mpeg4", options={})
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"ZZZZ"))
    assert fault_of(path).fault is SourceFault.NO_DECODER


def test_a_missing_usb_camera():
    assert fault_of("/dev/video99").fault is SourceFault.MISSING


def test_nothing_listens():
    assert fault_of(f"rtsp://127.0.0.1:{free_port()}/stream").fault is SourceFault.REFUSED


def test_a_server_that_never_answers_is_given_up_in_time():
    with SilentServer() as server:
        began = time.monotonic()
        assert fault_of(f"rtsp://127.0.0.1:{server.port}/stream").fault is SourceFault.TIMED_OUT
        assert time.monotonic() - began < 8


def test_a_wrong_path(rtsp_camera):
    assert fault_of(rtsp_camera.url("other.mp4")).fault is SourceFault.WRONG_PATH


def test_a_stream_that_falls_silent(rtsp_camera):
    with ProxyServer(rtsp_camera.port) as line:
        source = open_source(SourceSpec.parse(f"rtsp://127.0.0.1:{line.port}/clip.mp4?play_count=0"), QUICK)
        packets = source.packets()
        next(packets)
        line.silence()
        with pytest.raises(SourceError) as caught:
            list(packets)
        source.close()
    assert caught.value.fault is SourceFault.STALLED


@pytest.mark.parametrize("account", ["", "operator:wr%20ong@"])
def test_a_wrong_password_is_said_and_not_shown(rtsp_camera, account):
    with ProxyServer(rtsp_camera.port, account=("operator", "right")) as line:
        address = f"rtsp://{account}127.0.0.1:{line.port}/clip.mp4"
        error = fault_of(SourceSpec.parse(address, trust=Trust(basic_in_clear=True)))
    assert error.fault is SourceFault.WRONG_PASSWORD
    assert "wr" not in f"{error.message} {error.hint} {error!r}".replace("wrong_password", "")
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_the_right_password_opens(rtsp_camera):
    with ProxyServer(rtsp_camera.port, account=("operator", "p:s w@rd/")) as line:
        spec = SourceSpec.parse(
            f"rtsp://127.0.0.1:{line.port}/clip.mp4",
            user="operator",
            password="p:s w@rd/",
            trust=Trust(basic_in_clear=True),
        )
        info, packets = first_packets(spec)
    assert (info.codec, info.width, info.height) == ("h264", 320, 240)
    assert packets[0].is_key


def test_rtsp_over_udp(video_folder):
    with UdpCamera(video_folder / "clip.mp4") as camera:
        info, packets = first_packets(SourceSpec.parse(camera.url, transport=Transport.UDP))
    assert info.codec == "h264"
    assert len(packets) == 10
    told = [packet.clock_s for packet in packets if packet.clock_s is not None]
    assert told[-1] == pytest.approx(time.time(), abs=30), "the camera's own clock, by its reports"


def test_rtsps(rtsp_camera, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.pem)
    with ProxyServer(rtsp_camera.port, tls=context) as line:
        spec = SourceSpec.parse(
            f"rtsps://127.0.0.1:{line.port}/clip.mp4", trust=Trust(authority=str(certificate.pem))
        )
        info, _ = first_packets(spec)
    assert info.codec == "h264"


def test_files_of_a_folder_come_in_natural_order(tmp_path):
    for name in ("clip10.mp4", "Clip2.mp4", "clip1.avi", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in files_of(tmp_path)] == ["clip1.avi", "Clip2.mp4", "clip10.mp4"]


def test_a_folder_without_videos(tmp_path):
    with pytest.raises(SourceError) as caught:
        files_of(tmp_path)
    assert caught.value.fault is SourceFault.EMPTY


DRAWN = """
    from tests.media.conftest import draw
    from tynysh.media.encoder import PictureEncoder

    class Drawn:
        def __init__(self):
            self._encoder = PictureEncoder(320, 240, 10)
            self.info = self._encoder.info

        def packets(self):
            for number in range(3):
                yield from self._encoder.encode(draw(number, 10), number / 10)

        def close(self):
            self._encoder.close()

    class Plugin:
        def open(self, spec, timeouts):
            return Drawn()

    PLUGIN = Plugin()
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Packages with kinds of source of their own: `drawn:` and, which cannot be loaded, `broken:`."""
    about = tmp_path / "tynysh_drawn-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tynysh-drawn\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[tynysh.sources]\ndrawn = tynysh_drawn:PLUGIN\nbroken = tynysh_drawn:NOTHING\n"
    )
    (tmp_path / "tynysh_drawn.py").write_text(textwrap.dedent(DRAWN))
    monkeypatch.syspath_prepend(tmp_path)
    plugins.cache_clear()
    yield
    plugins.cache_clear()


def test_an_installed_package_opens_sources_of_its_own_kind(installed):
    source = open_source(SourceSpec.parse("drawn:square"))
    packets = list(source.packets())
    assert [packet.is_key for packet in packets] == [True, False, False]
    pictures = [
        picture for packet in packets for picture in source.info.decoder().decode(compressed(packet.data))
    ]
    assert len(pictures) >= 1
    source.close()


def test_a_package_whose_source_cannot_be_loaded_is_named(installed):
    error = fault_of("broken:square")
    assert error.fault is SourceFault.BROKEN
    assert "tynysh-drawn 1.0" in error.message


def test_http(video_folder):
    handler = partial(SimpleHTTPRequestHandler, directory=str(video_folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        info, packets = first_packets(SourceSpec.parse(f"{base}/clip.mp4"))
        error = fault_of(f"{base}/other.mp4")
        server.shutdown()
    assert info.codec == "h264"
    assert len(packets) == 10
    assert error.fault is SourceFault.WRONG_PATH


@pytest.mark.parametrize(
    ("error", "fault"),
    [(ValueError("no"), SourceFault.NO_DECODER), (OSError(5, "no"), SourceFault.BROKEN)],
)
def test_parameters_that_cannot_be_passed_on_are_one_clear_error(video_folder, monkeypatch, error, fault):
    def fail(stream):
        raise error

    monkeypatch.setattr("tynysh.media.container_source.StreamInfo.of", fail)
    caught = fault_of(video_folder / "short.mp4")
    assert caught.fault is fault
    assert "short.mp4" in caught.message
    assert caught.hint
