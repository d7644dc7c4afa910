"""What is not installed is told with how to install it."""

from pathlib import Path

import pytest

from tynysh.errors import UsageError
from tynysh.store import crowd_table
from tynysh.store.database import Database


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without any extra."""
    monkeypatch.setattr("tynysh.extras.find_spec", lambda module: None)


def test_postgresql_says_which_extra_it_needs() -> None:
    with pytest.raises(UsageError, match="PostgreSQL needs the package pg8000") as caught:
        Database.open("postgresql://tynysh:hunter2@127.0.0.1/tynysh")
    assert caught.value.hint == "pip install 'tynysh[postgres]'"
    assert "hunter2" not in caught.value.message


def test_parquet_says_which_extra_it_needs_and_csv_needs_none() -> None:
    with pytest.raises(UsageError, match="Parquet needs the package pyarrow") as caught:
        crowd_table.check("parquet")
    assert caught.value.hint == "pip install 'tynysh[export]'"
    crowd_table.check("csv")


def test_sqlite_needs_none(tmp_path: Path) -> None:
    Database.open(tmp_path / "tynysh.db").close()
