"""Where the demo's video comes from: a folder, or pinned public sources checked by hash."""

import csv
import hashlib
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

VIDEO_ENDINGS = frozenset({".mp4", ".avi", ".mkv", ".mov", ".m4v", ".ts", ".webm"})
DOWNLOAD_TIMEOUT_S = 10.0
MOST_BYTES = 64 * 1024 * 1024

SQUARE_SHA256 = "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf"
SQUARE_URL = (
    "https://raw.githubusercontent.com/opencv/opencv/"
    "0dd31c3bba49e26298458ce2e18969a31dbd7df8/samples/data/vtest.avi"
)
SQUARE_DEBIAN = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")

_CLIPS_URL = "https://raw.githubusercontent.com/seymanurakti/fight-detection-surv-dataset/{commit}/{path}"
_CALM_COMMIT = "c62bd38a9c5ea39bc7852d0161bb16632fbb7be8"
_FIGHT_COMMIT = "ab6b74ee37bb6e1edf6601d469c065f8dca6021f"
# One camera of the Surveillance Camera Fight Dataset (Akti, Tataroglu, Ekenel, IPTA 2019; MIT).
CLIPS = (
    ("noFight/nofi037.mp4", "7a8b23a1e050a4115437e43a2b6336bb40395cf42dcc17049cfa15d803322e17"),
    ("noFight/nofi038.mp4", "15fdd077da07d09d8a5a411a39b921258d671238b813f97d118ee8753fb6d1b2"),
    ("noFight/nofi039.mp4", "1553af7945cfc59247af4977205cf83c5ad055ae8f8818816cad811780d6cd80"),
    ("noFight/nofi040.mp4", "18563fd134af0ffc7a92676a3f599f7f14ed56eb462af52e2e64c6844000b7b0"),
    ("noFight/nofi041.mp4", "4629973f44e0f92fed101001584a20c59617c5a637cd586cc2aa94e26b23ebb5"),
    ("noFight/nofi042.mp4", "4cd4edc39da927690a6a8713eada413ea2fb106b607414c1ae3d1edcb73521cd"),
    ("fight/fi051.mp4", "fa69c75c6694e1ede433e59fcfef60aa5e5526fd6e4468b7df4cd0801e0fc5bd"),
    ("fight/fi052.mp4", "1f638e072089027953fbec28d4a3240cb86a233e846de68b0477bd7db3493d06"),
    ("fight/fi053.mp4", "c2483cf975c13222b915e37ed0e790da141c80104d10ca852b719ab6382646af"),
    ("fight/fi054.mp4", "96bf00942f4b0f69806814239d29c226d56fcda6edcb0ca4276d7443962176e4"),
    ("fight/fi055.mp4", "c6cc19b32da5bebd3c9fe7832d9390c652fb10caf115ece53199eb07865da39f"),
    ("fight/fi056.mp4", "e8102911deb3cbc17779a1de06458e5e6bde7d3018f208f9329d75325fa0db77"),
    ("fight/fi057.mp4", "aca4e04262ef6cee23e02d2b443d3a0a0248f7326cc7e82233fb68b7711d3a02"),
    ("fight/fi058.mp4", "a7e8e19d326ee995c6f655270563787dca5780b3d94cd9ef86b1b0b03f355959"),
)


@dataclass(frozen=True, slots=True)
class Reel:
    """What one demo camera shows, over and over: some videos in a row.

    kind: `square` (people walking), `door` (calm, then fights) or `street` (anything).
    """

    name: str
    kind: str
    videos: tuple[Path, ...]


def find_reels(folder: Path | None, cache: Path, say: Callable[[str], None]) -> list[Reel]:
    """The reels to show: from `folder` if given, else from what can be had; empty if nothing can.

    `cache` keeps what was downloaded; `say` is told what was tried and what came of it.
    """
    if folder is not None:
        found = from_folder(folder, say)
        say(
            f"Footage: {len(found)} camera(s) from {folder}." if found else f"No video was found in {folder}."
        )
        return found
    reels: list[Reel] = []
    if not _can_keep(cache):
        say(
            f"Footage: nothing can be kept in {cache}, so nothing is downloaded; TYNYSH_CACHE names another folder."
        )
    square = fetch_square(cache)
    if square is None:
        say(
            "Footage: the pedestrian square (OpenCV's vtest.avi) cannot be had: no network, no opencv-doc package."
        )
    else:
        reels.append(Reel("square", "square", (square,)))
    clips = fetch_clips(cache)
    if clips is None:
        say("Footage: the fight clips cannot be had without access to their public repository.")
    else:
        reels.append(Reel("door", "door", clips))
    return reels


