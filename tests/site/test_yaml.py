"""Every mistake in a site file is found in one run, with its place, what is allowed, and the nearest name."""

import json
from datetime import date
from pathlib import Path

import pytest

from tynysh.errors import SiteError
from tynysh.site.site import SiteFile
from tynysh.site.yaml import Mistake, SiteFaultsError, load, parse

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "site.yaml"

RIGHT = """\
sites:
  - name: Pulse
    kind: nightlife
    time_zone: Asia/Almaty
    schedules:
      night: {days: [fri], from: 22:00, to: 06:00}
    cameras:
      - name: Door
        main: rtsp://10.0.0.1/main
        credentials: {username: viewer, password: {env: DOOR_PASSWORD}}
        zones:
          - {name: queue, polygon: [[0, 0], [1, 0], [1, 1]]}
        analysers:
          crowding: {limit: 20, zones: [queue], schedule: night}
"""


def site(text: str) -> SiteFile:
    return parse(text.encode(), Path("/somewhere/site.yaml"))


def faults(text: str | bytes) -> tuple[Mistake, ...]:
    with pytest.raises(SiteFaultsError) as caught:
        parse(text.encode() if isinstance(text, str) else text, Path("site.yaml"))
    return caught.value.faults


def fault(text: str | bytes) -> Mistake:
    found = faults(text)
    assert len(found) == 1, found
    return found[0]


def wrong(old: str, new: str) -> Mistake:
    """The one fault of the right file with `old` replaced by `new`; its place must be where `new` stands."""
    assert RIGHT.count(old) == 1
    return fault(RIGHT.replace(old, new))


def place(found: Mistake) -> tuple[int, int]:
    return found.line, found.column


GOOD_ADDRESSES = [
    "rtsp://10.0.0.1:554/main",
    "rtsp://10.0.0.1/Streaming/Channels/101?transportmode=unicast",
    "rtsp://cam-gate.local/h264?x=%20y",
    "rtsps://[fe80::1]:322/s",
    "http://cam_1/video.mjpg",
    "http://host/a//b",
    "rtsp://localhost:8554/cam",
    "/dev/video0?input_format=mjpeg",
    "films/gate.mp4",
    "my.films/gate.mp4",
    "recordings/day1",
    "./10.0.0.1/x",
    "../a.b/c",
    "/abs/pa.th/x",
    "my clip.mp4",
    "./cam1:door.mp4",
    "Видео/зал.mp4",
    "simulated:square",
    "file:///x/y.mp4",
]

BAD_ADDRESSES = {
    "no scheme": "192.168.1.10/stream1 192.168.1.10:554/ch1 192.168.1.10 camera.local/stream camera.local:554/x "
    "localhost:8554/cam localhost/cam cam1:554 admin:pw@192.168.1.10/x [fe80::1]/x //10.0.0.1/x rtsp//10.0.0.1/x "
    "rtsp;//10.0.0.1/x",
    "not filled in": "${CAM_URL} rtsp://${CAM_HOST}/x rtsp://$CAM_HOST:554/x rtsp://{{host}}/x $CAM rtsp://10.0.0.1/$(id)",
    "1 to 65535": "rtsp://10.0.0.1:99999/x rtsp://10.0.0.1:0/x",
    "port is malformed": "rtsp://10.0.0.1:554a/x",
    "0 to 255": "rtsp://10.0.0.300/x rtsp://10.0.0/x",
    "characters that names cannot have": "rtsp://cam..local/x rtsp://-cam/x rtsp://камера.local/x rtsp://<ip>/x "
    "rtsp://%CAM_HOST%/x",
    "two schemes": "rtsp://rtsp://10.0.0.1/x rtsp://http://10.0.0.1/x",
    "before its scheme": "url=rtsp://10.0.0.1/x 'rtsp://10.0.0.1/x'",
    "backslash": "rtsp:\\\\10.0.0.1\\x",
    "names a host": "file://host/x.mp4",
    "names no host": "rtsp:///x rtsp://:554/x rtsp:// rtsp:10.0.0.1/x",
    "did you mean 'rtsp:'?": "rstp://10.0.0.1/x",
    "did you mean 'http:'?": "htpp://10.0.0.1/x",
}


