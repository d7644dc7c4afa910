"""Footage that cannot be read or kept is left out, and that is said."""

import errno
from pathlib import Path

import pytest

from tynysh.demo import footage
from tynysh.demo.city import fresh_folder
from tynysh.demo.footage import find_reels
from tynysh.errors import TynyshError


def test_a_list_that_is_not_utf_8_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    table = tmp_path / "set" / "clips.csv"
    table.write_bytes("path,fight\nбой.mp4,1\n".encode("cp1251"))
    (tmp_path / "street.mp4").write_bytes(b"video")
    messages: list[str] = []
    reels = find_reels(tmp_path, tmp_path / "cache", messages.append)
    assert [reel.videos for reel in reels] == [(tmp_path / "street.mp4",)]
    assert any(str(table) in line and "UTF-8" in line for line in messages)


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footage, "SQUARE_DEBIAN", tmp_path / "vtest.avi")
    (tmp_path / "file").write_text("no folder")
    messages: list[str] = []
    assert find_reels(None, tmp_path / "file" / "demo", messages.append) == []
    assert any("TYNYSH_CACHE" in line for line in messages)


def test_a_file_in_place_of_the_data_folder_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("years of work")
    with pytest.raises(TynyshError, match="cannot be used"):
        fresh_folder(path)
    assert path.read_text() == "years of work"


def test_a_data_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(TynyshError, match=r"cannot be used: Permission denied\."):
        fresh_folder(tmp_path)


def test_nobodys_home_is_told() -> None:
    with pytest.raises(TynyshError, match="nobody's home"):
        fresh_folder(Path("~no-such-user/demo"))
