"""Does the camera still show the view that it is there for, and if not, what is in the way?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import hypot
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.behaviour.fault import CameraFault
from tynysh.media.frame import Image
from tynysh.perception.motion import averaged

_Field = NDArray[np.float32]

GRID_WIDTH = 128
"""The picture is halved as long as it stays so many cells wide."""

COLUMNS, ROWS = 12, 9
THUMB = (24, 18)

SOFT = 6.0
"""Grey levels a cell at which an edge counts half: above the noise of an averaged picture, below most edges."""

DARK = 36.0
"""Grey level that not even the brightest fiftieth of a dark picture is above: no lamp, no window."""

DIM, DIM_GAIN = 60.0, 0.15
"""A picture that is no brighter than this is dark as well if so little is left of the view's gradients."""

SATURATED = 230.0
"""Grey level: white is 235 in most video."""

FINE_PIXELS = 40_000
TOP_SHARE = 0.02
"""Sharpness is that of the strongest edges, which noise does not reach."""

LEARN_S = 10.0
LEARN_LOOKS = 8
FORGET_S = 60.0
"""The view's background is a running mean over about a minute: people average out, dusk is followed."""

MOST_VIEWS = 3
"""Views that are remembered: by day, by night, by lamplight."""

LEAST_TEXTURE = 0.012
LEAST_BLOCKS = 5
LOST_SHARE = 0.4
LOST_LIKENESS = 0.35
FLAT_SHARE = 0.4
SHARP = 0.35

VEILED_GAIN, VEILED_WEBER = 0.35, 0.4
"""Behind a veil (paint, fog on the lens) gradients fall below this part of the usual, and so far below brightness;
less light takes both alike.
"""

HALF_GONE = 0.4
HALF_ERASED = 0.5
PARTLY_ERASED = 0.33
SOFTER, BLURRED = 0.85, 0.2
"""What is on the lens is out of focus, which a lorry is not: the sharpest edges are below these parts of the usual,
where it hides some of the view and all of it.
"""

NUDGED = 0.025
"""Part of the width by which a camera may sway in the wind or be knocked without looking elsewhere."""

RECOVERED = 0.4
MOSTLY_GONE = 0.7
SUDDEN_S = 1.3
OBSTRUCTED_S = 60.0
"""What drives or is put before the lens, with edges of its own, may stand so long."""

EAGER_S, SEARCH_S, FOUND_S = 2.5, 10.0, 12.0
"""The view is looked for elsewhere at each look for so long, then so often; what was found holds so long."""

RELEARN_S = 3600.0
"""A view that has been another for so long is the camera's view from then on."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is the matter with the picture at one look.

    fault: None where nothing is. other_scene: whether a wrong picture is a scene, and no colour bars or slate.
    """

    fault: CameraFault | None = None
    other_scene: bool = False


