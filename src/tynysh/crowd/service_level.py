"""Which level of service does a density mean?"""

from bisect import bisect_right

from tynysh.scene.crowd import ServiceLevel

WALKWAY_AREAS_M2 = (3.25, 2.32, 1.39, 0.93, 0.46)
"""Square metres a person from which on a walkway offers A, B, C, D, E; with less it is F.

Fruin: Pedestrian Planning and Design (1971), 35, 25, 15, 10 and 5 square feet.
"""

QUEUEING_AREAS_M2 = (1.21, 0.93, 0.65, 0.28, 0.19)
"""The same where people stand and wait. Fruin (1971), 13, 10, 7, 3 and 2 square feet."""

STANDING_SHARE = 0.5
"""Where this part of the people or more stand still, they wait; where fewer do, they walk."""

_LEVELS = tuple(ServiceLevel)


def service_level(density: float, stopped: float | None) -> ServiceLevel:
    """The level of service at `density`, persons/m², after Fruin (1971).

    stopped: part of the people who stand still; None where nobody knows, which counts as walking, the stricter of his
    two scales.

    >>> service_level(0.9, stopped=0.1), service_level(0.9, stopped=0.9)
    (<ServiceLevel.D: 'D'>, <ServiceLevel.B: 'B'>)
    """
    waiting = stopped is not None and stopped >= STANDING_SHARE
    areas = QUEUEING_AREAS_M2 if waiting else WALKWAY_AREAS_M2
    return _LEVELS[bisect_right([1 / area for area in areas], density)]
