"""What is in the way of the view, as far as one picture tells?

The bounds were chosen on a drawn square and on clips of four cameras, spoilt in all the ways of
tests/behaviour/corruption.py, where all faults must be found and nothing else (tests/behaviour/test_camera_fault.py).
Sharpness and contrast are in grey levels (`Features`), "part" is a part of the picture or of what is usual.
"""

import numpy as np

from tynysh.perception.view.features import Features, correlation
from tynysh.perception.view.reference import Match, ReferenceView

DARK = 36.0
"""Grey level that not even the brightest fiftieth of a dark picture is above: no lamp, no window."""

DIM, DIM_GAIN = 60.0, 0.15
"""A picture that is no brighter than this is dark as well if so little is left of the view's gradients."""

ALL_SATURATED = 0.85
"""Saturated part of a picture that shows nothing, whatever it showed before."""

GLARE_PART, GLARE_MORE = 0.33, 0.25
GLARE_GONE, GLARE_ERASED = 0.35, 0.2
"""Light drowns the view where so large a part is saturated, so much more than usual, and so many of its blocks are lost
or so many of its edges erased."""

FLOODED_PART, FLOODED_MORE = 0.6, 0.4
"""It does so whatever became of the edges where so large a part is saturated, so much more than usual."""

BARE_SHARPNESS, BARE_CONTRAST = 3.0, 6.0
"""A picture with less of both, at sight, shows the inside of a cover."""

BARE_SHARPNESS_LEFT, BARE_CONTRAST_LEFT, BARE_LIKENESS = 0.4, 0.5, 0.3
"""Where the view has too few edges to compare, it is covered if less than these parts of its sharpness and contrast are
left and its thumbnail resembles it by a correlation below this."""

STEERED_SHARPNESS_LEFT, STEERED_SHARPNESS = 0.3, 12.0
"""A steered camera, whose views are usually as sharp as this, is covered if less than that part is left."""

CARD_EVENNESS, CARD_SAME = 5.0, 0.95
CARD_STEP, CARD_STEPS, CARD_STEEP = 8.0, 4, 0.3
"""A test card: in half of the picture, CARD_SAME of the cells are within CARD_EVENNESS grey levels of their column's
(row's) mean, which has CARD_STEPS steps of more than CARD_STEP levels, over less than CARD_STEEP of its length."""

SHARP_VIEW = 8.0
DEFOCUSED_LIKENESS = 0.6
"""Whether edges are softer is asked of views as sharp as this, while the thumbnail resembles theirs by this
correlation: the picture's broad brightness is as before."""

COARSE_LEFT, DEFOCUSED_RATIO = 0.2, 0.55
"""Defocused: of the averaged picture's sharpness so much is left, and fine sharpness against it is below this part of
the usual ratio. A step blurred by sigma pixels has a gradient of 1 / (sigma sqrt(2 pi))."""

BLURRED_LIKENESS, BLURRED_FINE_LEFT, BLURRED_CONTRAST_LEFT = 0.8, 0.3, 0.6
"""Defocused beyond that: the thumbnail's correlation, less than this part of fine sharpness, so much of contrast."""

SLATE_FLAT, SLATE_FLATTER, SLATE_SHARPNESS = 0.6, 0.2, 8.0
"""A slate stands still and is flat over so large a part, so much more than usual; from this sharpness on it carries
letters, below it is a cover."""


def is_dark(now: Features) -> bool:
    """Whether hardly any light reaches the camera."""
    return now.bright <= DARK


def is_dimmed_to_nothing(now: Features, found: Match) -> bool:
    """Whether there is some light, but next to nothing of the view is seen by it."""
    return now.bright <= DIM and found.gain < DIM_GAIN


def is_flooded(now: Features) -> bool:
    """Whether nearly all is saturated."""
    return now.saturated >= ALL_SATURATED


def is_blank(now: Features) -> bool:
    """Whether there is next to nothing in the picture."""
    return now.coarse < BARE_SHARPNESS and now.contrast < BARE_CONTRAST


def is_colour_bars(now: Features) -> bool:
    """Whether half of the picture is the same row (or column) over and over, with steps in it: a test card."""
    rows, columns = now.grid.shape
    for part in (now.grid[: rows // 2], now.grid[:, : columns // 2].T):
        row = part.mean(axis=0)
        same = float(np.mean(np.abs(part - row) < CARD_EVENNESS))
        steps = np.abs(np.diff(row)) > CARD_STEP
        begins = int(np.sum(steps[1:] & ~steps[:-1]))
        if same >= CARD_SAME and begins >= CARD_STEPS and float(np.mean(steps)) < CARD_STEEP:
            return True
    return False


def is_blinded(now: Features, view: ReferenceView, found: Match) -> bool:
    """Whether light drowns the view: saturated where it was not, and its edges are gone, or nearly all is."""
    more = now.saturated - view.saturated
    gone = found.gone if found.enough else 0.0
    drowned = gone >= GLARE_GONE or found.erased >= GLARE_ERASED
    return (now.saturated >= GLARE_PART and more >= GLARE_MORE and drowned) or (
        now.saturated >= FLOODED_PART and more >= FLOODED_MORE
    )


def is_defocused(now: Features, view: ReferenceView) -> bool:
    """Whether edges are softer than usual, though the picture's broad brightness is as before."""
    likeness = thumbnail_likeness(now, view)
    if view.fine < SHARP_VIEW or view.coarse < SHARP_VIEW or likeness < DEFOCUSED_LIKENESS:
        return False
    softer = (now.fine / max(1.0, now.coarse)) / (view.fine / view.coarse)
    if now.coarse >= COARSE_LEFT * view.coarse and softer < DEFOCUSED_RATIO:
        return True
    return (
        likeness >= BLURRED_LIKENESS
        and now.fine < BLURRED_FINE_LEFT * view.fine
        and now.contrast >= BLURRED_CONTRAST_LEFT * view.contrast
    )


def is_bare(now: Features, view: ReferenceView) -> bool:
    """Whether a view of few edges is covered."""
    return (
        now.coarse < BARE_SHARPNESS_LEFT * view.coarse
        and thumbnail_likeness(now, view) < BARE_LIKENESS
        and now.contrast < BARE_CONTRAST_LEFT * view.contrast
    )


def is_covered_while_steered(now: Features, view: ReferenceView) -> bool:
    """Whether a steered camera, which may show anything, shows next to nothing."""
    return view.coarse >= STEERED_SHARPNESS and now.coarse < STEERED_SHARPNESS_LEFT * view.coarse


def is_flat_and_still(now: Features, view: ReferenceView) -> bool:
    """Whether a slate, or a cover that lets nothing through, stands before or in place of the view."""
    return now.still and now.flat >= max(SLATE_FLAT, view.flat + SLATE_FLATTER)


def is_lettered(now: Features) -> bool:
    """Whether something flat has letters on it, as a slate and no cover does."""
    return now.coarse >= SLATE_SHARPNESS


def thumbnail_likeness(now: Features, view: ReferenceView) -> float:
    """Correlation of broad brightness with the view's, in [-1, 1]."""
    return correlation(now.thumb - now.thumb.mean(), view.thumb - view.thumb.mean())
