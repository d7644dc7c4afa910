"""How a protected object looks otherwise than before people were near it."""

from dataclasses import dataclass

from tynysh.geometry import Box


@dataclass(frozen=True, slots=True)
class SurfaceChange:
    """since_s: when it was first seen. box: where, normalised."""

    since_s: float
    box: Box