def addressed(address: str) -> str:
    return RIGHT.replace("rtsp://10.0.0.1/main", json.dumps(address, ensure_ascii=False))


@pytest.mark.parametrize("address", GOOD_ADDRESSES)
def test_addresses_and_paths_that_can_be_meant_are_right(address: str) -> None:
    assert (
        site(addressed(address))
        .sites[0]
        .cameras[0]
        .main.endswith(address.removeprefix("../").removeprefix("./"))
    )


@pytest.mark.parametrize(
    ("what", "address"),
    [
        *((what, address) for what, addresses in BAD_ADDRESSES.items() for address in addresses.split()),
        ("space", "rtsp://10.0.0.1/my stream"),
        ("space", "rtsp://10.0.0.1 /x"),
    ],
)
def test_addresses_that_cannot_be_meant_are_told_with_their_place_once(what: str, address: str) -> None:
    found = fault(addressed(address))
    assert place(found) == (9, 15)
    assert what in found.words()
    assert "admin" not in found.words(), "it may be a secret"


def test_a_folder_that_is_there_is_no_address_without_a_scheme(tmp_path: Path) -> None:
    (tmp_path / "10.0.0.1" / "day1").mkdir(parents=True)
    assert parse(addressed("10.0.0.1/day1").encode(), tmp_path / "site.yaml").sites


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("username: viewer", 'username: "${CAM_USER}"', (10, 33)),
        ("env: DOOR_PASSWORD", 'file: "$SECRETS/door"', (10, 58)),
    ],
)
def test_variables_that_nobody_fills_in_are_told(old: str, new: str, where: tuple[int, int]) -> None:
    found = wrong(old, new)
    assert place(found) == where
    assert "not filled in" in found.words()


def test_the_example_is_right() -> None:
    example = load(EXAMPLE)
    assert [place.id for place in example.sites] == ["pulse", "park-of-the-guardsmen"]
    _, flame = example.camera("park-of-the-guardsmen-eternal-flame")
    assert flame.credentials is not None
    assert flame.credentials.password.file == str(EXAMPLE.parent / "secrets/eternal-flame")


def test_a_right_file_says_what_it_says() -> None:
    read = site(RIGHT)
    camera = read.sites[0].cameras[0]
    assert (camera.id, camera.main, camera.simulated) == ("pulse-door", "rtsp://10.0.0.1/main", False)
    assert camera.zones[0].polygon == ((0, 0), (1, 0), (1, 1))
    assert read.sites[0].schedules["night"].begin.hour == 22, "22:00 needs no quotes"


@pytest.mark.parametrize(
    ("old", "new", "where", "nearest"),
    [
        ("kind: nightlife", "kind: nightlive", (3, 11), "nightlife"),
        ("    time_zone:", "    timezone: x\n    time_zone:", (4, 5), "time_zone"),
        ("main: rtsp", "mian: x\n        main: rtsp", (9, 9), "main"),
        ("[fri]", "[fry]", (6, 22), "fri"),
        ("crowding: {limit", "crowdin: {}\n          crowding: {limit", (14, 11), "crowding"),
        ("{limit: 20", "{limit: 20, limits: 5", (14, 33), "limit"),
        ("zones: [queue]", "zones: [quewe]", (14, 41), "queue"),
        ("schedule: night}", "schedule: nigth}", (14, 59), "night"),
        ("{name: queue,", "{name: queue, kind: protect,", (12, 33), "protected"),
        ("{env: DOOR", "{file: x, evn: 3}}\n        # {env: DOOR", (10, 61), "env"),
    ],
)
def test_a_misspelt_name_is_told_with_the_nearest(old: str, new: str, where: tuple, nearest: str) -> None:
    found = wrong(old, new)
    assert place(found) == where
    assert found.nearest == nearest
    assert nearest in found.allowed
    assert f"did you mean {nearest!r}?" in found.words()


