"""Names, passwords, addresses and zones of the field, as people who run such systems reported them."""

import socket
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.behaviour.scenes import HEIGHT, WIDTH, boxed, scene
from tests.field.cameras import Film, OddCamera
from tests.field.conftest import watched
from tests.media.conftest import write_video
from tests.servers import ProxyServer, RtspCamera
from tests.site.test_yaml import RIGHT, fault, faults, site

from tynysh.geometry import Box
from tynysh.media.source import open_source
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceSpec, Timeouts, Trust
from tynysh.scene.places import stands
from tynysh.scene.zone import Zone
from tynysh.site.apply import apply, export
from tynysh.store.database import Database

PASSWORDS = [
    "abc@123@",
    "P@ss#word",
    "^and!",
    "100%41",
    "a:b/c?d",
    "$ecret&more=1",
    "пароль ü",
    "[::1]",
    " + ",
]


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> RtspCamera:
    """A real RTSP server with half a second of video."""
    folder = tmp_path_factory.mktemp("camera")
    write_video(folder / "clip.mp4", seconds=0.5)
    with RtspCamera(folder) as camera:
        yield camera


@pytest.mark.parametrize("written", ["apart", "in the address"])
@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_of_any_characters_opens_the_camera(
    password: str, written: str, camera: RtspCamera
) -> None:
    """`@`, `#`, `^`, `/`, `?` and `%` in passwords: bluenviron/mediamtx#2069 and #557, opencv/opencv-python#848,
    BogdanovKirill/RtspClientSharp#115, Kurento/bugtracker#611, AlexxIT/WebRTC#211.
    """
    with ProxyServer(camera.port, account=("viewer", password)) as line:
        address = f"127.0.0.1:{line.port}/clip.mp4?play_count=1"
        if written == "apart":
            spec = SourceSpec.parse(f"rtsp://{address}", user="viewer", password=password)
        else:
            spec = SourceSpec.parse(f"rtsp://viewer:{quote(password, safe='')}@{address}")
        # That server knows Basic alone.
        spec = replace(spec, trust=Trust(basic_in_clear=True))
        source = open_source(spec, Timeouts(5.0, 4.0))
        assert next(source.packets()).is_key
        source.close()
    assert password not in f"{spec} {spec!r}"


@pytest.mark.parametrize(
    "address", ["rtsp://viewer:pass#word@10.0.0.1/live", "rtsp://viewer:pa/ss@10.0.0.1/live"]
)
def test_a_password_that_breaks_its_address_is_refused_without_being_shown(address: str) -> None:
    """A bare `#` or `/` in an address ends it before the host is named, and "port missing" is all that is said:
    opencv/opencv-python#848, bluenviron/mediamtx#557.
    """
    with pytest.raises(SourceError) as caught:
        SourceSpec.parse(address)
    assert caught.value.fault is SourceFault.UNREACHABLE
    shown = f"{caught.value.message} {caught.value.hint}"
    assert not any(secret in shown for secret in ("pass", "pa/ss", "word"))
    wrong = fault(RIGHT.replace("rtsp://10.0.0.1/main", f'"{address}"'))
    assert (wrong.line, wrong.column) == (9, 15)
    assert not any(secret in wrong.words() for secret in ("pass#", "pa/ss", "#word"))


