"""A camera over HTTP leads nobody into the network behind us, and is watched whole or refused plainly."""

import resource
import ssl
import threading
import time
from io import BytesIO
from itertools import pairwise

import av
import cv2
import pytest
from tests.media.conftest import draw, write_video
from tests.media.test_camera import frames_of, running
from tests.media.test_hostile_rtsp import ACCOUNT, BASIC, MD5_QOP, SHA256_QOP, fault_of, packets_of
from tests.odd_cameras import Web, digest_fits, elsewhere, page
from tests.servers import SilentServer, until

from tynysh.media.camera_status import CameraState
from tynysh.media.source_fault import SourceFault
from tynysh.media.source_spec import SourceSpec, Trust


def spec_of(url, *, account=None, **trust):
    user, password = account or (None, None)
    return SourceSpec.parse(url, user=user, password=password, trust=Trust(**trust))


def jpeg(number):
    return cv2.imencode(".jpg", draw(number, 10))[1].tobytes()


def mjpeg(handler):
    """Ten pictures a second for ever."""
    handler.send_response(200)
    handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=--frame")
    handler.end_headers()
    for number in range(10_000):
        data = jpeg(number % 10)
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
        handler.wfile.write(head.encode() + data + b"\r\n")
        time.sleep(0.02)


def guarded(login, *, kind="Digest"):
    """MJPEG for who knows the account."""

    def answer(handler):
        given = handler.headers.get("Authorization", "")
        fits = given.startswith("Digest ") and digest_fits(given[7:], "GET", *ACCOUNT, "NONCE", login)
        if given and (fits or kind == "Basic"):
            mjpeg(handler)
        else:
            handler.send_response(401)
            handler.send_header("WWW-Authenticate", login)
            handler.end_headers()

    return answer


@pytest.mark.parametrize("login", [MD5_QOP, SHA256_QOP])
def test_digest_is_answered(login):
    with Web({"/mjpeg": guarded(login)}) as web:
        assert len(packets_of(spec_of(f"{web.url}/mjpeg?a=1", account=ACCOUNT))) == 10
        wrong = spec_of(f"{web.url}/mjpeg", account=("operator", "no"))
        assert fault_of(wrong).fault is SourceFault.WRONG_PASSWORD


def test_basic_in_clear_is_refused_unless_it_is_allowed():
    with Web({"/mjpeg": guarded(BASIC, kind="Basic")}) as web:
        address = f"{web.url}/mjpeg"
        assert fault_of(spec_of(address, account=ACCOUNT)).fault is SourceFault.BASIC_IN_CLEAR
        assert not any("Authorization" in headers for _, headers in web.asked)
        assert len(packets_of(spec_of(address, account=ACCOUNT, basic_in_clear=True))) == 10


def test_a_certificate_is_checked_and_can_be_pinned(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.pem)
    with Web({"/mjpeg": mjpeg}, tls=context) as web:
        error = fault_of(spec_of(f"{web.url}/mjpeg"))
        assert error.fault is SourceFault.CERTIFICATE
        assert len(packets_of(spec_of(f"{web.url}/mjpeg", fingerprint=error.values["fingerprint"]))) == 10


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]", "169.254.169.254"])
def test_a_redirect_to_another_host_is_not_followed(host):
    with SilentServer() as inner:
        with Web({"/mjpeg": elsewhere(f"http://{host}:{inner.port}/")}) as web:
            assert fault_of(spec_of(f"{web.url}/mjpeg")).fault is SourceFault.REDIRECTED
        assert not inner._kept


def test_a_redirect_on_the_same_host_is_followed():
    with Web({"/mjpeg": mjpeg, "/": elsewhere("/mjpeg"), "/round": elsewhere("/round")}) as web:
        assert len(packets_of(spec_of(f"{web.url}/"))) == 10
        assert fault_of(spec_of(f"{web.url}/round")).fault is SourceFault.REDIRECTED


@pytest.mark.parametrize("name", ["live.m3u8", "live"])
@pytest.mark.parametrize(
    "inner", ["http://localhost:{port}/x.ts", "//127.0.0.2:{port}/x.ts", "https://[::1]:{port}/x.ts"]
)
def test_a_playlist_leads_nowhere_else(name, inner):
    with SilentServer() as server:
        playlist = (
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
            f"#EXTINF:1,\n{inner.format(port=server.port)}\n"
        )
        with Web({f"/{name}": page("application/vnd.apple.mpegurl", playlist.encode())}) as web:
            assert fault_of(spec_of(f"{web.url}/{name}")).fault is SourceFault.REDIRECTED
        assert not server._kept


