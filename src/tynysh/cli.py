"""The `tynysh` command: what can be asked for, and how errors are told."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tynysh import __version__
from tynysh.errors import TynyshError
from tynysh.translations import Language

app = typer.Typer(
    name="tynysh",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
models = typer.Typer(help="The networks that Tynysh uses.", no_args_is_help=True, rich_markup_mode=None)
evaluate = typer.Typer(help="How well Tynysh sees.", no_args_is_help=True, rich_markup_mode=None)
users = typer.Typer(help="Accounts of the console.", no_args_is_help=True, rich_markup_mode=None)
audit = typer.Typer(help="Who did or looked at what.", no_args_is_help=True, rich_markup_mode=None)
crowd = typer.Typer(help="How many people there were.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(models, name="models")
app.add_typer(evaluate, name="evaluate")
app.add_typer(users, name="users")
app.add_typer(audit, name="audit")
app.add_typer(crowd, name="crowd")

Data = Annotated[
    Path | None, typer.Option("--data", help="Data folder.", envvar="TYNYSH_DATA", show_default=False)
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database",
        help="Database: a path or postgresql://USER@HOST/NAME. By default a file in the data folder.",
        envvar="TYNYSH_DATABASE",
        show_default=False,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device", help="Where networks run: CPU, GPU, NPU, AUTO (OpenVINO), ORT-CPU, CUDA, TENSORRT."
    ),
]
SiteFilePath = Annotated[Path, typer.Argument(metavar="SITE.YAML", help="The site file.", show_default=False)]


def main() -> None:
    """Run the command line; every error that a person can act on is one clear message and an exit code."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command; its exit code."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        code: Any = typer.main.get_command(app).main(arguments, prog_name="tynysh", standalone_mode=False)
    except TynyshError as error:
        tell(errors, error)
        return error.exit_code
    except typer.Abort:
        return 130
    except typer.TyperException as error:
        errors.print(f"error: {error.format_message()}", markup=False)
        errors.print("  tynysh --help lists the commands, tynysh COMMAND --help its options.", markup=False)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has gone: nothing more can be said to it, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        # The last net: what knows better says so itself.
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        errors.print(f"error: {where}{error.strerror or error}", markup=False)
        return 1
    return code if isinstance(code, int) else 0


def tell(errors: Console, error: TynyshError) -> None:
    """Print an error and what to do about it."""
    errors.print(f"error: {error.message}", markup=False)
    if error.hint:
        errors.print(f"  {error.hint}", markup=False)


class _Printer(Console):
    """Tells `run_command` that the reader has gone, in place of ending the program by itself."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _console() -> Console:
    return _Printer(highlight=False)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Public-safety video analytics: acts and conditions, never identities."""
    if version:
        typer.echo(f"tynysh {__version__}")
        raise typer.Exit


@app.command()
def check(site: SiteFilePath) -> int:
    """Find every mistake in a site file, each with its line and column."""
    from tynysh.commands import site as commands

    return commands.check(site, _console())


@app.command()
def apply(
    site: SiteFilePath,
    data: Data = None,
    database: DatabaseUrl = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
) -> int:
    """Make the database say what a site file says; shows what changes."""
    from tynysh.commands import site as commands

    with _open(data, database) as opened:
        return commands.apply(site, opened, _console(), dry_run=dry_run)


@app.command()
def export(
    data: Data = None,
    database: DatabaseUrl = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; else it is printed.")
    ] = None,
) -> None:
    """Write the sites of the database as YAML; applying that changes nothing."""
    from tynysh.commands import site as commands

    with _open(data, database) as opened:
        commands.export(opened, out)


@app.command()
def analyze(
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Files, or folders of files.")],
    site: Annotated[Path | None, typer.Option("--site", help="Site file: zones, limits, analysers.")] = None,
    camera: Annotated[
        str | None, typer.Option("--camera", help="Which camera of the site, by id or name.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Events as JSON lines.")] = False,
    render: Annotated[
        Path | None, typer.Option("--render", help="Write an annotated, anonymised MP4.")
    ] = None,
    tracks: Annotated[
        Path | None, typer.Option("--tracks", help="Write tracks in MOTChallenge format.")
    ] = None,
    counts: Annotated[
        Path | None,
        typer.Option("--counts", help="Write how many people are where, once a second, as CSV."),
    ] = None,
    language: Annotated[str, typer.Option("--language", help="Of the table: kk, ru or en.")] = "en",
    device: Device = "CPU",
) -> int:
    """What happens in these videos: the live pipeline, as fast as the machine allows."""
    from tynysh.commands.analyze import AnalyzeOptions, run_analyze

    options = AnalyzeOptions(
        tuple(videos), site, camera, as_json, render, tracks, counts, _language(language), device
    )
    return run_analyze(options, _console(), lambda error: tell(Console(stderr=True, highlight=False), error))


