"""What cannot be done now and then keeps nothing else from being done."""

import os
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.conftest import Installation, camera, site

from tynysh.evidence import retention
from tynysh.media.segment import segment_path
from tynysh.runtime import housekeeping
from tynysh.runtime.housekeeping import Housekeeping
from tynysh.store.queries import alarm_budgets
from tynysh.store.schema import CrowdBlockRow, CrowdSeriesRow

NOW = 2_000_000_000.0


class NoClips:
    """Stands for the maker of clips."""

    def give_up_all_but(self, cameras: object) -> None:
        pass


def keeper(installation: Installation) -> Housekeeping:
    clips: Any = NoClips()
    return Housekeeping(installation.database, installation.folder, clips, clock=lambda: NOW)


def test_a_damaged_block_of_history_keeps_no_threshold_from_being_learnt(installation: Installation) -> None:
    installation.apply(site(camera("north", Path("north.mp4"), analysers={"fight": {}})))
    with installation.database.writing() as session:
        session.add(CrowdSeriesRow(id=1, kind="zone", owner="north", name="picture"))
        session.flush()
        begin = int(NOW // 60) - 1000
        session.add(CrowdBlockRow(series_id=1, begin=begin, packed=b"damaged"))
    keeper(installation).keep_house()
    with installation.database.reading() as session:
        assert alarm_budgets.learnt(session, ["north"])


def test_a_fault_of_ours_keeps_no_footage_that_is_due(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.apply(site(camera("north", Path("north.mp4"))))
    old = segment_path(installation.folder.recordings / "north", NOW - 90 * 86400)
    old.parent.mkdir(parents=True)
    old.write_bytes(b"pictures")
    os.utime(old, (NOW - 90 * 86400,) * 2)

    def broken(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr(housekeeping, "learn_all", broken)
    monkeypatch.setattr(retention, "forget_history", broken)
    keeper(installation).keep_house()
    assert not old.exists()
