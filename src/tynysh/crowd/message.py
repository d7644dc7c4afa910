"""How does what is known of a crowd travel as plain data?"""

import dataclasses
from typing import Any

import numpy as np

from tynysh.scene.crowd import CrowdState, DensityMap, PlaceCrowd
from tynysh.scene.ground import Ground


def crowd_message(state: CrowdState, ground: Ground | None) -> dict[str, Any]:
    """A crowd's state as JSON can carry it, with where the floor is.

    `at` is Unix seconds. Figures are left as they are; only the cells of the map are rounded, to hundredths. The
    people themselves (`walkers`) stay where they are.
    """
    return {
        "at": state.time_s,
        "places": [_place(place) for place in state.places],
        "lines": [dataclasses.asdict(line) for line in state.lines],
        "map": None if state.density_map is None else _map(state.density_map),
        "ground": None
        if ground is None
        else {"homography": ground.homography.tolist(), "error": float(ground.error)},
    }


def _place(place: PlaceCrowd) -> dict[str, Any]:
    count, density = place.count, place.density
    return {
        "name": place.name,
        "count": float(count.value),
        "low": float(count.low),
        "high": float(count.high),
        "rough": place.rough,
        "density": None if density is None else float(density.value),
        "density_low": None if density is None else float(density.low),
        "density_high": None if density is None else float(density.high),
        "level": None if place.level is None else place.level.value,
        **{
            key: _number(getattr(place, key))
            for key in ("area_m2", "speed", "heading", "stopped", "counterflow", "pressure", "densest")
        },
        "capacity": place.capacity,
    }


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _map(found: DensityMap) -> dict[str, Any]:
    rows, columns = found.cells.shape
    return {
        "columns": columns,
        "rows": rows,
        "metric": found.metric,
        "values": np.round(found.cells.astype(float), 2).ravel().tolist(),
    }
