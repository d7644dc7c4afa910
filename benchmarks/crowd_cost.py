"""What the crowd's measures cost a look: CPU milliseconds of the meter, of the counter alone, and of the analysers."""

import time

import numpy as np
from tests.crowd.filming import Faults, Film, Lens, Watching, looks
from tests.crowd.social_force import Crowd, scattered

from tynysh.behaviour import registry
from tynysh.behaviour.signal import Behaviour
from tynysh.crowd.counting import Counter
from tynysh.crowd.meter import CrowdMeter
from tynysh.scene.person import Person
from tynysh.scene.scene import Scene

LENS = Lens()
BEHAVIOURS = (Behaviour.CROWDING, Behaviour.CRUSH_RISK, Behaviour.CROWD_RUN)


def scenes(people: int) -> list[tuple[Scene, list[Person]]]:
    """Five seconds of so many people on known ground, with one zone and one line."""
    side_m = max(4.0, np.sqrt(people / 3))
    crowd = Crowd(
        scattered(people, side_m, side_m, 1), np.tile([0.5, 0.0], (people, 1)), period=(side_m, side_m)
    )
    film = Film(LENS, Faults(false=0.0))
    zone = LENS.zone("all", -side_m / 2, 6.0, side_m / 2, 6.0 + side_m)
    watching = Watching(film, (zone,), (LENS.line("gate", 0.0, 6.0, 0.0, 6.0 + side_m),), LENS.ground())
    found = []
    for time_s in looks(5.0):
        crowd.walk(0.2)
        scene = watching.look(time_s, crowd.places + np.array([-side_m / 2, 6.0]), crowd.heights_m)
        found.append(
            (scene, film.persons(time_s, crowd.places + np.array([-side_m / 2, 6.0]), crowd.heights_m))
        )
    return found


def main() -> None:
    """Print a table."""
    print("| people | meter | of which counting | three analysers |\n|---|---|---|---|")
    for people in (5, 10, 50, 300):
        film = scenes(people)
        meter, counter, spent = CrowdMeter(), Counter(), np.zeros(3)
        analysers = [registry.create(one, registry.spec_of(one).settings()) for one in BEHAVIOURS]
        for scene, persons in film:
            began = time.process_time()
            meter.observe(scene, persons)
            measured = time.process_time()
            counter.observe(scene, persons)
            counted = time.process_time()
            for analyser in analysers:
                analyser.observe(scene)
            spent += (measured - began, counted - measured, time.process_time() - counted)
        print(f"| {people} | " + " | ".join(f"{1000 * one / len(film):.2f}" for one in spent) + " |")


if __name__ == "__main__":
    main()