def test_a_misspelt_time_zone_is_told_with_the_nearest() -> None:
    found = wrong("Asia/Almaty", "Asia/Almati")
    assert place(found) == (4, 16)
    assert "did you mean 'Asia/Almaty'" in found.words()


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("limit: 20", "limit: many", (14, 29), "'many' is not a whole number"),
        ("limit: 20", "limit: 0", (14, 29), "at least 1"),
        ("from: 22:00", "from: 25:00", (6, 34), "not a time of day; write HH:MM"),
        ("from: 22:00", "from: 1320", (6, 34), "not a time of day"),
        ("[[0, 0], [1, 0], [1, 1]]", "[[0, 0], [1, 0]]", (12, 36), "has 2 entries; it needs at least 3"),
        ("[[0, 0], [1, 0], [1, 1]]", "[[0, 0], [1, 0], [1, 1.5]]", (12, 57), "at most 1"),
        ("[[0, 0], [1, 0], [1, 1]]", "[[0, 0], [1, 1], [1, 0], [0, 1]]", (12, 36), "crosses itself"),
        ("[[0, 0], [1, 0], [1, 1]]", "[[0, 0], [0.5, 0.5], [1, 1]]", (12, 36), "encloses no area"),
        ("[[0, 0], [1, 0], [1, 1]]", "wide", (12, 36), "needs a list, not 'wide'"),
        ("name: Pulse", "name:", (2, 10), "needs text, not nothing"),
        ("name: Pulse", "name: 2012", (2, 11), "needs text, not 2012; put it in quotes"),
        (
            "main: rtsp://10.0.0.1/main",
            "main: ftp://10.0.0.1/main",
            (9, 15),
            "ftp: is no kind of video source",
        ),
        ("main: rtsp://10.0.0.1/main", "main: rtsp:///main", (9, 15), "names no host"),
        ("main: rtsp://10.0.0.1/main", "main: rtsp://10.0.0.1:99999/main", (9, 15), "1 to 65535"),
        ("main: rtsp://10.0.0.1/main", "main: 'simulated:'", (9, 15), "names no scene"),
        ("{env: DOOR_PASSWORD}", "{env: A, file: b}", (10, 51), "either `env` or `file`"),
        ("{env: DOOR_PASSWORD}", "{}", (10, 51), "either `env` or `file`"),
        ("{env: DOOR_PASSWORD}", "{env: A-B}", (10, 57), "not the name of an environment variable"),
        ("        main: rtsp://10.0.0.1/main\n", "", (8, 9), "the key 'main' is missing"),
        ("name: Door", "name: '!!!'", (8, 9), "the name gives no id"),
        ("name: Door", "name: Door\n        id: Main Door", (9, 13), "'Main Door' is not an id"),
    ],
)
def test_a_wrong_value_is_told_with_what_it_should_be(old: str, new: str, where: tuple, words: str) -> None:
    found = wrong(old, new)
    assert place(found) == where
    assert words in found.words()


def test_all_faults_are_found_in_one_run_in_the_order_of_the_file() -> None:
    text = RIGHT.replace("nightlife", "disco").replace("Almaty", "Nowhere").replace("limit: 20", "limit: -1")
    text = text.replace("zones: [queue]", "zones: [a, b]") + "  - 5\n"
    found = faults(text)
    assert [entry.line for entry in found] == [3, 4, 14, 14, 14, 15]
    with pytest.raises(SiteFaultsError) as caught:
        parse(text.encode(), Path("my/site.yaml"))
    lines = caught.value.message.splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("my/site.yaml:3:11: sites[0].kind: 'disco' is not known")