HEALTHY = Condition()


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What one picture shows, in little.

    grid: brightness of cells. edges: (2, rows, columns) gradients, saturated to lengths below 1. strong: where they
    are beyond what noise makes. fine, coarse: strength of the strongest edges of the picture as it is and averaged
    down, grey levels. bright: 98th percentile. saturated: part of the cells. flat: part of the cells without any
    gradient. still: whether hardly any cell differs from the look before.
    """

    grid: _Field
    edges: _Field
    length: _Field
    fine: float
    coarse: float
    bright: float
    saturated: float
    flat: float
    still: bool
    thumb: _Field
    contrast: float


class _View:
    """The background of one view, learnt: running means over looks."""

    def __init__(self, look: _Look, time_s: float) -> None:
        self.began_s = time_s
        self.looks = 0
        self.edges: _Field = np.zeros_like(look.edges)
        self.grid: _Field = look.grid.copy()
        self.thumb: _Field = look.thumb.copy()
        self.fine = look.fine
        self.coarse = look.coarse
        self.contrast = look.contrast
        self.saturated = look.saturated
        self.flat = look.flat

    def learn(self, look: _Look, elapsed_s: float) -> None:
        self.looks += 1
        share = max(1.0 / self.looks, min(1.0, elapsed_s / FORGET_S))
        for mine, new in (
            (self.edges, look.edges),
            (self.grid, look.grid),
            (self.thumb, look.thumb),
        ):
            np.add(mine, np.float32(share) * (new - mine), out=mine)
        self.fine += share * (look.fine - self.fine)
        self.coarse += share * (look.coarse - self.coarse)
        self.contrast += share * (look.contrast - self.contrast)
        self.saturated += share * (look.saturated - self.saturated)
        self.flat += share * (look.flat - self.flat)

    @property
    def length(self) -> _Field:
        """How strong the edges are, below 1."""
        return _length(self.edges)

    def known(self, time_s: float) -> bool:
        return self.looks >= LEARN_LOOKS and time_s - self.began_s >= LEARN_S


@dataclass(frozen=True, slots=True, eq=False)
class _Match:
    """How a look fits a view. judged: blocks that had edges. lost: of these, where they are gone or veiled. erased:
    part of the view's edges where there are hardly any now. gain: how much is left of the view's gradients, grey
    levels for grey levels, the median of the judged blocks.
    """

    judged: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    erased: float
    gain: float

    @property
    def enough(self) -> bool:
        return int(self.judged.sum()) >= LEAST_BLOCKS

    @property
    def gone(self) -> float:
        return float(self.lost.sum() / max(1, self.judged.sum()))


class PictureHealth:
    """Compares what one camera shows with what it usually shows; depends on the pictures and their times alone.

    Each look averages the picture down to a grid and takes its gradients, saturated so that a bright lamp counts no
    more than a kerb. The running mean of such gradients over a minute is the view: what moves cancels out of it, noise
    does, and a change of exposure leaves it. A block of the picture (of 12 by 9) is lost where the projection of its
    gradients on the view's falls below 0.4 of the usual and their correlation below 0.35, or behind a veil: less than
    0.35 of the gradients' grey levels is left, and less than 0.4 in relation to brightness (Weber's contrast). From
    which blocks are lost and what is there instead follows the fault:

    - dark, glare: hardly any light, or a good part is saturated where the view was not, and edges are gone.
    - covered: nearly half or more is lost and has no edges of its own, or fewer and all out of focus, and does not come
      back at one side while it goes at the other, as behind a lorry that drives by. What has sharp edges (a lorry that
      stopped) counts after a minute.
    - defocused: the strongest edges of the full picture have lost against those of the averaged one, compared with the
      usual ratio (a step blurred by sigma pixels has a gradient of 1 / (sigma sqrt(2 pi))), or are gone while the
      picture's broad brightness is as before.
    - wrong picture: bars; or what replaced the view at once stands without noise on flat patches, or is another scene.
    - moved: the view is found again elsewhere, turned or at another scale: phase correlation (Kuglin and Hines, 1975),
      for turn and scale on the logarithmic-polar spectrum (Reddy and Chatterji, IEEE Trans. Image Processing 5, 1996),
      believed only if lost blocks fit again. What fits again within 2.5 % of the width is a mast in the wind.

    Light that changes edges, as a lamp or infra-red at nightfall, is told by the direction of edges without their
    sign: what fits so is the same view in another light, and is learnt as one more of it.

    ptz: the camera is steered: where it looks is not compared, only whether it sees.
    dimmed: whether the latest picture has less contrast than the view usually has.
    """

    def __init__(self, *, ptz: bool = False) -> None:
        self._ptz = ptz
        self._views: list[_View] = []
        self._looked_s: float | None = None
        self._before: _Field | None = None
        self._lost_before: NDArray[np.bool_] | None = None
        self._seen_s = 0.0
        self._gone_s: float | None = None
        self._obstructed_s: float | None = None
        self._strange_s: float | None = None
        self._found_s = float("-inf")
        self._searched_s = float("-inf")
        self._searching = False
        self._sway = (0, 0)
        self.dimmed = False

    def observe(self, luma: Image, time_s: float) -> Condition:
        """What is the matter with the picture of brightness `luma` (height, width) at `time_s`; looks come in order
        of time, best half a second or so apart.
        """
        look = self._look(luma)
        if self._views and self._views[0].grid.shape != look.grid.shape:
            self._views.clear()
        elapsed_s = max(0.0, time_s - self._looked_s) if self._looked_s is not None else 0.0
        self._looked_s = time_s
        condition, learn = self._judge(look, time_s)
        self.dimmed = bool(self._views) and look.contrast < 0.7 * self._views[0].contrast
        if learn:
            if not self._views:
                self._views.append(_View(look, time_s))
            self._views[0].learn(look, elapsed_s)
        self._note(condition, time_s)
        return condition

    def _look(self, luma: Image) -> _Look:
        grid = averaged(luma, GRID_WIDTH)
        edges = _gradients(grid)
        length = _length(edges)
        edges /= length + np.float32(SOFT)
        before, self._before = self._before, grid
        if before is not None and before.shape != grid.shape:
            before = None
        thumb = _resized(grid, THUMB)
        half: Any = cv2.resize(grid, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        step = max(1, luma.size // FINE_PIXELS)
        return _Look(
            grid=grid,
            edges=edges,
            length=length,
            fine=_strongest(luma[::step]),
            coarse=_strongest(half.astype(np.uint8)),
            bright=_brightest(grid),
            saturated=float(np.mean(grid >= SATURATED)),
            flat=float(np.mean(length < 0.7)),
            still=before is not None and float(np.mean(np.abs(grid - before) > 1.0)) < 0.01,
            thumb=thumb,
            contrast=float(np.std(thumb)),
        )

    def _judge(self, look: _Look, time_s: float) -> tuple[Condition, bool]:
        """What is the matter, and whether the look may be learnt from."""
        if look.bright <= DARK:
            return Condition(CameraFault.DARK), False
        view = self._views[0] if self._views else None
        if view is None or not view.known(time_s):
            condition = _at_sight(look)
            return condition, condition is HEALTHY
        if self._ptz:
            return self._judge_steered(look, view)
        return self._judge_view(look, view, time_s)

    def _judge_steered(self, look: _Look, view: _View) -> tuple[Condition, bool]:
        condition = _at_sight(look)
        if condition is not HEALTHY:
            return condition, False
        if view.coarse >= 12.0 and look.coarse < 0.3 * view.coarse:
            return Condition(CameraFault.COVERED), False
        return HEALTHY, True

    def _judge_view(self, look: _Look, view: _View, time_s: float) -> tuple[Condition, bool]:
        match = _match(look, view)
        self._searching = match.enough and match.gone >= HALF_GONE and match.erased < HALF_ERASED
        if self._searching:
            self._searching = self._may_search(time_s)
            look, match = self._steadied(look, view, match)
        if match.enough and match.gone >= HALF_GONE:
            for other in self._views[1:]:
                known = _match(look, other)
                if known.enough and known.gone < 0.5 * match.gone and known.gone < HALF_GONE:
                    self._views.remove(other)
                    self._views.insert(0, other)
                    view, match = other, known
                    break
        gone = match.gone if match.enough else 0.0
        passing = self._passes(match)
        if gone < 0.25:
            self._seen_s = time_s
        if gone < MOSTLY_GONE:
            self._gone_s = None
        elif self._gone_s is None:
            self._gone_s = time_s
        condition = self._cause(look, view, match, gone, passing, time_s)
        return condition, condition is HEALTHY and gone < HALF_GONE

    def _cause(
        self, look: _Look, view: _View, match: _Match, gone: float, passing: bool, time_s: float
    ) -> Condition:
        if look.bright <= DIM and match.gain < DIM_GAIN:
            return Condition(CameraFault.DARK)
        if _blinded(look, view, match, gone):
            return Condition(CameraFault.GLARE)
        likeness = _likeness(look.thumb, view.thumb)
        if gone >= HALF_GONE and _is_colour_bars(look):
            return Condition(CameraFault.WRONG_PICTURE)
        if _defocused(look, view, likeness):
            return Condition(CameraFault.DEFOCUSED)
        if not match.enough:
            bare = look.coarse < 0.4 * view.coarse and likeness < 0.3 and look.contrast < 0.5 * view.contrast
            return Condition(CameraFault.COVERED) if bare else HEALTHY
        if gone < HALF_GONE:
            self._obstructed_s = None
            return HEALTHY
        if gone >= MOSTLY_GONE and look.still and look.flat >= max(0.6, view.flat + 0.2):
            slate = look.coarse >= 8.0
            return Condition(CameraFault.WRONG_PICTURE if slate else CameraFault.COVERED)
        if match.erased >= HALF_ERASED:
            return HEALTHY if passing else Condition(CameraFault.COVERED)
        if self._searching:
            if self._same_in_other_light(look, view, match, time_s):
                return HEALTHY
            if _found_elsewhere(look, view, match):
                self._found_s = time_s
        if time_s - self._found_s <= FOUND_S:
            return Condition(CameraFault.MOVED)
        if self._gone_s is not None and self._gone_s - self._seen_s <= SUDDEN_S:
            if look.fine < BLURRED * view.fine:
                return Condition(CameraFault.COVERED)
            return Condition(CameraFault.WRONG_PICTURE, other_scene=True)
        if match.erased >= PARTLY_ERASED and look.fine < SOFTER * view.fine:
            return HEALTHY if passing else Condition(CameraFault.COVERED)
        if self._obstructed_s is None or passing:
            self._obstructed_s = time_s
        return Condition(CameraFault.COVERED) if time_s - self._obstructed_s >= OBSTRUCTED_S else HEALTHY

    def _may_search(self, time_s: float) -> bool:
        """Whether to look for the view elsewhere, which costs much: at each look at first, then now and then."""
        if not 0.0 <= time_s - self._seen_s <= EAGER_S and 0.0 <= time_s - self._searched_s < SEARCH_S:
            return False
        self._searched_s = time_s
        return True

    def _passes(self, match: _Match) -> bool:
        """Whether something comes out from behind what hides the view, as behind a lorry that drives on."""
        before, self._lost_before = self._lost_before, match.lost
        if before is None or not before.any():
            return False
        back = int((before & ~match.lost & match.judged).sum())
        hidden = int((match.lost & ~before).sum())
        return back >= max(2, 0.08 * int(before.sum()), 0.5 * hidden)

    def _steadied(self, look: _Look, view: _View, match: _Match) -> tuple[_Look, _Match]:
        """The look and its match, brought back if a mast in the wind or a slight knock explains what is lost."""
        columns = look.grid.shape[1]
        for shift in (self._sway, None) if self._searching else (self._sway,):
            right, down = _sway(look, view) if shift is None else shift
            if (right, down) == (0, 0) or hypot(right, down) > NUDGED * columns:
                continue
            steady = replace(
                look,
                grid=np.roll(look.grid, (down, right), axis=(0, 1)),
                edges=np.roll(look.edges, (down, right), axis=(1, 2)),
                length=np.roll(look.length, (down, right), axis=(0, 1)),
            )
            better = _match(steady, view)
            if better.gone < min(HALF_GONE, 0.6 * match.gone):
                self._sway = (right, down)
                return steady, better
        return look, match

    def _same_in_other_light(self, look: _Look, view: _View, match: _Match, time_s: float) -> bool:
        """Whether edges lie where they lay in the lost blocks, though reversed; then the light's own view is begun."""
        rows, columns = look.grid.shape
        lost: Any = cv2.resize(
            match.lost.astype(np.float32), (columns, rows), interpolation=cv2.INTER_NEAREST
        )
        if not _edges_lie_alike(look.edges * lost, view.edges * lost):
            return False
        self._views.insert(0, _View(look, time_s))
        del self._views[MOST_VIEWS:]
        return True

    def _note(self, condition: Condition, time_s: float) -> None:
        """Take a view that stays another for the camera's own, in time."""
        strange = condition.fault is CameraFault.MOVED or condition.other_scene
        if not strange:
            self._strange_s = None
        elif self._strange_s is None:
            self._strange_s = time_s
        elif time_s - self._strange_s >= RELEARN_S:
            self._views.clear()


