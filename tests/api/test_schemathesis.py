"""Whatever the API's description allows, or forbids, is asked as each role, and no answer is a fault of the server."""

import json
import os
from collections.abc import Mapping

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from tests.api.conftest import MISSING

from tynysh.api.openapi import described
from tynysh.store.users import Role

SECONDS = float(os.environ.get("TYNYSH_TORTURE_S", "2"))
SEED = int(os.environ.get("TYNYSH_TORTURE_SEED", "1"))
EXAMPLES_A_SECOND = 15


@pytest.fixture(scope="module")
def cases(full_house) -> st.SearchStrategy[Case]:
    """Requests as they are described, and others that are not, for what there is and for what there is not."""
    description = json.loads(json.dumps(described(full_house.app)))
    # Who asks is known: their session is not to be made up.
    for operations in description["paths"].values():
        for operation in operations.values():
            del operation["security"]
    found = [result.ok() for result in schemathesis.openapi.from_dict(description).get_all_operations()]
    assert len(found) == sum(map(len, description["paths"].values()))
    return st.one_of(
        operation.as_strategy(generation_mode=mode) for operation in found for mode in GenerationMode
    )


@pytest.fixture(scope="module")
def connection():
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.torture
@pytest.mark.parametrize("role", [None, *Role])
def test_no_request_breaks_the_server(full_house, cases, connection, role: Role | None) -> None:
    user = role and full_house.user(role, sites=("club",) if role is Role.VENUE else ())
    there = [values for of, values in full_house.values.items() if of != MISSING]

    @seed(SEED)
    @settings(
        max_examples=round(SECONDS * EXAMPLES_A_SECOND),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, values=st.none() | st.sampled_from(there))
    def ask(case: Case, values: Mapping[str, str] | None) -> None:
        if values is not None:
            case.path_parameters = {name: values[name] for name in case.path_parameters or ()}
        # Each with a session of its own: one of the requests ends it.
        case.headers = {**(case.headers or {}), **full_house.headers(user and full_house.token(user))}
        wanted = case.as_transport_kwargs(base_url=full_house.url)
        with connection.request(**wanted, timeout=60, stream=True, allow_redirects=False) as answer:
            # Of what never ends the beginning tells enough.
            endless = answer.headers.get("content-type", "").startswith("text/event-stream")
            said = "" if endless else answer.text
        connection.cookies.clear()
        assert answer.status_code < 500 or answer.json()["error"]["code"] == "not_installed", said

    ask()
    assert httpx.get(f"{full_house.url}/healthz").status_code == 200
