"""Does the camera still show the view that it is there for, and if not, what is in the way?"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tynysh.media.frame import Image
from tynysh.perception.view import causes
from tynysh.perception.view.displacement import found_elsewhere, same_in_other_light, shifted, slight, sway
from tynysh.perception.view.features import Features, features
from tynysh.perception.view.reference import Match, ReferenceView, match
from tynysh.scene.fault import CameraFault
from tynysh.scene.view import View

MOST_VIEWS = 3
"""Views that are remembered: by day, by night, by lamplight."""

DIMMED = 0.7
"""A picture is dimmed below this part of the view's usual contrast."""

SEEN, HALF_GONE, MOSTLY_GONE = 0.25, 0.4, 0.7
"""Parts of the judged blocks: with fewer lost the view is seen, from the second on it is gone."""

HALF_ERASED, PARTLY_ERASED = 0.5, 0.33
"""Parts of the view's edges: what erases the first covers it, what erases the second does if it is out of focus."""

SOFTER, BLURRED = 0.85, 0.2
"""What is on the lens is out of focus, which a lorry is not: the sharpest edges are below these parts of the usual,
where it hides some of the view and all of it.
"""

BETTER = 0.6
KNOWN_BETTER = 0.5
"""A picture that is brought back by a mast's sway, or another view that is remembered, explains what is lost if less
than this part of it stays lost."""

COMES_BACK, COMES_BACK_BLOCKS, COMES_BACK_OF_HIDDEN = 0.08, 2, 0.5
"""Something passes where this part of the lost blocks comes back from one look to the next, at least so many blocks,
and at least so many for each that is newly hidden."""

SUDDEN_S = 1.3
"""What replaced the view within this time was no lorry."""

OBSTRUCTED_S = 60.0
"""What drives or is put before the lens, with edges of its own, may stand so long."""

EAGER_S, SEARCH_S, FOUND_S = 2.5, 10.0, 12.0
"""The view is looked for elsewhere at each look for so long, then so often; what was found holds so long."""

RELEARN_S = 3600.0
"""A view that has been another for so long is the camera's view from then on."""


HEALTHY = View()
COVERED = View(CameraFault.COVERED)
WRONG_PICTURE = View(CameraFault.WRONG_PICTURE)