def test_what_is_given_twice_is_told() -> None:
    found = fault(RIGHT.replace("    kind: nightlife", "    kind: nightlife\n    kind: park"))
    assert place(found) == (4, 5)
    assert "'kind' stands here twice, first in line 3" in found.what
    camera = RIGHT[RIGHT.index("      - name: Door") :]
    assert "camera of this site has the name 'Door'" in fault(RIGHT + camera).what
    found = fault(RIGHT + RIGHT.removeprefix("sites:\n"))
    assert "another site has the name 'Pulse'" in found.what
    zone = "          - {name: Queue, polygon: [[0, 0], [1, 0], [1, 1]]}\n"
    assert (
        "zone of this camera has the name 'Queue'"
        in fault(RIGHT.replace("        analysers:", f"{zone}        analysers:")).what
    )


def test_cameras_of_different_sites_may_share_a_name_but_not_an_id() -> None:
    second = RIGHT.removeprefix("sites:\n").replace("Pulse", "Second")
    assert [camera.id for place in site(RIGHT + second).sites for camera in place.cameras] == [
        "pulse-door",
        "second-door",
    ]
    given = second.replace("name: Door", "name: Door\n        id: pulse-door")
    assert "another camera has the id 'pulse-door'" in fault(RIGHT + given).what


def test_zones_of_other_cameras_are_unknown() -> None:
    other = "      - {name: Bar, main: rtsp://h/x, analysers: {loitering: {zones: [queue]}}}\n"
    found = fault(RIGHT + other)
    assert found.line == 15
    assert "this camera has no zone 'queue'" in found.what


def test_a_shared_default_may_name_a_zone_that_some_camera_has() -> None:
    text = RIGHT.replace(
        "    cameras:", "    defaults: {analysers: {intrusion: {zones: [queue]}}}\n    cameras:"
    )
    assert site(text).sites[0].defaults.analysers is not None
    assert (
        "any camera here has no zone 'q'"
        in fault(text.replace("intrusion: {zones: [queue]", "intrusion: {zones: [q]")).what
    )


class TestSecrets:
    SECRET = "hunter2"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("rtsp://10.0.0.1/main", "rtsp://admin:hunter2@10.0.0.1/main"),
            ("rtsp://10.0.0.1/main", "rtsp://hunter2@10.0.0.1/main"),
            ("rtsp://10.0.0.1/main", "'rtsp://10.0.0.1/main?user=admin&password=hunter2'"),
            ("rtsp://10.0.0.1/main", "'rtsp://10.0.0.1/user=admin_password=hunter2'"),
            ("rtsp://10.0.0.1/main", "'https://10.0.0.1/live.m3u8?access_token=hunter2'"),
            ("rtsp://10.0.0.1/main", "'https://10.0.0.1/live?a=b&key=hunter2'"),
            ("rtsp://10.0.0.1/main", "'https://10.0.0.1/live?password={password}hunter2&pwd=hunter2'"),
            ("rtsp://10.0.0.1/main", "rtsp://admin:hunter2@10.0.0.1:bad/main"),
            ("{env: DOOR_PASSWORD}", "hunter2"),
            ("{env: DOOR_PASSWORD}", "[hunter2]"),
            ("{env: DOOR_PASSWORD}", "{env: 'hunter2!'}"),
            ("{username: viewer, password: {env: DOOR_PASSWORD}}", "admin:hunter2"),
            ("{username: viewer, password: {env: DOOR_PASSWORD}}", "[admin, hunter2]"),
        ],
    )
    def test_are_never_repeated(self, old: str, new: str) -> None:
        text = RIGHT.replace(old, new)
        with pytest.raises(SiteFaultsError) as caught:
            parse(text.encode(), Path("site.yaml"))
        assert self.SECRET not in f"{caught.value} {caught.value.hint} {caught.value.faults!r}"

    @pytest.mark.parametrize(
        "address",
        [
            "rtsp://10.0.0.1/user={user}_password={password}_channel=1_stream=0.sdp?real_stream",
            "http://10.0.0.1/flv?port=1935&stream=channel0_main.bcs&user={user}&password={password}",
            "https://10.0.0.1/live.m3u8?token={password}",
            "rtsp://10.0.0.1/cam/realmonitor?channel=1&subtype=0&unicast=true&proto=Onvif&keyframe=1",
        ],
    )
    def test_have_places_in_addresses(self, address: str) -> None:
        found = parse(RIGHT.replace("rtsp://10.0.0.1/main", f"'{address}'").encode(), Path("site.yaml"))
        assert found.sites[0].cameras[0].main == address

    def test_in_an_address_are_told_where_to_go(self) -> None:
        found = wrong("rtsp://10.0.0.1/main", "rtsp://admin:hunter2@10.0.0.1/main")
        assert place(found) == (9, 15)
        assert "password: {env: VARIABLE}" in found.what

    def test_written_out_are_told_where_to_go(self) -> None:
        found = wrong("{env: DOOR_PASSWORD}", "hunter2")
        assert place(found) == (10, 51)
        assert "`{env: VARIABLE}` or `{file: PATH}`" in found.what