def test_a_camera_with_an_address_of_ipv6_is_watched(h264: Film, tmp_path: Path) -> None:
    """Brackets that get lost on the way from the settings to the library: vladpen/cams#62, Ullaakut/cameradar#445."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with OddCamera(h264, host="::1", plays=1) as camera:
        address = camera.url.replace("rtsp://", "rtsp://viewer:p%40ss@")
        spec = SourceSpec.parse(address)
        assert spec.redacted == camera.url.replace("rtsp://", "rtsp://***@")
        with watched(address, tmp_path) as seen:
            assert seen.gets(50)


NAMES = {
    "Indkørsel": "pulse-indk-rsel",
    "Séjour, Façade": "pulse-sejour-facade",
    "Қақпа №2": "pulse-qaqpa-no2",
    "Двор & «чёрный» ход / 50%": "pulse-dvor-chernyi-khod-50",
    'Kapı\'nın "önü" #1': "pulse-kap-n-n-onu-1",
    "..": None,
    "Вход\u200b": "pulse-vkhod",
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_a_camera_may_be_called_as_people_call_it(name: str, expected: str | None, sqlite_url: str) -> None:
    """Letters beyond ASCII refused, and folders that cannot be found: motioneye-project/motioneye#1453,
    cyb3rdoc/ez-nvr#8.
    """
    text = RIGHT.replace("name: Door", "name: '" + name.replace("'", "''") + "'")
    if expected is None:
        assert "the name gives no id; add one" in fault(text).words()
        return
    read = site(text)
    (camera,) = read.sites[0].cameras
    assert (camera.id, camera.name) == (expected, name)
    database = Database.open(sqlite_url)
    apply(read, database, now=1.0, user="installer")
    with database.reading() as session:
        again = site(export(session))
    assert again.sites[0].cameras[0].name == name
    database.close()


@pytest.mark.parametrize(
    "name", ["on", "off", "no", "yes", "y", "null-2", "0x1F", "1e3x", "10:00", "2026-01-01"]
)
def test_what_older_yaml_took_for_truths_times_and_days_is_a_name_here(name: str) -> None:
    """`on` read as true, `10:00` as 600: aneeshd/schedule_state#76, mampfes/hacs_waste_collection_schedule#6876,
    hugobloem/stateful_scenes#220.
    """
    if name == "0x1F":
        assert "put it in quotes" in fault(RIGHT.replace("name: Door", f"name: {name}")).words()
        return
    read = site(RIGHT.replace("name: Door", f"name: {name}"))
    assert read.sites[0].cameras[0].name == name


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("limit: 20", "limit: true", (14, 29)),
        ("[1, 0]", "[true, 0]", (12, 46)),
        ("kind: nightlife", "kind: nightlife\n    retention: {recordings: {days: true}}", (4, 36)),
    ],
)
def test_a_truth_is_no_number(old: str, new: str, place: tuple[int, int]) -> None:
    """`timeout: true` taken for one second: omnigent-ai/omnigent#1069."""
    found = fault(RIGHT.replace(old, new, 1))
    assert (found.line, found.column) == place
    assert "needs a number, not true" in found.words()


@pytest.mark.parametrize(("width", "height"), [(3840, 2160), (1280, 720), (640, 480), (352, 288)])
def test_a_zone_is_the_same_part_of_the_picture_at_any_resolution(width: int, height: int) -> None:
    """Masks that must be drawn anew when the detection's resolution changes, or shift:
    blakeblackshear/frigate#6309, koush/scrypted#1810, motioneye-project/motioneye#2755.
    """
    zone = Zone("lawn", ((0.25, 0.5), (0.75, 0.5), (0.75, 1.0), (0.25, 1.0)))
    inside, outside = (
        Box(0.45 * width, 0.4 * height, 0.55 * width, 0.9 * height),
        Box(0, 0, 0.2 * width, 0.9 * height),
    )
    assert zone.contains(inside.scaled(1 / width, 1 / height).foot)
    assert not zone.contains(outside.scaled(1 / width, 1 / height).foot)


@pytest.mark.parametrize(
    "polygon",
    [
        "[[0, 0], [1, 0], [1, 1.0001]]",
        "[[-0.01, 0], [1, 0], [1, 1]]",
        "[[0, 0], [1920, 0], [1920, 1080]]",
        "[[0, 0], [0, 0], [0, 0]]",
        "[[0.2, 0.2], [0.2, 0.2], [0.2, 0.9]]",
    ],
)
def test_a_zone_beside_the_picture_or_without_room_is_told_and_not_ignored(polygon: str) -> None:
    """Regions of no size or outside the picture that are taken and never fire: OpenIPC/majestic-webui#330 and #332."""
    found = faults(RIGHT.replace("[[0, 0], [1, 0], [1, 1]]", polygon))
    assert {mistake.line for mistake in found} == {12}


@pytest.mark.parametrize(
    ("x", "y"), [(500, HEIGHT), (0, HEIGHT), (WIDTH, HEIGHT), (WIDTH, 300), (500, HEIGHT + 80)]
)
def test_who_stands_at_the_very_edge_of_the_picture_is_in_the_zone_up_to_it(x: int, y: int) -> None:
    """A mask of as many rows as the picture has, and the last of them out of bounds: roflcoopter/viseron#959."""
    everywhere = Zone("all", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)), kind="protected")
    person = boxed(1, Box(x - 20, y - 100, x + 20, y), 0.0)
    shown = scene(0.0, [person])
    assert everywhere.contains(stands(shown, person))
    beside = Zone("left", ((0.0, 0.0), (0.3, 0.0), (0.3, 1.0), (0.0, 1.0)))
    assert beside.contains(stands(shown, person)) is (x < 300)
