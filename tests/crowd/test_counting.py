"""People are counted with a band that holds, and roughly where they cannot be told apart."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.crowd.composites import Cuttings

from tynysh.crowd.counting import SPREAD_S, Counter
from tynysh.geometry import Box
from tynysh.media.frame import Frame
from tynysh.perception.detector import load_detector
from tynysh.scene.crowd import PICTURE, Estimate
from tynysh.scene.person import Person
from tynysh.scene.scene import Scene
from tynysh.scene.track import Track
from tynysh.scene.zone import Zone

WIDTH, HEIGHT = 800, 600


def body(x: float, foot: float = 400, height: float = 100) -> Box:
    """Somebody whose feet are at (x, foot)."""
    return Box(x - height / 5, foot - height, x + height / 5, foot)


def track(number: int, box: Box, *, seen_s: float, score: float = 0.9) -> Track:
    return Track(number, box, score, (0.0, 0.0), 0.0, seen_s)


def observed(
    counter: Counter,
    time_s: float,
    tracks: Sequence[Track] = (),
    persons: Sequence[Person] = (),
    zones: tuple[Zone, ...] = (),
    place: str = PICTURE,
) -> tuple[Estimate, bool]:
    return counter.observe(Scene(time_s, WIDTH, HEIGHT, tracks=tuple(tracks), zones=zones), persons)[place]


def test_somebody_found_for_the_first_time_counts_at_once() -> None:
    count, rough = observed(Counter(), 0.0, persons=[Person(body(100), 0.8), Person(body(400), 0.8)])
    assert count.value == 2
    assert not rough


def test_a_doubtful_detection_does_not_count() -> None:
    assert observed(Counter(), 0.0, persons=[Person(body(100), 0.3)])[0].value == 0


def test_one_person_is_counted_once_though_found_and_followed() -> None:
    box = body(300)
    torso = Person(Box(box.left, box.top, box.right, box.top + 40), 0.7)
    people = [Person(box, 0.9), torso]
    assert observed(Counter(), 1.0, [track(1, box, seen_s=1.0)], people)[0].value == 1


def test_somebody_behind_a_post_goes_on_counting() -> None:
    counter = Counter()
    observed(counter, 0.0, [track(1, body(300), seen_s=0.0)])
    assert observed(counter, 0.5, [track(1, body(310), seen_s=0.0)])[0].value == 1


def test_somebody_who_walked_out_of_the_picture_does_not_count_any_more() -> None:
    counter = Counter()
    observed(counter, 0.0, [track(1, body(WIDTH - 20), seen_s=0.0)])
    assert observed(counter, 0.4, [track(1, body(WIDTH), seen_s=0.0)])[0].value == 0


def test_somebody_half_outside_who_is_seen_counts() -> None:
    counter = Counter()
    assert observed(counter, 0.0, [track(1, body(WIDTH), seen_s=0.0)])[0].value == 1


def test_somebody_found_where_one_who_was_lost_may_have_walked_is_the_same() -> None:
    counter = Counter()
    observed(counter, 0.0, [track(1, body(300), seen_s=0.0)])
    lost = track(1, body(300), seen_s=0.0)
    assert observed(counter, 1.0, [lost], [Person(body(420), 0.8)])[0].value == 1
    assert observed(counter, 1.0, [lost], [Person(body(700), 0.8)])[0].value == 2


def test_a_post_that_looks_a_little_like_a_person_only_widens_the_band() -> None:
    counter = Counter()
    for n in range(20):
        post = track(2, body(600), seen_s=n * 0.25, score=0.46 if n == 0 else 0.2)
        tracks = [track(1, body(200), seen_s=n * 0.25), post]
        count, _ = observed(counter, n * 0.25, tracks, [Person(body(600), post.score)])
    assert count.value == 1
    assert count.high == 2


def test_zones_count_whose_feet_are_in_them() -> None:
    zones = (
        Zone("left", ((0, 0), (0.5, 0), (0.5, 1), (0, 1))),
        Zone("top", ((0, 0), (1, 0), (1, 0.5), (0, 0.5))),
    )
    tracks = [track(1, body(200), seen_s=0.0), track(2, body(600, foot=200), seen_s=0.0)]
    for name, people in ((PICTURE, 2), ("left", 1), ("top", 1)):
        assert observed(Counter(), 0.0, tracks, zones=zones, place=name)[0].value == people


def test_small_people_are_counted_roughly() -> None:
    """A person 50 pixels tall whom the network sees at 12 is missed as often as found; at 40 hardly ever."""
    people = [body(60 + 80 * n, height=50) for n in range(8)]
    for scale, is_rough in ((0.24, True), (0.8, False)):
        found = [Person(box, 0.7, input_scale=scale) for box in people]
        count, rough = observed(Counter(), 0.0, persons=found)
        assert (count.value, rough) == (8, is_rough)
        assert (count.high >= 12) is is_rough


def test_people_close_together_are_counted_roughly() -> None:
    for step, is_rough in ((25, True), (120, False)):
        found = [Person(body(50 + step * n, foot=300 + 10 * (n % 3)), 0.8) for n in range(6)]
        found += [Person(body(60 + step * n, foot=330 + 10 * (n % 3)), 0.3) for n in range(6)]
        assert observed(Counter(), 0.0, persons=found)[1] is is_rough


def test_looks_that_disagree_widen_the_band() -> None:
    widths = []
    for flickers in (False, True):
        counter = Counter()
        for n in range(20):
            shown = 6 + 3 * (flickers and n % 2)
            tracks = [track(number, body(60 + 80 * number), seen_s=n * 0.25) for number in range(shown)]
            count, _ = observed(counter, n * 0.25, tracks)
        widths.append(count.high - count.low)
    assert widths[1] > widths[0] + 2


def test_people_who_come_steadily_are_no_disagreement() -> None:
    counter = Counter()
    for n in range(int(SPREAD_S * 4)):
        tracks = [track(number, body(50 + 60 * number), seen_s=n * 0.25) for number in range(2 + n)]
        count, _ = observed(counter, n * 0.25, tracks)
    assert count.high - count.low <= 2


def test_the_band_holds_in_nineteen_of_twenty_scripted_scenes() -> None:
    """Detections as they were measured to be: three in a hundred missed, one false for every fifty people."""
    random = np.random.default_rng(5)
    inside = 0
    for _ in range(300):
        people = int(random.integers(1, 25))
        places = random.permutation(60)[: people + 1]
        found = [
            Person(
                body(60 + 70 * (place % 10), foot=100 + 100 * (place // 10), height=60), 0.8, input_scale=0.5
            )
            for place in places[:people]
            if random.random() < 0.97
        ]
        if random.random() < people / 50:
            place = places[-1]
            found.append(Person(body(60 + 70 * (place % 10), foot=100 + 100 * (place // 10), height=60), 0.5))
        count, _ = observed(Counter(), 0.0, persons=found)
        assert count.low <= count.value <= count.high
        inside += count.low <= people <= count.high
    assert inside >= 0.93 * 300


def test_nobody_is_nobody_for_sure() -> None:
    assert observed(Counter(), 0.0) == (Estimate(0, 0, 0), False)


def test_what_may_be_small_people_counts_as_such_only_among_small_people() -> None:
    """A cone in the distance is no person on a square of large ones; in a far crowd it rather is one."""
    highs = []
    for height in (150, 50):
        people = [body(60 + 150 * n, foot=500, height=height) for n in range(5)]
        found = [Person(box, 0.8, input_scale=0.36) for box in people]
        found += [Person(body(60 + 150 * n, foot=100, height=36), 0.2, input_scale=0.36) for n in range(5)]
        count, _ = observed(Counter(), 0.0, persons=found)
        assert count.value == 5
        highs.append(count.high)
    assert highs[0] <= 7
    assert highs[1] >= 9


@pytest.mark.footage
@pytest.mark.slow
def test_in_a_crowd_the_count_is_rough_and_the_band_reaches_up_to_all(vtest: Path) -> None:
    cuttings, detector = Cuttings(vtest), load_detector()
    frames = cuttings.frames
    inside: dict[int, list[bool]] = {}
    for many, is_rough in ((1, False), (8, True)):
        inside[many] = []
        for start in range(0, 36, 12):
            crowd = cuttings.crowd([frames[(start + n * (39 // many)) % 39] for n in range(many)])
            people = sum(part >= 0.1 for part in crowd.shown)
            frame = Frame(crowd.picture, time_s=0.0, index=0)
            scene = Scene(0.0, frame.width, frame.height)
            count, rough = Counter().observe(scene, detector.detect(frame))[PICTURE]
            assert rough is is_rough
            inside[many].append(count.low <= people <= count.high)
            if is_rough:
                assert count.value < 0.9 * people
    detector.close()
    assert all(np.mean(held) > 0.6 for held in inside.values())
