"""Signing in, staying signed in, and what happens to those who guess."""

from contextlib import suppress

import pytest
from sqlalchemy import select

from tynysh.store import sessions, users
from tynysh.store.database import Database
from tynysh.store.schema import LoginFailureRow, SessionRow
from tynysh.store.sessions import (
    IDLE_S,
    LIFETIME_S,
    SessionUse,
    TooManyAttemptsError,
    WrongCredentialsError,
    sign_in,
    signed_in,
)
from tynysh.store.users import Role, UserError

PASSWORD = "correct horse"
HOME = "10.0.0.7"
USE = SessionUse()


@pytest.fixture(scope="session")
def password_hash() -> str:
    return users.hashed(PASSWORD)


@pytest.fixture
def office(database: Database, password_hash: str) -> Database:
    """A database with one operator, aigerim."""
    with database.writing() as session:
        users.add(session, "aigerim", Role.OPERATOR, password_hash=password_hash, now=0.0)
    return database


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compares passwords at once, for tests of many attempts."""
    monkeypatch.setattr(users, "matches", lambda kept, password: kept is not None and password == PASSWORD)
    monkeypatch.setattr(users, "needs_rehash", lambda kept: False)


def fail(database: Database, *, name: str = "aigerim", address: str = HOME, now: float) -> None:
    with pytest.raises(WrongCredentialsError):
        sign_in(database, name, "wrong", address=address, now=now)


class TestSigningIn:
    def test_gives_a_token_of_which_only_the_hash_is_kept(self, office: Database) -> None:
        opened = sign_in(office, " AIGERIM ", PASSWORD, address=HOME, now=100.0, language="kk")
        assert (opened.user.name, opened.user.language) == ("aigerim", "kk")
        assert len(opened.token) >= 43, "256 bits"
        with office.reading() as session:
            kept = session.scalars(select(SessionRow)).one()
        assert opened.token not in str(vars(kept))
        assert kept.token_hash == sessions.token_hash(opened.token)
        again = signed_in(office, opened.token, now=101.0, use=USE)
        assert again is not None
        assert (again.user.name, again.csrf) == ("aigerim", opened.csrf)
        assert opened.csrf != opened.token

    @pytest.mark.parametrize(
        ("name", "password"), [("aigerim", "wrong"), ("nobody", PASSWORD), ("a b", PASSWORD)]
    )
    def test_fails_alike_whether_name_or_password_is_wrong(
        self, office: Database, name: str, password: str
    ) -> None:
        with pytest.raises(WrongCredentialsError, match="name or the password"):
            sign_in(office, name, password, address=HOME, now=100.0)

    def test_an_unknown_name_costs_as_much_as_a_known_one(self, office: Database, monkeypatch) -> None:
        compared: list[str] = []
        real = users.matches
        monkeypatch.setattr(users, "matches", lambda kept, word: compared.append(kept) or real(kept, word))
        for name in ("aigerim", "nobody"):
            fail(office, name=name, now=1.0)
        parameters = {kept.rsplit("$", 2)[0] for kept in compared}
        assert len(compared) == 2
        assert len(parameters) == 1

    def test_of_a_disabled_account_fails_and_ends_what_was_open(self, office: Database) -> None:
        opened = sign_in(office, "aigerim", PASSWORD, address=HOME, now=100.0)
        with office.writing() as session:
            users.disable(session, "aigerim", now=101.0)
        assert signed_in(office, opened.token, now=102.0, use=USE) is None
        with pytest.raises(WrongCredentialsError):
            sign_in(office, "aigerim", PASSWORD, address=HOME, now=103.0)

    def test_in_a_language_that_is_unknown_is_refused(self, office: Database) -> None:
        with pytest.raises(UserError):
            sign_in(office, "aigerim", PASSWORD, address=HOME, now=100.0, language="fr")

    def test_an_old_hash_is_renewed(self, database: Database) -> None:
        from argon2 import PasswordHasher

        weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        with database.writing() as session:
            users.add(session, "bolat", Role.ADMIN, password_hash=weak, now=0.0)
        sign_in(database, "bolat", PASSWORD, address=HOME, now=1.0)
        with database.reading() as session:
            kept = users.password_hash_of(session, "bolat")
        assert kept != weak
        assert kept is not None
        assert not users.needs_rehash(kept)


@pytest.mark.usefixtures("quick")
class TestStayingSignedIn:
    def test_ends_when_idle(self, office: Database) -> None:
        token = sign_in(office, "aigerim", PASSWORD, address=HOME, now=0.0).token
        assert signed_in(office, token, now=IDLE_S - 1, use=USE) is not None
        assert signed_in(office, token, now=2 * IDLE_S - 2, use=USE) is not None, "use put it off"
        assert signed_in(office, token, now=3 * IDLE_S - 2, use=USE) is None

    def test_use_is_written_when_it_can_be_and_counts_all_the_same(self, office: Database) -> None:
        """Reading goes on where nothing can be written; what was noted meanwhile is written later."""
        token = sign_in(office, "aigerim", PASSWORD, address=HOME, now=0.0).token
        use = SessionUse()
        with office.writing():
            # Nobody else writes now.
            for moment in (IDLE_S - 1, 2 * IDLE_S - 2, 3 * IDLE_S - 3):
                assert signed_in(office, token, now=moment, use=use) is not None
        another_console = SessionUse()
        assert signed_in(office, token, now=3 * IDLE_S - 2, use=another_console) is None
        use.write(office)
        assert signed_in(office, token, now=3 * IDLE_S - 2, use=another_console) is not None

    def test_ends_after_a_shift_however_busy(self, office: Database) -> None:
        token = sign_in(office, "aigerim", PASSWORD, address=HOME, now=0.0).token
        moment = 0.0
        while moment < LIFETIME_S - 600:
            assert signed_in(office, token, now=moment, use=USE) is not None
            moment += 600
        assert signed_in(office, token, now=LIFETIME_S, use=USE) is None

    def test_ends_by_signing_out(self, office: Database) -> None:
        token = sign_in(office, "aigerim", PASSWORD, address=HOME, now=0.0).token
        other = sign_in(office, "aigerim", PASSWORD, address=HOME, now=0.0).token
        with office.writing() as session:
            sessions.sign_out(session, token)
        assert signed_in(office, token, now=1.0, use=USE) is None
        assert signed_in(office, other, now=1.0, use=USE) is not None

    def test_a_new_password_ends_all_other_sessions(self, office: Database) -> None:
        mine = sign_in(office, "aigerim", PASSWORD, address=HOME, now=0.0).token
        stolen = sign_in(office, "aigerim", PASSWORD, address="1.2.3.4", now=0.0).token
        with office.writing() as session:
            users.set_password(
                session, "aigerim", "another", one_time=False, keep_session=sessions.token_hash(mine)
            )
        kept = signed_in(office, mine, now=1.0, use=USE)
        assert kept is not None
        assert not kept.user.must_change_password
        assert signed_in(office, stolen, now=1.0, use=USE) is None

    def test_one_account_has_so_many_sessions_and_no_more(
        self, office: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tokens = [
            sign_in(office, "aigerim", PASSWORD, address=HOME, now=float(number)).token
            for number in range(sessions.MOST_OF_ONE_ACCOUNT)
        ]
        assert signed_in(office, tokens[0], now=100.0, use=USE) is not None, "in use"
        USE.write(office)
        sign_in(office, "aigerim", PASSWORD, address=HOME, now=101.0)
        standing = [token for token in tokens if signed_in(office, token, now=102.0, use=USE)]
        assert standing == [tokens[0], *tokens[2:]], "that without use for longest has ended"
        monkeypatch.setattr(sessions, "MOST_IN_ALL", 3)
        newest = sign_in(office, "aigerim", PASSWORD, address=HOME, now=103.0).token
        with office.reading() as session:
            assert len(session.scalars(select(SessionRow)).all()) == 3
        assert signed_in(office, newest, now=104.0, use=USE) is not None

    def test_a_token_that_was_never_given_is_nobody(self, office: Database) -> None:
        assert signed_in(office, "x" * 43, now=1.0, use=USE) is None
        assert signed_in(office, "", now=1.0, use=USE) is None

    def test_what_is_over_is_dropped(self, office: Database) -> None:
        sign_in(office, "aigerim", PASSWORD, address=HOME, now=0.0)
        sign_in(office, "aigerim", PASSWORD, address=HOME, now=LIFETIME_S)
        fail(office, name="early", address="10.0.0.1", now=0.0)
        fail(office, name="late", address="10.0.0.2", now=LIFETIME_S)
        with office.writing() as session:
            sessions.forget_ended(session, now=LIFETIME_S + 1)
            assert len(session.scalars(select(SessionRow)).all()) == 1
            left = {row.key for row in session.scalars(select(LoginFailureRow))}
        assert {"name:late", "address:10.0.0.2"} <= left
        assert not left & {"name:early", "address:10.0.0.1"}


@pytest.mark.usefixtures("quick")
class TestGuessing:
    def test_makes_the_name_wait_ever_longer(self, office: Database) -> None:
        for _ in range(5):
            fail(office, now=0.0)
        now, waits = 0.0, []
        for _ in range(12):
            with pytest.raises(TooManyAttemptsError) as caught:
                sign_in(office, "aigerim", PASSWORD, address=HOME, now=now)
            waits.append(caught.value.retry_after_s)
            now += caught.value.retry_after_s
            fail(office, now=now)
        assert waits[:4] == [5.0, 10.0, 20.0, 40.0]
        assert max(waits) == 900.0

    def test_waiting_ends_and_success_forgives(self, office: Database) -> None:
        for _ in range(5):
            fail(office, now=0.0)
        sign_in(office, "aigerim", PASSWORD, address=HOME, now=5.0)
        for _ in range(4):
            fail(office, now=6.0)
        sign_in(office, "aigerim", PASSWORD, address=HOME, now=6.0)

    def test_a_clock_that_was_ahead_meanwhile_shuts_nobody_out(self, office: Database) -> None:
        for _ in range(5):
            fail(office, now=200 * 86_400.0)
        sign_in(office, "aigerim", PASSWORD, address=HOME, now=0.0)
        for _ in range(5):
            fail(office, now=200 * 86_400.0)
        fail(office, now=1.0)
        with pytest.raises(TooManyAttemptsError):
            sign_in(office, "aigerim", PASSWORD, address=HOME, now=2.0)

    def test_a_session_begun_while_the_clock_was_ahead_does_not_last_until_then(
        self, office: Database
    ) -> None:
        token = sign_in(office, "aigerim", PASSWORD, address=HOME, now=200 * 86_400.0).token
        assert signed_in(office, token, now=200 * 86_400.0 + 1, use=USE) is not None
        assert signed_in(office, token, now=0.0, use=USE) is None

    def test_an_address_that_tries_many_names_waits_too(self, office: Database) -> None:
        for number in range(30):
            fail(office, name=f"user{number}", now=0.0)
        with pytest.raises(TooManyAttemptsError):
            sign_in(office, "aigerim", PASSWORD, address=HOME, now=1.0)
        sign_in(office, "aigerim", PASSWORD, address="10.0.0.8", now=1.0)

    def test_one_good_account_does_not_clear_an_address(self, office: Database) -> None:
        for number in range(29):
            fail(office, name=f"user{number}", now=0.0)
        sign_in(office, "aigerim", PASSWORD, address=HOME, now=1.0)
        fail(office, name="user30", now=2.0)
        with pytest.raises(TooManyAttemptsError):
            fail(office, name="user31", now=2.0)

    def test_addresses_of_one_household_count_together(self, office: Database) -> None:
        for number in range(30):
            fail(office, name=f"user{number}", address=f"2001:db8:0:1::{number:x}", now=0.0)
        with pytest.raises(TooManyAttemptsError):
            sign_in(office, "aigerim", PASSWORD, address="2001:db8:0:1:ffff::1", now=0.0)
        sign_in(office, "aigerim", PASSWORD, address="2001:db8:0:2::1", now=0.0)

    def test_keeps_the_owner_out_at_no_other_address(self, office: Database) -> None:
        now = 0.0
        for _ in range(30):
            with suppress(WrongCredentialsError, TooManyAttemptsError):
                sign_in(office, "aigerim", "wrong", address="203.0.113.9", now=now)
            sign_in(office, "aigerim", PASSWORD, address=HOME, now=now)
            now += 900.0

    def test_from_many_addresses_leaves_each_one_guess_and_the_owner_their_own(
        self, office: Database
    ) -> None:
        for number in range(50):
            fail(office, address=f"203.0.113.{number}", now=0.0)
        fail(office, address="198.51.100.1", now=1.0)
        with pytest.raises(TooManyAttemptsError) as caught:
            sign_in(office, "aigerim", "wrong", address="198.51.100.1", now=1.0)
        assert caught.value.retry_after_s == 5.0
        sign_in(office, "aigerim", PASSWORD, address=HOME, now=1.0)
        fail(office, now=2.0)
        with pytest.raises(TooManyAttemptsError):
            sign_in(office, "aigerim", PASSWORD, address=HOME, now=2.0)
        sign_in(office, "aigerim", PASSWORD, address=HOME, now=8.0)
        fail(office, name="bolat", address="198.51.100.2", now=1.0)
        fail(office, name="bolat", address="198.51.100.2", now=1.0)

    def test_is_forgiven_by_whoever_runs_the_machine(self, office: Database) -> None:
        for number in range(60):
            fail(office, address=f"203.0.113.{number}", now=0.0)
        for number in range(30):
            with suppress(TooManyAttemptsError):
                fail(office, name="aigerim" if number < 5 else f"user{number}", now=0.0)
        with pytest.raises(TooManyAttemptsError):
            sign_in(office, "aigerim", PASSWORD, address=HOME, now=0.0)
        with office.writing() as session:
            assert sessions.unlock(session, "Aigerim", now=0.0).name == "aigerim"
        fail(office, now=0.0)
        sign_in(office, "aigerim", PASSWORD, address=HOME, now=0.0)
        with office.writing() as session, pytest.raises(UserError):
            sessions.unlock(session, "nobody", now=0.0)

    def test_unlocks_no_account_whose_name_begins_alike(self, office: Database) -> None:
        for name in ("aigerim", "aigerim2", "a_gerim"):
            for number in range(5):
                fail(office, name=name, address=f"10.0.{len(name)}.7", now=float(number))
        with office.writing() as session:
            sessions.unlock(session, "aigerim", now=5.0)
        for name in ("aigerim2", "a_gerim"):
            with pytest.raises(TooManyAttemptsError):
                sign_in(office, name, "wrong", address=f"10.0.{len(name)}.7", now=5.0)

    def test_is_forgotten_after_an_hour(self, office: Database) -> None:
        for _ in range(5):
            fail(office, now=0.0)
        fail(office, now=3700.0)
        sign_in(office, "aigerim", PASSWORD, address=HOME, now=3700.0)

    def test_many_at_once_gain_nothing(self, office: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        compared = []

        def compare(kept: str, password: str) -> bool:
            # While one attempt is being compared, the next is made: as many threads would.
            compared.append(password)
            if len(compared) < 50:
                with suppress(WrongCredentialsError, TooManyAttemptsError):
                    sign_in(office, "aigerim", "wrong", address=HOME, now=0.0)
            return False

        monkeypatch.setattr(users, "matches", compare)
        with pytest.raises(WrongCredentialsError):
            sign_in(office, "aigerim", "wrong", address=HOME, now=0.0)
        assert len(compared) == 5