class PictureHealth:
    """Compares what one camera shows with what it usually shows; depends on the pictures and their times alone.

    Each look averages the picture down to a grid and takes its gradients, saturated so that a bright lamp counts no
    more than a kerb (`features`). The running mean of such gradients over a minute is the view: what moves cancels out
    of it, noise does, and a change of exposure leaves it (`reference`). A block of the picture (of 12 by 9) is lost
    where the projection of its gradients on the view's falls below 0.4 of the usual and their correlation below 0.35,
    or behind a veil: less than 0.35 of the gradients' grey levels is left, and less than 0.4 in relation to brightness
    (Weber's contrast). From which blocks are lost and what is there instead follows the fault:

    - dark, glare: hardly any light, or a good part is saturated where the view was not, and edges are gone.
    - covered: nearly half or more is lost and has no edges of its own, or fewer and all out of focus, and does not come
      back at one side while it goes at the other, as behind a lorry that drives by. What has sharp edges (a lorry that
      stopped) counts after a minute.
    - defocused: the strongest edges of the full picture have lost against those of the averaged one, compared with the
      usual ratio, or are gone while the picture's broad brightness is as before.
    - wrong picture: bars; or what replaced the view at once stands without noise on flat patches, or is another scene.
    - moved: the view is found again elsewhere, turned or at another scale (`displacement`), believed only if lost
      blocks fit again. What fits again within 2.5 % of the width is a mast in the wind.

    Light that changes edges, as a lamp or infra-red at nightfall, is told by the direction of edges without their
    sign: what fits so is the same view in another light, and is learnt as one more of it.

    steered: the camera is steered (PTZ): where it looks is not compared, only whether it sees.
    """

    def __init__(self, *, steered: bool = False) -> None:
        self._steered = steered
        self._views: list[ReferenceView] = []
        self._looked_s: float | None = None
        self._before: Features | None = None
        self._lost_before: NDArray[np.bool_] | None = None
        self._seen_s = 0.0
        self._gone_s: float | None = None
        self._obstructed_s: float | None = None
        self._strange_s: float | None = None
        self._found_s = float("-inf")
        self._searched_s = float("-inf")
        self._searching = False
        self._sway = (0, 0)

    def observe(self, luma: Image, time_s: float) -> View:
        """What is the matter with the picture of brightness `luma` (height, width) at `time_s`; looks come in order
        of time, best half a second or so apart.
        """
        now = self._before = features(luma, self._before)
        if self._views and self._views[0].grid.shape != now.grid.shape:
            self._views.clear()
        elapsed_s = max(0.0, time_s - self._looked_s) if self._looked_s is not None else 0.0
        self._looked_s = time_s
        finding, learn = self._diagnose(now, time_s)
        dimmed = bool(self._views) and now.contrast < DIMMED * self._views[0].contrast
        if learn:
            if not self._views:
                self._views.append(ReferenceView(now, time_s))
            self._views[0].learn(now, elapsed_s)
        self._relearn(finding, time_s)
        return replace(finding, dimmed=dimmed)

    def _diagnose(self, now: Features, time_s: float) -> tuple[View, bool]:
        """What is the matter, and whether the picture may be learnt from."""
        if causes.is_dark(now):
            return View(CameraFault.DARK), False
        view = self._views[0] if self._views else None
        if view is None or not view.known(time_s):
            finding = _at_sight(now)
        elif self._steered:
            finding = _at_sight(now)
            if finding is HEALTHY and causes.is_covered_while_steered(now, view):
                finding = COVERED
        else:
            return self._compare(now, view, time_s)
        return finding, finding is HEALTHY

    def _compare(self, now: Features, view: ReferenceView, time_s: float) -> tuple[View, bool]:
        """The same, for a view that is known."""
        found = match(now, view)
        self._searching = found.enough and found.gone >= HALF_GONE and found.erased < HALF_ERASED
        if self._searching:
            self._searching = self._may_search(time_s)
            now, found = self._steadied(now, view, found)
        if found.enough and found.gone >= HALF_GONE:
            for other in self._views[1:]:
                known = match(now, other)
                if known.enough and known.gone < KNOWN_BETTER * found.gone and known.gone < HALF_GONE:
                    self._views.remove(other)
                    self._views.insert(0, other)
                    view, found = other, known
                    break
        gone = found.gone if found.enough else 0.0
        passing = self._passes(found)
        if gone < SEEN:
            self._seen_s = time_s
        if gone < MOSTLY_GONE:
            self._gone_s = None
        elif self._gone_s is None:
            self._gone_s = time_s
        finding = self._cause(now, view, found, gone, passing, time_s)
        return finding, finding is HEALTHY and gone < HALF_GONE

    def _cause(
        self, now: Features, view: ReferenceView, found: Match, gone: float, passing: bool, time_s: float
    ) -> View:
        if causes.is_dimmed_to_nothing(now, found):
            return View(CameraFault.DARK)
        if causes.is_blinded(now, view, found):
            return View(CameraFault.GLARE)
        if gone >= HALF_GONE and causes.is_colour_bars(now):
            return WRONG_PICTURE
        if causes.is_defocused(now, view):
            return View(CameraFault.DEFOCUSED)
        if not found.enough:
            return COVERED if causes.is_bare(now, view) else HEALTHY
        if gone < HALF_GONE:
            self._obstructed_s = None
            return HEALTHY
        if gone >= MOSTLY_GONE and causes.is_flat_and_still(now, view):
            return WRONG_PICTURE if causes.is_lettered(now) else COVERED
        if found.erased >= HALF_ERASED:
            return HEALTHY if passing else COVERED
        if self._searching:
            if same_in_other_light(now, view, found):
                # The light's own view is begun.
                self._views.insert(0, ReferenceView(now, time_s))
                del self._views[MOST_VIEWS:]
                return HEALTHY
            if found_elsewhere(now, view, found):
                self._found_s = time_s
        if time_s - self._found_s <= FOUND_S:
            return View(CameraFault.MOVED)
        if self._gone_s is not None and self._gone_s - self._seen_s <= SUDDEN_S:
            if now.fine < BLURRED * view.fine:
                return COVERED
            return View(CameraFault.WRONG_PICTURE, other_scene=True)
        if found.erased >= PARTLY_ERASED and now.fine < SOFTER * view.fine:
            return HEALTHY if passing else COVERED
        if self._obstructed_s is None or passing:
            self._obstructed_s = time_s
        return COVERED if time_s - self._obstructed_s >= OBSTRUCTED_S else HEALTHY

    def _may_search(self, time_s: float) -> bool:
        """Whether to look for the view elsewhere, which costs much: at each look at first, then now and then."""
        if not 0.0 <= time_s - self._seen_s <= EAGER_S and 0.0 <= time_s - self._searched_s < SEARCH_S:
            return False
        self._searched_s = time_s
        return True

    def _passes(self, found: Match) -> bool:
        """Whether something comes out from behind what hides the view, as behind a lorry that drives on."""
        before, self._lost_before = self._lost_before, found.lost
        if before is None or not before.any():
            return False
        back = int((before & ~found.lost & found.judged).sum())
        hidden = int((found.lost & ~before).sum())
        return back >= max(COMES_BACK_BLOCKS, COMES_BACK * int(before.sum()), COMES_BACK_OF_HIDDEN * hidden)

    def _steadied(self, now: Features, view: ReferenceView, found: Match) -> tuple[Features, Match]:
        """The picture and its match, brought back if a mast in the wind or a slight knock explains what is lost."""
        for known in (self._sway, None) if self._searching else (self._sway,):
            shift = sway(now, view) if known is None else known
            if shift == (0, 0) or not slight(shift, now.grid.shape[1]):
                continue
            steady = shifted(now, shift)
            better = match(steady, view)
            if better.gone < min(HALF_GONE, BETTER * found.gone):
                self._sway = shift
                return steady, better
        return now, found

    def _relearn(self, finding: View, time_s: float) -> None:
        """Take a view that stays another for the camera's own, in time."""
        strange = finding.fault is CameraFault.MOVED or finding.other_scene
        if not strange:
            self._strange_s = None
        elif self._strange_s is None:
            self._strange_s = time_s
        elif time_s - self._strange_s >= RELEARN_S:
            self._views.clear()


def _at_sight(now: Features) -> View:
    """What is the matter with a picture that cannot be compared with any view."""
    if causes.is_flooded(now):
        return View(CameraFault.GLARE)
    if causes.is_colour_bars(now):
        return WRONG_PICTURE
    if causes.is_blank(now):
        return COVERED
    return HEALTHY
