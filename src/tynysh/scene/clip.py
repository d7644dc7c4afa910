"""What a network that looks at moving pictures says of the last seconds."""

from dataclasses import dataclass
from enum import StrEnum

from tynysh.geometry import Box


class Company(StrEnum):
    """Whether those who were seen in the last seconds have somebody to fight with.

    TOGETHER: two and more near each other; also where nobody looked for people. ALONE: somebody who is clearly seen,
    and nobody near them. UNSEEN: something moves, and who that is cannot be made out. DARK: the picture is too dark for
    it.
    """

    TOGETHER = "together"
    ALONE = "alone"
    UNSEEN = "unseen"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class ClipScore:
    """The latest look of the network.

    time_s: when it looked, at the two seconds until then. probability: that they show a fight. box: the part of the
    picture that moved, normalised. company: who was seen then.
    """

    time_s: float
    probability: float
    box: Box
    company: Company = Company.TOGETHER
