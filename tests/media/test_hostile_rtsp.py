"""An RTSP camera gets no more than it is trusted with: no password in clear, no other host, no memory without end."""

import hashlib
import re
import resource
import socket
import ssl
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.media.conftest import write_video
from tests.odd_cameras import OddCamera
from tests.servers import SilentServer

from tynysh.media.rtsp_relay import RtspRelay, RtspWire, TooMuchError
from tynysh.media.source import open_source
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceSpec, Timeouts, Trust

PATIENT = Timeouts(open_s=10.0, read_s=5.0)
ACCOUNT = ("operator", 'p:s w@rd/"ңқ')
WORDS = [
    b"$",
    b"\r\n\r\n",
    b"RTSP/1.0 200 OK\r\n",
    b"CSeq: 1\r\n",
    b"Content-Length: 9\r\n",
    b"Content-Length: -",
]
BASIC = 'Basic realm="cam"'
MD5 = 'Digest realm="cam", nonce="NONCE"'
MD5_QOP = 'Digest realm="cam", nonce="NONCE", qop="auth,auth-int", algorithm=MD5'
SHA256 = 'Digest realm="cam", nonce="NONCE", algorithm="SHA-256"'
SHA256_QOP = 'Digest realm="cam", nonce="NONCE", qop="auth", algorithm=SHA-256'


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Two seconds of walking, a key frame each."""
    return write_video(tmp_path_factory.mktemp("odd") / "clip.mp4", seconds=2, walks_from_s=0)


def odd(video, **settings):
    """A camera that sends as fast as the test goes."""
    return OddCamera(video, speed=20, **settings)


def spec_of(camera, *, account=ACCOUNT, url=None, **trust):
    user, password = account or (None, None)
    return SourceSpec.parse(url or camera.url, user=user, password=password, trust=Trust(**trust))


def packets_of(spec, count=10, timeouts=PATIENT):
    source = open_source(spec, timeouts)
    try:
        return [packet for packet, _ in zip(source.packets(), range(count), strict=False)]
    finally:
        source.close()


def fault_of(spec, timeouts=PATIENT):
    with pytest.raises(SourceError) as caught:
        packets_of(spec, 10_000, timeouts)
    shown = f"{caught.value.message} {caught.value.hint} {caught.value.detail}"
    assert ACCOUNT[1] not in shown
    return caught.value


@pytest.mark.parametrize(
    "logins",
    [(MD5,), (MD5_QOP,), (SHA256,), (SHA256_QOP,), (SHA256, MD5), (BASIC, MD5), (f"{SHA256}, {BASIC}",)],
)
def test_digest_of_every_kind_is_answered_and_the_password_stays_here(clip, logins):
    with odd(clip, account=ACCOUNT, logins=logins) as camera:
        assert len(packets_of(spec_of(camera))) == 10
        said = "\n".join(camera.asked)
    assert "Basic" not in said
    assert ACCOUNT[1] not in said


@pytest.mark.parametrize("logins", [(MD5,), (SHA256_QOP,)])
def test_a_wrong_password_is_tried_once(clip, logins):
    with odd(clip, account=("operator", "another"), logins=logins) as camera:
        assert fault_of(spec_of(camera)).fault is SourceFault.WRONG_PASSWORD
        assert sum("Authorization" in request for request in camera.asked) == 1


def test_basic_in_clear_is_refused_and_the_setting_that_allows_it_is_named(clip):
    with odd(clip, account=ACCOUNT, logins=(BASIC,)) as camera:
        error = fault_of(spec_of(camera))
        assert error.fault is SourceFault.BASIC_IN_CLEAR
        assert "basic_in_clear: true" in (error.hint or "")
        assert "Authorization" not in "\n".join(camera.asked)
        assert len(packets_of(spec_of(camera, basic_in_clear=True))) == 10


def test_a_login_of_another_kind_is_called_so(clip):
    with odd(clip, account=ACCOUNT, logins=("NTLM", "Negotiate")) as camera:
        error = fault_of(spec_of(camera))
    assert error.fault is SourceFault.UNKNOWN_LOGIN
    assert "ntlm" in error.message


def test_secrets_go_into_their_places_in_the_address_and_nowhere_else(clip):
    with odd(clip, path="/user=operator_password=hun%2Fter2_channel=1.sdp") as camera:
        written = f"rtsp://127.0.0.1:{camera.port}/user={{user}}_password={{password}}_channel=1.sdp?real"
        spec = spec_of(camera, account=("operator", "hun/ter2"), url=written)
        assert len(packets_of(spec)) == 10
        assert "hun" not in f"{spec} {spec!r}"
        wrong = spec_of(camera, account=("operator", "other"), url=written)
        assert fault_of(wrong).fault is SourceFault.WRONG_PATH


def led_to(address):
    def answer(request):
        if not request.startswith("DESCRIBE"):
            return None
        number = re.search(r"CSeq: (\d+)", request)[1]
        return f"RTSP/1.0 302 Moved\r\nCSeq: {number}\r\nLocation: {address}\r\n\r\n".encode()

    return answer


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]"])
def test_a_redirect_to_another_host_is_not_followed(clip, host):
    with SilentServer() as other:
        with odd(clip, answer=led_to(f"rtsp://{host}:{other.port}/x")) as camera:
            error = fault_of(spec_of(camera))
        assert not other._kept
    assert error.fault is SourceFault.REDIRECTED
    assert "hosts" in (error.hint or "")


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "http://127.0.0.1:1/", "gopher://x", "", "rtsp://["]
)
def test_a_redirect_to_nowhere_is_an_error(clip, address):
    with odd(clip, answer=led_to(address)) as camera:
        assert fault_of(spec_of(camera)).fault in set(SourceFault)


def test_a_redirect_on_the_same_host_is_followed_with_the_password(clip):
    with (
        odd(clip, account=ACCOUNT, logins=(MD5,)) as real,
        odd(clip, answer=led_to(real.url)) as camera,
    ):
        assert len(packets_of(spec_of(camera))) == 10


def test_an_allowed_host_is_followed_without_the_password(clip):
    with (
        odd(clip) as real,
        odd(clip, answer=led_to(real.url.replace("127.0.0.1", "localhost"))) as camera,
    ):
        assert len(packets_of(spec_of(camera, hosts=("127.0.0.0/8",)))) == 10
        assert len(packets_of(spec_of(camera, hosts=("localhost",)))) == 10
    with (
        odd(clip, account=ACCOUNT, logins=(MD5,)) as real,
        odd(clip, answer=led_to(real.url.replace("127.0.0.1", "localhost"))) as camera,
    ):
        error = fault_of(spec_of(camera, hosts=("localhost",)))
    assert error.fault is SourceFault.WRONG_PASSWORD
    assert "Authorization" not in "\n".join(real.asked)


def test_redirects_without_end_come_to_one(clip):
    with odd(clip) as camera:
        camera._answer = led_to(camera.url)
        assert fault_of(spec_of(camera)).fault is SourceFault.REDIRECTED


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 1900000000\r\n",
        "Content-Length: 20\r\nContent-Length: 1900000000\r\n",
        "content-length:99999999999999999999\r\n",
        "Content-Length: -5\r\n",
        "Con\rtent-Length: 1900000000\r\n",
        "X: " + "y" * 100_000 + "\r\n",
    ],
)
def test_an_answer_beyond_all_measure_costs_no_memory(clip, head):
    def answer(request):
        if not request.startswith("DESCRIBE"):
            return None
        number = re.search(r"CSeq: (\d+)", request)[1]
        return (
            f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nContent-Type: application/sdp\r\n{head}\r\n".encode()
            + b"v=0\r\n" * 9
        )

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with odd(clip, answer=answer) as camera:
        fault_of(spec_of(camera))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kB"


def test_a_flood_without_a_picture_is_cut_off(clip, monkeypatch):
    monkeypatch.setattr("tynysh.media.rtsp_relay.LARGEST_UNCLAIMED", 2**20)
    with odd(clip, damage=lambda _: b"\x41" + b"\xff" * 5_000_000) as camera:
        assert fault_of(spec_of(camera)).fault is SourceFault.TOO_MUCH


def bits(*numbers):
    """A unit's payload from fixed bits (as text) and numbers in Exp-Golomb code, with its stop bit."""
    text = "".join(
        it if isinstance(it, str) else f"{it + 1:0{2 * (it + 1).bit_length() - 1}b}" for it in numbers
    )
    text += "1" + "0" * (-(len(text) + 1) % 8)
    return int(text, 2).to_bytes(len(text) // 8)


def test_a_picture_beyond_all_measure_is_refused_before_it_is_decoded(clip):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with odd(clip, fps=5) as camera:
        # H.264 of 1000 x 1000 macroblocks, in 30 bytes.
        sets = b"\x67" + bits("01000010" + "00000000" + "00111110", 0, 0, 2, 1, "0", 999, 999, "1100")
        parameters = b"\x68" + bits(0, 0, "00", 0, 0, 0, "000", 0, 0, 0, "000")
        camera._sets = [sets, parameters]
        camera._pictures = [(True, [b"\x65" + bits(0, 7, 0, "0000", 0, "00", 0, "1" * 400)])]
        error = fault_of(spec_of(camera), Timeouts(open_s=3.0))
    assert error.fault is SourceFault.TOO_LARGE
    assert error.values == {"width": "16000", "height": "16000"}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kB"


def test_nobody_else_on_this_machine_gets_the_pictures(clip):
    with odd(clip, account=ACCOUNT, logins=(MD5,)) as camera:
        relay = RtspRelay(spec_of(camera), PATIENT)
        port = int(relay.url.split(":")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(b"DESCRIBE rtsp://127.0.0.1/live RTSP/1.0\r\nCSeq: 1\r\n\r\n")
            assert stranger.recv(100) == b""
        assert camera.asked == []


def test_a_certificate_is_checked_and_can_be_pinned(clip, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.pem)
    seen = hashlib.sha256(certificate.der).hexdigest()
    with odd(clip, account=ACCOUNT, logins=(BASIC,), tls=context) as camera:
        error = fault_of(spec_of(camera))
        assert error.fault is SourceFault.CERTIFICATE
        assert error.detail == f"media.fault.certificate fingerprint={seen}"
        assert fault_of(spec_of(camera, fingerprint="0" * 64)).fault is SourceFault.CERTIFICATE
        assert camera.asked == [], "nobody was asked anything who was not known"
        # Encrypted, Basic gives the password to the camera alone.
        assert len(packets_of(spec_of(camera, fingerprint=seen))) == 10
        assert len(packets_of(spec_of(camera, authority=str(certificate.pem)))) == 10


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(WORDS)), max_size=30))
def test_whatever_comes_is_cut_into_pieces_without_end_or_error(chunks):
    wire = RtspWire()
    for chunk in chunks:
        with suppress(TooMuchError):
            for piece in wire.pieces(chunk):
                assert piece


@given(st.lists(st.integers(0, 400), min_size=1, max_size=8), st.integers(1, 50))
def test_messages_and_packets_come_out_as_they_went_in_however_they_are_sent(sizes, step):
    packets = [b"$\0" + size.to_bytes(2) + b"$" * size for size in sizes]
    answer = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 5\r\n\r\n$RTSP"
    sent = answer + b"".join(packets) + answer
    wire = RtspWire()
    pieces = [piece for at in range(0, len(sent), step) for piece in wire.pieces(sent[at : at + step])]
    assert b"".join(pieces) == sent
    assert pieces[0] == pieces[-1] == answer
