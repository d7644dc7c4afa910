"""What no part of the application should see is refused, and every answer carries its headers."""

import socket

import httpx
import pytest
import structlog

from tynysh.api.guard import CONTENT_SECURITY_POLICY

EVERYWHERE = [
    "/",
    "/healthz",
    "/metrics",
    "/api/v1/session",
    "/api/v1/nothing",
    "/assets/none.js",
    "/api/v1/openapi.json",
]


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_carries_the_security_headers(house, path: str) -> None:
    with house.browser() as browser:
        headers = browser.get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "server" not in headers


def test_the_policy_lets_no_inline_script_and_no_other_host_in() -> None:
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'")
    for word in ("unsafe-inline", "unsafe-eval", "http:", "https:", "*"):
        assert word not in CONTENT_SECURITY_POLICY


def test_answers_of_the_api_are_not_kept_by_browsers(house) -> None:
    with house.signed_in() as browser:
        assert browser.get("/api/v1/incidents").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "",
        "[::2]",
        "[::1]evil.example",
        "localhost:80:80",
        "localhost@evil.example",
        "localhost/x",
    ],
)
def test_other_names_for_the_console_are_refused(house, host: str) -> None:
    with house.browser() as browser:
        answer = browser.get("/healthz", headers={"Host": host})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9999", "127.0.0.1", "[::1]:8080"])
def test_the_names_of_this_machine_are_known(house, host: str) -> None:
    with house.browser() as browser:
        assert browser.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_configured_name_is_known(make_house, quick) -> None:
    from dataclasses import replace

    house = make_house(replace(quick, allowed_hosts=("Tynysh.City.kz",)))
    with house.browser() as browser:
        assert browser.get("/healthz", headers={"Host": "tynysh.city.kz:443"}).status_code == 200


def test_a_change_without_the_csrf_token_is_refused(house) -> None:
    incident = house.happens()
    with house.signed_in() as browser:
        for token in (None, "", "0" * 64):
            headers = {"X-CSRF-Token": token} if token is not None else {}
            if token is None:
                browser.headers.pop("X-CSRF-Token")
            answer = browser.post(
                f"/api/v1/incidents/{incident}/steps", json={"action": "acknowledge"}, headers=headers
            )
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf")
            assert (
                browser.patch("/api/v1/session", json={"language": "kk"}, headers=headers).status_code == 403
            )
            assert browser.delete("/api/v1/session", headers=headers).status_code == 403
        assert browser.get(f"/api/v1/incidents/{incident}").json()["state"] == "new"