@app.command()
def bench(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="A file.")],
    site: Annotated[Path | None, typer.Option("--site", help="Site file: zones, limits, analysers.")] = None,
    camera: Annotated[
        str | None, typer.Option("--camera", help="Which camera of the site, by id or name.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON.")] = False,
    device: Device = "CPU",
) -> None:
    """What a second of video costs: CPU time by stage, memory, delay of events."""
    import json

    from tynysh.commands.analyze import bench_video
    from tynysh.evaluation.bench import print_result

    result = bench_video(video, site, camera, device)
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2, ensure_ascii=False))
    else:
        print_result(_console(), result)


@app.command()
def calibrate(
    video: Annotated[
        Path, typer.Argument(metavar="VIDEO", help="A file from the camera, with people walking.")
    ],
    site: Annotated[
        Path | None, typer.Option("--site", help="Site file: what was measured is checked.")
    ] = None,
    camera: Annotated[
        str | None, typer.Option("--camera", help="Which camera of the site, by id or name.")
    ] = None,
    grid: Annotated[
        Path | None,
        typer.Option("--grid", help="Write a picture with metres laid on the floor (.png, .jpg)."),
    ] = None,
    device: Device = "CPU",
) -> int:
    """How the floor lies in a camera's picture, in metres, and how well that is known."""
    from tynysh.commands.calibrate import run_calibrate

    return run_calibrate(video, site, camera, grid, device, _console())


@evaluate.command("fights")
def evaluate_fights(
    clips: Annotated[
        Path, typer.Argument(metavar="CLIPS.CSV", help="path,fight relative to the file's folder.")
    ],
    as_json: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file ('-' prints).")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write a report page (HTML).")] = None,
    device: Device = "CPU",
) -> None:
    """Judge the shipped fight model on labelled clips, through the code that runs in production."""
    from tynysh.evaluation import evaluate_fights as evaluation

    evaluation.run(clips, as_json, report, _console(), device=device)


@evaluate.command("footage")
def evaluate_footage(
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS.CSV", help="file,start,end,behaviour: files relative to the list's folder."
        ),
    ],
    site: Annotated[Path | None, typer.Option("--site", help="Site file: zones, limits, analysers.")] = None,
    camera: Annotated[
        str | None, typer.Option("--camera", help="Which camera of the site all files are of, by id or name.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write a report page (HTML).")] = None,
    as_json: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file ('-' prints).")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume", help="Folder in which what is done is kept; a later run goes on from there."
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance", min=0, max=600, help="Seconds by which alert and label may miss each other."
        ),
    ] = 2.0,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes that share the files.")
    ] = 1,
    language: Annotated[str, typer.Option("--language", help="Of table and page: kk, ru or en.")] = "en",
    device: Device = "CPU",
) -> int:
    """Judge Tynysh on labelled recordings of one's own, event by event, through the live pipeline."""
    from datetime import UTC, datetime

    from tynysh.evaluation.evaluate_footage import FootageOptions
    from tynysh.evaluation.evaluate_footage import run as evaluate

    options = FootageOptions(
        labels,
        site=site,
        camera=camera,
        json_out=as_json,
        report_out=report,
        resume=resume,
        language=_language(language),
        device=device,
        workers=workers,
        tolerance_s=tolerance,
    )
    return evaluate(
        options,
        _console(),
        lambda error: tell(Console(stderr=True, highlight=False, soft_wrap=True), error),
        now=datetime.now(UTC),
    )


