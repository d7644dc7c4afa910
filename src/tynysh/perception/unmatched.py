"""Whom did the detector see that is none of the tracks, and is therefore to be blurred besides them?"""

from collections.abc import Sequence

from tynysh.geometry import Box, box_array, iou_matrix
from tynysh.scene.person import Person
from tynysh.scene.track import Track

SAME_PERSON_IOU = 0.6
"""A detection that overlaps a track less than this may be of somebody else."""


def unmatched_detections(persons: Sequence[Person], tracks: Sequence[Track]) -> list[Box]:
    """The boxes of `persons`, found in one frame, that none of the `tracks` of that frame stands for."""
    boxes = [person.box for person in persons]
    overlap = iou_matrix(box_array(boxes), box_array([track.box for track in tracks]))
    return [
        box
        for box, overlaps in zip(boxes, overlap, strict=True)
        if overlaps.max(initial=0.0) < SAME_PERSON_IOU
    ]
