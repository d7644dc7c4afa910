"""What operators decided leaves as anonymised clips with labels, is on record, and is read back by the evaluation."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.drawn_videos import Tynysh
from tests.events import an_event
from tests.runtime.street import BLURRED, SEEN, CoatDetector, heads, write_street

from tynysh.behaviour.event import Event
from tynysh.behaviour.signal import Behaviour
from tynysh.cli import run_command
from tynysh.evaluation.labels import read_labels
from tynysh.evidence.anonymised import write_anonymised
from tynysh.incidents.lifecycle import Action, Verdict
from tynysh.site.apply import apply
from tynysh.site.site import SiteFile
from tynysh.store.database import Database
from tynysh.store.migrate import migrate
from tynysh.store.queries import clips, events, incidents
from tynysh.store.schema import AuditEntryRow, CameraRow

BEGAN = 1_790_000_000.0
"""Unix time of the first incident; each clip begins two seconds before its incident."""

CLIP_S = 8.0


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A clip of the street, as filmed and with people blurred."""
    folder = tmp_path_factory.mktemp("filmed")
    original = write_street(folder / "original.mp4", seconds=CLIP_S)
    write_anonymised(original, folder / "clip.mp4", people_at=lambda _: None, detector=CoatDetector())
    return original, folder / "clip.mp4"


class Installation:
    """A data folder with incidents that were judged."""

    def __init__(self, root: Path, filmed: tuple[Path, Path]) -> None:
        self.root = root
        self.filmed = filmed
        (root / "evidence").mkdir(parents=True)
        self.database = Database.open(root / "tynysh.db")
        migrate(self.database)
        sites = [
            {
                "name": name,
                "id": name,
                "kind": "street",
                "time_zone": "Asia/Almaty",
                "cameras": [{"name": f"{name}-1", "id": f"{name}-1", "main": "rtsp://127.0.0.1/1"}],
            }
            for name in ("street", "park")
        ]
        apply(SiteFile.model_validate({"sites": sites}), self.database, now=1.0, user="installer")

    def event(
        self, at: float, *, behaviour: Behaviour = Behaviour.INTRUSION, lasts: float | None = 3.0
    ) -> Event:
        return an_event(behaviour, at, None if lasts is None else at + lasts, decided_s=at + 0.5)

    def incident(
        self,
        verdict: Verdict | None,
        *,
        after: float = 0.0,
        camera: str = "street-1",
        clip: bool = True,
        begins: float = -2.0,
        **event: object,
    ) -> int:
        """An incident `after` seconds, whose clip begins `begins` seconds after its event."""
        at = BEGAN + after
        raised = self.event(at, **event)  # type: ignore[arg-type]
        number = events.record(self.database, raised, camera, now=at, gap_s=0.0, clip=True).incident_id
        folder = self.root / "evidence" / str(number)
        folder.mkdir()
        if clip:
            for source, name in zip(self.filmed, ("original.mp4", "clip.mp4"), strict=True):
                (folder / name).write_bytes(source.read_bytes())
        with self.database.writing() as session:
            if clip:
                clips.set_ready(
                    session,
                    number,
                    original_path=f"{number}/original.mp4",
                    anonymised_path=f"{number}/clip.mp4",
                    started_at=at + begins,
                    ended_at=at + begins + CLIP_S,
                    bytes=2000,
                    now=at,
                )
            if verdict is not None:
                incidents.take_step(
                    session,
                    number,
                    Action.VERIFY,
                    user="aigerim",
                    now=at + 60,
                    verdict=verdict,
                    note="Berik B.",
                )
        return number

    def audited(self) -> list[AuditEntryRow]:
        with self.database.reading() as session:
            query = session.query(AuditEntryRow).filter(AuditEntryRow.action == "verdicts.export")
            return list(query)

    def export(self, folder: Path, *more: object) -> int:
        return run_command(["export-verdicts", str(folder), "--data", str(self.root), *map(str, more)])


