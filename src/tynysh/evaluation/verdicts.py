"""What operators decided, as a labelled set of anonymised clips: for evaluation and for the next training."""

import filecmp
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from tynysh import __version__
from tynysh.behaviour.registry import ANALYSERS
from tynysh.behaviour.signal import Behaviour
from tynysh.errors import TynyshError, UsageError
from tynysh.evaluation.labels import Label, Recording, labels_csv
from tynysh.incidents.lifecycle import Verdict
from tynysh.store import record
from tynysh.store.database import Database
from tynysh.store.schema import ClipRow, EventRow, IncidentRow, SiteRow
from tynysh.translations import Language, text

CLIPS = "clips"
LIST = "LABELS.csv"
ABOUT = "README.md"

LEAST_S = 0.1
"""What a clip shows for less is no happening in it, seconds."""


class ExportError(TynyshError):
    """Verdicts cannot be exported."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What was asked for. since: only incidents from then on, Unix seconds; site: only those of the site of this id.

    user: who asks, for the audit record.
    """

    folder: Path
    since: float | None = None
    site: str | None = None
    language: Language = "en"
    user: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A clip to be exported: of which incident, where it lies (anonymised), and what happens in it."""

    incident_id: int
    clip: Path
    recording: Recording


@dataclass(frozen=True, slots=True)
class Selection:
    """What is exported, and what is not: how many incidents for each reason (worded by `describe`)."""

    clips: tuple[Chosen, ...]
    left_out: Counter[str]


REASONS = {
    "unclear": "judged unclear",
    "simulated": "of a simulated camera",
    "no_clip": "without a clip",
    "nothing_shown": "true, but their clip shows none of it",
    "mixed": "with something else in the clip that nobody judged, or judged unclear",
    "not_anonymised": "whose clip is not surely anonymised",
}


def export(database: Database, evidence: Path, options: ExportOptions, *, now: datetime) -> Selection:
    """Write the set into `options.folder`, which must be new or empty; what it came to.

    evidence: the folder that paths of clips are relative to. Only anonymised clips are taken. The audit record says who
    took which before the first is copied; where that cannot be written, nothing is. Raises TynyshError.
    """
    folder = options.folder
    _check_free(folder)
    with database.reading() as session:
        if options.site is not None and session.get(SiteRow, options.site) is None:
            raise UsageError(f"There is no site {options.site!r}.", hint="tynysh export shows ids.")
        selection = select_verdicts(session, evidence, since=options.since, site=options.site)
    if not selection.clips:
        raise ExportError(
            "There are no verdicts to export."
            + "".join(f"\n  {line}" for line in describe(selection.left_out)),
            hint="Verdicts are given in the console; clips go when their retention ends.",
        )
    with database.writing() as session:
        record.append(
            session,
            now=now.timestamp(),
            user=options.user,
            action="verdicts.export",
            object=f"folder:{folder.absolute()}",
            detail={
                "incidents": [chosen.incident_id for chosen in selection.clips],
                "begun_from": options.since,
                "site": options.site,
            },
        )
    _write(folder, selection.clips, options.language, now)
    return selection


def describe(left_out: Counter[str]) -> list[str]:
    """How many incidents were left out, and why, a line a reason."""
    return [f"Left out: {left_out[why]} {reason}." for why, reason in REASONS.items() if left_out[why]]


def select_verdicts(
    session: Session, evidence: Path, *, since: float | None = None, site: str | None = None
) -> Selection:
    """The incidents that people judged, with what their clips show, oldest first.

    `true` labels the clip with each behaviour of the incident, from its first event to its last as far as the clip
    reaches; `false` labels nothing. Other incidents of the camera in the clip's time are labelled too where they are
    true; where one of them is not judged, or unclear, it is not known what the clip shows, and it is left out.
    """
    chosen: list[Chosen] = []
    left_out: Counter[str] = Counter()
    for incident in session.scalars(_judged(since, site)):
        clip, found = incident.clip, None
        if incident.verdict == Verdict.UNCLEAR:
            why = "unclear"
        elif incident.camera.simulated:
            why = "simulated"
        elif clip is None or clip.state != "ready" or clip.anonymised_path is None:
            why = "no_clip"
        else:
            found, why = _labelled(session, incident, clip, evidence)
        if found is not None:
            chosen.append(found)
        else:
            left_out[why] += 1
    return Selection(tuple(chosen), left_out)


def unix_time(given: str) -> float:
    """A date, perhaps with a time and an offset (else UTC), in ISO 8601, as Unix seconds. Raises UsageError."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise UsageError(f"{given!r} is no date.", hint="Write it as 2026-11-22.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _judged(since: float | None, site: str | None) -> Select[IncidentRow]:
    """The incidents with a verdict, oldest first."""
    query = (
        select(IncidentRow)
        .where(IncidentRow.verdict.is_not(None))
        .options(joinedload(IncidentRow.clip), joinedload(IncidentRow.camera), joinedload(IncidentRow.site))
        .order_by(IncidentRow.id)
    )
    if since is not None:
        query = query.where(IncidentRow.started_at >= since)
    return query if site is None else query.where(IncidentRow.site_id == site)