def _gradients(grid: _Field) -> _Field:
    """(2, rows, columns) central differences of brightness to the right and down, levels a cell."""
    edges: _Field = np.zeros((2, *grid.shape), np.float32)
    edges[0, :, 1:-1] = (grid[:, 2:] - grid[:, :-2]) * np.float32(0.5)
    edges[1, 1:-1, :] = (grid[2:, :] - grid[:-2, :]) * np.float32(0.5)
    return edges


def _length(edges: _Field) -> _Field:
    """(rows, columns): lengths of gradients."""
    length: Any = cv2.magnitude(edges[0], edges[1])
    return np.asarray(length, np.float32)


def _resized(field: _Field, size: tuple[int, int]) -> _Field:
    found: Any = cv2.resize(field, size, interpolation=cv2.INTER_AREA)
    return np.asarray(found, np.float32)


def _blocks(field: _Field) -> _Field:
    """Means of a field over (ROWS, COLUMNS) blocks."""
    return _resized(field, (COLUMNS, ROWS))


def _strongest(image: Image) -> float:
    """Mean difference of neighbours at the strongest edges of `image`, grey levels."""
    steps = cv2.absdiff(image[:, 1:], image[:, :-1])
    counts: Any = cv2.calcHist([steps], [0], None, [256], [0.0, 256.0])
    counts = counts.ravel()[::-1]
    wanted = TOP_SHARE * float(counts.sum())
    taken = np.clip(wanted - (np.cumsum(counts) - counts), 0.0, counts)
    return float(np.sum(taken * np.arange(255, -1, -1)) / max(1e-6, wanted))