def test_the_csrf_token_of_another_session_is_refused(house) -> None:
    from tynysh.store import sessions

    other = sessions.csrf(house.token(house.user()))
    with house.signed_in() as browser:
        answer = browser.patch("/api/v1/session", json={"language": "kk"}, headers={"X-CSRF-Token": other})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost:{port}"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "{url}", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_changes_asked_for_by_other_pages_are_refused(house, headers: dict[str, str]) -> None:
    headers = {name: value.format(port=house.served.port, url=house.url) for name, value in headers.items()}
    with house.signed_in() as browser:
        answer = browser.patch("/api/v1/session", json={"language": "kk"}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_origin")
        login = browser.post("/api/v1/session", json={"name": "a", "password": "b"}, headers=headers)
        assert login.status_code == 403, "signing in to an attacker's account is an attack too"


def test_changes_of_the_consoles_own_pages_pass(house) -> None:
    with house.signed_in() as browser:
        own = {"Origin": house.url, "Sec-Fetch-Site": "same-origin"}
        assert browser.patch("/api/v1/session", json={"language": "kk"}, headers=own).status_code == 200


def test_no_other_site_may_read_answers(house) -> None:
    with house.browser() as browser:
        answer = browser.options(
            "/api/v1/incidents",
            headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"},
        )
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_body_that_is_announced_too_large_is_refused_unread(house) -> None:
    with house.signed_in() as browser:
        answer = browser.post("/api/v1/incidents/1/steps", content=b"x" * 100_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_body_that_grows_too_large_is_refused(house) -> None:
    def endless():
        for _ in range(100):
            yield b'{"action": "note", "note": "' + b"x" * 2000

    with house.signed_in() as browser:
        headers = {"Content-Type": "application/json"}
        answer = browser.post("/api/v1/incidents/1/steps", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b'{"action": "burn"}',
        b"\xff\xfe",
        b'{"action":"note","x":1}',
        b"[" * 30_000,
    ],
)
def test_bodies_that_make_no_sense_are_refused_in_the_one_shape(house, body: bytes) -> None:
    with house.signed_in() as browser:
        answer = browser.post(
            "/api/v1/incidents/1/steps", content=body, headers={"Content-Type": "application/json"}
        )
    assert answer.status_code in {400, 422}
    assert set(answer.json()["error"]) <= {"code", "message", "field"}
    assert answer.json()["error"]["code"] == "invalid"


def test_a_form_of_another_page_is_no_request(house) -> None:
    # What an HTML form can send without asking first: never JSON.
    with house.signed_in() as browser:
        answer = browser.post(
            "/api/v1/session", content=b'{"name":"a","password":"b"}', headers={"Content-Type": "text/plain"}
        )
    assert answer.status_code == 422


def test_a_fault_inside_says_nothing_of_the_inside(house, monkeypatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("tynysh.store.queries.incidents.page", broken)
    with house.signed_in() as browser:
        answer = browser.get("/api/v1/incidents")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "swordfish" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_a_database_that_does_not_answer_is_said_so(house, monkeypatch) -> None:
    from tynysh.errors import StoreError

    def away(*_: object, **__: object) -> None:
        raise StoreError("The database postgresql://city@10.0.0.1/tynysh cannot be reached.")

    monkeypatch.setattr("tynysh.store.queries.incidents.page", away)
    with house.signed_in() as browser:
        answer = browser.get("/api/v1/incidents")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_unavailable")
    assert "10.0.0.1" not in answer.text
    assert int(answer.headers["retry-after"]) > 0


def test_the_log_names_requests_without_their_query(house, monkeypatch) -> None:
    with structlog.testing.capture_logs() as lines:
        monkeypatch.setattr("tynysh.api.guard.log", structlog.get_logger())
        with house.browser() as browser:
            browser.get("/api/v1/incidents?site=SECRET-IN-QUERY")
        # The line is written when the answer is complete.
        for _ in range(100):
            if any(line["event"] == "request" for line in lines):
                break
            httpx.get(f"{house.url}/healthz")
    line = next(line for line in lines if line.get("path") == "/api/v1/incidents")
    assert (line["method"], line["status"], line["address"]) == ("GET", 401, "127.0.0.1")
    assert "SECRET-IN-QUERY" not in str(lines)


def test_a_proxy_that_is_not_trusted_is_told_once(make_house, monkeypatch) -> None:
    house = make_house()
    with structlog.testing.capture_logs() as lines:
        monkeypatch.setattr("tynysh.api.guard.log", structlog.get_logger())
        with house.browser() as browser:
            browser.get("/healthz")
            assert "proxy.not_trusted" not in str(lines)
            for number in range(3):
                browser.get("/healthz", headers={"X-Forwarded-For": f"203.0.113.{number}"})
    (told,) = [line for line in lines if line["event"] == "proxy.not_trusted"]
    assert (told["log_level"], told["address"]) == ("warning", "127.0.0.1")
    assert "TYNYSH_TRUSTED_PROXIES" in told["hint"]


def test_a_path_cannot_forge_a_line_of_the_log(house, monkeypatch) -> None:
    with structlog.testing.capture_logs() as lines:
        monkeypatch.setattr("tynysh.api.guard.log", structlog.get_logger())
        with house.browser() as browser:
            browser.get("/x%0A2027-01-01%20forged%1b[2J")
            browser.get("/healthz")
    assert any(line.get("path") == "/x%0A2027-01-01%20forged%1b[2J" for line in lines)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GARBAGE\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%00%ff%fe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
    ],
)
def test_broken_requests_do_not_break_the_server(house, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", house.served.port), timeout=10) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            reply = answer.read()
    assert b"Traceback" not in reply
    assert reply.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200")) or reply == b""
    assert httpx.get(f"{house.url}/healthz").status_code == 200
