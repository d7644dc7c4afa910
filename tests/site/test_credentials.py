"""Secrets are found where the site says, and shown nowhere."""

from pathlib import Path

import pytest

from tynysh.errors import SiteError
from tynysh.site.credentials import CredentialSource, Reference, resolved, secret


def test_they_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    credentials = CredentialSource.model_validate(
        {"username": {"env": "NAME"}, "password": {"file": str(tmp_path / "secret")}}
    )
    account = resolved(credentials, {"NAME": "viewer"})
    assert account == ("viewer", "hunter2")
    assert "hunter2" not in f"{account} {account!r}"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_what_an_editor_adds_is_no_part_of_a_secret(tmp_path: Path, encoding: str, end: str) -> None:
    (tmp_path / "secret").write_bytes(f"құпия one{end}".encode(encoding))
    assert secret(Reference(file=str(tmp_path / "secret"))) == "құпия one"
    assert secret(Reference(env="P"), {"P": f"\ufeffқұпия one{end}"}) == "құпия one"


def test_a_token_needs_no_name() -> None:
    credentials = CredentialSource.model_validate({"password": {"env": "TOKEN"}})
    assert resolved(credentials, {"TOKEN": "abc"}) == ("", "abc")


def test_a_name_may_be_written_out() -> None:
    credentials = CredentialSource.model_validate({"username": "viewer", "password": {"env": "P"}})
    assert resolved(credentials, {"P": " pass word "}) == ("viewer", " pass word ")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="variable NOWHERE is not set"):
        secret(Reference(env="NOWHERE"), {})
    with pytest.raises(SiteError, match="cannot be read: no such file"):
        secret(Reference(file=str(tmp_path / "none")))


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"hunter2\nhunter3\n", b"\xff\xfe\x00hunter2", b"hunter2" * 1000]
)
def test_a_file_that_does_not_hold_one_line_of_text_is_refused_unseen(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(SiteError, match="does not hold") as caught:
        secret(Reference(file=str(path)))
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