class TestWhatIsNoSiteFile:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("- a\n- b\n", "holds a list; it needs `sites:`"),
            ("just words\n", "holds a single value"),
            ("", "is empty"),
            ("# only a comment\n", "is empty"),
            ("null\n", "is empty"),
            ("sites: 5\n", "needs a list, not 5"),
            ("sites: []\n", "has 0 entries; it needs at least 1"),
            ("sites:\n\t- name: a\n", "a tab; indent with spaces"),
            ("sites:\n  - name: a: b\n", "second `:`"),
            ("sites: [\n", "a bracket is not closed"),
            ("sites:\n  - 'a\n", "a quote is not closed"),
            ("sites: *x\n", "no anchor of that name"),
            ("sites: !!python/object/apply:os.system [true]\n", "tags such as"),
            ("a: 1\n---\nb: 2\n", "second document"),
            ("? [a]\n: b\n", "a key must be a word"),
            (b"\x89PNG\r\n\x1a\n\xff\xfe", "not text in UTF-8"),
            (b"sites:\x00\x01", "a text file?"),
            ("a: &a [*a]\n", "an alias that holds itself"),
            ("[" * 20_000, "nested deeper than 30 levels"),
            ("{a: " * 40 + "1" + "}" * 40, "nested deeper than 30 levels"),
            ("x" * 5_000_000, "larger than 4 MiB"),
        ],
        ids=range(21),
    )
    def test_is_told_in_plain_words(self, content: str | bytes, words: str) -> None:
        found = faults(content)
        assert any(words in entry.what for entry in found)

    def test_a_bomb_of_aliases_is_not_followed_to_its_end(self) -> None:
        lines = ["a0: &a0 [1, 2, 3]"]
        lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
        assert any("once aliases are followed" in found.what for found in faults("\n".join(lines)))

    def test_a_missing_file_and_a_folder_are_told(self, tmp_path: Path) -> None:
        with pytest.raises(SiteError, match="cannot be read: no such file"):
            load(tmp_path / "site.yaml")
        with pytest.raises(SiteError, match="is a folder"):
            load(tmp_path)


def test_aliases_may_be_used() -> None:
    text = RIGHT.replace("kind: nightlife", "kind: &kind nightlife").replace(
        "name: Pulse", "name: &name Pulse"
    )
    assert site(text + "  - {name: Other, kind: *kind, time_zone: UTC}\n").sites[1].kind == "nightlife"


def test_relative_paths_are_taken_from_the_file(tmp_path: Path) -> None:
    text = RIGHT.replace("rtsp://10.0.0.1/main", "videos/door.mp4").replace(
        "{env: DOOR_PASSWORD}", "{file: secrets/door}"
    )
    path = tmp_path / "site.yaml"
    path.write_text(text)
    camera = load(path).sites[0].cameras[0]
    assert camera.main == str(tmp_path / "videos/door.mp4")
    assert camera.credentials is not None
    assert camera.credentials.password.file == str(tmp_path / "secrets/door")


