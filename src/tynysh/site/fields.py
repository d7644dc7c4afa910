"""The kinds of value that the parts of a site are made of: names, ids, places in the picture."""

from collections.abc import Collection
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from tynysh.site.identifiers import LONGEST


class Strict(BaseModel):
    """A part of a site: unknown keys are errors, and nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=False)


def plain(part: BaseModel, *, without: Collection[str] = ()) -> dict[str, Any]:
    """A part of a site as plain data, as it stands in YAML: what is not said is left out, and so is `without`."""
    return part.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=set(without))


def one_line(text: str) -> str:
    """`text`, where it has no line break and no control character; raises PydanticCustomError."""
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise PydanticCustomError("one_line", "holds a line break or a control character")
    return text


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=120),
    AfterValidator(one_line),
]

GivenZoneName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(one_line)
]
PlainName = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(one_line)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=LONGEST)]
Share = Annotated[float, Field(ge=0, le=1)]
People = Annotated[int, Field(ge=1, le=1_000_000)]
Corner = tuple[Share, Share]
