"""What a network that looks at moving pictures says of the last seconds."""

from dataclasses import dataclass

from tynysh.geometry import Box


@dataclass(frozen=True, slots=True)
class ClipScore:
    """The latest look of the network.

    time_s: when it looked, at the two seconds until then. probability: that they show a fight. box: the part of the
    picture that moved, normalised.
    """

    time_s: float
    probability: float
    box: Box
