"""Drawn videos: a still, noisy scene in which a box may walk."""

import datetime
import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from numpy.typing import NDArray
from tests.servers import RtspCamera

WIDTH, HEIGHT = 320, 240


@cache
def _wall() -> NDArray[np.int16]:
    blocks = np.random.default_rng(7).integers(60, 190, (12, 16))
    return np.repeat(np.kron(blocks, np.ones((20, 20)))[:, :, None], 3, axis=2).astype(np.int16)


@cache
def _noise(number: int, level: float) -> NDArray[np.int16]:
    generator = np.random.default_rng(number)
    return generator.normal(0, level, (HEIGHT, WIDTH, 3)).astype(np.int16)


def draw(
    number: int, fps: float, *, walks_from_s: float | None = None, noise: float = 3.0
) -> NDArray[np.uint8]:
    """Picture `number`: a chequered wall with noise; from `walks_from_s` on, a dark box walks along it."""
    image = _wall().copy()
    if walks_from_s is not None and number / fps >= walks_from_s:
        left = int(20 + (number / fps - walks_from_s) * 40) % (WIDTH - 30)
        image[120:180, left : left + 24] = (20, 30, 40)
    if noise:
        shift = tuple(np.random.default_rng(number).integers(0, HEIGHT, 2))
        image += np.roll(_noise(number % 8, noise), shift, axis=(0, 1))
    return np.clip(image, 0, 255).astype(np.uint8)


def write_video(
    path: Path,
    *,
    seconds: float = 4.0,
    fps: int = 25,
    keyint: int = 25,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pixel_format: str = "yuv420p",
    walks_from_s: float | None = None,
    noise: float = 3.0,
    b_frames: int | None = None,
) -> Path:
    """Encode the drawn scene into `path`."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
        stream.codec_context.thread_count = 1
        if b_frames is not None:
            stream.codec_context.max_b_frames = b_frames
        stream.codec_context.gop_size = keyint
        defaults = {"preset": "ultrafast", "tune": "zerolatency"} if codec == "libx264" else {}
        stream.options = defaults if options is None else options
        for number in range(round(seconds * fps)):
            image = draw(number, fps, walks_from_s=walks_from_s, noise=noise)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def video_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`clip.mp4`: six seconds of walking at 25 fps, a key frame each second; `short.mp4`: two seconds."""
    folder = tmp_path_factory.mktemp("camera")
    write_video(folder / "clip.mp4", seconds=6, walks_from_s=0)
    write_video(folder / "short.mp4", seconds=2, walks_from_s=0)
    return folder


@pytest.fixture(scope="session")
def rtsp_camera(video_folder: Path) -> Iterator[RtspCamera]:
    """A real RTSP server that plays `clip.mp4` for ever."""
    with RtspCamera(video_folder) as camera:
        yield camera


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Path]:
    """Make a video of the drawn scene: `video("name.mp4", seconds=3, ...)`."""

    def make(name: str, **settings: Any) -> Path:
        return write_video(tmp_path / name, **settings)

    return make


@dataclass(frozen=True)
class Certificate:
    """A certificate that a camera made for itself. pem: file of key and certificate. der: the certificate."""

    pem: Path
    der: bytes


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The certificate of a camera at 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path_factory.mktemp("certificate") / "camera.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return Certificate(pem, made.public_bytes(serialization.Encoding.DER))
