"""The `tynysh` command: joins the commands, and makes errors messages and exit codes."""

import os
import sys
from typing import Annotated, Any

import typer

from tynysh import __version__
from tynysh.commands import (
    analyze,
    audit,
    bench,
    calibrate,
    crowd,
    demo,
    evaluate,
    models,
    retention,
    run,
    site,
    tune,
    users,
    verdicts,
)
from tynysh.commands.output import reader_has_gone, report, take_any_name
from tynysh.errors import TynyshError
from tynysh.site.time_zones import use_newest

app = typer.Typer(
    name="tynysh",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Public-safety video analytics: acts and conditions, never identities."""
    if version:
        typer.echo(f"tynysh {__version__}")
        raise typer.Exit


for command in (
    site.check,
    site.apply,
    site.export,
    analyze.analyze,
    bench.bench,
    calibrate.calibrate,
    tune.tune,
    verdicts.export_verdicts,
    retention.accept_clock,
    run.run,
    demo.demo,
):
    app.command()(command)
for process in (run.serve_console, run.serve_cameras):
    app.command(hidden=True)(process)
for name, group in (
    ("models", models),
    ("evaluate", evaluate),
    ("users", users),
    ("audit", audit),
    ("crowd", crowd),
):
    app.add_typer(group.app, name=name)


def main() -> None:
    """Run the command line; every error that a person can act on is one clear message and an exit code."""
    # No Python that is started from here on imports from the working folder.
    os.environ["PYTHONSAFEPATH"] = "1"
    take_any_name()
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command; its exit code."""
    use_newest()
    try:
        code: Any = typer.main.get_command(app).main(arguments, prog_name="tynysh", standalone_mode=False)
    except TynyshError as error:
        report(error)
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except typer.TyperException as error:
        hint = "tynysh --help lists the commands, tynysh COMMAND --help its options."
        report(TynyshError(error.format_message(), hint=hint))
        return error.exit_code
    except BrokenPipeError:
        reader_has_gone()
        return 141
    except UnicodeEncodeError as error:
        # What cannot take such a name, as databases, gets it all the same.
        report(
            TynyshError(f"The name {error.object!r} holds what is no text.", hint="Choose a plainer name.")
        )
        return 1
    except OSError as error:
        # The last net: what knows better says so itself.
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        report(TynyshError(f"{where}{error.strerror or error}"))
        return 1
    return code if isinstance(code, int) else 0
