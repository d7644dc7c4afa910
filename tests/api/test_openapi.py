"""The API's description is complete, and what it describes stands up to nonsense."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tynysh.store.users import Role

CONTRACT = {
    "/api/v1/session": {"post", "get", "delete", "patch"},
    "/api/v1/incidents": {"get"},
    "/api/v1/incidents/{incident_id}": {"get"},
    "/api/v1/incidents/{incident_id}/looking": {"post"},
    "/api/v1/incidents/{incident_id}/steps": {"post"},
    "/api/v1/incidents/{incident_id}/clip": {"get"},
    "/api/v1/incidents/{incident_id}/still": {"get"},
    "/api/v1/sites": {"get"},
    "/api/v1/cameras": {"get"},
    "/api/v1/cameras/{camera_id}": {"get"},
    "/api/v1/cameras/{camera_id}/picture": {"get"},
    "/api/v1/cameras/{camera_id}/thresholds": {"get"},
    "/api/v1/cameras/{camera_id}/crowd": {"get"},
    "/api/v1/cameras/{camera_id}/grid": {"get"},
    "/api/v1/cameras/{camera_id}/crowd/names": {"get"},
    "/api/v1/cameras/{camera_id}/crowd/history": {"get"},
    "/api/v1/places": {"get"},
    "/api/v1/places/{site_id}/{name}/history": {"get"},
    "/api/v1/updates": {"get"},
    "/api/v1/blindness": {"get"},
    "/api/v1/clock": {"get"},
    "/healthz": {"get"},
    "/healthz/alive": {"get"},
    "/healthz/ready": {"get"},
    "/metrics": {"get"},
}
FIELDS = {
    "Incident": "id site camera behaviour behaviours severity state verdict owner opened_at started_at ended_at "
    "people score box zone reason clip still position version renewed_at",
    "IncidentDetail": "events steps clip_started_at clip_ended_at",
    "IncidentEvent": "id behaviour started_at decided_at ended_at score box people zone reason curve",
    "IncidentStep": "at user action from_state to_state verdict note",
    "Camera": "id name site simulated state since detail position zones lines people people_rough "
    "counters fps recording",
    "Crowd": "at places lines map calibrated error",
    "PlaceCrowd": "name count low high rough density density_low density_high level area_m2 capacity speed heading "
    "stopped counterflow pressure densest",
    "LineCount": "name ins outs",
    "DensityMap": "columns rows metric values",
    "History": "kind name begin end step_s capacity steps",
    "HistoryStep": "at seen_s count low high most rough density densest level speed pressure ins outs",
    "PlaceNow": "site name capacity area_m2 at count low high trend gates",
    "Counters": "frames_read frames_decoded frames_dropped frames_analysed reconnects timestamps_mended",
    "Site": "id name kind address position time_zone cameras",
    "Blindness": "site cameras blind since faulty seeing",
    "FaultyCamera": "camera blind since faults zones behaviours",
    "OpenFault": "kind blinds since incident reason",
    "HiddenZone": "name kind seen_by",
    "SessionAnswer": "user csrf words",
    "SessionUser": "name role language must_change_password",
    "ErrorDetail": "code message field",
}


@pytest.fixture(scope="module")
def description(house) -> dict[str, Any]:
    answer = httpx.get(f"{house.url}/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def test_it_describes_every_address(description) -> None:
    assert {path: set(operations) for path, operations in description["paths"].items()} == CONTRACT


@pytest.mark.parametrize("name", list(FIELDS))
def test_it_describes_every_field_of_the_contract(description, name: str) -> None:
    assert set(FIELDS[name].split()) <= set(description["components"]["schemas"][name]["properties"])


def test_every_answer_has_a_form(description) -> None:
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            assert answers["4XX"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorAnswer")
            good = answers.get("200", answers.get("204"))
            assert good is not None, (method, path)
            for content in good.get("content", {}).values():
                assert content.get("schema") != {} or "json" not in str(good["content"]), (method, path)
            assert operation.get("summary"), (method, path)


def test_it_says_what_each_operation_needs(description) -> None:
    paths = description["paths"]
    assert paths["/api/v1/session"]["post"]["security"] == []
    assert paths["/api/v1/incidents"]["get"]["security"] == [{"session": []}]
    assert paths["/api/v1/session"]["patch"]["security"] == [{"session": [], "csrf": []}]


def test_there_is_no_page_that_needs_scripts_of_others(house) -> None:
    for path in ("docs", "redoc"):
        assert "swagger" not in httpx.get(f"{house.url}/{path}").text.lower()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
BODY = JSON | st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["note", "verify", "reopen", "x"]) | JSON,
        "verdict": st.sampled_from(["true", "false", ""]) | JSON,
        "note": WORDS | JSON,
        "name": WORDS | JSON,
        "language": WORDS | JSON,
        "password": JSON,
    },
)
ASKED = [
    ("POST", "/api/v1/incidents/{0}/steps"),
    ("PATCH", "/api/v1/session"),
    ("GET", "/api/v1/incidents/{0}"),
]
QUERIES = [
    "/api/v1/incidents",
    "/api/v1/incidents/{0}/clip",
    "/api/v1/cameras/{0}",
    "/api/v1/cameras/{0}/picture",
    "/api/v1/cameras/{0}/thresholds",
    "/api/v1/cameras/{0}/crowd",
    "/api/v1/cameras/{0}/crowd/history",
    "/api/v1/cameras/club-door/crowd/history",
    "/api/v1/places/{0}/{0}/history",
]


@pytest.fixture(scope="module")
def admin(house):
    house.happens()
    with house.signed_in(Role.ADMIN) as browser:
        yield browser


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=st.sampled_from(ASKED), which=WORDS | st.integers().map(str) | st.just("1"), body=BODY)
def test_no_body_breaks_it(admin, asked, which: str, body: Any) -> None:
    method, path = asked
    answer = admin.request(method, httpx.URL(f"{admin.base_url}").join(path.format(quoted(which))), json=body)
    check(answer)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(QUERIES),
    which=WORDS,
    query=st.dictionaries(
        st.sampled_from(
            ["state", "site", "behaviour", "open", "before", "limit", "from", "to", "step", "place", "x"]
        ),
        WORDS | st.integers().map(str),
        max_size=4,
    ),
)
def test_no_address_breaks_it(admin, path: str, which: str, query: dict[str, str]) -> None:
    check(admin.get(path.format(quoted(which)), params=query))


def quoted(word: str) -> str:
    from urllib.parse import quote

    return quote(word, safe="")


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert set(answer.json()["error"]) <= {"code", "message", "field"}
    elif answer.headers["content-type"] == "application/json":
        json.loads(answer.text)
