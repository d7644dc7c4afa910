"""The console's own files: served as built, and nothing beside them."""

import shutil
import socket

import httpx
import pytest

PAGE = "<!doctype html><title>Tynysh</title>"


@pytest.mark.parametrize(
    "path", ["/", "/incidents/17", "/cameras", "/index.html", "/some/where/else", "/icon.png"]
)
def test_every_address_that_is_no_file_opens_the_console(house, path: str) -> None:
    answer = httpx.get(f"{house.url}{path}")
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_the_page_names_its_files_from_the_consoles_root_on(make_house) -> None:
    house = make_house()
    (house.data_dir / "console" / "index.html").write_text('<script src="./assets/x.js">')
    for path, wanted in (("/", "./"), ("/cameras", "./"), ("/incidents/17", "../"), ("/a/b/c", "../../")):
        assert httpx.get(f"{house.url}{path}").text == f'<script src="{wanted}assets/x.js">'


def test_files_with_a_hash_in_their_name_are_kept_by_browsers(house) -> None:
    answer = httpx.get(f"{house.url}/assets/index-a1b2c3.js")
    assert answer.text == "export {};"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    again = httpx.get(f"{house.url}/icon.svg")
    assert (again.headers["content-type"], again.headers["cache-control"]) == ("image/svg+xml", "no-cache")


def test_scripts_travel_compressed_to_who_takes_that(house) -> None:
    for taken, coding in (("gzip, deflate, br", "gzip"), ("identity", None), ("gzip;q=0", None)):
        answer = httpx.get(f"{house.url}/assets/index-a1b2c3.js", headers={"Accept-Encoding": taken})
        assert answer.headers.get("content-encoding") == coding
        assert answer.text == "export {};"
        assert answer.headers["vary"] == "Accept-Encoding"
    head = httpx.head(f"{house.url}/assets/index-a1b2c3.js", headers={"Accept-Encoding": "gzip"})
    assert (head.status_code, head.content) == (200, b"")


def test_a_missing_asset_is_missing(house) -> None:
    assert httpx.get(f"{house.url}/assets/index-old.js").status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_an_unknown_address_of_the_api_is_an_error_not_a_page(house, method: str) -> None:
    answer = httpx.request(method, f"{house.url}/api/v1/nothing/here")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_known_address_with_another_method_is_an_error(house) -> None:
    answer = httpx.delete(f"{house.url}/healthz")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "/%2e%2e%2f%2e%2e%2fetc/passwd",
        "//etc/passwd",
        "/./secret.txt",
        "/secret.txt%00.js",
        "/" + "a/" * 400,
    ],
)
def test_no_address_leads_out_of_the_folder(house, path: str) -> None:
    # By hand: a client would tidy the address up before sending it.
    with socket.create_connection(("127.0.0.1", house.served.port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            reply = answer.read()
    assert reply.startswith((b"HTTP/1.1 200", b"HTTP/1.1 404"))
    body = reply.partition(b"\r\n\r\n")[2]
    assert b"secret" not in body
    assert b"root:" not in body


def test_a_link_out_of_the_folder_is_not_followed(make_house) -> None:
    house = make_house()
    (house.data_dir / "console" / "link.txt").symlink_to(house.data_dir / "secret.txt")
    assert httpx.get(f"{house.url}/link.txt").text == PAGE


@pytest.mark.parametrize(
    ("language", "word"), [("en", "not built"), ("ru", "не собрана"), ("kk", "құрастырылмаған")]
)
def test_a_console_that_was_not_built_says_what_to_do(make_house, language: str, word: str) -> None:
    house = make_house()
    shutil.rmtree(house.data_dir / "console")
    answer = httpx.get(f"{house.url}/", headers={"Accept-Language": language})
    assert answer.status_code == 503
    assert word in answer.text
    assert "make console" in answer.text
    assert f'lang="{language}"' in answer.text
