"""Signing in, staying signed in, and being signed out."""

import time

import httpx
import pytest

from tynysh.store import record, sessions, users
from tynysh.store.users import Role

PASSWORD = "correct horse battery"


def sign_in(browser: httpx.Client, name: str, password: str = PASSWORD, **more: object) -> httpx.Response:
    return browser.post("/api/v1/session", json={"name": name, "password": password, **more})


def audited(house, action: str) -> list[record.AuditEntry]:
    with house.database.reading() as session:
        return [entry for entry in record.entries(session, limit=1000) if entry.action == action]


def test_signing_in_gives_a_session(house) -> None:
    name = house.user(Role.LEAD)
    with house.browser() as browser:
        answer = sign_in(browser, name, language="kk")
        assert answer.status_code == 200
        user = {"name": name, "role": "lead", "language": "kk", "must_change_password": False}
        assert answer.json()["user"] == user
        again = browser.get("/api/v1/session")
        assert again.json() == answer.json()
        assert browser.get("/api/v1/cameras").status_code == 200
    assert audited(house, "session.begin")[0].user == name


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(house) -> None:
    with house.browser() as browser:
        cookie = sign_in(browser, house.user()).headers["set-cookie"]
    parts = {part.strip().lower() for part in cookie.split(";")}
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert "secure" not in parts, "this console is reached by http"


def test_the_cookie_is_secure_behind_a_trusted_proxy_that_speaks_https(make_house, quick) -> None:
    from dataclasses import replace

    house = make_house(replace(quick, trusted_proxies=("127.0.0.1",)))
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    with house.browser() as browser:
        body = {"name": house.user(), "password": PASSWORD}
        answer = browser.post("/api/v1/session", json=body, headers=forwarded)
        assert "secure" in answer.headers["set-cookie"].lower()
    assert audited(house, "session.begin")[0].address == "203.0.113.9"


def test_forwarding_headers_of_strangers_are_not_believed(house) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    with house.browser() as browser:
        body = {"name": house.user(), "password": PASSWORD}
        answer = browser.post("/api/v1/session", json=body, headers=forwarded)
    assert "secure" not in answer.headers["set-cookie"].lower()
    assert audited(house, "session.begin")[0].address == "127.0.0.1"


def test_only_the_hash_of_a_token_is_kept(house) -> None:
    with house.browser() as browser:
        sign_in(browser, house.user())
        token = browser.cookies["tynysh_session"]
    assert len(token) >= 43, "256 bits"
    with house.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT token_hash FROM session").scalars().all()
    assert token not in rows
    assert sessions.token_hash(token) in rows


def test_each_sign_in_makes_a_new_token_and_ends_the_one_before(house) -> None:
    name = house.user()
    with house.browser() as browser:
        sign_in(browser, name)
        first = browser.cookies["tynysh_session"]
        sign_in(browser, name)
        second = browser.cookies["tynysh_session"]
    assert first != second
    with house.browser(first) as old, house.browser(second) as new:
        assert old.get("/api/v1/session").status_code == 401
        assert new.get("/api/v1/session").status_code == 200


def test_a_session_that_somebody_else_chose_is_not_taken_over(house) -> None:
    with house.browser() as browser:
        browser.cookies.set("tynysh_session", "chosen-by-an-attacker")
        answer = sign_in(browser, house.user())
        assert "chosen-by-an-attacker" not in answer.headers["set-cookie"]
    with house.browser("chosen-by-an-attacker") as attacker:
        assert attacker.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "' OR 1=1 --", "é", "../../etc/passwd"])
def test_tokens_that_are_none_are_refused(house, token: str) -> None:
    with house.browser() as browser:
        answer = browser.get("/api/v1/session", headers={"Cookie": f"tynysh_session={token}".encode()})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "signed_out"


def test_wrong_names_and_wrong_passwords_are_not_told_apart(house) -> None:
    name = house.user()
    with house.browser() as browser:
        unknown = sign_in(browser, "nobody-at-all", "wrong password")
        wrong = sign_in(browser, name, "wrong password")
    assert unknown.status_code == wrong.status_code == 401
    assert unknown.json() == wrong.json()
    assert "set-cookie" not in wrong.headers


