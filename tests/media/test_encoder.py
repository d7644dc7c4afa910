"""What is made here plays in a browser."""

import base64
import shutil
import struct
from io import BytesIO

import av
import numpy as np
import pytest
from tests.media.conftest import draw, write_video
from tests.media.test_recorder import START, live_packets, recorder_in

from tynysh.errors import MediaError
from tynysh.media.clip import cut
from tynysh.media.encoder import ClipWriter, FragmentedEncoder, codec_string
from tynysh.media.reader import VideoFile
from tynysh.media.segment import segments


def boxes(data: bytes) -> list[str]:
    found, at = [], 0
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        found.append(data[at + 4 : at + 8].decode())
        at += size
    return found


def test_a_written_clip_has_its_index_first_and_its_own_times(tmp_path):
    times = [1e9 + 0.1 * number + (2.0 if number > 10 else 0.0) for number in range(20)]
    with ClipWriter(tmp_path / "clip.mp4", 320, 240, 10) as writer:
        for number, time_s in enumerate(times):
            writer.write(draw(number, 10, walks_from_s=0), time_s)
    data = (tmp_path / "clip.mp4").read_bytes()
    assert boxes(data).index("moov") < boxes(data).index("mdat")
    shown = [frame.time_s for frame in VideoFile(tmp_path / "clip.mp4").frames()]
    assert shown == pytest.approx(np.array(times) - 1e9, abs=0.001)
    assert list(tmp_path.iterdir()) == [tmp_path / "clip.mp4"]


def test_odd_sizes_are_made_even(tmp_path):
    with ClipWriter(tmp_path / "clip.mp4", 321, 241, 10) as writer:
        writer.write(np.zeros((241, 321, 3), np.uint8), 0.0)
    video = VideoFile(tmp_path / "clip.mp4")
    assert (video.width, video.height) == (320, 240)


