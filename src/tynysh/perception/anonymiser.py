"""Pictures in which nobody can be recognised."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from tynysh.geometry import Box, enclosing
from tynysh.media.frame import Image
from tynysh.scene.person import Joint, Keypoints

_CELLS = 4
_LEAST_CELL_PX = 6
_LEVELS = 16
_WHOLE_CELLS = 12
_SAMPLES = 8
_SIDE_MARGIN = 0.25
_TOP_MARGIN = 0.12
_HEAD_HEIGHT = 0.3
_HEAD_WIDTHS = 0.8
_SEEN = 0.3
_HEAD_JOINTS = (Joint.NOSE, Joint.LEFT_EYE, Joint.RIGHT_EYE, Joint.LEFT_EAR, Joint.RIGHT_EAR, Joint.HEAD)


class VisiblePerson(Protocol):
    """Anyone to be made unrecognisable: a `Person` or a `Track`."""

    @property
    def box(self) -> Box:
        """Where, in pixels of the picture."""
        ...

    @property
    def keypoints(self) -> Keypoints | None:
        """The joints, where known."""
        ...


def anonymise(
    picture: Image,
    people: Sequence[VisiblePerson | Box] | None,
    *,
    whole_body: bool = False,
) -> Image:
    """Make the people in `picture` unrecognisable, in place, and return it.

    picture: (height, width, 3) or, for one plane, (height, width).
    people: all who are known to be there, unmatched ones too: boxes in pixels, persons or tracks. None means
        that it is not known who is there, and then the whole picture is concealed: what cannot be anonymised
        is not shown.
    whole_body: treat the whole of each person, not only where the head may be.

    What is treated is reduced to at most four by four mean values for each square part and to sixteen levels
    of each, and only those are shown again, smoothly. Nothing else of the region reaches the result, so that
    no processing brings it back. Plain blurring can be undone in part, and fine pixelation still lets trained
    networks tell faces apart (McPherson et al., 2016, arXiv:1609.00408); a head is therefore left two or
    three values wide.
    """
    if people is None:
        return anonymise_whole(picture)
    height, width = picture.shape[:2]
    for region in regions(people, width, height, whole_body=whole_body):
        _treat(picture, region)
    return picture


def regions(
    people: Sequence[VisiblePerson | Box],
    width: float,
    height: float,
    *,
    whole_body: bool = False,
) -> list[Box]:
    """What `anonymise` treats in a picture of `width` x `height`, in pixels.

    Of a person who is upright, the upper part of the box with a wide margin, and where joints are known also
    the surroundings of those of the head. Of one who may be lying or bent (a box wider than high), all of it,
    as the head may be at either end.
    """
    found: list[Box] = []
    for person in people:
        box = (person if isinstance(person, Box) else person.box).clipped(width, height)
        if whole_body or box.width >= box.height:
            found.append(_widened(box, _SIDE_MARGIN / 2, _TOP_MARGIN))
            continue
        found.append(_top(box))
        if not isinstance(person, Box) and person.keypoints is not None:
            head = _head(person.keypoints, box)
            if head is not None:
                found.append(head)
    return [region.clipped(width, height) for region in found]


def anonymise_whole(picture: Image) -> Image:
    """Leave only a few smooth patches of colour of `picture`, in place, and return it."""
    height, width = picture.shape[:2]
    cells = max(1, round(_WHOLE_CELLS * height / max(width, 1)))
    picture[:] = _patches(picture, min(_WHOLE_CELLS, width), min(cells, height))
    return picture


def _top(box: Box) -> Box:
    """Where the head of an upright person may be: of one who is seen to the waist only, more of the box."""
    height = min(box.height, max(_HEAD_HEIGHT * box.height, _HEAD_WIDTHS * box.width))
    return _widened(
        Box(box.left, box.top - _TOP_MARGIN * box.height, box.right, box.top + height), _SIDE_MARGIN, 0
    )


def _head(keypoints: Keypoints, box: Box) -> Box | None:
    """The surroundings of the head's joints; None where none is seen."""
    points = keypoints[list(_HEAD_JOINTS)]
    points = points[points[:, 2] >= _SEEN]
    if not len(points):
        return None
    around = enclosing([Box(float(x), float(y), float(x), float(y)) for x, y, _ in points])
    # Half a head beyond the joints on each side: a head is about an eighth of a person's height, here one seventh.
    reach = max(box.height / 7, around.width, around.height) * 0.75
    return Box(around.left - reach, around.top - reach, around.right + reach, around.bottom + reach)


def _widened(box: Box, across: float, down: float) -> Box:
    """`box` with margins in parts of its width and height."""
    x, y = box.width * across, box.height * down
    return Box(box.left - x, box.top - y, box.right + x, box.bottom + y)


def _treat(picture: Image, region: Box) -> None:
    left, top = int(region.left), int(region.top)
    right, bottom = -int(-region.right // 1), -int(-region.bottom // 1)
    if right <= left or bottom <= top:
        return
    part = picture[top:bottom, left:right]
    cell = max(min(right - left, bottom - top) / _CELLS, _LEAST_CELL_PX)
    part[:] = _patches(part, max(1, int((right - left) / cell)), max(1, int((bottom - top) / cell)))


def _patches(picture: Image, across: int, down: int) -> Image:
    """`picture` as `across` x `down` mean values, in few levels, smoothly drawn at its own size."""
    height, width = picture.shape[:2]
    # A whole factor first: averaging by fractions of pixels is slow on large parts.
    factor = max(1, min(height // (down * _SAMPLES), width // (across * _SAMPLES)))
    rows, columns = height // factor, width // factor
    smaller = cv2.resize(
        picture[: rows * factor, : columns * factor], (columns, rows), interpolation=cv2.INTER_AREA
    )
    means = cv2.resize(smaller, (across, down), interpolation=cv2.INTER_AREA)
    step = 256 // _LEVELS
    coarse = (means // step) * step + step // 2
    return cv2.resize(  # type: ignore[return-value]
        coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR
    )