def test_an_unknown_name_costs_as_much_as_a_wrong_password(house, monkeypatch) -> None:
    compared: list[str] = []
    matches = users.matches
    name = house.user()
    monkeypatch.setattr(users, "matches", lambda kept, given: compared.append(kept) or matches(kept, given))
    with house.browser() as browser:
        sign_in(browser, "nobody-at-all", "wrong password")
        sign_in(browser, name, "wrong password")
    assert len(compared) == 2
    assert compared[0].split("$")[:4] == compared[1].split("$")[:4], "the same work"


def test_what_was_typed_as_a_name_is_not_written_down(house) -> None:
    with house.browser() as browser:
        sign_in(browser, "my-secret-password", "x")
    assert audited(house, "session.refused")[0].user == "unknown"


def test_what_cannot_be_a_name_does_not_fill_the_record(house) -> None:
    before = len(audited(house, "session.refused"))
    with house.browser() as browser:
        assert [sign_in(browser, "!?" * n).status_code for n in range(1, 4)] == [401] * 3
    assert len(audited(house, "session.refused")) == before


def test_guessing_is_slowed_down_for_the_name_and_told_how_long(make_house) -> None:
    house = make_house()
    name = house.user()
    with house.browser() as browser:
        answers = [sign_in(browser, name, f"wrong password {n}") for n in range(10)]
        assert [answer.status_code for answer in answers[:5]] == [401] * 5
        refused = answers[-1]
        assert refused.status_code == 429
        wait = int(refused.headers["retry-after"])
        assert wait >= 1
        assert str(wait) in refused.json()["error"]["message"]
        assert sign_in(browser, name).status_code == 429, "not even the right password, while it waits"
        house.clock.now += wait + 1
        assert sign_in(browser, name).status_code == 200


def test_guessing_many_names_from_one_address_is_slowed_down_too(make_house, monkeypatch) -> None:
    house = make_house()
    monkeypatch.setattr(users, "matches", lambda kept, given: False)
    with house.browser() as browser:
        answers = [sign_in(browser, f"name-{n}", "wrong password").status_code for n in range(40)]
    assert answers[0] == 401
    assert answers[-1] == 429


def test_signing_out_ends_the_session_in_the_browser_and_on_the_server(house) -> None:
    token = house.token(house.user())
    with house.browser(token) as browser:
        answer = browser.delete("/api/v1/session")
        assert answer.status_code == 204
        assert 'tynysh_session=""' in answer.headers["set-cookie"]
        assert browser.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize("after_s", [sessions.IDLE_S + 1, sessions.LIFETIME_S + 1])
def test_a_session_ends_by_itself(make_house, after_s: float) -> None:
    house = make_house()
    with house.signed_in() as browser:
        assert browser.get("/api/v1/session").status_code == 200
        house.clock.now += after_s
        assert browser.get("/api/v1/session").status_code == 401
        assert browser.get("/api/v1/incidents").status_code == 401


def test_a_session_in_use_still_ends_after_its_lifetime(make_house) -> None:
    house = make_house()
    with house.signed_in() as browser:
        began = house.clock.now
        while house.clock.now + 1800 < began + sessions.LIFETIME_S:
            house.clock.now += 1800
            assert browser.get("/api/v1/session").status_code == 200
        house.clock.now += 1800
        assert browser.get("/api/v1/session").status_code == 401


def test_a_disabled_user_is_out_at_once(house) -> None:
    name = house.user()
    with house.browser(house.token(name)) as browser:
        assert browser.get("/api/v1/cameras").status_code == 200
        with house.database.writing() as session:
            users.disable(session, name, now=house.clock.now)
        assert browser.get("/api/v1/cameras").status_code == 401
    with house.browser() as browser:
        assert sign_in(browser, name).status_code == 401