def _labelled(
    session: Session, incident: IncidentRow, clip: ClipRow, evidence: Path
) -> tuple[Chosen | None, str]:
    """The incident's clip with what happens in it; else why not, by `REASONS`."""
    path = _anonymised(clip, evidence)
    if path is None or clip.started_at is None or clip.ended_at is None:
        return None, "not_anonymised"
    shown = session.scalars(
        select(EventRow)
        .where(
            EventRow.camera_id == incident.camera_id,
            EventRow.behaviour.in_(list(ANALYSERS)),
            EventRow.started_at < clip.ended_at,
            func.coalesce(EventRow.ended_at, EventRow.known_until_at) > clip.started_at,
        )
        .options(joinedload(EventRow.incident))
        .order_by(EventRow.started_at, EventRow.id)
    ).all()
    if any(event.incident.verdict not in {Verdict.TRUE, Verdict.FALSE} for event in shown):
        return None, "mixed"
    labels = _happenings([event for event in shown if event.incident.verdict == Verdict.TRUE], clip)
    own = {event.incident_id for event in shown}
    if incident.verdict == Verdict.TRUE and (incident.id not in own or not labels):
        return None, "nothing_shown"
    name = f"{CLIPS}/{incident.id}.mp4"
    recording = Recording(name, Path(name), incident.camera_id, labels, "", incident.camera_id)
    return Chosen(incident.id, path, recording), ""


def _happenings(events: Sequence[EventRow], clip: ClipRow) -> tuple[Label, ...]:
    """A label for each incident and behaviour of `events`, seconds since the clip's start, inside of the clip."""
    began_s, ended_s = clip.started_at or 0.0, clip.ended_at or 0.0
    stretches: dict[tuple[int, str], tuple[float, float]] = {}
    for event in events:
        key = (event.incident_id, event.behaviour)
        until = event.known_until_at if event.ended_at is None else event.ended_at
        first, last = stretches.get(key, (event.started_at, until))
        stretches[key] = (min(first, event.started_at), max(last, until))
    labels = [
        Label(Behaviour(behaviour), max(first, began_s) - began_s, min(last, ended_s) - began_s)
        for (_, behaviour), (first, last) in stretches.items()
    ]
    return tuple(label for label in labels if label.end_s - label.start_s >= LEAST_S)


def _anonymised(clip: ClipRow, evidence: Path) -> Path | None:
    """The anonymised clip, if it surely is one: a file of its own in the evidence folder, and not the original."""
    if clip.anonymised_path is None or clip.anonymised_path == clip.original_path:
        return None
    path, home = evidence / clip.anonymised_path, evidence.resolve()
    if path.is_symlink() or not path.is_file() or not path.resolve().is_relative_to(home):
        return None
    original = None if clip.original_path is None else evidence / clip.original_path
    if original is not None and original.exists() and filecmp.cmp(path, original, shallow=False):
        return None
    return path


def _check_free(folder: Path) -> None:
    """Raise UsageError where `folder` cannot be made, or holds something."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder} is not a folder.", hint="Name a new or an empty folder.")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"The folder {folder} is not empty.", hint="Name a new or an empty folder.")
    if not folder.absolute().parent.is_dir():
        raise UsageError(f"The folder {folder.absolute().parent} does not exist.", hint="Make it first.")


def _write(folder: Path, chosen: Sequence[Chosen], language: Language, now: datetime) -> None:
    """Write the set beside `folder` and give it its name when it is whole. Raises ExportError."""
    part = folder.absolute().with_name(f".{folder.absolute().name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        (part / CLIPS).mkdir(mode=0o700, parents=True)
        part.chmod(0o700)
        for one in chosen:
            shutil.copyfile(one.clip, part / one.recording.path)
        true = sum(bool(one.recording.labels) for one in chosen)
        (part / LIST).write_text(labels_csv([one.recording for one in chosen]), encoding="utf-8")
        about = text(
            language,
            "evaluation.verdicts.readme",
            date=now.strftime("%Y-%m-%d"),
            version=__version__,
            clips=len(chosen),
            true=true,
            false=len(chosen) - true,
        )
        (part / ABOUT).write_text(about, encoding="utf-8")
        for file in (*(part / CLIPS).iterdir(), part / LIST, part / ABOUT):
            file.chmod(0o600)
        part.replace(folder.absolute())
    except OSError as error:
        raise ExportError(f"{error.filename or folder} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