def from_folder(folder: Path, say: Callable[[str], None]) -> list[Reel]:
    """At most three reels from a folder: one camera of a labelled fight set, and the longest other videos.

    `say` is told of lists of clips that cannot be read.
    """
    reels: list[Reel] = []
    labelled: set[Path] = set()
    for table in sorted(folder.rglob("clips.csv")):
        try:
            clips = _one_camera(table)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            why = "it is not text in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            say(f"Footage: {table} is left out: {why}.")
            continue
        labelled.update(path.parent for path in clips)
        if clips and not reels:
            reels.append(Reel("door", "door", clips))
    others = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEO_ENDINGS and path.is_file() and path.parent not in labelled
    )
    by_size = sorted(others, key=lambda path: path.stat().st_size, reverse=True)[: 3 - len(reels)]
    for number, path in enumerate(by_size):
        is_square = path.name == "vtest.avi"
        reels.append(
            Reel(
                "square" if is_square else f"street-{number + 1}",
                "square" if is_square else "street",
                (path,),
            )
        )
    return reels


def fetch_square(cache: Path) -> Path | None:
    """OpenCV's vtest.avi, from Debian's documentation package or from its public repository."""
    kept = cache / "vtest.avi"
    if _is(kept, SQUARE_SHA256):
        return kept
    if _is(SQUARE_DEBIAN, SQUARE_SHA256):
        return SQUARE_DEBIAN
    if _download(SQUARE_URL, SQUARE_SHA256, kept) or _from_debian_package(kept):
        return kept
    return None


def fetch_clips(cache: Path) -> tuple[Path, ...] | None:
    """The pinned clips of one camera, calm ones first; None unless all can be had."""
    paths = []
    for name, digest in CLIPS:
        kept = cache / name.replace("/", "-")
        commit = _FIGHT_COMMIT if name.startswith("fight/") else _CALM_COMMIT
        if not _is(kept, digest) and not _download(_CLIPS_URL.format(commit=commit, path=name), digest, kept):
            return None
        paths.append(kept)
    return tuple(paths)


def _one_camera(table: Path) -> tuple[Path, ...]:
    """Of a labelled set, the source video with the most clips of its rarer kind: calm clips first, then fights."""
    sources: dict[str, tuple[list[Path], list[Path]]] = defaultdict(lambda: ([], []))
    with table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            path = table.parent / (row.get("path") or "")
            if row.get("fight") in {"0", "1"} and path.is_file():
                sources[row.get("source_video") or "unlisted"][int(row["fight"])].append(path)
    sources.pop("unlisted", None)
    if not sources:
        return ()
    calm, fights = max(sources.values(), key=lambda kinds: (min(len(kinds[0]), len(kinds[1])), len(kinds[1])))
    return (*sorted(calm), *sorted(fights))


def _is(path: Path, sha256: str) -> bool:
    try:
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False


def _can_keep(folder: Path) -> bool:
    """Whether files can be written into `folder`, which is made if missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _download(url: str, sha256: str, to: Path) -> bool:
    """Whether `url` could be fetched and is what it should be."""
    if not _can_keep(to.parent):
        return False
    part = to.with_suffix(to.suffix + ".part")
    try:
        with httpx.stream("GET", url, timeout=DOWNLOAD_TIMEOUT_S, follow_redirects=True) as response:
            response.raise_for_status()
            with part.open("wb") as file:
                for chunk in response.iter_bytes():
                    file.write(chunk)
                    if file.tell() > MOST_BYTES:
                        return False
        if not _is(part, sha256):
            return False
        part.replace(to)
    except (httpx.HTTPError, OSError):
        return False
    else:
        return True
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _from_debian_package(to: Path) -> bool:
    """Whether Debian's opencv-doc could be downloaded (not installed: no rights are needed) and holds the video."""
    tools = [shutil.which(name) for name in ("apt-get", "dpkg-deb")]
    if None in tools or not _can_keep(to.parent):
        return False
    with tempfile.TemporaryDirectory() as place:
        if not _runs(["apt-get", "download", "opencv-doc"], place):
            return False
        for package in Path(place).glob("opencv-doc*.deb"):
            _runs(["dpkg-deb", "--extract", str(package), place], place)
        found = Path(place) / SQUARE_DEBIAN.relative_to("/")
        if not _is(found, SQUARE_SHA256):
            return False
        try:
            shutil.copyfile(found, to)
        except OSError:
            return False
    return True


def _runs(command: Sequence[str], folder: str) -> bool:
    try:
        return (
            subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