@pytest.fixture
def place(
    tmp_path: Path, filmed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    monkeypatch.delenv("TYNYSH_DATABASE", raising=False)
    made = Installation(tmp_path / "data", filmed)
    with closing(made.database):
        yield made


Labels = dict[str, list[tuple[str, float, float]]]


def labels_of(folder: Path) -> Labels:
    return {
        recording.path: [
            (label.behaviour, pytest.approx(label.start_s), pytest.approx(label.end_s))
            for label in recording.labels
        ]
        for recording in read_labels(folder / "LABELS.csv")
    }


def test_true_is_a_happening_and_false_is_nothing_and_unclear_is_left_out(
    place: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    true, false = place.incident(Verdict.TRUE), place.incident(Verdict.FALSE, after=1000)
    place.incident(Verdict.UNCLEAR, after=2000)
    place.incident(None, after=3000)
    out = tmp_path / "out"
    assert place.export(out) == 0
    assert labels_of(out) == {
        f"clips/{true}.mp4": [("intrusion", 2.0, 5.0)],
        f"clips/{false}.mp4": [],
    }
    assert [recording.camera for recording in read_labels(out / "LABELS.csv")] == ["street-1"] * 2
    assert "1 judged unclear" in capsys.readouterr().out


def test_nothing_unblurred_leaves(place: Installation, tmp_path: Path) -> None:
    number = place.incident(Verdict.TRUE)
    out = tmp_path / "out"
    assert place.export(out) == 0
    left = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert left == {"LABELS.csv", "README.md", f"clips/{number}.mp4"}
    assert min(heads(place.root / "evidence" / str(number) / "original.mp4")) > SEEN
    assert max(heads(out / "clips" / f"{number}.mp4")) < BLURRED
    written = (out / "LABELS.csv").read_text() + (out / "README.md").read_text()
    assert "aigerim" not in written
    assert "Berik" not in written
    assert (out.stat().st_mode & 0o777, (out / "LABELS.csv").stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize("how", ["same path", "same file", "same content", "link", "elsewhere", "gone"])
def test_a_clip_that_is_not_surely_anonymised_stays(
    how: str, place: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = place.incident(Verdict.TRUE)
    folder = place.root / "evidence" / str(number)
    path = f"{number}/clip.mp4"
    if how == "same path":
        path = f"{number}/original.mp4"
    elif how == "elsewhere":
        (place.root / "secret.mp4").write_bytes(b"x")
        path = "../secret.mp4"
    else:
        (folder / "clip.mp4").unlink()
        if how == "same file":
            (folder / "clip.mp4").hardlink_to(folder / "original.mp4")
        elif how == "same content":
            (folder / "clip.mp4").write_bytes((folder / "original.mp4").read_bytes())
        elif how == "link":
            (folder / "clip.mp4").symlink_to(folder / "original.mp4")
    with place.database.writing() as session:
        row = clips.get(session, number)
        assert row is not None
        clips.set_ready(
            session,
            number,
            original_path=row.original_path,
            anonymised_path=path,
            started_at=BEGAN - 2,
            ended_at=BEGAN + 6,
            bytes=1,
            now=1.0,
        )
    assert place.export(tmp_path / "out") == 1
    assert not (tmp_path / "out").exists()
    assert "1 whose clip is not surely anonymised" in capsys.readouterr().err
    assert place.audited() == []


def test_a_happening_is_labelled_as_far_as_its_clip_shows_it(
    place: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began_before = place.incident(Verdict.TRUE, begins=1.0)
    place.incident(Verdict.TRUE, after=1000, begins=10.0)
    goes_on = place.incident(Verdict.TRUE, after=2000, lasts=60.0)
    assert place.export(tmp_path / "out") == 0
    assert labels_of(tmp_path / "out") == {
        f"clips/{began_before}.mp4": [("intrusion", 0.0, 2.0)],
        f"clips/{goes_on}.mp4": [("intrusion", 2.0, CLIP_S)],
    }
    assert "1 true, but their clip shows none of it" in capsys.readouterr().out


def test_another_true_incident_in_the_clip_is_labelled_too(place: Installation, tmp_path: Path) -> None:
    false = place.incident(Verdict.FALSE)
    true = place.incident(Verdict.TRUE, after=4, behaviour=Behaviour.FIGHT, lasts=1.0)
    assert place.export(tmp_path / "out") == 0
    assert labels_of(tmp_path / "out") == {
        f"clips/{false}.mp4": [("fight", 6.0, 7.0)],
        f"clips/{true}.mp4": [("fight", 2.0, 3.0)],
    }


@pytest.mark.parametrize("verdict", [None, Verdict.UNCLEAR])
def test_a_clip_in_which_nobody_knows_what_else_happened_is_left_out(
    verdict: Verdict | None, place: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.incident(Verdict.FALSE)
    place.incident(verdict, after=4, behaviour=Behaviour.FIGHT)
    sure = place.incident(Verdict.FALSE, after=1000)
    assert place.export(tmp_path / "out") == 0
    assert set(labels_of(tmp_path / "out")) == {f"clips/{sure}.mp4"}
    assert "with something else in the clip" in capsys.readouterr().out


def test_simulated_cameras_and_incidents_without_a_clip_are_left_out(
    place: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.incident(Verdict.TRUE, clip=False)
    place.incident(Verdict.TRUE, after=1000, camera="park-1")
    sure = place.incident(Verdict.TRUE, after=2000)
    with place.database.writing() as session:
        session.get_one(CameraRow, "park-1").simulated = True
    assert place.export(tmp_path / "out") == 0
    assert set(labels_of(tmp_path / "out")) == {f"clips/{sure}.mp4"}
    output = capsys.readouterr().out
    assert "1 of a simulated camera" in output
    assert "1 without a clip" in output


def test_a_date_and_a_site_narrow_it(place: Installation, tmp_path: Path) -> None:
    place.incident(Verdict.TRUE, after=-90_000)
    here = place.incident(Verdict.TRUE)
    there = place.incident(Verdict.TRUE, after=10, camera="park-1")
    day = datetime.fromtimestamp(BEGAN, UTC).date().isoformat()
    assert place.export(tmp_path / "a", "--since", day) == 0
    assert set(labels_of(tmp_path / "a")) == {f"clips/{here}.mp4", f"clips/{there}.mp4"}
    assert place.export(tmp_path / "b", "--since", day, "--site", "park") == 0
    assert set(labels_of(tmp_path / "b")) == {f"clips/{there}.mp4"}


def test_it_is_on_record_who_took_which(place: Installation, tmp_path: Path) -> None:
    number = place.incident(Verdict.TRUE)
    assert place.export(tmp_path / "out", "--site", "street") == 0
    (entry,) = place.audited()
    assert entry.user.endswith("@terminal")
    assert entry.object == f"folder:{tmp_path / 'out'}"
    assert json.loads(entry.detail) == {"incidents": [number], "begun_from": None, "site": "street"}


def test_what_cannot_be_recorded_does_not_leave(
    place: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tynysh.errors import StoreError
    from tynysh.store import record

    def refuse(*_: object, **__: object) -> None:
        raise StoreError("The database does not answer.")

    place.incident(Verdict.TRUE)
    monkeypatch.setattr(record, "append", refuse)
    assert place.export(tmp_path / "out") == 6
    assert list(tmp_path.iterdir()) == [place.root]


Make = Callable[[Path], object]


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda out: (out.mkdir(), (out / "mine").touch()), "is not empty"),
        (lambda out: out.touch(), "is not a folder"),
        (lambda out: out.symlink_to(out.parent / "data"), "is not a folder"),
    ],
)
def test_nothing_is_overwritten(
    make: Make, problem: str, place: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.incident(Verdict.TRUE)
    make(tmp_path / "out")
    assert place.export(tmp_path / "out") == 2
    assert problem in capsys.readouterr().err
    assert place.audited() == []


def test_an_empty_folder_is_filled_and_a_missing_parent_is_told(place: Installation, tmp_path: Path) -> None:
    place.incident(Verdict.TRUE)
    (tmp_path / "out").mkdir()
    assert place.export(tmp_path / "out") == 0
    assert place.export(tmp_path / "nowhere" / "out") == 2


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (("--since", "yesterday"), "is no date"),
        (("--site", "moon"), "There is no site"),
        ((), "no verdicts to export"),
    ],
)
def test_what_cannot_be_done_is_said(
    more: tuple[str, ...],
    problem: str,
    place: Installation,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert place.export(tmp_path / "out", *more) in {1, 2}
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_was_exported_can_be_evaluated(
    place: Installation,
    tmp_path: Path,
    street_site: Path,
    tynysh: Tynysh,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The way round: verdicts, clips, labels, and the pipeline held against them."""
    place.incident(Verdict.TRUE, begins=0.0, lasts=8.0)
    place.incident(Verdict.FALSE, after=1000)
    assert place.export(tmp_path / "out", "--language", "kk") == 0
    assert "белгіленген жинақ" in (tmp_path / "out" / "README.md").read_text()
    labels = tmp_path / "out" / "LABELS.csv"
    capsys.readouterr()
    result = tynysh(
        "evaluate", "footage", labels, "--site", street_site, "--camera", "street-north", "--json", "-"
    )
    assert result.code == 0, result.err
    summary = json.loads(result.out)["behaviours"]["intrusion"]
    assert (summary["labelled"], summary["found"], summary["false_events"]) == (1, 1, 1)
