"""What a camera may be watched for, and with which settings: as the registry of behaviours has it."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from tynysh.behaviour.registry import ANALYSERS
from tynysh.behaviour.settings import AnalyserSettings
from tynysh.behaviour.signal import Behaviour


class AnalysersBase(BaseModel):
    """What cameras are watched for: one key a behaviour, with its settings; `{}` takes the usual ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def chosen(self) -> dict[Behaviour, AnalyserSettings]:
        """The behaviours that are named, with their settings, whether enabled or not."""
        named = ((behaviour, getattr(self, behaviour)) for behaviour in ANALYSERS)
        return {behaviour: settings for behaviour, settings in named if settings is not None}


def _fields() -> dict[str, Any]:
    return {
        str(behaviour): (
            spec.settings | None,
            Field(
                default=None,
                title=behaviour,
                description=f"Settings of `{behaviour}`; `{{}}` takes the usual ones.",
            ),
        )
        for behaviour, spec in ANALYSERS.items()
    }


if TYPE_CHECKING:
    Analysers = AnalysersBase
else:
    Analysers = create_model("Analysers", __base__=AnalysersBase, __doc__=AnalysersBase.__doc__, **_fields())
