"""What `tynysh users` does and prints."""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from tynysh.audit import record
from tynysh.errors import UsageError
from tynysh.store import users
from tynysh.store.database import Database
from tynysh.store.users import Role

Ask = Callable[[], str]
"""Asks a person at the terminal for a new password, twice, and returns it."""


def add(
    database: Database,
    name: str,
    role: str,
    console: Console,
    *,
    now: float,
    by: str,
    sites: Sequence[str] = (),
    language: str = "en",
    ask: Ask | None = None,
) -> int:
    """Make an account. `ask` gives its password; without it a one-time password is made and printed, once.

    Raises UserError.
    """
    wanted = _role(role)
    password = ask() if ask is not None else users.one_time_password()
    password_hash = users.hashed(password)
    with database.writing() as session:
        user = users.add(
            session,
            name,
            wanted,
            password_hash=password_hash,
            now=now,
            sites=sites,
            language=users.checked_language(language),
            one_time=ask is None,
        )
        detail = {"role": user.role.value, "sites": sorted(user.sites or ())}
        record.append(session, now=now, user=by, action="user.add", object=f"user:{user.name}", detail=detail)
    _plainly(console, f"User {user.name} was added with role {user.role}.")
    if ask is None:
        _print_one_time(console, password)
    return 0


def show(database: Database, console: Console) -> int:
    """Print all accounts."""
    with database.reading() as session:
        everyone = users.everyone(session)
    if not everyone:
        _plainly(console, "There are no users yet. tynysh users add NAME --role admin adds the first.")
        return 0
    table = Table("Name", "Role", "Sites", "Language", "State")
    for user in everyone:
        state = (
            "disabled" if user.disabled else "must change password" if user.must_change_password else "active"
        )
        table.add_row(
            user.name, user.role, ", ".join(sorted(user.sites or ())) or "all", user.language, state
        )
    console.print(table, markup=False)
    return 0


def disable(database: Database, name: str, console: Console, *, now: float, by: str) -> int:
    """Shut an account and sign it out everywhere. Raises UserError."""
    with database.writing() as session:
        user = users.disable(session, name, now=now)
        record.append(session, now=now, user=by, action="user.disable", object=f"user:{user.name}")
    _plainly(console, f"User {user.name} is disabled and signed out.")
    return 0


def enable(database: Database, name: str, console: Console, *, now: float, by: str) -> int:
    """Open a disabled account again. Raises UserError."""
    with database.writing() as session:
        user = users.enable(session, name)
        record.append(session, now=now, user=by, action="user.enable", object=f"user:{user.name}")
    _plainly(console, f"User {user.name} may sign in again.")
    return 0


def set_password(
    database: Database, name: str, console: Console, *, now: float, by: str, ask: Ask | None = None
) -> int:
    """Give an account another password and sign it out everywhere; see `add`. Raises UserError."""
    password = ask() if ask is not None else users.one_time_password()
    password_hash = users.hashed(password)
    with database.writing() as session:
        user = users.set_password(session, name, password_hash, one_time=ask is None)
        record.append(session, now=now, user=by, action="user.password", object=f"user:{user.name}")
    _plainly(console, f"The password of {user.name} was changed.")
    if ask is None:
        _print_one_time(console, password)
    return 0


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise UsageError(f"There is no role {role!r}.", hint=f"Choose of {', '.join(Role)}.") from None


def _print_one_time(console: Console, password: str) -> None:
    _plainly(console, f"One-time password: {password}")
    _plainly(console, "It is shown only now, and must be changed at the first sign-in.")


def _plainly(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
