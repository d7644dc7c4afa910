"""Where people stand is told one by one, and at once, alike."""

import numpy as np
import pytest
from tests.behaviour.scenes import LEFT_HALF, boxed, scene, standing

from tynysh.geometry import Box
from tynysh.scene.places import distance, distances, stands
from tynysh.scene.zone import Zone

CORNER = Zone("corner", ((0.1, 0.2), (0.5, 0.1), (0.3, 0.6), (0.3, 0.6)))


@pytest.mark.parametrize("zone", [LEFT_HALF, CORNER])
def test_distances_at_once_are_those_one_by_one(zone: Zone) -> None:
    random = np.random.default_rng(1)
    feet = [(random.uniform(-50, 1100), random.uniform(50, 700), random.uniform(0, 150)) for _ in range(50)]
    tracks = [boxed(n, Box(x - 15, y - tall, x + 15, y), 0.0) for n, (x, y, tall) in enumerate(feet)]
    now = scene(0.0, tracks, [zone])
    found = distances(
        now, zone, [stands(now, track) for track in tracks], [track.box.height for track in tracks]
    )
    assert found == pytest.approx([distance(now, zone, track) for track in tracks])
    assert 0.0 in found
    assert distances(now, zone, [], []).shape == (0,)


def test_those_carried_forward_are_not_seen() -> None:
    assert [track.id for track in scene(1.0, [standing(1, 100, 1.0), standing(2, 300, 0.8)]).seen] == [1]
