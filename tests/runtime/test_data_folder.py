"""An installation's files are its user's own, and what cannot be used is told."""

import os
from pathlib import Path

import pytest

from tynysh.bus.sockets import PATH_LIMIT
from tynysh.errors import TynyshError
from tynysh.runtime.data_folder import DataFolder


def test_the_folder_and_what_is_in_it_are_for_its_user_alone(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path / "new" / "data")
    for place in (folder.root, folder.recordings, folder.evidence, folder.run):
        assert place.is_dir()
        assert place.stat().st_mode & 0o777 == 0o700


def test_the_database_lies_in_it_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TYNYSH_DATABASE", raising=False)
    folder = DataFolder.open(tmp_path)
    assert folder.database_url == f"sqlite:///{tmp_path / 'tynysh.db'}"
    monkeypatch.setenv("TYNYSH_DATABASE", "postgresql://db/tynysh")
    assert folder.database_url == "postgresql://db/tynysh"


def test_sockets_have_a_place_that_is_short_enough(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    folder = DataFolder.open(deep)
    assert len(os.fsencode(folder.run / "worker-63.sock")) <= PATH_LIMIT
    assert folder.run.stat().st_mode & 0o777 == 0o700
    assert DataFolder.open(deep).run == folder.run, "the same for each of its processes"
    assert DataFolder.open(tmp_path / ("e" * 100)).run != folder.run
    folder.run.rmdir()


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TynyshError, match="cannot be used") as caught:
        DataFolder.open(tmp_path / "file" / "data")
    assert "--data" in str(caught.value.hint)