@app.command()
def tune(
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RECORDING]...",
            help="Videos in which nothing happens, or one LABELS.csv; without any, what the running system learnt.",
            show_default=False,
        ),
    ] = None,
    site: Annotated[Path | None, typer.Option("--site", help="Site file: zones, limits, analysers.")] = None,
    camera: Annotated[
        str | None, typer.Option("--camera", help="Which camera of the site, by id or name.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", min=0.001, max=1000, help="False alarms a day that are borne.")
    ] = None,
    recall_floor: Annotated[
        float | None,
        typer.Option("--recall-floor", min=0, max=1, help="Part of what happens that must still be found."),
    ] = None,
    as_json: Annotated[
        Path | None, typer.Option("--json", help="Write the figures of every threshold to this file.")
    ] = None,
    data: Data = None,
    database: DatabaseUrl = None,
    device: Device = "CPU",
) -> int:
    """Thresholds that keep a camera within its alarm budget, and what they cost in recall."""
    from tynysh.evaluation import tune as tuning

    if not recordings:
        with _open(data, database) as opened:
            return tuning.show_learnt(opened, _console())
    options = tuning.TuneOptions(tuple(recordings), site, camera, budget, recall_floor, as_json, device)
    return tuning.tune(options, _console(), lambda error: tell(Console(stderr=True, highlight=False), error))


@models.command("list")
def models_list() -> None:
    """Which models there are: task, licence, size, and whether they are here."""
    from tynysh.commands import models as commands

    commands.list_models(_console())


@models.command("pull")
def models_pull(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="All that are needed by default.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="Folder that holds the files, for closed networks.")
    ] = None,
) -> None:
    """Fetch models from their pinned sources, and verify them."""
    from tynysh.commands import models as commands

    commands.pull_models(_console(), names or (), source=source)


@models.command("verify")
def models_verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="All that are here by default.")
    ] = None,
) -> None:
    """Check the files on this machine against their SHA-256."""
    from tynysh.commands import models as commands

    commands.verify_models(_console(), names or ())


@users.command("add")
def users_add(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    role: Annotated[
        str, typer.Option("--role", help="admin, lead, operator, venue, analyst, auditor or installer.")
    ],
    site: Annotated[
        list[str] | None, typer.Option("--site", help="Site id, for role venue; may be repeated.")
    ] = None,
    language: Annotated[str, typer.Option("--language", help="kk, ru or en.")] = "en",
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask for a password in place of a one-time password.")
    ] = False,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Make an account and print its one-time password."""
    from tynysh.commands import users as user_commands

    with _open(data, database) as opened:
        user_commands.add(
            opened, _console(), name, role, sites=site or (), language=_language(language), ask=ask
        )


@users.command("list")
def users_list(data: Data = None, database: DatabaseUrl = None) -> None:
    """All accounts."""
    from tynysh.commands import users as user_commands

    with _open(data, database) as opened:
        user_commands.list_users(opened, _console())


@users.command("disable")
def users_disable(name: str, data: Data = None, database: DatabaseUrl = None) -> None:
    """Shut an account and end its sessions."""
    from tynysh.commands import users as user_commands

    with _open(data, database) as opened:
        user_commands.disable(opened, _console(), name)


@users.command("enable")
def users_enable(name: str, data: Data = None, database: DatabaseUrl = None) -> None:
    """Open a disabled account again; its password stays."""
    from tynysh.commands import users as user_commands

    with _open(data, database) as opened:
        user_commands.enable(opened, _console(), name)


@users.command("password")
def users_password(
    name: str,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask for a password in place of a one-time password.")
    ] = False,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Give an account a new one-time password."""
    from tynysh.commands import users as user_commands

    with _open(data, database) as opened:
        user_commands.password(opened, _console(), name, ask=ask)


@app.command("export-verdicts")
def export_verdicts(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or an empty folder.")],
    since: Annotated[
        str | None, typer.Option("--since", help="Only incidents from this date on, as 2026-11-22 (UTC).")
    ] = None,
    site: Annotated[str | None, typer.Option("--site", help="Only incidents of this site, by id.")] = None,
    language: Annotated[str, typer.Option("--language", help="Of the README: kk, ru or en.")] = "en",
    data: Data = None,
    database: DatabaseUrl = None,
) -> int:
    """Write what operators decided as a labelled set of anonymised clips, for evaluation and training."""
    from datetime import UTC, datetime

    from tynysh.evaluation import verdicts
    from tynysh.runtime.data_folder import DataFolder

    options = verdicts.ExportOptions(
        folder, None if since is None else verdicts.since(since), site, _language(language)
    )
    with _open(data, database) as opened:
        return verdicts.export(
            opened, DataFolder.open(data).evidence, options, _console(), now=datetime.now(UTC)
        )


