"""What `tynysh users` does and prints."""

import io
import re

import pytest
from rich.console import Console

from tynysh.commands import users as user_commands
from tynysh.errors import UsageError
from tynysh.store import record, sessions
from tynysh.store.database import Database
from tynysh.store.users import UserError


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_an_account_is_made_with_a_one_time_password_that_works(sqlite_url: str, console: Console) -> None:
    database = Database.open(sqlite_url)
    assert user_commands.add(database, console, "Aigerim", "operator", language="kk") == 0
    found = re.search(r"One-time password: (\S+)\n", printed(console))
    assert found is not None
    signed = sessions.sign_in(database, "aigerim", found[1], address=None, now=1.0)
    assert signed.user.must_change_password
    assert signed.user.language == "kk"
    with database.reading() as session:
        entry = record.entries(session)[0]
    assert (entry.action, entry.object, entry.detail["role"]) == ("user.add", "user:aigerim", "operator")
    assert entry.user.endswith("@terminal")
    assert found[1] not in str(entry)
    database.close()


def test_a_password_can_be_typed_twice_instead_and_is_not_printed(sqlite_url: str, console: Console) -> None:
    database = Database.open(sqlite_url)
    user_commands.add(database, console, "bolat", "admin", ask=True, read=lambda _: "correct horse")
    assert "correct horse" not in printed(console)
    assert not sessions.sign_in(
        database, "bolat", "correct horse", address=None, now=1.0
    ).user.must_change_password
    words = iter(["correct horse", "battery staple"])
    with pytest.raises(UserError, match="not the same"):
        user_commands.password(database, console, "bolat", ask=True, read=lambda _: next(words))
    database.close()


def test_a_new_password_replaces_the_old(sqlite_url: str, console: Console) -> None:
    database = Database.open(sqlite_url)
    user_commands.add(database, console, "bolat", "admin", ask=True, read=lambda _: "correct horse")
    user_commands.password(database, console, "bolat")
    with pytest.raises(sessions.WrongCredentialsError):
        sessions.sign_in(database, "bolat", "correct horse", address=None, now=1.0)
    new = printed(console).split("One-time password: ")[1].split()[0]
    assert sessions.sign_in(database, "bolat", new, address=None, now=2.0).user.must_change_password
    database.close()


def test_the_list_shows_role_and_state(sqlite_url: str, console: Console) -> None:
    database = Database.open(sqlite_url)
    user_commands.list_users(database, console)
    assert "no users yet" in printed(console)
    user_commands.add(database, console, "bolat", "admin", ask=True, read=lambda _: "correct horse")
    user_commands.add(database, console, "aigerim", "operator")
    user_commands.disable(database, console, "bolat")
    user_commands.list_users(database, console)
    lines = printed(console).splitlines()
    assert any("aigerim" in line and "operator" in line and "must change password" in line for line in lines)
    assert any("bolat" in line and "admin" in line and "disabled" in line for line in lines)
    user_commands.enable(database, console, "bolat")
    sessions.sign_in(database, "bolat", "correct horse", address=None, now=1.0)
    database.close()


def test_an_unknown_role_is_refused_with_those_that_there_are(sqlite_url: str, console: Console) -> None:
    database = Database.open(sqlite_url)
    with pytest.raises(UsageError, match="no role 'boss'") as caught:
        user_commands.add(database, console, "bolat", "boss")
    assert "admin, lead, operator" in (caught.value.hint or "")
    database.close()