def _brightest(grid: _Field) -> float:
    """98th percentile of a sample of the cells."""
    values = grid[::4, ::4].ravel()
    number = int(0.98 * (len(values) - 1))
    return float(np.partition(values, number)[number])


def _match(look: _Look, view: _View) -> _Match:
    usual_length, now_length = view.length, _length(look.edges)
    usual, now = _blocks(usual_length * usual_length), _blocks(now_length * now_length)
    along = _blocks(look.edges[0] * view.edges[0] + look.edges[1] * view.edges[1])
    judged = usual >= LEAST_TEXTURE
    share = along / np.maximum(usual, 1e-6)
    likeness = along / np.sqrt(np.maximum(usual * now, 1e-9))
    lost = judged & (share < LOST_SHARE) & (likeness < LOST_LIKENESS)
    gain, strength = _left(look, view)
    brighter = _blocks(look.grid) / np.maximum(_blocks(view.grid), 1.0)
    veiled = judged & (strength < VEILED_GAIN) & (strength < VEILED_WEBER * brighter)
    sharp = usual_length >= SHARP
    behind: Any = cv2.resize(veiled.view(np.uint8), sharp.shape[::-1], interpolation=cv2.INTER_NEAREST)
    bare = sharp & ((now_length < FLAT_SHARE * usual_length) | (np.asarray(behind) > 0))
    erased = float(bare.sum() / max(1, sharp.sum()))
    return _Match(judged, lost | veiled, erased, float(np.median(gain[judged])) if judged.any() else 1.0)