def test_with_a_one_time_password_nothing_works_until_it_is_changed(house) -> None:
    name = house.user(one_time=True)
    with house.browser() as browser:
        answer = sign_in(browser, name).json()
        assert answer["user"]["must_change_password"]
        browser.headers["X-CSRF-Token"] = answer["csrf"]
        for path in ("incidents", "cameras", "sites", "updates", "cameras/club-door/picture"):
            refused = browser.get(f"/api/v1/{path}")
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "password_change_required")
        changed = browser.patch(
            "/api/v1/session", json={"password": PASSWORD, "new_password": "another long passphrase"}
        )
        assert changed.status_code == 200
        assert not changed.json()["user"]["must_change_password"]
        assert browser.get("/api/v1/incidents").status_code == 200
    with house.browser() as browser:
        assert sign_in(browser, name).status_code == 401
        assert sign_in(browser, name, "another long passphrase").status_code == 200


def test_changing_the_password_ends_the_other_sessions_and_renews_this_one(house) -> None:
    name = house.user()
    other, mine = house.token(name), house.token(name)
    with house.browser(mine) as browser:
        answer = browser.patch(
            "/api/v1/session", json={"password": PASSWORD, "new_password": "another long passphrase"}
        )
        fresh = answer.headers["set-cookie"].split(";")[0].removeprefix("tynysh_session=")
        assert answer.json()["csrf"] == sessions.csrf(fresh)
    for token, status in ((other, 401), (mine, 401), (fresh, 200)):
        with house.browser(token) as browser:
            assert browser.get("/api/v1/session").status_code == status
    assert audited(house, "password.change")[0].user == name


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("short", "password_too_short"),
        (PASSWORD, "password_unchanged"),
        ("aaaaaaaaaaaaaaaa", "password_too_simple"),
        ("", "password_too_short"),
    ],
)
def test_passwords_that_will_not_do_are_named(house, new: str, code: str) -> None:
    with house.signed_in() as browser:
        answer = browser.patch("/api/v1/session", json={"password": PASSWORD, "new_password": new})
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["field"] == "new_password"


def test_a_session_left_open_is_no_way_to_guess_the_password(make_house) -> None:
    house = make_house()
    with house.signed_in() as browser:
        guesses = [
            browser.patch(
                "/api/v1/session", json={"password": f"guess {n}", "new_password": "long enough here"}
            )
            for n in range(8)
        ]
    assert guesses[0].status_code == 422
    assert guesses[0].json()["error"] | {"message": ""} == {
        "code": "wrong_password",
        "message": "",
        "field": "password",
    }
    assert guesses[-1].status_code == 429


def test_the_language_is_remembered(house) -> None:
    name = house.user()
    with house.browser(house.token(name)) as browser:
        assert browser.patch("/api/v1/session", json={"language": "ru"}).json()["user"]["language"] == "ru"
        assert browser.patch("/api/v1/session", json={"language": "xx"}).status_code == 422
    with house.browser(house.token(name)) as browser:
        assert browser.get("/api/v1/session").json()["user"]["language"] == "ru"


def test_errors_speak_the_language_that_is_asked_for(house) -> None:
    with house.browser() as browser:
        messages = {
            browser.get("/api/v1/session", headers={"Accept-Language": tag}).json()["error"]["message"]
            for tag in ("kk", "ru-RU,ru;q=0.9,en;q=0.5", "en", "kk;q=0.1, en;q=0.9")
        }
    assert len(messages) == 3


def test_many_sign_ins_at_once_leave_room_for_others(house) -> None:
    # Hashing has a gate of its own: the threads that answer other requests stay free.
    import threading

    names = [house.user() for _ in range(6)]

    def attempt(name: str) -> None:
        with house.browser() as browser:
            sign_in(browser, name)

    threads = [threading.Thread(target=attempt, args=(name,)) for name in names]
    with house.signed_in() as browser:
        for thread in threads:
            thread.start()
        began = time.monotonic()
        assert browser.get("/api/v1/session").status_code == 200
        answered = time.monotonic() - began
        for thread in threads:
            thread.join()
        assert answered < time.monotonic() - began