@pytest.mark.parametrize(
    "address", ["/dev/video0", "/srv/a.mp4", "file:///srv/a.mp4", "simulated:square", "rtsp://[::1]:554/x"]
)
def test_all_kinds_of_sources_are_taken(address: str) -> None:
    camera = site(RIGHT.replace("rtsp://10.0.0.1/main", address)).sites[0].cameras[0]
    assert camera.main == address
    assert camera.simulated == address.startswith("simulated:")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rtsp://10.0.0.1/main", "~no-such-user/door.mp4"),
        ("rtsp://10.0.0.1/main", "'  ~no-such-user/door.mp4'"),
    ],
)
def test_a_video_in_nobodys_home_is_told_where(old: str, new: str) -> None:
    found = wrong(old, new)
    assert place(found) == (9, 15)
    assert "user who does not exist" in found.what


def test_a_secret_in_nobodys_home_is_told_where() -> None:
    found = wrong("{env: DOOR_PASSWORD}", "{file: ~no-such-user/door}")
    assert (place(found), found.path) == ((10, 58), "sites[0].cameras[0].credentials.password.file")
    assert "user who does not exist" in found.what


def test_what_stands_there_twice_is_told_with_nobodys_home_in_it() -> None:
    again = "main: rtsp://10.0.0.1/main\n        credentials: {username: viewer, password: {file: ~no-such-user/x}}"
    assert any("twice" in found.what for found in faults(RIGHT.replace("main: rtsp://10.0.0.1/main", again)))


GROUNDED = """\
sites:
  - name: Pulse
    kind: nightlife
    time_zone: Asia/Almaty
    position: {latitude: 43.2, longitude: 76.9}
    country_holidays: KZ
    holidays: [2026-12-31]
    schedules:
      night: {days: [fri, holiday], from: sunset-00:30, to: sunrise}
    places:
      - {name: Hall, capacity: 400, gates: [{camera: Door, line: Entrance}], views: [{camera: Door, zone: queue}]}
    cameras:
      - name: Door
        main: rtsp://10.0.0.1/main
        lines: [{name: Entrance, from: [0.1, 0.5], to: [0.9, 0.5]}]
        calibration:
          points:
            - {at: [0.2, 0.8], metres: [0, 0]}
            - {at: [0.8, 0.8], metres: [4, 0]}
            - {at: [0.7, 0.5], metres: [4, 8]}
            - {at: [0.3, 0.5], metres: [0, 8]}
        zones:
          - {name: queue, kind: object, polygon: [[0, 0], [1, 0], [1, 1]], area_m2: 30, capacity: 40}
"""


