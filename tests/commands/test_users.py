"""What `tynysh users` does and prints."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tynysh.cli import run_command
from tynysh.store import record, sessions
from tynysh.store.database import Database

Users = Callable[..., str]


@pytest.fixture
def users(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> Users:
    """Run a command that must succeed (or end with `code`), and give what it said."""

    def run(*arguments: str, code: int = 0) -> str:
        assert run_command(["users", *arguments, "--database", sqlite_url]) == code
        output = capsys.readouterr()
        return output.out + output.err

    return run


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    with closing(Database.open(sqlite_url)) as opened:
        yield opened


Typing = Callable[..., None]


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Typing:
    """Somebody at the terminal who types these passwords, one after the other."""

    def types(*words: str) -> None:
        left = iter(words)
        monkeypatch.setattr("getpass.getpass", lambda _: next(left))

    return types


def test_an_account_that_must_wait_is_let_in_at_once(
    database: Database, users: Users, typing: Typing
) -> None:
    typing("correct horse", "correct horse")
    users("add", "aigerim", "--role", "operator", "--ask")
    for number in range(6):
        with pytest.raises(sessions.TooManyAttemptsError if number == 5 else sessions.WrongCredentialsError):
            sessions.sign_in(database, "aigerim", "wrong", address="10.0.0.7", now=1.0)
    assert "at once" in users("unlock", "Aigerim")
    sessions.sign_in(database, "aigerim", "correct horse", address="10.0.0.7", now=1.0)
    with database.reading() as session:
        entry = record.entries(session)[0]
    assert (entry.action, entry.object) == ("user.unlock", "user:aigerim")
    assert "There is no user nobody" in users("unlock", "nobody", code=2)


def test_an_account_is_made_with_a_one_time_password_that_works(database: Database, users: Users) -> None:
    output = users("add", "Aigerim", "--role", "operator", "--language", "kk")
    found = re.search(r"One-time password: (\S+)\n", output)
    assert found is not None
    opened = sessions.sign_in(database, "aigerim", found[1], address=None, now=1.0)
    assert opened.user.must_change_password
    assert opened.user.language == "kk"
    with database.reading() as session:
        entry = record.entries(session)[0]
    assert (entry.action, entry.object, entry.detail["role"]) == ("user.add", "user:aigerim", "operator")
    assert entry.user.endswith("@terminal")
    assert found[1] not in str(entry)


def test_a_password_can_be_typed_twice_instead_and_is_not_printed(
    database: Database, users: Users, typing: Typing
) -> None:
    typing("correct horse", "correct horse")
    assert "correct horse" not in users("add", "bolat", "--role", "admin", "--ask")
    assert not sessions.sign_in(
        database, "bolat", "correct horse", address=None, now=1.0
    ).user.must_change_password
    typing("correct horse", "battery staple")
    assert "not the same" in users("password", "bolat", "--ask", code=2)


def test_a_new_password_replaces_the_old(database: Database, users: Users, typing: Typing) -> None:
    typing("correct horse", "correct horse")
    users("add", "bolat", "--role", "admin", "--ask")
    new = users("password", "bolat").split("One-time password: ")[1].split()[0]
    with pytest.raises(sessions.WrongCredentialsError):
        sessions.sign_in(database, "bolat", "correct horse", address=None, now=1.0)
    assert sessions.sign_in(database, "bolat", new, address=None, now=2.0).user.must_change_password


def test_the_list_shows_role_and_state(database: Database, users: Users, typing: Typing) -> None:
    assert "no users yet" in users("list")
    typing("correct horse", "correct horse")
    users("add", "bolat", "--role", "admin", "--ask")
    users("add", "aigerim", "--role", "operator")
    users("disable", "bolat")
    lines = users("list").splitlines()
    assert any("aigerim" in line and "operator" in line and "must change password" in line for line in lines)
    assert any("bolat" in line and "admin" in line and "disabled" in line for line in lines)
    users("enable", "bolat")
    sessions.sign_in(database, "bolat", "correct horse", address=None, now=1.0)


def test_an_unknown_role_is_refused_with_those_that_there_are(users: Users) -> None:
    output = users("add", "bolat", "--role", "boss", code=2)
    assert "no role 'boss'" in output
    assert "admin, lead, operator" in output