@pytest.mark.parametrize("name", ["live.m3u8", "live"])
def test_a_playlist_without_end_costs_no_memory(name):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/vnd.apple.mpegurl")
        handler.end_headers()
        handler.wfile.write(b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n")
        while True:
            handler.wfile.write(b"#EXTINF:1,\nx.ts\n" * 4096)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Web({f"/{name}": endless}) as web:
        assert fault_of(spec_of(f"{web.url}/{name}")).fault is SourceFault.TOO_MUCH
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000, "kB"


def test_a_picture_without_end_costs_no_memory():
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=--frame")
        handler.end_headers()
        handler.wfile.write(
            b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 1900000000\r\n\r\n\xff\xd8"
        )
        while True:
            handler.wfile.write(b"\0" * 2**20)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Web({"/mjpeg": endless}) as web:
        assert fault_of(spec_of(f"{web.url}/mjpeg")).fault is SourceFault.TOO_MUCH
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "kB"


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("image/jpeg", SourceFault.SINGLE_PICTURE),
        ("application/octet-stream", SourceFault.SINGLE_PICTURE),
        ("text/html; charset=utf-8", SourceFault.NOT_VIDEO),
    ],
)
def test_what_is_no_stream_is_called_so(kind, fault):
    body = b"<html></html>" if "html" in kind else jpeg(0)
    with Web({"/snap": page(kind, body)}) as web:
        assert fault_of(spec_of(f"{web.url}/snap")).fault is fault


def test_secrets_go_into_their_places_in_the_address():
    with Web({"/hun%2Fter2/mjpeg": mjpeg}) as web:
        spec = spec_of(f"{web.url}/{{password}}/mjpeg?user={{user}}", account=("op", "hun/ter2"))
        assert len(packets_of(spec)) == 10
        assert web.asked[0][0] == "/hun%2Fter2/mjpeg?user=op"
        assert "hun" not in f"{spec} {spec!r}"


def test_a_file_is_read_from_wherever_its_index_is(video_folder):
    body = (video_folder / "clip.mp4").read_bytes()

    def parts(handler):
        begin = int(handler.headers.get("Range", "bytes=0-")[6:-1])
        handler.send_response(206 if begin else 200)
        handler.send_header("Content-Length", str(len(body) - begin))
        handler.end_headers()
        handler.wfile.write(body[begin:])

    with Web({"/clip.mp4": parts}) as web:
        assert len(packets_of(spec_of(f"{web.url}/clip.mp4"), 1000)) == 150


@pytest.fixture(scope="session")
def segments(tmp_path_factory):
    """Three segments of two seconds each."""
    path = write_video(
        tmp_path_factory.mktemp("hls") / "long.mp4", seconds=6, fps=10, keyint=10, walks_from_s=0
    )
    made = []
    with av.open(str(path)) as source:
        for begin in (0, 20, 40):
            file = BytesIO()
            source.seek(0)
            with av.open(file, "w", format="mpegts") as out:
                stream = out.add_stream_from_template(source.streams.video[0])
                for number, packet in enumerate(source.demux(source.streams.video[0])):
                    if begin <= number < begin + 20 and packet.size:
                        packet.stream = stream
                        out.mux(packet)
            made.append(file.getvalue())
    return made


def test_segments_are_watched_whole_and_evenly(segments):
    """Two seconds come at once, each two seconds: nothing is dropped, and the camera is never lost."""
    began = time.monotonic()

    def playlist(handler):
        now = int((time.monotonic() - began) / 2) + 3
        listed = "".join(
            f"#EXTINF:2.0,\n/seg/{number % 3}.ts\n#EXT-X-DISCONTINUITY\n" for number in range(now - 3, now)
        )
        body = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{now - 3}\n{listed}"
        page("application/vnd.apple.mpegurl", body.encode())(handler)

    pages = {f"/seg/{number}.ts": page("video/mp2t", data) for number, data in enumerate(segments)}
    with (
        Web({"/live.m3u8": playlist, **pages}) as web,
        running(f"{web.url}/live.m3u8") as (feed, states, items),
    ):
        assert until(lambda: len(frames_of(items)) >= 70, 30)
        assert [status.state for status in states] == [CameraState.LIVE]
        assert feed.counters.frames_dropped == 0
        times = [frame.time_s for frame in frames_of(items)]
        assert max(later - earlier for earlier, later in pairwise(times)) < 1.5
        assert abs(time.time() - times[-1]) < 3


def test_the_thread_that_reads_ends_with_its_server():
    with Web({"/mjpeg": mjpeg}) as web:
        packets_of(spec_of(f"{web.url}/mjpeg"))
    assert until(
        lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("relay")], 10
    )
