"""A shift at the desk, in a real browser: no alarm is lost, and no step is lost or shown before it is made."""

import re
import time
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert, update

from tynysh.behaviour.signal import Behaviour
from tynysh.incidents.lifecycle import Action, State, Verdict
from tynysh.store.queries import incidents
from tynysh.store.schema import IncidentRow
from tynysh.store.users import Role
from tynysh.translations import text

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def empty_queue(house: Any) -> None:
    """What earlier tests left is done with."""
    with house.database.writing() as session:
        session.execute(update(IncidentRow).values(state="resolved", verdict="unclear", ended_at=0.0))


def opened(page: Page, incident: int) -> Any:
    page.goto(page.url.partition("#")[0] + f"#/incidents/{incident}")
    return shown(page, incident)


def shown(page: Page, incident: int) -> Any:
    """Waits until the incident is on the screen: keys are for what is."""
    article = page.locator(f"article.incident[data-opened='{incident}']")
    expect(article.locator(".actions")).to_be_visible()
    return article


def signed_in(desk: Any, house: Any, role: Role = Role.OPERATOR) -> str:
    name = house.user(role)
    desk.sign_in(name)
    expect(desk.page.locator(".link-open")).to_be_visible()
    expect(desk.page.locator(".list .filters")).to_be_visible()
    return name


def kept(house: Any, incident: int) -> Any:
    with house.database.reading() as session:
        return incidents.detail(session, incident)


def actions(house: Any, incident: int) -> Sequence[str]:
    return [str(step.action) for step in kept(house, incident).steps]


