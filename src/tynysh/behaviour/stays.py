"""Who is at a place, since when, and who came together? So that whoever comes later is told anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from tynysh.crowd.track_stitching import take_up
from tynysh.geometry import Box
from tynysh.scene.scene import Scene
from tynysh.scene.track import Track

TOGETHER_S = 10.0
"""Who comes within so many seconds of a party's first belongs to it, as long as one of it is still there."""

THERE_S = 2.0
"""Who was not at the place for longer has left it, as far as a newcomer is concerned."""

GRACE_S = 5.0
"""Seconds for which somebody may not be seen and still be the one who is there."""

SAME_PLACE = 1.0
"""Somebody found within this many heights of where another was lost is taken for the same: tracks break."""


@dataclass(slots=True)
class Stay:
    """Somebody's stay at a place: since when, when and where they were last at it, and the party they came with.

    fixed_since_s: as `Track.fixed_since_s`.
    """

    track_id: int
    since_s: float
    last_s: float
    box: Box
    party: int
    fixed_since_s: float | None = None


class Stays:
    """The stays at one place.

    A party is who came within `TOGETHER_S` of its first, numbered from 1. Somebody who comes after that, or when all of
    it have left, begins another: what holds one party's event open, be it a poster that is taken for a person, hides
    nobody who comes later.
    """

    def __init__(self) -> None:
        self._stays: list[Stay] = []
        self._parties = 0
        self._began_s = float("-inf")

    def observe(self, scene: Scene, present: Sequence[bool], *, keep_s: float) -> list[Stay]:
        """The stays at `scene`, of whose people some are `present` at the place.

        keep_s: seconds for which somebody may be elsewhere and still be of the same stay on coming back.
        """
        # Where the clock was set back, nobody can be there since a time to come.
        self._stays = [stay for stay in self._stays if stay.last_s <= scene.time_s]
        of_track = {stay.track_id: stay for stay in self._stays}
        here = {track.id for track in scene.tracks}
        alone = [
            stay
            for stay in self._stays
            if stay.track_id not in here and scene.time_s - stay.last_s <= GRACE_S
        ]
        for track, staying in zip(scene.tracks, present, strict=True):
            stay = of_track.get(track.id)
            if stay is None:
                for stay, _ in take_up(alone, [track], _apart):
                    stay.track_id = track.id
            if stay is None and staying:
                stay = Stay(track.id, scene.time_s, scene.time_s, track.box, self._party(scene.time_s))
                self._stays.append(stay)
            if stay is not None and staying:
                stay.last_s, stay.box, stay.fixed_since_s = scene.time_s, track.box, track.fixed_since_s
        self._stays = [stay for stay in self._stays if 0.0 <= scene.time_s - stay.last_s <= keep_s]
        return self._stays

    def parties(self) -> dict[int, list[Stay]]:
        """The stays by party, in order; the latest party is there even when all of it have left."""
        found: dict[int, list[Stay]] = {}
        for stay in self._stays:
            found.setdefault(stay.party, []).append(stay)
        found.setdefault(max(1, self._parties), [])
        return dict(sorted(found.items()))

    def _party(self, time_s: float) -> int:
        """The party of somebody who comes now."""
        there = any(
            stay.party == self._parties and 0.0 <= time_s - stay.last_s <= THERE_S for stay in self._stays
        )
        if not (there and 0.0 <= time_s - self._began_s <= TOGETHER_S):
            self._parties += 1
            self._began_s = time_s
        return self._parties


def party_subject(what: str, party: int) -> str:
    """The subject of a party's signals.

    >>> party_subject("stay", 1), party_subject("stay", 2)
    ('stay', 'stay 2')
    """
    return what if party == 1 else f"{what} {party}"


def fixed(stays: Sequence[Stay]) -> frozenset[float]:
    """Since when all of these have not moved (`Signal.fixed_since_s`); empty where anybody has."""
    since = [stay.fixed_since_s for stay in stays]
    return frozenset(one for one in since if one is not None) if None not in since else frozenset()


def _apart(stay: Stay, track: Track) -> float | None:
    """How far a track is from where somebody who stayed was lost, pixels; None beyond `SAME_PLACE`."""
    apart = hypot(track.box.foot[0] - stay.box.foot[0], track.box.foot[1] - stay.box.foot[1])
    return apart if apart <= SAME_PLACE * track.box.height else None
