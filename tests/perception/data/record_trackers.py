"""Records what the `trackers` package's ByteTrack says of some detections, for test_tracker.py to compare with.

    python record_trackers.py detect VTEST.avi byte_track.json   # where tynysh is installed
    python record_trackers.py track byte_track.json              # where trackers==2.6.0 is installed

The package brings hundreds of megabytes with it, so the tests read its answers from byte_track.json: for each look
a time in seconds and the detections as left, top, right, bottom, score and the id that the package gave (-1: none).
"""

import json
import random
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

SETTINGS = {
    "lost_track_buffer": 30,
    "track_activation_threshold": 0.7,
    "minimum_consecutive_frames": 2,
    "minimum_iou_threshold": 0.1,
    "high_conf_det_threshold": 0.6,
}
Look = dict[str, Any]


def walker(at: tuple[float, float], speed: tuple[float, float], height: float, time_s: float) -> list[float]:
    """The box of someone at constant speed (pixels per second) from `at`."""
    x, y = at[0] + speed[0] * time_s, at[1] + speed[1] * time_s
    return [x - 0.2 * height, y - height, x + 0.2 * height, y]


def looks(rate_hz: float, count: int, people: list[Any], seed: int) -> list[Look]:
    """Looks at scripted `people`: (at, speed, height, score at a time or None); boxes jitter by 1 % of a height."""
    source = random.Random(seed)
    result = []
    for number in range(count):
        time_s = number / rate_hz
        persons = []
        for at, speed, height, score_at in people:
            score = score_at(time_s)
            if score is not None:
                box = walker(at, speed, height, time_s)
                jittered = [side + source.gauss(0, 0.01 * height) for side in box]
                persons.append([*jittered, score + source.uniform(-0.03, 0.03)])
        result.append({"time_s": time_s, "persons": persons})
    return result


def between(start_s: float, end_s: float, inside: float | None, outside: float = 0.85) -> Any:
    """A score that is `inside` during an interval, and `outside` otherwise."""
    return lambda time_s: inside if start_s <= time_s < end_s else outside


def scripted() -> dict[str, tuple[float, list[Look]]]:
    """Name, rate and looks of the drawn scenes."""
    always = between(0, 0, None)
    apart = [((100 + 90 * n, 300 + 20 * n), (40 - 15 * n, 5 * n - 8), 90 + 10 * n, always) for n in range(5)]
    crossing = [((100, 300), (60, 0), 100, always), ((500, 330), (-60, 0), 110, always)]
    hidden = [((100, 300), (50, 0), 100, between(2, 3, 0.3)), ((420, 310), (0, 0), 100, always)]
    missed = [((100, 300), (30, 0), 100, between(2, 2.7, None)), ((400, 300), (0, 2), 100, always)]
    gone = [((100, 300), (0, 0), 100, between(2, 4, None)), ((400, 300), (-20, 0), 100, always)]
    unsure = [
        ((100, 300), (10, 0), 100, between(0, 60, 0.4)),
        ((400, 300), (10, 0), 100, between(0, 1, 0.65)),
    ]
    return {
        "apart": (10, looks(10, 50, apart, 1)),
        "apart, few looks": (4, looks(4, 30, apart, 2)),
        "crossing": (10, looks(10, 60, crossing, 3)),
        "crossing, few looks": (5, looks(5, 30, crossing, 4)),
        "half hidden": (10, looks(10, 50, hidden, 5)),
        "missed for a moment": (10, looks(10, 50, missed, 6)),
        "gone and back": (10, looks(10, 60, gone, 7)),
        "doubtful": (10, looks(10, 40, unsure, 8)),
    }


def recorded(video: str) -> dict[str, tuple[float, list[Look]]]:
    """Detections on stretches of the square: first frame, last frame, step."""
    import av

    from tynysh.media.frame import Frame
    from tynysh.perception.detector import load_detector

    detector = load_detector()
    stretches = {"square": (0, 60, 1), "square, later": (500, 640, 2), "square, few looks": (640, 795, 3)}
    result: dict[str, tuple[float, list[Look]]] = {
        name: (10 / step, []) for name, (_, _, step) in stretches.items()
    }
    with av.open(video) as container:
        for index, picture in enumerate(container.decode(video=0)):
            for name, (first, end, step) in stretches.items():
                if first <= index < end and (index - first) % step == 0:
                    persons = detector.detect(Frame(picture, time_s=index / 10, index=index))
                    found = [[*person.box, person.score] for person in persons]
                    result[name][1].append({"time_s": (index - first) / 10, "persons": found})
    return result


def detect(video: str, out: Path) -> None:
    """Write all detections to `out`, without ids."""
    sequences = []
    for name, (rate_hz, sequence) in {**scripted(), **recorded(video)}.items():
        seen: set[float] = set()
        for look in sequence:
            for person in look["persons"]:
                person[:4] = [round(side, 1) for side in person[:4]]
                person[4] = round(person[4], 4)
                # Scores serve as names of the detections, so no two in a sequence are alike.
                while person[4] in seen:
                    person[4] = round(person[4] - 0.0001, 4)
                seen.add(person[4])
        sequences.append({"name": name, "rate_hz": rate_hz, "looks": sequence})
    out.write_text(json.dumps({"settings": SETTINGS, "sequences": sequences}), encoding="utf-8")


def track(path: Path) -> None:
    """Add to each detection in `path` the id that the package gives it."""
    import numpy as np
    import supervision
    from trackers.core.bytetrack.tracker import ByteTrackTracker

    content = json.loads(path.read_text(encoding="utf-8"))
    content["package"] = f"trackers {version('trackers')}"
    for sequence in content["sequences"]:
        tracker = ByteTrackTracker(frame_rate=sequence["rate_hz"], **content["settings"])
        for look in sequence["looks"]:
            persons = np.array([person[:5] for person in look["persons"]], dtype=float).reshape(-1, 5)
            detections = supervision.Detections(xyxy=persons[:, :4], confidence=persons[:, 4])
            detections.class_id = np.arange(len(persons))
            found = tracker.update(detections)
            ids = (
                dict(zip(map(int, found.class_id), map(int, found.tracker_id), strict=True))
                if len(found)
                else {}
            )
            look["persons"] = [
                [*person[:5], ids.get(number, -1)] for number, person in enumerate(look["persons"])
            ]
    text = json.dumps(content, separators=(",", ":"))
    path.write_text(text.replace('{"time_s"', '\n{"time_s"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "detect":
        detect(sys.argv[2], Path(sys.argv[3]))
    else:
        track(Path(sys.argv[2]))