def wait_until(condition: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not come to it"
        time.sleep(0.05)


def button(page: Page, key: str) -> Any:
    return page.locator(".actions").get_by_role("button", name=text("en", key))


def test_a_step_on_a_cut_line_is_kept_over_a_reload_and_taken_once(desk: Any, house: Any) -> None:
    page = desk.page
    incident = house.happens("club-hall")
    signed_in(desk, house)
    page.route("**/steps", lambda route: route.abort())
    opened(page, incident)
    page.keyboard.press("1")
    expect(page.locator(".saving")).to_contain_text(text("en", "console.step.verify.true"))
    expect(page.locator(".unsent-steps")).to_contain_text("The server does not answer")
    expect(page.locator(".standing .chip.state-new")).to_be_visible()
    assert actions(house, incident) == [], "and it is not shown as made"

    page.reload()
    expect(page.locator(".unsent-steps")).to_contain_text(text("en", "console.step.verify.true"))
    page.unroute("**/steps")
    expect(page.locator(".standing")).to_contain_text(text("en", "console.verdict.true"))
    expect(page.locator(".unsent-steps")).to_have_count(0)
    assert actions(house, incident) == ["verify"]


def test_an_answer_that_is_lost_on_the_way_does_not_take_the_step_twice(desk: Any, house: Any) -> None:
    page = desk.page
    incident = house.happens("club-hall")
    signed_in(desk, house)
    opened(page, incident)
    lost = []

    def swallowed(route: Any) -> None:
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/steps", swallowed, times=1)
    page.keyboard.press("1")
    expect(page.locator(".standing")).to_contain_text(text("en", "console.verdict.true"))
    assert lost == [200]
    assert actions(house, incident) == ["verify"]


def test_one_incident_that_hangs_holds_no_other_up(desk: Any, house: Any) -> None:
    page = desk.page
    hanging, other = house.happens("club-hall"), house.happens("club-door")
    signed_in(desk, house)
    page.route(f"**/incidents/{hanging}/steps", lambda _: None)
    opened(page, hanging)
    page.keyboard.press("a")
    expect(page.locator(".saving")).to_contain_text(text("en", "console.step.acknowledge"))
    expect(button(page, "console.step.acknowledge")).to_be_disabled()
    opened(page, other)
    page.keyboard.press("a")
    expect(page.locator(".standing")).to_contain_text(text("en", "console.state.acknowledged"))
    assert (actions(house, hanging), actions(house, other)) == ([], ["acknowledge"])
    page.unroute(f"**/incidents/{hanging}/steps")
    wait_until(lambda: actions(house, hanging) == ["acknowledge"])


def test_whoever_is_second_is_told_and_overwrites_nothing(desk: Any, house: Any) -> None:
    page = desk.page
    incident = house.happens("club-hall")
    signed_in(desk, house)
    opened(page, incident)

    def overtaken(route: Any) -> None:
        with house.database.writing() as session:
            incidents.take_step(
                session, incident, Action.VERIFY, user="bolat", now=time.time(), verdict=Verdict.FALSE
            )
        route.continue_()

    page.route("**/steps", overtaken, times=1)
    page.keyboard.press("1")
    refusal = page.locator(".refused")
    expect(refusal).to_contain_text(text("en", "incident.error.changed"))
    expect(refusal).to_contain_text("bolat")
    expect(page.locator(".standing")).to_contain_text(text("en", "console.verdict.false"))
    assert (kept(house, incident).verdict, actions(house, incident)) == ("false", ["verify"])

    # It is bolat's now: deciding needs a visible step before.
    expect(button(page, "console.step.verify.true")).to_be_disabled()
    page.keyboard.press("r")
    page.keyboard.press("t")
    expect(page.locator(".history")).to_contain_text(text("en", "console.did.take_over"))
    expect(button(page, "console.step.verify.true")).to_be_enabled()
    assert actions(house, incident) == ["verify", "take_over"]


def test_after_a_verdict_the_next_that_waits_is_at_hand(desk: Any, house: Any) -> None:
    page = desk.page
    last = house.happens("park-gate", Behaviour.LOITERING)
    second = house.happens("club-door", Behaviour.FIGHT)
    first = house.happens("club-hall", Behaviour.CRUSH_RISK)
    signed_in(desk, house)
    opened(page, first)
    # It happened: it stays open, for somebody is to be sent; the next is pointed at.
    page.keyboard.press("1")
    expect(page.locator(f".row.selected[data-incident='{second}']")).to_be_visible()
    expect(page.locator(".standing")).to_contain_text(text("en", "console.verdict.true"))
    page.keyboard.press("d")
    expect(page.locator(".standing")).to_contain_text(text("en", "console.state.dispatched"))
    page.keyboard.press("Enter")
    shown(page, second)
    # It was nothing: it makes way.
    page.keyboard.press("2")
    shown(page, last)
    page.keyboard.press("r")
    page.keyboard.press("3")
    wait_until(lambda: kept(house, last).state is State.RESOLVED)
    # The keys go on among what is not done, never into what is.
    page.keyboard.press("j")
    page.wait_for_function("() => !document.querySelector('.row.selected.row-resolved')")


def test_a_grave_step_is_asked_for_and_can_be_taken_back(desk: Any, house: Any) -> None:
    page = desk.page
    incident = house.happens("club-hall")
    signed_in(desk, house)
    opened(page, incident)
    page.keyboard.press("r")
    expect(page.locator(".saving")).to_contain_text(text("en", "console.step.which"))
    page.keyboard.press("Escape")
    expect(page.locator(".incident")).to_be_visible()
    assert actions(house, incident) == []
    page.keyboard.press("r")
    page.keyboard.press("2")
    expect(page.locator(".undo")).to_be_visible()
    wait_until(lambda: actions(house, incident) == ["resolve"])
    page.keyboard.press("z")
    wait_until(lambda: kept(house, incident).state is State.NEW)
    expect(page.locator(".undo")).to_have_count(0)
    assert (kept(house, incident).verdict, actions(house, incident)) == (None, ["resolve", "undo"])


def test_a_double_click_is_one_step_and_nothing_moves_under_it(desk: Any, house: Any) -> None:
    page = desk.page
    incident = house.happens("club-hall")
    signed_in(desk, house)
    opened(page, incident)
    places = {
        key: button(page, key).bounding_box() for key in ("console.step.dispatch", "console.step.resolve")
    }
    button(page, "console.step.acknowledge").dblclick()
    expect(page.locator(".standing")).to_contain_text(text("en", "console.state.acknowledged"))
    assert {key: button(page, key).bounding_box() for key in places} == places
    button(page, "console.step.dispatch").dblclick()
    expect(page.locator(".standing")).to_contain_text(text("en", "console.state.dispatched"))
    assert actions(house, incident) == ["acknowledge", "dispatch"]


def test_a_note_that_was_begun_is_not_lost(desk: Any, house: Any) -> None:
    page = desk.page
    incident, other = house.happens("club-hall"), house.happens("club-door")
    signed_in(desk, house)
    opened(page, incident)
    page.keyboard.press("n")
    page.keyboard.type("Two men at the bar")
    page.keyboard.press("Escape")
    expect(page.locator(".incident")).to_be_visible()
    expect(page.locator("#note")).to_have_value("Two men at the bar")
    opened(page, other)
    expect(page.locator("#note")).to_have_value("")
    page.reload()
    opened(page, incident)
    expect(page.locator("#note")).to_have_value("Two men at the bar")
    page.locator("#note").press("Control+Enter")
    expect(page.locator(".history")).to_contain_text("Two men at the bar")
    expect(page.locator("#note")).to_have_value("")
    assert kept(house, incident).steps[-1].note == "Two men at the bar"


def test_what_waits_is_told_on_every_page_and_behind_a_filter(desk: Any, house: Any) -> None:
    page = desk.page
    signed_in(desk, house)
    page.keyboard.press("c")
    incident = house.happens("club-hall")
    banner = page.locator(".waiting-banner")
    expect(banner).to_contain_text("Main hall")
    page.keyboard.press("g")
    expect(page).to_have_url(re.compile(f"#/incidents/{incident}$"))
    expect(banner).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_label(text("en", "console.filter.site")).select_option("park")
    expect(banner).to_contain_text("Main hall")
    banner.get_by_role("button", name=text("en", "console.waiting.filtered")).click()
    expect(page.locator(f"[data-incident='{incident}']")).to_be_visible()
    expect(banner).to_have_count(0)


@pytest.mark.parametrize("many", [100, 5000])
def test_a_list_longer_than_the_window_scrolls_by_itself(desk: Any, house: Any, many: int) -> None:
    page = desk.page
    now = time.time()
    row = {
        "site_id": "park",
        "camera_id": "park-gate",
        "behaviour": "loitering",
        "behaviours": ["loitering"],
        "severity": 1,
        "state": "new",
        "score": 0.7,
    }
    times = [now - 3600 - number for number in range(many)]
    with house.database.writing() as session:
        session.execute(
            insert(IncidentRow),
            [row | {"opened_at": at, "started_at": at, "ended_at": at, "people": 1} for at in times],
        )
    signed_in(desk, house)
    expect(page.locator(".group-waiting .count")).to_have_text(f"{many:,}", timeout=30_000)
    assert page.locator(".row").count() < 100, "only what is in view is drawn"
    page.locator(".row a").first.focus()
    for key in ("End", "PageDown", "Home", "End"):
        page.keyboard.press(key)
    page.mouse.move(900, 20)
    page.mouse.wheel(0, 5000)
    page.mouse.move(900, 600)
    page.mouse.wheel(0, 5000)
    assert page.evaluate(
        "[document.scrollingElement.scrollTop, document.querySelector('.top').getBoundingClientRect().y]"
    ) == [0, 0]
    expect(page.locator(".top")).to_be_in_viewport()
    # The keys lead through all of it, and what they lead to is in view.
    page.keyboard.press("Home")
    for _ in range(30):
        page.keyboard.press("j")
    expect(page.locator(".row.selected")).to_be_in_viewport()


def test_ten_tabs_of_one_browser_all_stay_live(desk: Any, house: Any, context: Any) -> None:
    signed_in(desk, house)
    tabs = [desk.page, *(context.new_page() for _ in range(9))]
    for tab in tabs[1:]:
        tab.goto(house.url)
        expect(tab.locator(".link-open")).to_be_visible()
        expect(tab.get_by_text(text("en", "console.loading"))).to_have_count(0)
    incident = house.happens("club-hall")
    for tab in tabs:
        expect(tab.locator(f"[data-incident='{incident}']")).to_be_attached()
    # All of them go dark together, and come back together.
    tabs[0].locator("details.menu summary").click()
    tabs[0].get_by_role("button", name=text("en", "console.sign_out")).click()
    for tab in tabs[1:]:
        expect(tab.locator("input[name=password]")).to_be_visible()


def test_while_the_line_is_cut_no_camera_is_said_to_be_live(desk: Any, house: Any) -> None:
    page = desk.page
    signed_in(desk, house)
    page.keyboard.press("c")
    expect(page.locator(".chip.camera-live").first).to_be_visible()
    house.pause()
    try:
        expect(page.locator(".banner")).to_be_visible(timeout=10_000)
        expect(page.locator(".chip.camera-live")).to_have_count(0)
        expect(page.locator(".chip.camera-unknown").first).to_be_visible()
    finally:
        house.serve()
    expect(page.locator(".chip.camera-live").first).to_be_visible(timeout=20_000)


def test_an_incident_shows_its_camera_from_the_first_second(desk: Any, house: Any) -> None:
    page = desk.page
    incident = house.happens("club-hall")
    signed_in(desk, house)
    opened(page, incident)
    expect(page.locator(".incident video[data-live=playing]")).to_be_visible()
    expect(page.get_by_text(text("en", "console.clip.pending"))).to_be_visible()
    house.clip_is_ready(incident)
    expect(page.locator(".incident video:not([data-live])")).to_be_visible()
    expect(page.locator(".incident video[data-live]")).to_have_count(0)
    page.keyboard.press("v")
    expect(page.locator(".incident video[data-live=playing]")).to_be_visible()
    desk.is_clean()


def test_violence_that_begins_anew_moves_up_and_is_told(desk: Any, house: Any) -> None:
    page = desk.page
    older = house.happens("club-hall", ago_s=40.0)
    newer = house.happens("club-door", ago_s=30.0)
    signed_in(desk, house)
    rows = page.locator(".row-new")
    expect(rows.first).to_have_attribute("data-incident", str(newer))
    assert house.happens("club-hall", ago_s=15.0) == older, "it belongs to it"
    expect(rows.first).to_have_attribute("data-incident", str(older))
    expect(rows.first).to_have_class(re.compile("arrived"))
    opened(page, older)
    expect(page.locator(".incident-head")).to_contain_text("began anew")


def test_two_who_look_at_one_incident_know_of_each_other(desk: Any, house: Any, browser: Any) -> None:
    incident = house.happens("club-hall")
    name = signed_in(desk, house)
    opened(desk.page, incident)
    context = browser.new_context()
    other = type(desk)(context, house)
    signed_in(other, house)
    opened(other.page, incident)
    expect(other.page.locator(".others")).to_contain_text(name)
    context.close()
