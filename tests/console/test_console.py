"""What an operator does all day, in a real browser: sign in, see an incident arrive, look, decide."""

import re
import time
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.console.proxies import below_a_path

from tynysh.behaviour.signal import Behaviour, Reason
from tynysh.evidence.retention_time import Clocks, accept, keep
from tynysh.incidents.lifecycle import Action
from tynysh.store.queries import incidents
from tynysh.store.users import Role
from tynysh.translations import LANGUAGES, Language, text

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
PLAYS = "video => video.readyState >= 3 && !video.paused && video.currentTime > 0"


def incident_row(page: Page, incident: int) -> Any:
    return page.locator(f"[data-incident='{incident}']")


def plays(page: Page, selector: str = "video") -> None:
    """Waits until the video's pictures move on."""
    page.wait_for_function(
        f"() => {{ const video = document.querySelector('{selector}'); return video && ({PLAYS})(video) }}"
    )
    before = page.eval_on_selector(selector, "video => video.getVideoPlaybackQuality().totalVideoFrames")
    page.wait_for_function(
        f"before => document.querySelector('{selector}').getVideoPlaybackQuality().totalVideoFrames > before + 3",
        arg=before,
    )


@pytest.mark.parametrize("deep", ["", "incidents/17"])
def test_the_console_works_below_a_path_of_a_proxy(context: BrowserContext, house: Any, deep: str) -> None:
    """Files, session, updates, pictures and live video."""
    page, failed = context.new_page(), []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status in {403, 404} else None)
    with below_a_path(house.port) as url:
        page.goto(url + deep)
        page.locator("input[name=name]").fill(house.user())
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("button[type=submit]").click()
        expect(page.locator(".link-open")).to_be_visible()
        incident = house.happens("club-yard" if deep else "park-demo", Behaviour.PERSON_DOWN)
        incident_row(page, incident).locator("a").click()
        house.clip_is_ready(incident)
        plays(page)
        page.goto(f"{url}{deep}#/cameras/club-hall")
        expect(page.locator("video[data-live=playing]")).to_be_visible()
        plays(page)
        page.close()
    assert failed == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_incident_arrives_plays_and_is_verified(desk: Any, house: Any, language: Language) -> None:
    page = desk.page
    name = house.user(language=language)
    desk.sign_in(name)
    expect(page.locator(f"html[lang={language}]")).to_be_attached()
    expect(page.locator(".link-open")).to_be_visible()
    expect(page.locator(".list .filters")).to_be_visible()
    # Until the list is there nothing is news.
    expect(page.get_by_text(text(language, "console.loading"))).to_have_count(0)

    # A camera for each language: what happens twice on one camera is one incident.
    camera = {"kk": "club-hall", "ru": "club-door", "en": "park-gate"}[language]
    incident = house.happens(camera, reason=Reason("reason.fight.network", {"score": 0.94}))
    row = incident_row(page, incident)
    expect(row).to_contain_text(text(language, "behaviour.fight"))
    expect(row).to_have_class(re.compile("arrived"))
    expect(page).to_have_title(re.compile(r"^\(\d+\) Tynysh"))
    announced = page.locator("[aria-live=polite]")
    expect(announced).to_contain_text(text(language, "behaviour.fight"))
    expect(announced).to_contain_text(text(language, "console.severity.3"))

    row.locator("a").click()
    detail = page.locator("article.incident")
    expect(detail.get_by_text(text(language, "console.clip.pending"))).to_be_visible()
    expect(detail).to_contain_text(text(language, "response.fight"))
    house.clip_is_ready(incident)
    expect(detail.locator("video")).to_be_visible()
    plays(page)
    expect(detail.locator("rect.box").first).to_be_attached()
    expect(detail.locator("svg polyline.curve-line").first).to_be_attached()

    page.keyboard.press("a")
    expect(detail.locator(".standing")).to_contain_text(text(language, "console.state.acknowledged"))
    detail.get_by_role("button", name=text(language, "console.step.verify.true")).click()
    expect(detail.locator(".standing")).to_contain_text(text(language, "console.verdict.true"))
    expect(detail.locator(".history")).to_contain_text(text(language, "console.did.verify.true"))
    expect(detail.locator(".history")).to_contain_text(name)
    with house.database.reading() as session:
        kept = incidents.detail(session, incident)
    assert kept.verdict == "true"
    assert [(step.user, step.action) for step in kept.steps] == [(name, "acknowledge"), (name, "verify")]
    desk.is_clean()


def test_live_video_plays_and_stays_near_the_present(desk: Any, house: Any) -> None:
    desk.sign_in(house.user())
    expect(desk.page.locator(".link-open")).to_be_visible()
    desk.page.goto(f"{house.url}/#/cameras/club-hall")
    expect(desk.page.locator("video[data-live=playing]")).to_be_visible()
    plays(desk.page)
    behind = desk.page.eval_on_selector(
        "video", "video => video.buffered.end(video.buffered.length - 1) - video.currentTime"
    )
    assert behind < 5
    expect(desk.page.locator("polygon.zone")).to_be_attached()
    desk.is_clean()


