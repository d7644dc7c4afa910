"""Labelled clips as the analyser sees them, and as it might have seen them."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.media.frame import Frame
from tynysh.perception.clip_classification import EARLY_S, INTERVAL_S
from tynysh.perception.clip_window import (
    MARGIN,
    SPAN_S,
    STEPS,
    RecentPictures,
    Region,
    Where,
    Window,
    cut_out,
    kept_picture,
    motion_map,
    moving_part,
    square_around,
)

MARKS = Path(__file__).parent / "marks.csv"
LEAST_FIGHT_S = 1.2
"""Seconds of a clip that must be fight for the rest of it to be left out in training."""

Pictures = NDArray[np.uint8]
Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One labelled clip: brightness (N, height, width) at the analyser's resolution, and seconds (N,) from 0."""

    path: str
    fight: bool
    source: str
    pictures: Pictures
    times: Times


def read_clips(folder: Path) -> list[Clip]:
    """All clips of clips.csv in `folder`, in its order."""
    with (folder / "clips.csv").open(newline="", encoding="utf-8") as file:
        return [_read(folder, row) for row in csv.DictReader(file)]


class Mark(NamedTuple):
    """What somebody who looked at a clip marked: a fight, somebody who is struck, or somebody on the ground."""

    kind: str
    begin_s: float
    end_s: float


def read_marks(path: Path = MARKS) -> dict[str, list[Mark]]:
    """The marks of each clip that has some, by the clip's path; a clip without is all fight, or none."""
    marks: dict[str, list[Mark]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            mark = Mark(row["kind"], float(row["begin_s"]), float(row["end_s"]))
            marks.setdefault(row["path"], []).append(mark)
    return marks


def fight_of(path: str, marks: dict[str, list[Mark]], seconds: float) -> tuple[float, float]:
    """When the fight in a fight clip of `seconds` begins and ends."""
    spans = [(mark.begin_s, mark.end_s) for mark in marks.get(path, []) if mark.kind == "fight"]
    return spans[0] if spans else (0.0, seconds)


def fighting(clip: Clip, marks: dict[str, list[Mark]]) -> Clip:
    """A clip without its quiet moments, if what is left is long enough to be shown."""
    begin_s, end_s = fight_of(clip.path, marks, float(clip.times[-1]))
    chosen = (clip.times >= begin_s - 1e-3) & (clip.times <= end_s + 1e-3)
    if not clip.fight or end_s - begin_s < LEAST_FIGHT_S or chosen.all():
        return clip
    times = clip.times[chosen]
    return Clip(clip.path, clip.fight, clip.source, clip.pictures[chosen], times - times[0])


def _read(folder: Path, row: dict[str, str]) -> Clip:
    pictures, times = _decode(folder / row["path"])
    return Clip(row["path"], row["fight"] == "1", row["source_video"], pictures, times)


def _decode(path: Path) -> tuple[Pictures, Times]:
    pictures: list[Pictures] = []
    times: list[float] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for index, picture in enumerate(container.decode(stream)):
            frame = Frame(picture, time_s=float(picture.time or 0.0), index=index)
            pictures.append(kept_picture(frame.luma))
            times.append(frame.time_s)
    return np.stack(pictures), np.array(times) - times[0]


def analysed(times: Times, rate_hz: float = 10.0, first: int = 0) -> NDArray[np.intp]:
    """The pictures that are analysed at `rate_hz`, by the rule of `runtime.pipeline`, from picture `first` on."""
    due_s = -np.inf
    kept: list[int] = []
    for index in range(first, len(times)):
        if times[index] >= due_s:
            kept.append(index)
            due_s = times[index] + 0.9 / rate_hz
    return np.array(kept)


def production_windows(clip: Clip) -> Iterator[dict[Where, Window]]:
    """What the analyser can look at, at each time that it looks, in order."""
    recent = RecentPictures()
    looked_s = -np.inf
    for index in analysed(clip.times):
        recent.add(float(clip.times[index]), clip.pictures[index])
        if clip.times[index] - looked_s < INTERVAL_S - EARLY_S:
            continue
        focused, whole = recent.window("most"), recent.window("all")
        if focused is not None and whole is not None:
            looked_s = clip.times[index]
            yield {"most": focused, "all": whole}


def varied_window(clip: Clip, random: np.random.Generator) -> Pictures:
    """One window (STEPS, SIDE, SIDE) of `clip` with other timing, framing, light and picture quality."""
    kept = analysed(clip.times, random.choice([8.3, 10.0, 10.0, 12.5, 16.0]), int(random.integers(0, 3)))
    pictures, times = clip.pictures[kept], clip.times[kept]
    whole_s = float(times[-1] - times[0]) + float(np.median(np.diff(times)))
    span_s = min(SPAN_S * random.uniform(0.75, 1.2), whole_s)
    last = np.searchsorted(times, times[0] + random.uniform(span_s, whole_s + 1e-3) - 1e-6)
    pictures, times = pictures[:last], times[:last]
    wanted = times[-1] + np.median(np.diff(times)) - span_s + span_s / STEPS * (np.arange(STEPS) + 0.5)
    chosen = np.clip(np.searchsorted(times, wanted, side="right") - 1, 0, len(times) - 1)
    shown, back = np.unique(chosen, return_inverse=True)
    pictures = pictures[shown]
    height, width = pictures.shape[1:]
    where: Where = "most" if random.random() < 0.5 else "all"
    margin = MARGIN[where] * np.exp(random.uniform(np.log(0.85), np.log(1.5)))
    part = moving_part(motion_map(pictures), where)
    region = square_around(part, width, height, margin=margin, least=random.uniform(0.25, 0.5))
    pictures = cut_out(_degraded(pictures, random), _shifted(region, width, height, random))
    varied = _relit(pictures.astype(np.float32), random)
    if random.random() < 0.5:
        varied = varied[:, :, ::-1]
    return np.clip(varied, 0, 255).astype(np.uint8)[back]


def _shifted(region: Region, width: int, height: int, random: np.random.Generator) -> Region:
    across, down = region.right - region.left, region.bottom - region.top
    dx, dy = random.uniform(-0.08, 0.08, 2) * max(across, down)
    left = int(np.clip(region.left + dx, 0, width - across))
    top = int(np.clip(region.top + dy, 0, height - down))
    return Region(left, top, left + across, top + down)


def _degraded(pictures: Pictures, random: np.random.Generator) -> Pictures:
    draw = random.random()
    height, width = pictures.shape[1:]
    if draw < 0.2:
        scale = random.uniform(0.4, 0.8)
        small = [cv2.resize(p, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for p in pictures]
        return np.stack([np.asarray(cv2.resize(p, (width, height)), np.uint8) for p in small])
    if draw < 0.35:
        quality = int(random.integers(12, 45))
        coded = [cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, quality])[1] for p in pictures]
        return np.stack([np.asarray(cv2.imdecode(c, cv2.IMREAD_GRAYSCALE), np.uint8) for c in coded])
    return pictures


def _relit(pictures: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    if random.random() < 0.7:
        pictures = 255.0 * (pictures / 255.0) ** np.float32(np.exp(random.uniform(-0.3, 0.3)))
        mean = pictures.mean()
        pictures = (pictures - mean) * np.float32(np.exp(random.uniform(-0.3, 0.3))) + mean
        pictures = pictures + np.float32(random.uniform(-20, 20))
    if random.random() < 0.25:
        pictures = pictures + random.normal(0, random.uniform(2, 8), pictures.shape).astype(np.float32)
    return pictures
