"""Settings that would be unsafe are refused, and proxies are recognised."""

import pytest

from tynysh.api.peer import find_peer
from tynysh.api.settings import ApiSettings
from tynysh.errors import UsageError


def test_a_proxy_must_be_an_address_or_a_network() -> None:
    with pytest.raises(UsageError, match=r"proxy\.city\.kz"):
        ApiSettings(trusted_proxies=("proxy.city.kz",))


def test_a_metrics_token_must_be_hard_to_guess_and_is_never_shown() -> None:
    with pytest.raises(UsageError) as caught:
        ApiSettings(metrics_token="secret")
    assert "secret" not in caught.value.message
    assert "0123456789abcdef" not in repr(ApiSettings(metrics_token="0123456789abcdef"))


def scope(client: str, **headers: str) -> dict[str, object]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "scheme": "http", "client": (client, 1), "headers": pairs}


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        # What stands left of the first stranger was written by that stranger.
        ("1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("", "10.0.0.5"),
        (" , ,", "10.0.0.5"),
        ("203.0.113.9, unknown", "10.0.0.5"),
    ],
)
def test_the_address_is_that_of_the_last_stranger(forwarded: str, address: str) -> None:
    trusting = ApiSettings(trusted_proxies=("10.0.0.0/8",))
    assert find_peer(scope("10.0.0.5", x_forwarded_for=forwarded), trusting).address == address
    assert find_peer(scope("192.0.2.1", x_forwarded_for=forwarded), trusting).address == "192.0.2.1"


@pytest.mark.parametrize(
    ("client", "headers", "loopback"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("127.0.0.1", {"x_forwarded_for": "127.0.0.1"}, False),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, False),
        ("192.0.2.1", {}, False),
        ("", {}, False),
    ],
)
def test_only_a_direct_connection_of_this_machine_is_one(
    client: str, headers: dict[str, str], loopback: bool
) -> None:
    assert find_peer(scope(client, **headers), ApiSettings()).loopback is loopback
