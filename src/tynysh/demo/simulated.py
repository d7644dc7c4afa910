"""The simulated camera: drawn pictures as a video stream, and a detector that knows the script.

Everything after the detector is the real thing: tracker, analysers, events, incidents, recording, live view.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from io import BytesIO
from typing import Any

import av

from tynysh.demo.drawing import draw
from tynysh.demo.script import FPS, HEIGHT, LOOP_S, SQUARE, WIDTH, ZONES, Script
from tynysh.demo.time_code import read_time_code
from tynysh.media.frame import Frame
from tynysh.media.packet import PacketSource, SourcePacket, StreamInfo
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceSpec, Timeouts
from tynysh.perception.detector import Detector
from tynysh.scene.person import Person

CAMERA = "Simulated square"
DOOR = {"door": {"area_m2": 30, "capacity": 6}}
"""What the zone before the door is meant for."""

SCHEME = "simulated"
SCRIPTS = {"square": SQUARE}
"""Name in the address `simulated:NAME` → script."""

KEY_INTERVAL = FPS
"""Pictures from one key frame to the next: one second."""


class ScriptedDetector:
    """Reports the people of a script, in place of a network, which would not take drawings for people."""

    def __init__(self, script: Script = SQUARE) -> None:
        self._script = script

    def detect(self, frame: Frame) -> Sequence[Person]:
        """The people at the picture's time of the loop, boxes in its pixels; none if it shows no time code."""
        number = read_time_code(frame.luma)
        return [] if number is None else self._script.people_at(number / FPS)


class SimulatedSource:
    """The drawn scene as H.264 in real time, without end: a `PacketSource`.

    The first turn of the loop is drawn and encoded as it goes; later turns repeat its packets. No picture of a turn
    refers to one of another, so a turn may follow itself.

    clock, sleep: seconds that never go back, and how to wait.
    """

    def __init__(
        self,
        script: Script = SQUARE,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._script = script
        self._clock = clock
        self._sleep = sleep
        self._encoded: list[tuple[bytes, bool]] = []
        self._pictures = round(LOOP_S * FPS)
        self._encoder = _Encoder()
        self.info = self._encoder.info

    def packets(self) -> Iterator[SourcePacket]:
        """Packets at the pace at which a camera would send them."""
        began_s = self._clock()
        ticks = round(1 / (FPS * self.info.time_base))
        shown = 0
        while True:
            for picture in range(self._pictures):
                if picture == len(self._encoded):
                    self._encoded.append(self._encoder.encode(draw(self._script, picture / FPS)))
                data, is_key = self._encoded[picture]
                early_s = began_s + shown / FPS - self._clock()
                if early_s > 0.0:
                    self._sleep(early_s)
                yield SourcePacket(data=data, pts=shown * ticks, dts=shown * ticks, is_key=is_key)
                shown += 1

    def close(self) -> None:
        """Let go of the encoder and of what it made."""
        self._encoded.clear()
        self._encoder.close()


class _Encoder:
    """H.264 of drawn pictures, one packet a picture."""

    def __init__(self) -> None:
        # A container in memory, because it is what tells a stream's parameters to those who read it.
        self._container = av.open(BytesIO(), "w", format="nut")
        self._stream: Any = self._container.add_stream("libx264", rate=FPS)
        self._stream.width, self._stream.height = WIDTH, HEIGHT
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, FPS)
        self._stream.codec_context.gop_size = KEY_INTERVAL
        self._stream.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "crf": "24",
            "x264-params": f"keyint={KEY_INTERVAL}:min-keyint={KEY_INTERVAL}:scenecut=0:repeat-headers=1",
        }
        self._container.start_encoding()
        self.info = StreamInfo.of(self._stream)
        self._count = 0

    def encode(self, picture: Any) -> tuple[bytes, bool]:
        """The packet of a picture (height, width, 3), blue first, and whether it is a key frame."""
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = self._count
        self._count += 1
        packets = self._stream.encode(frame)
        return b"".join(bytes(packet) for packet in packets), any(packet.is_keyframe for packet in packets)

    def close(self) -> None:
        """Free the codec."""
        self._container.close()


class SimulatedPlugin:
    """The kind of source `simulated:NAME`, a `SourcePlugin` that brings its detector."""

    def open(self, spec: SourceSpec, timeouts: Timeouts) -> PacketSource:  # noqa: ARG002 - it never stalls
        """Open the scene; SourceError if there is no such scene."""
        return SimulatedSource(script_named(spec.address))

    def detector(self, spec: SourceSpec) -> Detector:
        """Who is in its pictures; SourceError if there is no such scene."""
        return ScriptedDetector(script_named(spec.address))


PLUGIN = SimulatedPlugin()


def script_named(address: str) -> Script:
    """The script of an address `simulated:NAME`; SourceError if there is none."""
    name = address.partition(":")[2]
    if name not in SCRIPTS:
        raise SourceError(
            SourceFault.MISSING,
            f"there is no simulated scene '{name}'",
            hint=f"Known ones: {', '.join(sorted(SCRIPTS))}.",
        )
    return SCRIPTS[name]


def place_settings() -> dict[str, Any]:
    """The whole square as a place of its site: who comes in at either side and has not left."""
    gates = [{"camera": CAMERA, "line": line} for line in ("west side", "east side")]
    return {"name": "Square", "capacity": 12, "gates": gates}


def camera_settings() -> dict[str, Any]:
    """The simulated camera as a site's YAML has it: address, zones, lines and analysers."""
    return {
        "name": CAMERA,
        "main": f"{SCHEME}:square",
        "zones": [
            {"name": zone.name, "kind": zone.kind, "polygon": [list(corner) for corner in zone.polygon]}
            | DOOR.get(zone.name, {})
            for zone in ZONES
        ],
        "lines": [
            {"name": "west side", "from": [0.12, 0.98], "to": [0.12, 0.5]},
            {"name": "east side", "from": [0.88, 0.5], "to": [0.88, 0.98]},
        ],
        "analysers": {
            # A network trained on people sees a cartoon here; how the figures move decides.
            "fight": {"pictures": False},
            "aggression": {"pictures": False},
            "person_down": {},
            "crowding": {"zones": ["door"], "limit": 5},
            "intrusion": {"zones": ["gate"]},
            "loitering": {"zones": ["monument"], "limit_s": 15},
            "camera_fault": {"dark_s": 4},
        },
    }