@audit.command("verify")
def audit_verify(data: Data = None, database: DatabaseUrl = None) -> int:
    """Check that no entry of the audit record was altered or taken out."""
    from tynysh.commands import audit as commands

    with _open(data, database) as opened:
        return commands.verify(opened, _console())


@audit.command("list")
def audit_list(
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=100_000, help="How many entries, newest first.")
    ] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Entries as JSON lines.")] = False,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """The newest entries: who did or looked at what, and when."""
    from tynysh.commands import audit as commands

    with _open(data, database) as opened:
        commands.list_entries(opened, _console(), limit=limit, as_json=as_json)


@crowd.command("export")
def crowd_export(
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: FILE.csv or FILE.parquet.")],
    begin: Annotated[
        str | None, typer.Option("--from", help="First day, or moment: 2026-12-16, 2026-12-16T18:00.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last day, or moment.")] = None,
    site: Annotated[str | None, typer.Option("--site", help="One site, by id or name.")] = None,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Write people by zone, line, place and minute as CSV or Parquet."""
    from tynysh.commands import crowd as crowd_commands

    with _open(data, database) as opened:
        crowd_commands.export(opened, _console(), out, begin=begin, end=end, site=site)


@app.command()
def run(
    site: Annotated[
        Path | None,
        typer.Argument(metavar="[SITE.YAML]", help="Site file to apply first.", show_default=False),
    ] = None,
    data: Data = None,
    database: DatabaseUrl = None,
    host: Annotated[str, typer.Option("--host", help="Address that the console listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the console.")] = 8080,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes that share the cameras.")
    ] = 1,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option("--allowed-host", help="Name by which browsers may reach the console; repeatable."),
    ] = None,
    device: Device = "CPU",
) -> int:
    """Watch the cameras and serve the console, until Ctrl-C."""
    from tynysh.runtime import logs
    from tynysh.runtime.service import Service, ServiceOptions

    logs.configure()
    console = _console()
    service = Service(
        ServiceOptions(site, data, database, host, port, workers, device, tuple(allowed_host or ()))
    )
    service.prepare(console)
    return service.run(ready=lambda address: console.print(f"Console: {address}", markup=False))


@app.command()
def demo(
    data: Annotated[Path, typer.Option("--data", help="Folder that is emptied for the demo.")] = Path(
        "demo-data"
    ),
    footage: Annotated[
        Path | None, typer.Option("--footage", help="Folder of videos to show.", envvar="TYNYSH_FOOTAGE")
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address that the console listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the console.")] = 8080,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes that share the cameras.")
    ] = 1,
    device: Device = "CPU",
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=1, help="End by itself after so long.")
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Open no browser.")] = False,
) -> int:
    """Show a small demo city on real video and a simulated camera, until Ctrl-C."""
    from tynysh.demo.city import DemoOptions, run_demo
    from tynysh.runtime import logs

    logs.configure()
    options = DemoOptions(data, footage, host, port, workers, device, seconds, open_browser=not headless)
    return run_demo(options, _console())


@app.command("serve-console", hidden=True)
def serve_console(
    host: Annotated[str, typer.Option()],
    port: Annotated[int, typer.Option()],
    allowed_host: Annotated[list[str] | None, typer.Option()] = None,
) -> None:
    """The console's process, started by `run`."""
    from tynysh.runtime.console_process import serve_console as serve

    serve(host, port, tuple(allowed_host or ()))


@app.command("serve-cameras", hidden=True)
def serve_cameras(
    worker: Annotated[int, typer.Option()],
    of: Annotated[int, typer.Option()],
    device: Annotated[str, typer.Option()] = "CPU",
) -> None:
    """A worker's process, started by `run`."""
    from tynysh.runtime.worker import serve_cameras as serve

    serve(worker, of, device)


def _language(given: str) -> Language:
    from tynysh.errors import UsageError
    from tynysh.translations import LANGUAGES

    for language in LANGUAGES:
        if language == given:
            return language
    raise UsageError(f"There is no language {given!r}.", hint=f"Choose one of {', '.join(LANGUAGES)}.")


def _open(data: Path | None, database: str | None) -> Any:
    """The migrated database, as a context that closes it."""
    from contextlib import closing

    from tynysh.runtime.data_folder import DataFolder
    from tynysh.store.database import Database
    from tynysh.store.migrate import migrate

    opened = Database.open(database or DataFolder.open(data).database_url)
    migrate(opened)
    return closing(opened)
