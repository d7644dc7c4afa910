"""Accounts: names, roles, sites, passwords."""

import pytest

from tynysh.store import users
from tynysh.store.database import Database
from tynysh.store.users import Role, UserError

HASH = "not a hash, but enough where nobody signs in"


def add(database: Database, name: str = "aigerim", role: Role = Role.OPERATOR, **more) -> users.User:
    with database.writing() as session:
        return users.add(session, name, role, password_hash=HASH, now=1.0, **more)


def test_a_new_account_must_change_its_one_time_password(database: Database) -> None:
    user = add(database)
    assert (user.name, user.role, user.sites, user.must_change_password) == (
        "aigerim",
        Role.OPERATOR,
        None,
        True,
    )
    assert not add(database, "bolat", one_time=False).must_change_password
    with database.reading() as session:
        assert [user.name for user in users.everyone(session)] == ["aigerim", "bolat"]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Aigerim", "aigerim"),
        ("  aigerim ", "aigerim"),
        ("ӘЙГЕРІМ", "әйгерім"),
        ("Ａｉ", "ai"),
        ("a.b@c-d", "a.b@c-d"),
    ],
)
def test_a_name_has_one_spelling(written: str, kept: str) -> None:
    assert users.normalised(written) == kept
    assert users.normalised(kept) == kept


@pytest.mark.parametrize("name", ["", "   ", "a b", "-a", "a\n", "a\0b", "a/b", "x" * 65, "<b>", "a'--"])
def test_what_is_no_name_is_refused(name: str) -> None:
    if name == "a\n":
        assert users.normalised(name) == "a"
        return
    with pytest.raises(UserError) as caught:
        users.normalised(name)
    assert caught.value.field == "name"


def test_a_name_is_given_once_however_it_is_written(database: Database) -> None:
    add(database, "aigerim")
    with pytest.raises(UserError, match="already"):
        add(database, "AIGERIM")


def test_a_venue_needs_sites_that_exist_and_others_none(city: Database) -> None:
    assert add(city, "guard", Role.VENUE, sites=["pulse"]).sites == {"pulse"}
    for role, sites, message in (
        (Role.VENUE, [], "at least one site"),
        (Role.OPERATOR, ["pulse"], "role venue only"),
        (Role.VENUE, ["pulze"], "no site 'pulze'"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            add(city, "other", role, sites=sites)
        assert caught.value.field == "sites"


def test_a_short_password_is_refused_with_the_length_that_is_needed() -> None:
    with pytest.raises(UserError, match="9 of at least 10") as caught:
        users.hashed("ninechars")
    assert caught.value.field == "password"
    with pytest.raises(UserError, match="at most"):
        users.hashed("x" * 2000)


def test_only_the_right_password_matches_in_whatever_form_it_is_typed() -> None:
    kept = users.hashed("қауіпсіз кілт é")
    assert "кілт" not in kept
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert users.matches(kept, "қауіпсіз кілт é")
    assert users.matches(kept, "қауіпсіз кілт e\N{COMBINING ACUTE ACCENT}")
    assert not users.matches(kept, "қауіпсіз кілт e")
    assert not users.matches("nonsense", "қауіпсіз кілт é")


def test_one_time_passwords_are_long_enough_and_never_the_same() -> None:
    made = {users.one_time_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(password) >= users.SHORTEST_PASSWORD for password in made)
    assert not set("".join(made)) & set("il1o0IO"), "nothing that is mistaken for something else"


def test_what_is_not_there_cannot_be_changed(database: Database) -> None:
    with database.writing() as session:
        for change in (
            lambda: users.find(session, "nobody"),
            lambda: users.disable(session, "nobody", now=1.0),
            lambda: users.set_password(session, "nobody", HASH, one_time=True),
        ):
            with pytest.raises(UserError, match="no user nobody"):
                change()


def test_a_disabled_account_stays_on_the_list(database: Database) -> None:
    add(database)
    with database.writing() as session:
        assert users.disable(session, "Aigerim", now=5.0).disabled
        assert users.password_hash_of(session, "aigerim") is None
        assert not users.enable(session, "aigerim").disabled
        assert users.password_hash_of(session, "aigerim") == HASH


def test_only_languages_that_tynysh_speaks_are_taken(database: Database) -> None:
    assert add(database, language="kk").language == "kk"
    with database.writing() as session, pytest.raises(UserError) as caught:
        users.set_language(session, "aigerim", "fr")
    assert caught.value.field == "language"
