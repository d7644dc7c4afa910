"""`tynysh run`: watch the cameras and serve the console; and the processes that it starts."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from tynysh.commands.options import Data, DatabaseUrl, Device, Host, Port, Workers, open_database
from tynysh.commands.output import say_if_heard, warn

if TYPE_CHECKING:
    from tynysh.runtime.service import ServiceOptions


def run(
    site: Annotated[
        Path | None, Argument(metavar="[SITE.YAML]", help="Site file to apply first.", show_default=False)
    ] = None,
    data: Data = None,
    database: DatabaseUrl = None,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    workers: Workers = 1,
    allowed_host: Annotated[
        list[str] | None,
        Option("--allowed-host", help="Name by which browsers may reach the console; repeatable."),
    ] = None,
    device: Device = "CPU",
) -> int:
    """Watch the cameras and serve the console, until Ctrl-C."""
    from tynysh.runtime import logs
    from tynysh.runtime.data_folder import DataFolder
    from tynysh.runtime.service import Service, ServiceOptions

    logs.configure()
    options = ServiceOptions(site, data, database, host, port, workers, device, tuple(allowed_host or ()))
    service = Service(options)
    with DataFolder.open(data).alone():
        prepare(options)
        return service.run(ready=lambda address: say_if_heard(f"Console: {address}"))


def prepare(options: "ServiceOptions") -> None:
    """Everything that may fail for a reason that a person can mend, before any process is started.

    Migrates the database, applies the site, pulls missing models, and finds out whether the port is free. A database
    that cannot be reached is no reason to watch nothing, where it is known what was watched before: it is brought up
    to date when it can be. Warns of what others on this machine or on the way could read. Raises TynyshError.
    """
    from tynysh.api.server import listen
    from tynysh.commands.models import pull_missing
    from tynysh.periodic import PeriodicThread
    from tynysh.runtime.console_process import console_settings, is_local
    from tynysh.runtime.data_folder import DataFolder
    from tynysh.runtime.known_sites import KnownSites
    from tynysh.site.credentials import exposed
    from tynysh.site.yaml import load
    from tynysh.store.database import AwayError

    settings = console_settings(options.host, options.allowed_hosts)
    listen(options.host, options.port).close()
    if not is_local(options.host) and not settings.trusted_proxies:
        warn(
            f"The console listens on {options.host} without encryption: passwords and pictures can be read on the way. "
            "Put a proxy with a certificate before it, name it in TYNYSH_TRUSTED_PROXIES, and leave --host out."
        )
    for sentence in filter(None, map(exposed, DataFolder.open(options.data).places)):
        warn(sentence)
    try:
        _bring_up_to_date(options)
    except AwayError as error:
        if options.site is not None:
            load(options.site)
        if KnownSites(DataFolder.open(options.data).known_sites).recall() is None:
            raise
        say_if_heard(f"{error.message} Starting with the cameras of last time.")

        def later() -> None:
            _bring_up_to_date(options)
            thread.stopping.set()

        thread = PeriodicThread("database", later, every_s=2.0)
        thread.start()
    pull_missing()


def _bring_up_to_date(options: "ServiceOptions") -> None:
    """Migrate the database and apply the site, if one was named. Raises TynyshError."""
    import structlog

    from tynysh.commands.site import apply_to, exposed_secrets
    from tynysh.site.apply import stored
    from tynysh.site.time_zones import differing

    with open_database(options.data, options.database) as opened:
        if options.site is not None:
            apply_to(opened, options.site)
        with opened.reading() as session:
            found = stored(session)
        if options.site is None and found is not None:
            for sentence in exposed_secrets(found):
                warn(sentence)
        zones = [site.time_zone for site in found.sites] if found else []
        for difference in differing(zones, datetime.now(UTC)):
            structlog.get_logger(__name__).warning("time_zones.differ", what=difference)


def serve_console(
    host: Annotated[str, Option()],
    port: Annotated[int, Option()],
    allowed_host: Annotated[list[str] | None, Option()] = None,
) -> None:
    """The console's process, started by `run`."""
    from tynysh.runtime.console_process import serve_console as serve

    serve(host, port, tuple(allowed_host or ()))


def serve_cameras(
    worker: Annotated[int, Option()],
    of: Annotated[int, Option()],
    device: Annotated[str, Option()] = "CPU",
) -> None:
    """A worker's process, started by `run`."""
    from tynysh.runtime.worker import serve_cameras as serve

    serve(worker, of, device)
