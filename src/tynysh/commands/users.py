"""What `tynysh users` does and prints."""

import getpass
import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from tynysh.errors import UsageError
from tynysh.store import record, users
from tynysh.store.database import Database
from tynysh.store.terminal import at_the_terminal
from tynysh.store.users import Role, UserError

Read = Callable[[str], str]
"""Asks for a password without showing it: the prompt to what was typed."""


def add(
    database: Database,
    console: Console,
    name: str,
    role: str,
    *,
    sites: Sequence[str] = (),
    language: str = "en",
    ask: bool = False,
    read: Read = getpass.getpass,
) -> int:
    """Make an account with a one-time password, printed once, or with `ask` the password that is typed.

    Raises UserError, UsageError.
    """
    wanted = _role(role)
    new = _typed(read) if ask else users.one_time_password()
    password_hash = users.hashed(new)
    now = time.time()
    with database.writing() as session:
        user = users.add(
            session,
            name,
            wanted,
            password_hash=password_hash,
            now=now,
            sites=sites,
            language=users.checked_language(language),
            one_time=not ask,
        )
        detail = {"role": user.role.value, "sites": sorted(user.sites or ())}
        record.append(
            session,
            now=now,
            user=at_the_terminal(),
            action="user.add",
            object=f"user:{user.name}",
            detail=detail,
        )
    _plainly(console, f"User {user.name} was added with role {user.role}.")
    if not ask:
        _print_one_time(console, new)
    return 0


def list_users(database: Database, console: Console) -> int:
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


def disable(database: Database, console: Console, name: str) -> int:
    """Shut an account and sign it out everywhere. Raises UserError."""
    now = time.time()
    with database.writing() as session:
        user = users.disable(session, name, now=now)
        record.append(
            session, now=now, user=at_the_terminal(), action="user.disable", object=f"user:{user.name}"
        )
    _plainly(console, f"User {user.name} is disabled and signed out.")
    return 0


def enable(database: Database, console: Console, name: str) -> int:
    """Open a disabled account again. Raises UserError."""
    now = time.time()
    with database.writing() as session:
        user = users.enable(session, name)
        record.append(
            session, now=now, user=at_the_terminal(), action="user.enable", object=f"user:{user.name}"
        )
    _plainly(console, f"User {user.name} may sign in again.")
    return 0


def password(
    database: Database, console: Console, name: str, *, ask: bool = False, read: Read = getpass.getpass
) -> int:
    """Give an account another password and sign it out everywhere; see `add`. Raises UserError."""
    new = _typed(read) if ask else users.one_time_password()
    password_hash = users.hashed(new)
    now = time.time()
    with database.writing() as session:
        user = users.set_password(session, name, password_hash, one_time=not ask)
        record.append(
            session, now=now, user=at_the_terminal(), action="user.password", object=f"user:{user.name}"
        )
    _plainly(console, f"The password of {user.name} was changed.")
    if not ask:
        _print_one_time(console, new)
    return 0


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise UsageError(f"There is no role {role!r}.", hint=f"Choose of {', '.join(Role)}.") from None


def _typed(read: Read) -> str:
    first = read("New password: ")
    if read("The same again: ") != first:
        raise UserError("The two passwords are not the same.", field="password", hint="Try again.")
    return first


def _print_one_time(console: Console, password: str) -> None:
    _plainly(console, f"One-time password: {password}")
    _plainly(console, "It is shown only now, and must be changed at the first sign-in.")


def _plainly(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
