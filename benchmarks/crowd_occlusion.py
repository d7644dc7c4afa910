"""By how much crowds are under-counted because people hide each other: a simulated crowd, a detector that finds who is
seen to 60 % or more, fewer of those seen less, and nobody seen to less than 15 %.
"""

import numpy as np
from tests.crowd.filming import Faults, Film, Lens, Watching, looks
from tests.crowd.social_force import Crowd, scattered

CAMERAS = (
    ("4 m up, 20° down", Lens(4.0, 20.0)),
    ("7 m, 40°", Lens(7.0, 40.0)),
    ("10 m, 70°", Lens(10.0, 70.0, 500.0)),
)
NEAR_M = {20.0: 8.0, 40.0: 7.5, 70.0: 2.0}


def measured(lens: Lens, density: float) -> tuple[float, float, float]:
    """Count, upper end of the band, and how often it is called rough, the former two by the truth."""
    side_m, near_m = 8.0, NEAR_M[lens.tilt]
    number = round(density * side_m**2)
    wanted = np.tile([1.2 * max(0.0, 1 - density / 4.5), 0.0], (number, 1))
    crowd = Crowd(scattered(number, side_m, side_m, 1), wanted, period=(side_m, side_m), noise=0.1)
    zone = lens.zone("square", -2.5, near_m, 2.5, near_m + 5.0)
    watching = Watching(Film(lens, Faults(occlusion=True)), (zone,), (), lens.ground())
    truth, count, high, rough = [], [], [], []
    for time_s in looks(8.0):
        crowd.walk(0.2)
        places = crowd.places + np.array([-side_m / 2, near_m - 1.5])
        scene = watching.look(time_s, places, crowd.heights_m)
        place = scene.crowd.place("square") if scene.crowd else None
        if time_s < 3.0 or place is None:
            continue
        inside = (np.abs(places[:, 0]) < 2.5) & (np.abs(places[:, 1] - near_m - 2.5) < 2.5)
        truth.append(inside.sum())
        count.append(place.count.value)
        high.append(place.count.high)
        rough.append(place.rough)
    return sum(count) / sum(truth), sum(high) / sum(truth), float(np.mean(rough))


def main() -> None:
    """Print a table."""
    densities = (0.5, 1.0, 2.0, 3.0, 4.0)
    print(
        "| camera | " + " | ".join(f"{density:g}/m²" for density in densities) + " |\n|---" + "|---" * 5 + "|"
    )
    for name, lens in CAMERAS:
        cells = []
        for density in densities:
            count, high, rough = measured(lens, density)
            cells.append(f"{count:.2f} (to {high:.2f}){' rough' if rough > 0.5 else ''}")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
