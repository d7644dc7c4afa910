"""`tynysh accept-clock`: a person's word that the clock is right."""

from tynysh.commands.options import Data, DatabaseUrl, open_database
from tynysh.commands.output import say


def accept_clock(data: Data = None, database: DatabaseUrl = None) -> None:
    """Confirm that this machine's clock is right: what is old by it is deleted."""
    from datetime import UTC, datetime

    from tynysh.evidence import retention_time
    from tynysh.runtime.clocks import read_clocks
    from tynysh.store.terminal import at_the_terminal

    clocks = read_clocks()
    with open_database(data, database) as opened, opened.writing() as session:
        retention_time.accept(session, clocks, user=at_the_terminal())
    said = datetime.fromtimestamp(clocks.now, UTC).strftime("%Y-%m-%d %H:%M")
    say(f"Retention goes by the clock: it is {said} UTC. What is due by it is deleted within ten minutes.")
