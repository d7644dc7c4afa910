"""Where the people of one camera were in the last minutes: what an anonymised clip is blurred by."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from tynysh.geometry import Box, enclosing

_Sample = tuple[float, dict[int, Box], bool]

_MOST_UNSURE = 100
SAME_PLACE = 0.4
"""Boxes whose intersection over union is greater are of one place, where one person stands."""

_WAY = 0.5
"""How far somebody may have come since the look before: this part of their height to either side."""


def newcomers(boxes: Mapping[int, Box], earlier: Mapping[int, Box]) -> dict[int, Box]:
    """Those of `boxes` that are not in `earlier`, with a margin for where they may have been then.

    One who stands where somebody was known to be already is no newcomer, under whatever id.
    """
    return {
        track_id: Box(
            box.left - _WAY * box.height,
            box.top - _WAY / 2 * box.height,
            box.right + _WAY * box.height,
            box.bottom + _WAY / 2 * box.height,
        )
        for track_id, box in boxes.items()
        if track_id not in earlier and all(box.iou(known) < SAME_PLACE for known in earlier.values())
    }


class PeopleTimeline:
    """The tracks' boxes by time, normalised (0..1), kept for `keep_s` seconds; interpolated in between.

    max_gap_s: samples further apart than this say nothing about the time between them; still_gap_s: the same
    between two samples at which nothing moved, since a quiet camera is decoded by key frames only.
    """

    def __init__(self, *, keep_s: float = 180.0, max_gap_s: float = 0.75, still_gap_s: float = 12.0) -> None:
        self._keep_s = keep_s
        self._max_gap_s = max_gap_s
        self._still_gap_s = still_gap_s
        self._samples: deque[_Sample] = deque()
        self._unsure: deque[dict[int, Box]] = deque(maxlen=_MOST_UNSURE)

    def add(
        self, time_s: float, boxes: Mapping[int, Box], *, still: bool = False, looked: bool = True
    ) -> None:
        """The people at `time_s`, later than all before, by track id; `looked`: whether the detector did.

        Whoever a look finds anew may have come at any time since the look before it, and is added to all samples
        in between, with a margin for the way that they have come.
        """
        if looked:
            for earlier in self._unsure:
                earlier.update(newcomers(boxes, earlier))
            self._unsure.clear()
        kept = dict(boxes)
        self._samples.append((time_s, kept, still))
        if not looked:
            self._unsure.append(kept)
        while self._samples[0][0] < time_s - self._keep_s:
            self._samples.popleft()

    def between(self, start_s: float, end_s: float) -> "PeopleTimeline":
        """A copy of the part from `start_s` to `end_s`, with a sample more on either side."""
        times = [sample[0] for sample in self._samples]
        first = max(0, bisect_left(times, start_s) - 1)
        last = min(len(times), bisect_left(times, end_s) + 1)
        part = PeopleTimeline(keep_s=self._keep_s, max_gap_s=self._max_gap_s, still_gap_s=self._still_gap_s)
        part._samples.extend(islice(self._samples, first, last))
        return part

    @property
    def samples(self) -> list[Any]:
        """What it knows, as JSON can carry it: (Unix seconds, whether nothing moved, box by track id) by time."""
        return [
            (time_s, still, {int(known): [float(side) for side in box] for known, box in boxes.items()})
            for time_s, boxes, still in self._samples
        ]

    @classmethod
    def of(cls, samples: Iterable[Any]) -> "PeopleTimeline":
        """What was known where `samples` come from."""
        timeline = cls()
        timeline._samples.extend(
            (time_s, {int(known): Box(*box) for known, box in boxes.items()}, still)
            for time_s, still, boxes in samples
        )
        return timeline

    def ways(self, start_s: float, end_s: float) -> list[Box]:
        """Of each track that was there from `start_s` to `end_s`, the box around all its way then."""
        samples = [boxes for _, boxes, _ in self.between(start_s, end_s)._samples]
        if not samples:
            return []
        throughout = [known for known in samples[0] if known >= 0 and known in samples[-1]]
        return [enclosing([boxes[known] for boxes in samples if known in boxes]) for known in throughout]

    def at(self, time_s: float) -> list[Box] | None:
        """The boxes at `time_s`; None where nobody looked closely enough to say.

        People seen at only one of the two neighbouring samples are given where they were seen: when in doubt,
        a place is blurred.
        """
        index = bisect_left(self._samples, time_s, key=lambda sample: sample[0])
        after = self._samples[index] if index < len(self._samples) else None
        before = self._samples[index - 1] if index > 0 else None
        if after is not None and after[0] == time_s:
            return list(after[1].values())
        if before is None or after is None:
            near = before or after
            if near is None or abs(near[0] - time_s) > self._max_gap_s / 2:
                return None
            return list(near[1].values())
        gap = after[0] - before[0]
        if gap > (self._still_gap_s if before[2] and after[2] else self._max_gap_s):
            return None
        part = (time_s - before[0]) / gap
        boxes = [
            Box(*(a + part * (b - a) for a, b in zip(box, after[1][track_id], strict=True)))
            for track_id, box in before[1].items()
            if track_id in after[1]
        ]
        boxes += [box for track_id, box in before[1].items() if track_id not in after[1]]
        boxes += [box for track_id, box in after[1].items() if track_id not in before[1]]
        return boxes