def _left(look: _Look, view: _View) -> tuple[_Field, _Field]:
    """How many grey levels are left of one of the view's gradients, over blocks: by their projection on the view's, and
    by their strength whichever way they point.
    """
    usual = _gradients(view.grid)
    now = look.edges * (look.length + np.float32(SOFT))
    power = np.maximum(_blocks(_squares(usual)), np.float32(1e-3))
    along = _blocks(usual[0] * now[0] + usual[1] * now[1])
    strength: Any = cv2.sqrt(_blocks(_squares(now)) / power)
    return np.asarray(along / power, np.float32), np.asarray(strength, np.float32)


def _at_sight(look: _Look) -> Condition:
    """What is the matter with a picture that cannot be compared with any view."""
    if look.saturated >= 0.85:
        return Condition(CameraFault.GLARE)
    if _is_colour_bars(look):
        return Condition(CameraFault.WRONG_PICTURE)
    if look.coarse < 3.0 and look.contrast < 6.0:
        return Condition(CameraFault.COVERED)
    return HEALTHY


def _is_colour_bars(look: _Look) -> bool:
    """Whether half of the picture is the same row (or column) over and over, with steps in it: a test card."""
    rows, columns = look.grid.shape
    for part in (look.grid[: rows // 2], look.grid[:, : columns // 2].T):
        row = part.mean(axis=0)
        same = float(np.mean(np.abs(part - row) < 5.0))
        steps = np.abs(np.diff(row)) > 8.0
        begins = int(np.sum(steps[1:] & ~steps[:-1]))
        if same >= 0.95 and begins >= 4 and float(np.mean(steps)) < 0.3:
            return True
    return False


def _blinded(look: _Look, view: _View, match: _Match, gone: float) -> bool:
    """Whether light drowns the view: saturated where it was not, and its edges are gone, or nearly all is."""
    more = look.saturated - view.saturated
    drowned = gone >= 0.35 or match.erased >= 0.2
    return (look.saturated >= 0.33 and more >= 0.25 and drowned) or (look.saturated >= 0.6 and more >= 0.4)


def _defocused(look: _Look, view: _View, likeness: float) -> bool:
    """Whether edges are softer than usual, though the picture's broad brightness is as before."""
    if view.fine < 8.0 or view.coarse < 8.0 or likeness < 0.6:
        return False
    softer = (look.fine / max(1.0, look.coarse)) / (view.fine / view.coarse)
    if look.coarse >= 0.2 * view.coarse and softer < 0.55:
        return True
    return likeness >= 0.8 and look.fine < 0.3 * view.fine and look.contrast >= 0.6 * view.contrast


def _likeness(one: _Field, other: _Field) -> float:
    """Correlation of two fields, in [-1, 1]."""
    a, b = one - one.mean(), other - other.mean()
    norm = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    return float(np.sum(a * b)) / norm if norm > 0.0 else 0.0


def _unsigned(edges: _Field) -> _Field:
    """Gradients by the doubled angle, so that an edge and its reverse are the same."""
    length = np.maximum(_length(edges), 1e-6)
    return np.stack([(edges[0] ** 2 - edges[1] ** 2) / length, 2.0 * edges[0] * edges[1] / length])


def _edges_lie_alike(one: _Field, other: _Field) -> bool:
    """Whether edges lie at the same places, whichever side of them is bright: the likeness must stand out from that
    at displacements, which scenes with many upright edges have anyway.
    """
    a, b = _unsigned(one), _unsigned(other)
    norm = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    if norm <= 0.0:
        return False
    here = float(np.sum(a * b)) / norm
    if here < 0.2:
        return False
    shifts = ((0, 7), (7, 0), (0, -7), (-7, 0), (11, 11), (-11, 11))
    elsewhere = max(float(np.sum(np.roll(a, shift, axis=(1, 2)) * b)) / norm for shift in shifts)
    return here >= 2.0 * elsewhere


def _found_elsewhere(look: _Look, view: _View, match: _Match) -> bool:
    """Whether the view is there all the same, shifted, turned or at another scale: lost blocks fit again, and more
    blocks fit than where the view used to be.
    """
    rows, columns = look.grid.shape
    for matrix in _movements(look, view):
        if _displacement(matrix, look.grid.shape) < NUDGED * columns:
            continue
        moved: Any = cv2.warpAffine(look.grid, matrix, (columns, rows), flags=cv2.INTER_LINEAR)
        inside: Any = cv2.warpAffine(np.ones_like(look.grid), matrix, (columns, rows))
        # The border of what was moved in is no edge.
        within = cv2.erode(np.asarray(inside), np.ones((5, 5), np.uint8)) > 0.99
        edges = _gradients(np.asarray(moved, np.float32))
        edges *= within / (_length(edges) + np.float32(SOFT))
        usual = view.edges * within
        a, b = edges, usual
        norm = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
        if norm <= 0.0 or float(np.mean(within)) <= 0.25 or float(np.sum(a * b)) / norm < 0.3:
            continue
        shown = match.judged & (_blocks(within.astype(np.float32)) > 0.7)
        fits = shown & _fits(edges, usual)
        lost = match.lost & shown
        if fits[lost].sum() >= RECOVERED * lost.sum() and fits.sum() > (shown & ~match.lost).sum():
            return True
    return False


def _fits(edges: _Field, usual: _Field) -> NDArray[np.bool_]:
    """The blocks in which edges lie as usual."""
    along = _blocks(edges[0] * usual[0] + edges[1] * usual[1])
    both = _blocks(_squares(edges)) * _blocks(_squares(usual))
    return np.asarray(along >= LOST_LIKENESS * np.sqrt(np.maximum(both, 1e-9)), np.bool_)


def _squares(edges: _Field) -> _Field:
    return np.asarray(edges[0] * edges[0] + edges[1] * edges[1], np.float32)


def _movements(look: _Look, view: _View) -> Iterator[NDArray[np.float64]]:
    """(2, 3) matrices that may bring the look back onto the view: first a shift alone, then turned and scaled."""
    rows, columns = look.grid.shape
    size = (columns, rows)
    yield _shift(look.length, view.length, np.eye(2, 3))
    centre = (columns / 2.0, rows / 2.0)
    radius = min(centre)
    spectra = [_polar_spectrum(grid, radius) for grid in (view.grid, look.grid)]
    (along, around), _ = cv2.phaseCorrelate(spectra[0], spectra[1])
    scale = float(np.exp(along * np.log(radius) / spectra[0].shape[1]))
    turn = 360.0 * around / spectra[0].shape[0]
    for degrees in (turn, turn + 180.0):
        turned: Any = cv2.getRotationMatrix2D(centre, degrees, 1.0 / scale)
        upright: Any = cv2.warpAffine(look.grid, turned, size, borderMode=cv2.BORDER_REPLICATE)
        edges = _gradients(np.asarray(upright, np.float32))
        length = _length(edges)
        yield _shift(length, view.length, turned)


def _sway(look: _Look, view: _View) -> tuple[int, int]:
    """By how many cells to the right and down the look must be brought to lie on the view."""
    matrix = _shift(look.length, view.length, np.eye(2, 3))
    return round(float(matrix[0, 2])), round(float(matrix[1, 2]))


def _shift(now: _Field, usual: _Field, first: NDArray[np.float64]) -> NDArray[np.float64]:
    """`first`, and after it the shift that brings the edges of `now` onto those of `usual`."""
    window = cv2.createHanningWindow((now.shape[1], now.shape[0]), cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(usual, np.minimum(now / SOFT, 4.0), window)
    matrix = np.array(first, np.float64)
    matrix[:, 2] -= (right, down)
    return matrix


def _polar_spectrum(grid: _Field, radius: float) -> _Field:
    """The magnitude of the spectrum over angle (rows) and logarithm of frequency (columns), high ones raised."""
    rows, columns = grid.shape
    side = int(2 * radius)
    top, left = (rows - side) // 2, (columns - side) // 2
    square = grid[top : top + side, left : left + side]
    window = cv2.createHanningWindow((side, side), cv2.CV_32F)
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2((square - square.mean()) * window)))
    magnitude = np.log1p(spectrum).astype(np.float32)
    polar: Any = cv2.warpPolar(
        magnitude, (side, 2 * side), (side / 2.0, side / 2.0), side / 2.0, cv2.WARP_POLAR_LOG
    )
    polar = np.asarray(polar, np.float32)
    return np.asarray(polar - polar.mean(axis=0, keepdims=True), np.float32)


def _displacement(matrix: NDArray[np.float64], shape: tuple[int, ...]) -> float:
    """How far a movement shifts the corners of a grid of `shape` on average, cells."""
    rows, columns = shape
    corners = np.array([[x, y, 1.0] for x in (0, columns) for y in (0, rows)])
    moved = corners @ matrix.T - corners[:, :2]
    return float(np.mean([hypot(*step) for step in moved]))
