"""How passwords are chosen, hashed and compared (Argon2id, RFC 9106)."""

import random
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 10
LONGEST = 256

# Without letters and digits that look alike: the password is read from a terminal and typed.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@cache
def _hasher() -> PasswordHasher:
    # RFC 9106's second recommended option: 64 MiB, three passes, four lanes.
    return PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)


def _prepared(password: str) -> str:
    # The same keys give different code points on different systems; NIST SP 800-63B asks for normalisation.
    return unicodedata.normalize("NFKC", password)


def hash_password(password: str) -> str:
    """The Argon2id hash of `password`, with its salt and parameters. Takes about a tenth of a CPU second."""
    return _hasher().hash(_prepared(password))


@cache
def _nobody() -> str:
    return hash_password("nobody has this password")


def matches(password_hash: str | None, password: str) -> bool:
    """Whether `password` is the one that was hashed. Without a hash it is not, after as long a time."""
    try:
        return _hasher().verify(password_hash or _nobody(), _prepared(password)) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def weakness(password: str, *, name: str) -> str | None:
    """Why a new password will not do, as the code of an error; None if it will.

    Length is what counts (NIST SP 800-63B, 5.1.1.2): no rules about kinds of characters.
    """
    if len(password) < SHORTEST:
        return "password_too_short"
    if len(password) > LONGEST:
        return "password_too_long"
    if len(set(password)) < 5 or name.casefold() in password.casefold():
        return "password_too_simple"
    return None


def one_time_password(source: random.Random) -> str:
    """A password to be typed once and changed: 16 characters in fours, 79 bits with `random.SystemRandom()`."""
    return "-".join("".join(source.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
