"""`tynysh run`: watch the cameras and serve the console; and the processes that it starts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from tynysh.commands.options import Data, DatabaseUrl, Device, Host, Port, Workers, open_database
from tynysh.commands.output import say, warn

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
        return service.run(ready=lambda address: say(f"Console: {address}"))


def prepare(options: "ServiceOptions") -> None:
    """Everything that may fail for a reason that a person can mend, before any process is started.

    Migrates the database, applies the site, pulls missing models, and finds out whether the port is free.
    Warns of what others on this machine or on the way could read. Raises TynyshError.
    """
    from tynysh.api.server import listen
    from tynysh.commands.models import pull_missing
    from tynysh.commands.site import apply_to, exposed_secrets
    from tynysh.runtime.console_process import console_settings, is_local
    from tynysh.runtime.data_folder import DataFolder
    from tynysh.site.apply import stored
    from tynysh.site.credentials import exposed

    settings = console_settings(options.host, options.allowed_hosts)
    listen(options.host, options.port).close()
    if not is_local(options.host) and not settings.trusted_proxies:
        warn(
            f"The console listens on {options.host} without encryption: passwords and pictures can be read on the way. "
            "Put a proxy with a certificate before it, name it in TYNYSH_TRUSTED_PROXIES, and leave --host out."
        )
    for sentence in filter(None, map(exposed, DataFolder.open(options.data).places)):
        warn(sentence)
    with open_database(options.data, options.database) as opened:
        if options.site is not None:
            apply_to(opened, options.site)
        else:
            with opened.reading() as session:
                site = stored(session)
            for sentence in () if site is None else exposed_secrets(site):
                warn(sentence)
    pull_missing()


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
