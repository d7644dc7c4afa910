"""Where does a camera's ground come from: from what was measured, from people who walk through, or from nowhere?"""

from collections.abc import Callable
from typing import Protocol

from tynysh.crowd.calibration import CalibrationError
from tynysh.crowd.learning import Learnt
from tynysh.scene.ground import Ground
from tynysh.scene.scene import Scene


class GroundSource(Protocol):
    """Tells one camera's ground, scene by scene."""

    @property
    def learnt(self) -> Learnt | None:
        """What was learnt of the camera so far, where anything is learnt."""
        ...

    def observe(self, scene: Scene) -> Ground | None:
        """The ground at `scene`, however rough; None where nothing is known."""
        ...

    def moved(self, away: bool) -> None:
        """The camera was turned away from where it looked (`away`), or back."""
        ...


class NoGround:
    """Nothing is in metres."""

    learnt: Learnt | None = None

    def observe(self, scene: Scene) -> None:
        """None."""

    def moved(self, away: bool) -> None:
        """It makes no difference."""


class SurveyedGround:
    """What somebody measured: it holds while the camera looks where it looked then.

    survey: the ground for a picture's aspect (width over height); where it raises CalibrationError, there is none.
    """

    def __init__(self, survey: Callable[[float], Ground]) -> None:
        self._survey = survey
        self._aspect = 0.0
        self._ground: Ground | None = None
        self._away = False

    @property
    def learnt(self) -> None:
        """Nothing is learnt."""

    def observe(self, scene: Scene) -> Ground | None:
        """The ground, unless the camera was turned away."""
        aspect = scene.width / scene.height
        if aspect != self._aspect:
            self._aspect = aspect
            try:
                self._ground = self._survey(aspect)
            except CalibrationError:
                # `tynysh calibrate` says why; nothing here may stop the camera.
                self._ground = None
        return None if self._away else self._ground

    def moved(self, away: bool) -> None:
        """The floor is not where it was while the camera looks elsewhere."""
        self._away = away
