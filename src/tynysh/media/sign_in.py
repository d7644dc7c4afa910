"""How does a camera learn who asks, without learning the password where that can be helped?"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Mapping

from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import Credentials, SourceSpec

_CHALLENGE = re.compile(r"(?:^|,)\s*([A-Za-z][\w-]*)(?=\s+[\w-]+\s*=|\s*(?:,|$))")
_PAIR = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_ESCAPED, _ESCAPE = re.compile(r'(["\\])'), r"\\\1"
_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_RETRIES = 3


class SignIn:
    """Answers a server's challenges, RTSP's and HTTP's alike: Digest with MD5, SHA-256 or SHA-512/256 (RFC 7616), the
    first that is offered; Basic (RFC 7617) only where `clear` says that the password may be read on the way.
    """

    def __init__(self, spec: SourceSpec, credentials: Credentials | None, *, clear: bool) -> None:
        self._spec = spec
        self._credentials = credentials
        self._clear = clear
        self._challenge: Mapping[str, str] | None = None
        self._count = 0

    def challenged(self, challenges: Iterable[str], tried: int) -> None:
        """Take in the `WWW-Authenticate` headers of an answer to a request that was sent `tried` times.

        Raises SourceError where they cannot be answered, or were answered already.
        """
        offers = [offer for header in challenges for offer in _offers(header)]
        stale = any(offer.get("stale", "").lower() == "true" for offer in offers)
        if self._credentials is None or tried > _RETRIES or (tried > 1 and not stale):
            given = (
                "does not accept the user name or password"
                if self._credentials
                else "asks for a user name and password"
            )
            raise SourceError(
                SourceFault.WRONG_PASSWORD,
                f"{self._spec.redacted}: the camera {given}",
                hint="Check the camera's credentials in the site.",
            )
        for offer in offers:
            if offer["scheme"] == "digest" and _hash_of(offer) is not None:
                self._challenge, self._count = offer, 0
                return
        basic = [offer for offer in offers if offer["scheme"] == "basic"]
        if basic and not self._clear:
            raise SourceError(
                SourceFault.BASIC_IN_CLEAR,
                f"{self._spec.redacted}: the camera wants the password in clear, for all on the way to read",
                hint="Switch on Digest or TLS in the camera; if it has neither, allow it with "
                "`trust: {basic_in_clear: true}`.",
            )
        if not basic:
            raise SourceError(
                SourceFault.UNKNOWN_LOGIN,
                f"{self._spec.redacted}: the camera asks for a login of a kind that is not known here: "
                f"{', '.join(sorted({offer['scheme'] for offer in offers})) or 'none'}"[:200],
                hint="Set its authentication to Digest.",
            )
        self._challenge = basic[0]

    def header(self, method: str, uri: str) -> str | None:
        """The value of `Authorization` for the next request; None before anybody asked for it."""
        if self._challenge is None or self._credentials is None:
            return None
        user, password = self._credentials.user, self._credentials.password
        if self._challenge["scheme"] == "basic":
            return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._count += 1
        return _digest(self._challenge, user, password, method, uri, self._count)


def _digest(challenge: Mapping[str, str], user: str, password: str, method: str, uri: str, count: int) -> str:
    """Section 3.4 of RFC 7616; without `qop`, section 2.2 of RFC 2069."""
    digest = _hash_of(challenge)
    assert digest is not None  # noqa: S101 - `challenged` took no other
    realm, nonce = challenge.get("realm", ""), challenge.get("nonce", "")
    cnonce, number = secrets.token_hex(8), f"{count:08x}"
    account = digest(f"{user}:{realm}:{password}")
    if challenge.get("algorithm", "").upper().endswith("-SESS"):
        account = digest(f"{account}:{nonce}:{cnonce}")
    asked = digest(f"{method}:{uri}")
    fields = {"username": user, "realm": realm, "nonce": nonce, "uri": uri}
    bare = {}
    if "auth" in re.split(r"[\s,]+", challenge.get("qop", "")):
        fields |= {"cnonce": cnonce, "response": digest(f"{account}:{nonce}:{number}:{cnonce}:auth:{asked}")}
        bare = {"qop": "auth", "nc": number}
    else:
        fields["response"] = digest(f"{account}:{nonce}:{asked}")
    if "opaque" in challenge:
        fields["opaque"] = challenge["opaque"]
    if "algorithm" in challenge:
        bare["algorithm"] = challenge["algorithm"]
    quoted = (f'{name}="{_ESCAPED.sub(_ESCAPE, value)}"' for name, value in fields.items())
    return "Digest " + ", ".join([*quoted, *(f"{name}={value}" for name, value in bare.items())])


def _hash_of(challenge: Mapping[str, str]) -> Callable[[str], str] | None:
    """The hash that a Digest challenge asks for; None where it is none of ours."""
    name = _HASHES.get(challenge.get("algorithm", "MD5").upper().removesuffix("-SESS"))
    return None if name is None else lambda text: hashlib.new(name, text.encode()).hexdigest()


def _offers(header: str) -> list[dict[str, str]]:
    """The challenges of one header, in their order, each as its parameters and `scheme`."""
    header = header[:4096]
    starts = [
        found
        for found in _CHALLENGE.finditer(header)
        # A comma stands between challenges and between the parameters of one.
        if header[: found.start(1)].count('"') % 2 == 0
    ]
    ends = [*(found.start() for found in starts[1:]), len(header)]
    return [
        {
            **{
                name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare
                for name, quoted, bare in _PAIR.findall(header[found.end() : end])
            },
            "scheme": found[1].lower(),
        }
        for found, end in zip(starts, ends, strict=True)
    ]
