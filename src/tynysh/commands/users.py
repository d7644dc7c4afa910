"""`tynysh users`: accounts of the console."""

import time
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from tynysh.commands.options import Ask, Data, DatabaseUrl, LanguageOption, group, open_database
from tynysh.commands.output import print_table, say

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tynysh.store.users import User

app = group("Accounts of the console.")


@app.command()
def add(
    name: Annotated[str, Argument(help="Sign-in name.")],
    role: Annotated[
        str, Option("--role", help="admin, lead, operator, venue, analyst, auditor or installer.")
    ],
    site: Annotated[
        list[str] | None, Option("--site", help="Site id, for role venue; may be repeated.")
    ] = None,
    language: LanguageOption = "en",
    ask: Ask = False,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Make an account and print its one-time password."""
    from tynysh.errors import UsageError
    from tynysh.store import users

    if role not in set(users.Role):
        raise UsageError(f"There is no role {role!r}.", hint=f"Choose of {', '.join(users.Role)}.")
    with open_database(data, database) as opened:
        new = _new_password(ask=ask)
        password_hash, now = users.hashed(new), time.time()
        with opened.writing() as session:
            user = users.add(
                session,
                name,
                users.Role(role),
                password_hash=password_hash,
                now=now,
                sites=site or (),
                language=language,
                one_time=not ask,
            )
            detail = {"role": user.role.value, "sites": sorted(user.sites or ())}
            _put_on_record(session, user, "user.add", now, detail)
    say(f"User {user.name} was added with role {user.role}.")
    _say_one_time(new, ask=ask)


@app.command("list")
def list_users(data: Data = None, database: DatabaseUrl = None) -> None:
    """All accounts."""
    from tynysh.store import users

    with open_database(data, database) as opened, opened.reading() as session:
        everyone = users.everyone(session)
    if not everyone:
        say("There are no users yet. tynysh users add NAME --role admin adds the first.")
        return
    rows = []
    for user in everyone:
        must_change = "must change password" if user.must_change_password else "active"
        sites = ", ".join(sorted(user.sites or ())) or "all"
        rows.append(
            (user.name, user.role, sites, user.language, "disabled" if user.disabled else must_change)
        )
    print_table(("Name", "Role", "Sites", "Language", "State"), rows)


@app.command()
def disable(name: str, data: Data = None, database: DatabaseUrl = None) -> None:
    """Shut an account and end its sessions."""
    from tynysh.store import users

    now = time.time()
    with open_database(data, database) as opened, opened.writing() as session:
        user = users.disable(session, name, now=now)
        _put_on_record(session, user, "user.disable", now)
    say(f"User {user.name} is disabled and signed out.")


@app.command()
def enable(name: str, data: Data = None, database: DatabaseUrl = None) -> None:
    """Open a disabled account again; its password stays."""
    from tynysh.store import users

    with open_database(data, database) as opened, opened.writing() as session:
        user = users.enable(session, name)
        _put_on_record(session, user, "user.enable", time.time())
    say(f"User {user.name} may sign in again.")


@app.command()
def unlock(name: str, data: Data = None, database: DatabaseUrl = None) -> None:
    """Let the owner of an account sign in at once, where failed attempts make them wait."""
    from tynysh.store import sessions

    now = time.time()
    with open_database(data, database) as opened, opened.writing() as session:
        user = sessions.unlock(session, name, now=now)
        _put_on_record(session, user, "user.unlock", now)
    say(f"User {user.name} may try to sign in again at once.")


@app.command()
def password(name: str, ask: Ask = False, data: Data = None, database: DatabaseUrl = None) -> None:
    """Give an account a new one-time password."""
    from tynysh.store import users

    with open_database(data, database) as opened:
        new = _new_password(ask=ask)
        password_hash = users.hashed(new)
        with opened.writing() as session:
            user = users.set_password(session, name, password_hash, one_time=not ask)
            _put_on_record(session, user, "user.password", time.time())
    say(f"The password of {user.name} was changed.")
    _say_one_time(new, ask=ask)


def _put_on_record(
    session: "Session", user: "User", action: str, now: float, detail: dict[str, Any] | None = None
) -> None:
    from tynysh.store import record
    from tynysh.store.terminal import at_the_terminal

    record.append(
        session, now=now, user=at_the_terminal(), action=action, object=f"user:{user.name}", detail=detail
    )


def _new_password(*, ask: bool) -> str:
    """A one-time password, or the one that is typed twice. Raises UserError."""
    from getpass import getpass

    from tynysh.store.users import UserError, one_time_password

    if not ask:
        return one_time_password()
    typed = getpass("New password: ")
    if getpass("The same again: ") != typed:
        raise UserError("The two passwords are not the same.", field="password", hint="Try again.")
    return typed


def _say_one_time(password: str, *, ask: bool) -> None:
    if not ask:
        say(f"One-time password: {password}")
        say("It is shown only now, and must be changed at the first sign-in.")
