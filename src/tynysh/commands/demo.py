"""`tynysh demo`: a small city that needs no camera."""

from pathlib import Path
from typing import Annotated

from typer import Option

from tynysh.commands.options import Device, Host, Port, Workers
from tynysh.commands.output import say_if_heard


def demo(
    data: Annotated[Path, Option("--data", help="Folder that is emptied for the demo.")] = Path("demo-data"),
    footage: Annotated[
        Path | None, Option("--footage", help="Folder of videos to show.", envvar="TYNYSH_FOOTAGE")
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    workers: Workers = 1,
    device: Device = "CPU",
    seconds: Annotated[float | None, Option("--seconds", min=1, help="End by itself after so long.")] = None,
    headless: Annotated[bool, Option("--headless", help="Open no browser.")] = False,
) -> int:
    """Show a small demo city on real video and a simulated camera, until Ctrl-C."""
    from tynysh.commands.run import prepare
    from tynysh.demo.city import DemoOptions, run_demo
    from tynysh.runtime import logs

    logs.configure()
    options = DemoOptions(data, footage, host, port, workers, device, seconds, open_browser=not headless)
    return run_demo(options, prepare, say_if_heard)
