"""Which parts of an address are nobody's business?"""

import re

MASK = "***"

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?:[^/\s\"']*@)?(?P<rest>[^\s\"'<>]*)", re.IGNORECASE)
_NAMES = r"""(?:[a-z0-9_-]*(?:passw|passphrase|token|secret|signature|credential|api_?key|session)[a-z0-9_-]*
    |pass|loginpas|pwd|psw|pw|user(?:name)?|usr|login(?:use)?|account|authbasic|auth|authorization|key|sig|hash|jwt|md5|code)"""
# Vendors put the pairs anywhere: `?user=a&password=b`, `/user=a_password=b_channel=1`.
_PAIR = re.compile(
    rf"(?P<key>(?:^|[?&;/_,]){_NAMES}=)(?!\{{(?:user|password)\}})"
    r"(?P<value>[^&;/?#\s\"']*?)(?=_[a-z]+=|[&;/?#\s\"']|$)",
    re.IGNORECASE | re.VERBOSE,
)
# `/operator:hunter2/`, and what only a machine would write: a token is the stream's name and its key at once.
_SEGMENT = re.compile(
    r"(?<=/)(?:[^/:?#\s{}]+:[^/:?#\s{}]+|(?=(?:[^/?#]*\d){3})(?=(?:[^/?#]*[A-Za-z]){3})[A-Za-z0-9_~-]{16,})(?=[/?#]|$)"
)
_WRITTEN = re.compile(
    r"(?:^|[?&;/_,])(?:[a-z0-9_-]*(?:passw|passphrase|token|secret|signature|api_?key)[a-z0-9_-]*"
    r"|pass|loginpas|pwd|psw|pw|auth|authbasic|key|sig|jwt)=(?!\{(?:user|password)\})[^&;/?#\s]",
    re.IGNORECASE,
)


def redacted(text: str) -> str:
    """`text` with what lets somebody in taken out of the addresses in it: accounts, tokens, in query and path.

    >>> redacted("lost: rtsp://operator:hunter2@10.0.0.7:554/live?channel=1&token=abc")
    'lost: rtsp://***@10.0.0.7:554/live?channel=1&token=***'
    >>> redacted("rtsp://10.0.0.7/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp")
    'rtsp://10.0.0.7/user=***_password=***_channel=1_stream=0.sdp'
    """
    return _pairs(_URL.sub(_of_url, text))


def _of_url(found: re.Match[str]) -> str:
    account = f"{MASK}@" if "@" in found[0][: len(found[0]) - len(found["rest"])] else ""
    host, slash, path = found["rest"].partition("/")
    return found["scheme"] + account + host + _SEGMENT.sub(MASK, _pairs(slash + path))


def _pairs(text: str) -> str:
    return _PAIR.sub(rf"\g<key>{MASK}", text)


def secret_written(address: str) -> bool:
    """Whether a secret stands in the path or query of `address`, rather than the place where one goes.

    >>> secret_written("http://h/live?token=abc"), secret_written("http://h/live?token={password}&key=")
    (True, False)
    """
    return _WRITTEN.search("/" + address.partition("://")[2].partition("/")[2]) is not None
