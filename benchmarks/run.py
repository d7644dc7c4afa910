"""Every figure of docs/benchmarks.md, measured anew on this machine.

    make bench        (or: TYNYSH_FOOTAGE=/folder python benchmarks/run.py)

Needs vtest.avi (768x576, 10 fps, people walking all the time) somewhere in TYNYSH_FOOTAGE. Run it on an idle machine.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tynysh.demo.footage import SQUARE_DEBIAN

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
STILLS = ((3.0, 50), (3.0, 250), (8.0, 25))
LIVE_S = 120


def main() -> None:
    square = find_square()
    with tempfile.TemporaryDirectory() as place:
        parts = [machine(), costs(square, Path(place)), counting(square), camera_faults(square), live(square)]
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(parts) + f"{END}{after}", encoding="utf-8")
    print(f"Written: {PAGE}")


def find_square() -> Path:
    """vtest.avi, from the footage or from Debian's opencv-doc."""
    folder = os.environ.get("TYNYSH_FOOTAGE")
    found = sorted(Path(folder).rglob("vtest.avi")) if folder else []
    for path in (*found, SQUARE_DEBIAN):
        if path.is_file():
            return path
    sys.exit(
        "vtest.avi is missing: set TYNYSH_FOOTAGE to a folder that has it, or install Debian's opencv-doc."
    )


def machine() -> str:
    """What it was measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
    return f"Measured on {os.cpu_count()} cores ({model}), Python {platform.python_version()}, {platform.system()}.\n"


def costs(square: Path, place: Path) -> str:
    """The table of CPU costs: the square, and still scenes."""
    videos = {"vtest.avi, people walking all the time": square}
    for sigma, keyint in STILLS:
        still = place / f"still_{sigma:g}_{keyint}.mp4"
        run(HERE / "still.py", square, still, "--sigma", sigma, "--keyint", keyint)
        videos[f"still scene with people, noise {sigma:g}, key frame every {keyint} of 25 fps"] = still
    rows = [
        "| video | decoding alone | in all | ratio | detector | pose | pictures | behaviour | peak MiB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, video in videos.items():
        figures = json.loads(run("-m", "tynysh", "bench", video, "--json"))
        stages: Mapping[str, float] = figures["stages"]
        decode, total = figures["decode_cpu_ms_per_video_s"], figures["total_cpu_ms_per_video_s"]
        rows.append(
            f"| {name} | {decode:.1f} | {total:.1f} | {total / decode:.1f} | {stages.get('detector', 0):.1f} | "
            f"{stages.get('pose', 0):.1f} | {stages.get('pictures', 0):.1f} | {stages.get('behaviour', 0):.1f} | "
            f"{figures['peak_rss_mb']:.0f} |"
        )
    return "\n".join(
        [
            "### Cost of a file, CPU-ms per second of video",
            "",
            "`tynysh bench VIDEO --json`",
            "",
            *rows,
            "",
            "",
        ]
    )


def counting(square: Path) -> str:
    """What counting costs and how wrong it is."""
    return "\n".join(
        [
            "### Counting people",
            "",
            (
                "`python benchmarks/counting.py vtest.avi`: the square of vtest.avi, and nine of them in one picture "
                "(*far away*), on a camera that only counts. Errors are in people; *in the band* is how often the "
                "truth was."
            ),
            "",
            run(HERE / "counting.py", square),
        ]
    )


def camera_faults(square: Path) -> str:
    """What it costs to know that a camera sees."""
    return "\n".join(
        [
            "### Knowing that a camera sees",
            "",
            "`python benchmarks/camera_fault.py vtest.avi`",
            "",
            run(HERE / "camera_fault.py", square),
        ]
    )


def live(square: Path) -> str:
    """The table of four live cameras."""
    figures: Mapping[str, Any] = json.loads(
        run(HERE / "live.py", square, "--cameras", 4, "--seconds", LIVE_S)
    )
    onset, decided = figures["onset_to_console_s"], figures["decision_to_console_s"]
    return "\n".join(
        [
            "### Four RTSP cameras at 10 fps, people in all of them all the time",
            "",
            f"`python benchmarks/live.py vtest.avi --cameras 4 --seconds {LIVE_S}`",
            "",
            "| figure | |",
            "|---|---|",
            (
                "| pictures read, analysed, dropped (and while starting) | "
                f"{figures['frames_read']}, {figures['frames_analysed']}, "
                f"{figures['frames_dropped']} ({figures['frames_dropped_at_start']}) |"
            ),
            f"| CPU-ms per second, all processes | {figures['cpu_ms_per_second']} |",
            f"| peak memory, all processes, MiB (proportional) | {figures['peak_memory_mb']} |",
            f"| onset to console, s: median, 95 % | {onset['median']}, {onset['p95']} of {onset['n']} |",
            f"| decision to console, s: median, 95 % | {decided['median']}, {decided['p95']} of {decided['n']} |",
            "",
            "",
        ]
    )


def run(*arguments: object) -> str:
    """What a Python program prints."""
    command = [sys.executable, *map(str, arguments)]
    print("$", *command[1:], flush=True)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
