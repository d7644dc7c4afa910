"""What the person who runs the console may set."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from tynysh.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Settings of the API and the console, all with safe defaults.

    allowed_hosts: names or addresses, besides localhost, by which browsers may reach the console. Requests for any
        other name are refused, which defeats DNS rebinding.
    trusted_proxies: addresses or networks of reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are
        believed; nobody else's are.
    metrics_token: lets a Prometheus on another machine read /metrics with `Authorization: Bearer`.
    body_limit: bytes that a request may carry.
    poll_s: how often the change feed is read for live updates.
    keep_alive_s: how often a silent stream of updates sends a comment.
    watch_s: how often streams look whether their session still stands.
    updates_queue: updates that wait for a slow browser before its stream is closed.
    streams_per_session: streams of updates, and live pictures, that one session may hold open at once, each.
    connections: how many are kept at most, half of the process's descriptors at most; half of them of one address
        that is no trusted proxy.
    requests_per_address: requests and streams that one browser's address may have open at once, behind a trusted
        proxy too.
    head_s, body_s: how long the head of a request, and its body, may take to arrive.
    unsent_s: how long a browser may take nothing of what it was sent.
    live_buffer: bytes of live video that wait for a slow browser before it is dropped.
    """

    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    metrics_token: str | None = field(default=None, repr=False)
    body_limit: int = 64 * 1024
    poll_s: float = 0.2
    keep_alive_s: float = 1.5
    watch_s: float = 1.0
    updates_queue: int = 256
    streams_per_session: int = 32
    connections: int = 2000
    requests_per_address: int = 800
    head_s: float = 20.0
    body_s: float = 30.0
    unsent_s: float = 30.0
    live_buffer: int = 4 * 1024 * 1024

    def __post_init__(self) -> None:
        """Refuses proxies that are no addresses, and a metrics token that is easily guessed."""
        for proxy in self.trusted_proxies:
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                raise UsageError(
                    f"trusted proxy {proxy!r} is neither an address nor a network",
                    hint="give an address such as 10.0.0.5 or a network such as 10.0.0.0/24",
                ) from None
        if self.metrics_token is not None and len(self.metrics_token) < 16:
            raise UsageError(
                "the metrics token is too short",
                hint="use at least 16 random characters, for instance from `openssl rand -hex 16`",
            )

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`trusted_proxies` as networks."""
        return tuple(ip_network(proxy, strict=False) for proxy in self.trusted_proxies)

    def trusts(self, address: str) -> bool:
        """Whether `address` is one of the trusted proxies."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.proxy_networks)