def test_a_clip_that_fails_leaves_nothing_behind(tmp_path):
    def failing():
        with ClipWriter(tmp_path / "clip.mp4", 320, 240, 10) as writer:
            writer.write(draw(0, 10), 0.0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    with pytest.raises(MediaError, match="no pictures"):
        ClipWriter(tmp_path / "clip.mp4", 320, 240, 10).close()
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_cannot_be_written_is_a_clear_error(tmp_path):
    with pytest.raises(MediaError, match="cannot be written"):
        ClipWriter(tmp_path / "nowhere" / "clip.mp4", 320, 240, 10)


def fragments(count: int = 30, fps: float = 10):
    encoder = FragmentedEncoder(320, 240, fps)
    made = [encoder.encode(draw(number, fps, walks_from_s=0), 50 + number / fps) for number in range(count)]
    encoder.close()
    return encoder, made


def test_each_picture_is_a_fragment_at_once():
    encoder, made = fragments()
    assert boxes(encoder.header) == ["ftyp", "moov"]
    assert all(boxes(data) == ["moof", "mdat"] for data, _ in made)
    assert [number for number, (_, is_key) in enumerate(made) if is_key] == [0, 10, 20]
    stream = encoder.header + b"".join(data for data, _ in made)
    with av.open(BytesIO(stream)) as container:
        frames = list(container.decode(video=0))
    assert [float(frame.time) for frame in frames] == pytest.approx(np.arange(30) / 10)
    assert np.abs(frames[-1].to_ndarray(format="bgr24").astype(int) - draw(29, 10, walks_from_s=0)).mean() < 6


def test_who_joins_later_begins_with_a_key_frame():
    encoder, made = fragments()
    stream = encoder.header + b"".join(data for data, _ in made[20:])
    with av.open(BytesIO(stream)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10


def test_the_codec_string_is_that_of_the_header():
    encoder, _ = fragments(1)
    at = encoder.header.index(b"avcC") + 4
    assert encoder.mime == f'video/mp4; codecs="avc1.{encoder.header[at + 1 : at + 4].hex()}"'
    with pytest.raises(MediaError):
        codec_string(b"\x00\x00\x00\x01\x68\x00")


PAGE = """
async ({clips, mime, header, parts}) => {
  const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const watch = async (video, until) => {
    video.muted = true;
    document.body.append(video);
    await video.play();
    const ends = Date.now() + 20000;
    while (video.currentTime < until && Date.now() < ends) await new Promise(done => setTimeout(done, 50));
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let brightest = 0;
    for (const value of pixels.filter((_, place) => place % 4 < 3)) brightest = Math.max(brightest, value);
    return {
      time: video.currentTime, width: video.videoWidth, height: video.videoHeight,
      duration: video.duration, brightest, error: video.error && video.error.message,
    };
  };
  const results = [];
  for (const clip of clips) {
    const video = document.createElement("video");
    video.src = URL.createObjectURL(new Blob([bytes(clip)], {type: "video/mp4"}));
    results.push(await watch(video, 1));
  }
  if (!MediaSource.isTypeSupported(mime)) throw new Error("not supported: " + mime);
  const source = new MediaSource();
  const video = document.createElement("video");
  video.src = URL.createObjectURL(source);
  await new Promise(done => source.addEventListener("sourceopen", done, {once: true}));
  const buffer = source.addSourceBuffer(mime);
  for (const part of [header, ...parts]) {
    buffer.appendBuffer(bytes(part));
    await new Promise((done, fail) => {
      buffer.addEventListener("updateend", done, {once: true});
      buffer.addEventListener("error", fail, {once: true});
    });
  }
  results.push({...await watch(video, 1), ranges: buffer.buffered.length});
  return results;
}
"""


@pytest.mark.browser
def test_clips_and_live_fragments_play_in_a_browser(tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs Chromium")
    from playwright.sync_api import sync_playwright

    recorder = recorder_in(tmp_path / "r")
    for packet in live_packets(write_video(tmp_path / "camera.mp4", seconds=6, walks_from_s=0)):
        recorder.record(packet)
    recorder.close()
    clip = cut(segments(tmp_path / "r"), START + 1.5, START + 5, tmp_path / "cut.mp4")
    with ClipWriter(tmp_path / "written.mp4", 320, 240, 10) as writer:
        for number in range(30):
            writer.write(draw(number, 10, walks_from_s=0), number / 10)
    encoder, made = fragments()
    text = [base64.b64encode(path.read_bytes()).decode() for path in (clip.path, tmp_path / "written.mp4")]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        try:
            page = chromium.new_page()
            played = page.evaluate(
                PAGE,
                {
                    "clips": text,
                    "mime": encoder.mime,
                    "header": base64.b64encode(encoder.header).decode(),
                    "parts": [base64.b64encode(data).decode() for data, _ in made],
                },
            )
        finally:
            chromium.close()
    assert [(video["width"], video["height"]) for video in played] == [(320, 240)] * 3
    assert all(video["time"] >= 1 and video["error"] is None and video["brightest"] > 100 for video in played)
    assert played[0]["duration"] == pytest.approx(4.0, abs=0.1)
    assert played[1]["duration"] == pytest.approx(3.0, abs=0.1)
    assert played[2]["ranges"] == 1


@pytest.mark.parametrize("error", [OSError(28, "full"), av.FFmpegError(1, "no"), ValueError("no")])
@pytest.mark.parametrize("fails", ["__init__", "encode", "finish"])
def test_whatever_the_encoder_refuses_is_a_clear_error_and_leaves_nothing(
    tmp_path, monkeypatch, error, fails
):
    def fail(*_args, **_settings):
        raise error

    monkeypatch.setattr(f"tynysh.media.encoder._H264Stream.{fails}", fail)

    def write():
        writer = ClipWriter(tmp_path / "clip.mp4", 320, 240, 10)
        writer.write(draw(0, 10), 0.0)
        writer.close()

    with pytest.raises(MediaError, match=r"clip\.mp4 cannot be written"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_rate_that_is_no_number_is_a_clear_error(tmp_path):
    with pytest.raises(MediaError, match=r"clip\.mp4 cannot be written"):
        ClipWriter(tmp_path / "clip.mp4", 320, 240, float("nan"))
    assert list(tmp_path.iterdir()) == []