def test_without_live_video_single_pictures_are_shown(desk: Any, house: Any) -> None:
    house.workers.silent.add("club-door")
    desk.sign_in(house.user())
    expect(desk.page.locator(".link-open")).to_be_visible()
    desk.page.goto(f"{house.url}/#/cameras/club-door")
    expect(desk.page.get_by_text(text("en", "console.live.pictures"))).to_be_visible(timeout=20_000)
    picture = desk.page.locator(".picture img")
    expect(picture).to_be_visible()
    first = picture.get_attribute("src")
    expect(picture).not_to_have_attribute("src", first or "")

    house.workers.silent.remove("club-door")
    desk.page.get_by_role("button", name=text("en", "console.live.again")).click()
    expect(desk.page.locator("video[data-live=playing]")).to_be_visible()
    desk.is_clean()


def test_a_camera_that_comes_back_is_shown_live_again_by_itself(desk: Any, house: Any) -> None:
    desk.sign_in(house.user())
    expect(desk.page.locator(".link-open")).to_be_visible()
    desk.page.goto(f"{house.url}/#/cameras/club-yard")
    expect(desk.page.get_by_text(text("en", "console.live.pictures"))).to_be_visible(timeout=20_000)
    house.set_state("club-yard", "live")
    expect(desk.page.locator("video[data-live=playing]")).to_be_visible(timeout=20_000)
    house.set_state("club-yard", "lost")
    desk.is_clean()


def test_cameras_show_how_they_fare_and_which_are_simulated(desk: Any, house: Any) -> None:
    page = desk.page
    desk.sign_in(house.user())
    expect(page.locator(".link-open")).to_be_visible()
    page.keyboard.press("c")
    expect(page.locator(".tile")).to_have_count(5)
    drawn = page.locator(".tile", has_text="Drawn square")
    expect(drawn).to_contain_text(text("en", "console.camera.simulated"))
    expect(page.locator(".tile", has_text="Entrance").locator("img")).to_be_visible()
    expect(page.locator(".tile", has_text="Yard")).to_contain_text(text("en", "console.camera.state.lost"))
    house.set_state("club-yard", "live")
    expect(page.locator(".tile", has_text="Yard")).to_contain_text(text("en", "console.camera.state.live"))
    house.set_state("club-yard", "lost")
    desk.is_clean()


def test_a_one_time_password_must_be_changed_first(desk: Any, house: Any) -> None:
    page = desk.page
    desk.sign_in(house.user(one_time=True))
    expect(page.get_by_text(text("en", "console.password.forced"))).to_be_visible()
    page.locator("input[name=new]").fill("seven calm horses")
    page.locator("input[name=again]").fill("seven calm zebras")
    page.locator("button[type=submit]").click()
    expect(page.get_by_role("alert")).to_contain_text(text("en", "console.password.differs"))
    page.locator("input[name=again]").fill("seven calm horses")
    page.locator("button[type=submit]").click()
    expect(page.locator(".link-open")).to_be_visible()
    desk.is_clean()


def test_a_wrong_password_is_said_and_the_language_can_be_chosen_first(desk: Any, house: Any) -> None:
    page = desk.page
    name = house.user(language="ru")
    desk.sign_in(name, "not the password")
    expect(page.get_by_role("alert")).to_contain_text(text("en", "console.sign_in.wrong"))
    page.locator("select.language").select_option("kk")
    expect(page.get_by_role("alert")).to_contain_text(text("kk", "console.sign_in.wrong"))
    page.locator("input[name=password]").fill("correct horse battery")
    page.locator("button[type=submit]").click()
    expect(page.get_by_role("link", name=text("kk", "console.nav.cameras"))).to_be_visible()
    expect(page.locator("html[lang=kk]")).to_be_attached()
    desk.is_clean()


def test_when_somebody_else_was_quicker_the_state_is_shown(desk: Any, house: Any, context: Any) -> None:
    page = desk.page
    incident = house.happens("park-gate", Behaviour.CROWDING, people=48)
    desk.sign_in(house.user())
    incident_row(page, incident).locator("a").click()
    button = page.get_by_role("button", name=text("en", "console.step.acknowledge"))
    expect(button).to_be_visible()

    def overtaken(route: Any) -> None:
        with house.database.writing() as session:
            incidents.take_step(session, incident, Action.ACKNOWLEDGE, user="aigerim", now=time.time())
        route.continue_()

    page.route("**/steps", overtaken)
    button.click()
    expect(page.get_by_role("alert")).to_contain_text("aigerim")
    expect(page.locator(".standing")).to_contain_text(text("en", "console.state.acknowledged"))
    expect(page.locator(".standing")).to_contain_text("aigerim")
    # Chromium writes the refusal to its console.
    assert all("409" in fault for fault in desk.faults)


