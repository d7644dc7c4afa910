"""Crowds, places, history and blind cameras, as they are seen in a real browser."""

import re
import time
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.crowd.message import crowd_message
from tynysh.crowd.minutes import Measure, Minutes, Series, SeriesKind
from tynysh.scene.crowd import (
    PICTURE,
    CrowdState,
    DensityMap,
    Estimate,
    LineCount,
    PlaceCrowd,
    ServiceLevel,
)
from tynysh.scene.ground import Ground
from tynysh.store.queries import crowd_history, events, places
from tynysh.store.queries.places import Settled
from tynysh.store.schema import CameraRow, SiteRow
from tynysh.translations import LANGUAGES, Language, text

pytestmark = pytest.mark.browser

FLOOR = Ground(np.array([[8.0, 4.0, -6.0], [0.0, 0.0, 14.0], [0.0, 1.9, 0.1]]), error=0.08)


def crowd() -> CrowdState:
    down, across = np.mgrid[0:18, 0:32]
    throng = 4.5 * np.exp(-(((across - 15) / 5.0) ** 2 + ((down - 13) / 3.0) ** 2))
    aside = 1.2 * np.exp(-(((across - 25) / 3.0) ** 2 + ((down - 9) / 2.0) ** 2))
    return CrowdState(
        time.time(),
        (
            PlaceCrowd(PICTURE, Estimate(58.0, 47.0, 90.0), rough=True),
            PlaceCrowd(
                "Stage",
                Estimate(31.2, 27.4, 36.8),
                area_m2=24.0,
                density=Estimate(1.3, 1.14, 1.53),
                level=ServiceLevel.E,
                capacity=35,
                speed=0.7,
                pressure=0.012,
            ),
        ),
        (LineCount("Door", 214, 187),),
        DensityMap((throng + aside).astype(np.float32), metric=True),
    )


