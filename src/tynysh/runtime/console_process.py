"""The console's process, started by the supervisor."""

import os
import signal
import threading
from ipaddress import ip_address

from tynysh.api.server import serve
from tynysh.api.settings import ApiSettings
from tynysh.bus.workers import Workers
from tynysh.runtime import logs
from tynysh.runtime.data_folder import DataFolder
from tynysh.runtime.supervisor import stop_requested
from tynysh.store.database import SERVING, Database


def console_settings(host: str, allowed_hosts: tuple[str, ...]) -> ApiSettings:
    """The console's settings, from the command line and the environment. Raises UsageError."""
    return ApiSettings(
        allowed_hosts=allowed_hosts if host in {"0.0.0.0", "::"} else (host, *allowed_hosts),  # noqa: S104 - compared
        metrics_token=os.environ.get("TYNYSH_METRICS_TOKEN"),
        trusted_proxies=tuple(filter(None, os.environ.get("TYNYSH_TRUSTED_PROXIES", "").split(","))),
    )


def is_local(host: str) -> bool:
    """Whether only this machine itself reaches `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def serve_console(host: str, port: int, allowed_hosts: tuple[str, ...]) -> None:
    """Serve the console until told to stop, or until the supervisor is gone."""
    # Who only asks for the settings, as `tynysh run` does before it starts anything, need not wait for all of the API.
    from tynysh.api.app import create_app

    logs.configure()
    orphaned = stop_requested()
    folder = DataFolder.open()
    database = Database.open(folder.database_url, patience=SERVING, there=False)
    settings = console_settings(host, allowed_hosts)
    app = create_app(database, workers=Workers(folder.bus), data_dir=folder.root, settings=settings)

    def end_with_the_supervisor() -> None:
        orphaned.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end_with_the_supervisor, name="orphaned", daemon=True).start()
    try:
        serve(app, host, port)
    finally:
        database.close()