class TestGround:
    def test_a_right_site_says_what_it_says(self) -> None:
        read = site(GROUNDED).sites[0]
        assert read.camera("Door") is read.camera("pulse-door")
        assert read.places[0].gates[0].line == "Entrance"
        assert str(read.schedules["night"].begin) == "sunset-00:30"
        assert date(2026, 12, 31) in read.locality().holidays
        assert date(2026, 12, 16) in read.locality().holidays, "Independence Day"
        assert date(2026, 12, 17) not in read.locality().holidays
        assert not isinstance(read.cameras[0].calibration, str)
        assert len(read.cameras[0].calibration.known_points) == 4

    def test_calibration_is_automatic_unless_told(self) -> None:
        assert site(RIGHT).sites[0].cameras[0].calibration == "automatic"
        assert (
            site(RIGHT.replace("        zones:", "        calibration: off\n        zones:"))
            .sites[0]
            .cameras[0]
            .calibration
            == "off"
        )

    @pytest.mark.parametrize(
        ("old", "new", "line", "words"),
        [
            ("gates: [{camera: Door", "gates: [{camera: Dor", 11, "no camera 'Dor'; did you mean 'Door'?"),
            ("line: Entrance", "line: Entranse", 11, "has no line 'Entranse'; did you mean 'Entrance'?"),
            ("zone: queue", "zone: quewe", 11, "has no zone 'quewe'; did you mean 'queue'?"),
            (
                "position: {latitude: 43.2, longitude: 76.9}",
                "address: X",
                9,
                "'sunrise' needs the site's `position`",
            ),
            ("country_holidays: KZ", "country_holidays: KK", 6, "not a country whose holidays are known"),
            ("country_holidays: KZ", "country_holidays: DE-XX", 6, "no part of that country; did you mean"),
            ("[2026-12-31]", "[31.12.2026]", 7, "write YYYY-MM-DD"),
            ("sunset-00:30", "sunsets", 9, "or `dawn`, `sunrise`, `sunset`, `dusk`"),
            ("to: sunrise", "to: sunrise, except_holidays: true", 9, "as well"),
            ("to: [0.9, 0.5]", "to: [0.1, 0.5]", 15, "begins and ends at the same point"),
            ("metres: [4, 8]", "metres: [2, 0]", 16, "lies on one line"),
            ("            - {at: [0.3, 0.5], metres: [0, 8]}\n", "", 17, "it needs at least 4"),
            ("          points:", "          distances: []\n          points:", 17, "at least 4"),
            ("name: queue, kind", "name: Picture, kind", 23, "stands for the whole picture"),
            ("kind: object", "kind: objekt", 23, "did you mean 'object'?"),
            ("{name: Hall, capacity: 400", "{name: Hall, capacity: 0", 11, "at least 1"),
        ],
    )
    def test_what_does_not_agree_is_told_where(self, old: str, new: str, line: int, words: str) -> None:
        assert GROUNDED.count(old) == 1
        changed = GROUNDED.replace(old, new)
        found = faults(changed)
        assert [entry.line for entry in found if words in entry.words()] == [line], found

    def test_holidays_that_nobody_names_are_told(self) -> None:
        text = GROUNDED.replace("    country_holidays: KZ\n    holidays: [2026-12-31]\n", "")
        assert "the site names no holidays" in fault(text).what

    def test_a_calibration_is_points_or_distances_or_a_word(self) -> None:
        camera = "        calibration:\n          points:\n"
        start = GROUNDED.index(camera)
        end = GROUNDED.index("        zones:\n")
        for wrong_one, words in (
            ("{}", "either `points` or `distances`"),
            ("manual", "'manual' is not known"),
        ):
            text = f"{GROUNDED[:start]}        calibration: {wrong_one}\n{GROUNDED[end:]}"
            assert words in fault(text).words()


class TestTrust:
    def test_is_taken_in_whatever_way_it_is_written(self, tmp_path: Path) -> None:
        fingerprint = ":".join(["AB"] * 32)
        trust = f"{{fingerprint: '{fingerprint}', authority: ca.pem, hosts: [CDN.kz, 10.1.2.3/8, '::1']}}"
        text = RIGHT.replace(
            "main: rtsp://10.0.0.1/main", f"main: rtsp://10.0.0.1/main\n        trust: {trust}"
        )
        camera = parse(text.encode(), tmp_path / "site.yaml").sites[0].cameras[0]
        assert camera.trust is not None
        assert camera.trust.fingerprint == "ab" * 32
        assert camera.trust.authority == str(tmp_path / "ca.pem")
        assert camera.trust.hosts == ("cdn.kz", "10.0.0.0/8", "::1")

    @pytest.mark.parametrize(
        "trust", ["{fingerprint: ab}", "{hosts: ['a/b']}", "{hosts: [10.0.0.0/99]}", "{basic: true}"]
    )
    def test_of_another_kind_is_told(self, trust: str) -> None:
        wrong("main: rtsp://10.0.0.1/main", f"main: rtsp://10.0.0.1/main\n        trust: {trust}")