def test_a_lost_line_is_said_and_what_was_missed_is_made_up_for(desk: Any, house: Any) -> None:
    page = desk.page
    desk.sign_in(house.user())
    expect(page.locator(".link-open")).to_be_visible()
    house.pause()
    try:
        expect(page.locator(".banner")).to_be_visible()
        expect(page.locator(".banner")).to_contain_text("0:0")
        missed = house.happens("park-demo", Behaviour.PERSON_DOWN)
    finally:
        house.serve()
    expect(page.locator(".banner")).to_be_hidden(timeout=20_000)
    expect(incident_row(page, missed)).to_be_visible()
    expect(incident_row(page, missed)).to_have_class(re.compile("arrived"))


COUNT_TONES = """
window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...args) { window.tones += 1; return start.apply(this, args); };
"""


def test_an_arrival_sounds_once_the_browser_allows_it_and_not_when_muted(desk: Any, house: Any) -> None:
    page = desk.page
    page.add_init_script(COUNT_TONES)
    name = house.user()
    desk.sign_in(name)
    expect(page.locator(".link-open")).to_be_visible()
    page.reload()
    button = page.get_by_role("button", name=text("en", "console.sound.locked"))
    button.click()
    expect(page.get_by_role("button", name=text("en", "console.sound.on"))).to_be_visible()
    expect(page.locator(".link-open")).to_be_visible()
    # Turning the sound on lets it be heard.
    page.wait_for_function("() => window.tones > 0")
    sample = page.evaluate("window.tones")
    expect(incident_row(page, house.happens("club-yard", Behaviour.LOITERING))).to_be_visible()
    page.wait_for_function("sample => window.tones > sample", arg=sample)
    tones = page.evaluate("window.tones")

    page.keyboard.press("s")
    # Who has muted it, and until when, is said.
    muted = page.get_by_role("button", name=re.compile(rf"until [0-9:]+, by {name}"))
    expect(muted).to_be_visible()
    expect(incident_row(page, house.happens("club-yard", Behaviour.FIGHT))).to_be_visible()
    assert page.evaluate("window.tones") == tones
    page.reload()
    expect(muted).to_be_visible()
    desk.is_clean()


def test_those_who_may_only_read_get_no_buttons(desk: Any, house: Any) -> None:
    page = desk.page
    incident = house.happens("club-door", Behaviour.INTRUSION)
    desk.sign_in(house.user(Role.ANALYST))
    incident_row(page, incident).locator("a").click()
    expect(page.get_by_text(text("en", "console.incident.read_only"))).to_be_visible()
    expect(page.locator(".actions")).to_have_count(0)
    desk.is_clean()


def test_a_venue_sees_its_own_site_on_a_phone(phone: Any, house: Any) -> None:
    page = phone.page
    own = house.happens("club-hall", Behaviour.AGGRESSION)
    other = house.happens("park-gate", Behaviour.LOITERING)
    page.goto(house.url)
    expect(page.get_by_role("heading")).to_have_text(text("ru", "console.sign_in.title"))
    phone.sign_in(house.user(Role.VENUE, language="ru", sites=("club",)))
    expect(incident_row(page, own)).to_be_visible()
    expect(incident_row(page, other)).to_have_count(0)
    incident_row(page, own).locator("a").tap()
    expect(page.locator("article.incident")).to_be_visible()
    expect(page.locator(".list")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "the page is wider than the phone"
    phone.is_clean()


def test_a_clock_in_doubt_is_said_on_every_page(desk: Any, house: Any) -> None:
    right = Clocks(time.time(), "first", 100.0, synchronised=False)
    keep(house.database, right)
    ahead = replace(right, now=right.now + 200 * 86_400)
    keep(house.database, ahead)
    page = desk.page
    desk.sign_in(house.user())
    expect(page.locator(".banner")).to_have_text(text("en", "console.clock.doubted", days="200"))
    desk.is_clean()
    with house.database.writing() as session:
        accept(session, ahead, user="aigerim@terminal")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_says_by_itself_which_cameras_nobody_watches(
    desk: Any, house: Any, language: Language
) -> None:
    page = desk.page
    desk.sign_in(house.user(language=language))
    expect(page.locator(".link-open")).to_be_visible()
    banner = page.locator(".unwatched[role=status]")
    expect(banner).not_to_contain_text("Main hall")
    answering = house.workers.statuses.pop("club-hall")
    try:
        title = text(language, "console.unwatched.title", cameras="")
        expect(banner).to_contain_text(title.strip())
        expect(banner).to_contain_text("Aurora Club: Main hall", timeout=20_000)
        page.keyboard.press("m")
        expect(banner.get_by_role("link")).to_be_visible()
    finally:
        house.workers.statuses["club-hall"] = answering
    expect(banner).not_to_contain_text("Main hall", timeout=20_000)
    desk.is_clean()