def day(count: float, *, gap: bool = False) -> Minutes:
    """The last day: quiet, then a rise, with an hour in which nobody looked."""
    now = int(time.time() // 60)
    at = now - 1440 + np.arange(1440)
    wave = count * (0.15 + 0.85 * np.clip(np.sin((np.arange(1440) - 700) / 480), 0, 1))
    mean = np.maximum(0, wave + np.random.default_rng(3).normal(0, 0.04 * count, 1440))
    figures = np.full((1440, len(Measure)), np.nan)
    figures[:, Measure.SEEN] = 60
    figures[:, Measure.COUNT] = mean
    figures[:, Measure.LOW] = 0.85 * mean
    figures[:, Measure.HIGH] = 1.15 * mean + 0.03 * count
    figures[:, Measure.MOST] = 1.25 * mean + 1
    figures[:, Measure.ROUGH] = mean > 0.95 * count
    seen = ~((at > now - 200) & (at < now - 140)) if gap else np.ones(1440, bool)
    return Minutes(at[seen], figures[seen])


def crossings() -> Minutes:
    now = int(time.time() // 60)
    figures = np.full((300, len(Measure)), np.nan)
    figures[:, Measure.SEEN] = 60
    figures[:, Measure.INS] = np.random.default_rng(5).poisson(4, 300)
    figures[:, Measure.OUTS] = np.random.default_rng(6).poisson(2, 300)
    return Minutes(now - 300 + np.arange(300), figures)


@pytest.fixture(scope="module", autouse=True)
def crowded(house: Any) -> None:
    """The club's hall has a crowd, its places are nearly full, and one of its cameras is covered."""
    house.workers.crowds["club-hall"] = crowd_message(crowd(), FLOOR)
    now = time.time()
    with house.database.writing() as session:
        camera = session.get(CameraRow, "club-hall")
        (zone,) = camera.settings["zones"]
        door = {"name": "Door", "from": [0.06, 0.62], "to": [0.24, 0.9]}
        camera.settings = camera.settings | {"zones": [zone | {"capacity": 35}], "lines": [door]}
        site = session.get(SiteRow, "club")
        gate = {"camera": "Main hall", "line": "Door"}
        named = (("Hall", 400, 371.0), ("Terrace", 60, 21.0), ("Basement", 80, 86.0))
        site.settings = site.settings | {
            "places": [{"name": name, "capacity": capacity, "gates": [gate]} for name, capacity, _ in named]
        }
        for name, _, count in named:
            found = Settled(now + 3600, Estimate(count, count - 6, count + 7), {})
            places.settle(session, "club", name, found)
        crowd_history.write(
            session,
            {
                Series(SeriesKind.ZONE, "club-hall", "Stage"): day(34, gap=True),
                Series(SeriesKind.LINE, "club-hall", "Door"): crossings(),
                Series(SeriesKind.PLACE, "club", "Hall"): day(371),
            },
        )
    fault = Event(
        id="4b0a9f2e-3c1d-4a47-9a9b-000000000001",
        behaviour=Behaviour.CAMERA_FAULT,
        phase=Phase.BEGUN,
        start_s=now - 1500,
        decided_s=now - 1497,
        end_s=None,
        score=1.0,
        box=None,
        people=0,
        zone=None,
        subject="covered",
        reason=Reason("camera_fault.covered"),
        curve=(),
    )
    events.record(house.database, fault, "club-hall", now=now, clip=False)


def opened(desk: Any, house: Any, language: Language, page: str) -> Page:
    desk.sign_in(house.user(language=language))
    expect(desk.page.locator(".link-open")).to_be_visible()
    desk.page.goto(f"{house.url}/#/{page}")
    return desk.page


def covers(page: Page) -> bool:
    """Whether the density map has cells that are seen, and others that are clear."""
    return page.eval_on_selector(
        "canvas.density",
        """canvas => {
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            const covering = [...data].filter((_, index) => index % 4 === 3);
            return canvas.width === 32 && Math.max(...covering) > 150 && Math.min(...covering) < 20;
        }""",
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_density_and_counts_lie_over_the_picture(desk: Any, house: Any, language: Language) -> None:
    page = opened(desk, house, language, "cameras/club-hall")
    expect(page.locator("canvas.density")).to_be_visible()
    assert covers(page)
    stage = page.locator(".crowd-label", has_text="Stage")
    expect(stage).to_contain_text("31 (27–37)")
    door = page.locator(".crowd-label", has_text="Door")
    expect(door).to_contain_text(text(language, "console.crowd.ins_outs", ins=214, outs=187))
    whole = page.locator(".crowd-total")
    expect(whole).to_contain_text(text(language, "console.crowd.more_than", count=40))
    expect(whole).not_to_contain_text("58")
    expect(page.locator(".density-legend")).to_contain_text(text(language, "console.crowd.unit_m2"))
    panel = page.locator(".crowd-figures [data-place=Stage]")
    expect(panel).to_contain_text(text(language, "console.crowd.level.E"))
    expect(panel.locator("[role=meter]")).to_have_attribute("aria-valuenow", "31")

    map_button = page.get_by_role("button", name=text(language, "console.crowd.map"), exact=True)
    map_button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("canvas.density")).to_have_count(0)
    page.get_by_role("button", name=text(language, "console.crowd.grid"), exact=True).click()
    expect(page.locator(".floor-grid path").first).to_be_attached()
    expect(page.locator(".grid-unit")).to_be_visible()
    desk.is_clean()


def test_a_camera_without_figures_says_so_and_has_no_map(desk: Any, house: Any) -> None:
    page = opened(desk, house, "en", "cameras/club-door")
    expect(page.locator(".crowd-figures")).to_contain_text(text("en", "console.crowd.none"))
    expect(page.locator("canvas.density")).to_have_count(0)
    desk.is_clean()


@pytest.mark.parametrize("language", LANGUAGES)
def test_history_is_a_chart_with_gaps_and_a_table_for_those_who_do_not_see_it(
    desk: Any, house: Any, language: Language
) -> None:
    page = opened(desk, house, language, "cameras/club-hall")
    panel = page.locator(".history-panel")
    panel.locator("select").select_option("place Stage")
    expect(panel.locator(".history-band").first).to_be_attached()
    expect(panel.locator(".history-line")).to_have_count(2), "before the gap and after it"
    expect(panel.locator(".history-gap")).to_have_count(1)
    expect(panel.locator(".history-capacity")).to_have_count(1)
    expect(panel.locator(".legend")).to_contain_text(text(language, "console.history.gap"))
    panel.get_by_role("button", name=text(language, "console.history.table")).click()
    rows = panel.locator(".history-table tbody tr")
    expect(rows.nth(100)).to_be_attached()
    panel.locator("select").select_option("line Door")
    expect(panel.locator(".history-table thead")).to_contain_text(text(language, "console.crowd.outs"))
    desk.is_clean()


def test_every_minute_can_be_taken_along(desk: Any, house: Any) -> None:
    page = opened(desk, house, "en", "cameras/club-hall")
    panel = page.locator(".history-panel")
    panel.locator("select").select_option("place Stage")
    for form, begins in (("CSV", b"at,site,owner"), ("Parquet", b"PAR1")):
        with page.expect_download() as download:
            panel.get_by_role("link", name=text("en", "console.history.download", format=form)).click()
        assert download.value.suggested_filename.endswith(form.lower())
        assert download.value.path().read_bytes().startswith(begins)
    desk.is_clean()


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_place_is_a_line_and_blind_cameras_say_what_they_hide(
    desk: Any, house: Any, language: Language
) -> None:
    page = opened(desk, house, language, "cameras")
    page.keyboard.press("p")
    hall = page.locator("[data-site-place='club/Hall']")
    expect(hall).to_contain_text("371 (365–378)")
    expect(hall).to_contain_text(text(language, "console.places.near"))
    expect(page.locator("[data-site-place='club/Basement']")).to_contain_text(
        text(language, "console.places.over")
    )
    faulty = page.locator("[data-faulty=club-hall]")
    expect(faulty).to_contain_text(text(language, "reason.camera_fault.covered"))
    expect(faulty).to_contain_text(text(language, "console.blind.chip"))
    expect(faulty).to_contain_text(text(language, "console.blind.zones", names="Stage"))
    expect(faulty).to_contain_text(re.compile(r"2[56]:\d\d"))
    expect(page.locator("[data-faulty=club-yard]")).to_be_visible()

    hall.locator("button").first.focus()
    page.keyboard.press("Enter")
    expect(hall.locator(".history-band").first).to_be_attached()
    expect(hall).to_contain_text("Door (Main hall)")
    desk.is_clean()


def test_all_of_it_fits_a_phone(phone: Any, house: Any) -> None:
    page = opened(phone, house, "ru", "places")
    expect(page.locator("[data-site-place='club/Hall']")).to_be_visible()
    expect(page.locator("[data-faulty=club-hall]")).to_be_visible()
    for route in ("places", "cameras/club-hall"):
        page.goto(f"{house.url}/#/{route}")
        expect(page.locator(".places, .crowd-figures [data-place=Stage]").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.evaluate(
            "[...document.querySelectorAll('main > *')].every(it => it.scrollWidth <= it.clientWidth)"
        )
    phone.is_clean()
