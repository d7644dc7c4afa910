"""How many people were where in a video, second by second, as a table for spreadsheets?"""

import csv
import io
import math

from tynysh.runtime.pipeline import Step
from tynysh.scene.crowd import CrowdState, Estimate

COLUMNS = ("time_s", "zone", "count", "low", "high", "density")

_TOLERANCE_S = 0.001
"""A frame so little after a second is that second's: times of frames are rounded by containers."""


class CountLog:
    """Collects the crowd of one file and writes what was known of it at each full second.

    The figures are those of `Scene.crowd` at the last frame analysed up to that second, as analysers, the console
    and the API have them. Nothing is known before the first frame; if that is later than second 0, its figures
    stand for the time before it.

    >>> from tynysh.scene.scene import Scene
    >>> from tynysh.scene.crowd import PICTURE, PlaceCrowd
    >>> log = CountLog()
    >>> for time_s, people in [(0.0, 3), (0.9, 4), (1.1, 5)]:
    ...     place = PlaceCrowd(PICTURE, Estimate(people, people, people + 1))
    ...     scene = Scene(time_s, 100, 100, crowd=CrowdState(time_s, (place,)))
    ...     log.observe(Step(scene, frame=None, to_blur={}, signals=(), events=(), swept_alarms={}))
    >>> print(log.text(duration_s=2.0), end="")
    time_s,zone,count,low,high,density
    0,picture,3,3,4,
    1,picture,4,4,5,
    """

    def __init__(self) -> None:
        self._seconds: list[CrowdState] = []
        self._last: CrowdState | None = None

    def observe(self, step: Step) -> None:
        """Take in an analysed frame; frames come in order of time."""
        self._fill(step.scene.time_s - _TOLERANCE_S, step.scene.crowd)
        self._last = step.scene.crowd or self._last

    def text(self, duration_s: float) -> str:
        """The table as CSV (RFC 4180, lines end with a line feed), from second 0 to before `duration_s`."""
        self._fill(duration_s - _TOLERANCE_S, None)
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow(COLUMNS)
        for second, state in enumerate(self._seconds):
            for place in state.places:
                density = "" if place.density is None else f"{place.density.value:.3f}"
                table.writerow([second, place.name, *_figures(place.count), density])
        return out.getvalue()

    def _fill(self, before_s: float, first: CrowdState | None) -> None:
        """Write down what was last known for each second before `before_s` that is not written yet."""
        state = self._last or first
        if state is not None:
            self._seconds += [state] * (math.ceil(before_s) - len(self._seconds))


def _figures(count: Estimate) -> list[str]:
    """Value, low and high: whole numbers without a point, others to a tenth."""
    return [f"{figure:.1f}".removesuffix(".0") for figure in (count.value, count.low, count.high)]
