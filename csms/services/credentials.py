"""Secrets: what charge points and programs present, kept as keyed hashes.

A slow hash would cost minutes of CPU when ten thousand stations reconnect; a keyed one of at least
16 bytes is as good while the key (the secret file) stays out of the database.
"""

from __future__ import annotations

import hmac
import re
import secrets
from hashlib import blake2b

from csms.errors import Invalid

LEAST_PASSWORD_BYTES = 16
MOST_PASSWORD_BYTES = 128
TOKEN_PREFIX = "csms_"  # noqa: S105  the public beginning of every token, not a secret

_HEX_PASSWORD = re.compile(r"[0-9A-Fa-f]{32,40}")


def parse_password(text: str) -> bytes:
    """Return the bytes that the operator means: 32-40 hex digits, or the UTF-8 of other text.

    >>> parse_password("0001020304050607FFFFFFFFFFFFFFFF").hex()
    '0001020304050607ffffffffffffffff'

    Raises:
        Invalid: Shorter than 16 or longer than 128 bytes.
    """
    if _HEX_PASSWORD.fullmatch(text) and len(text) % 2 == 0:
        return bytes.fromhex(text)
    password = text.encode()
    if not LEAST_PASSWORD_BYTES <= len(password) <= MOST_PASSWORD_BYTES:
        raise Invalid(
            "invalid_request",
            "A station's password has 16 to 128 bytes, or 32 to 40 hex digits.",
            {"password": "must have 16 to 128 bytes, or 32 to 40 hex digits"},
        )
    return password


def digest(secret: bytes, password: bytes) -> bytes:
    """Return what is stored of a charge point's password (32 bytes)."""
    return _keyed(secret, b"csms-station", password)


def matches(stored: bytes, presented: bytes, secret: bytes) -> bool:
    """Return whether a charge point knows the password.

    It may present the bytes themselves or their hex text in either case.
    """
    right = hmac.compare_digest(stored, digest(secret, presented))
    decoded = _unhexed(presented)
    if decoded is not None:
        right |= hmac.compare_digest(stored, digest(secret, decoded))
    return right


def new_token() -> str:
    """Return a new API token: 192 random bits behind a known beginning."""
    return TOKEN_PREFIX + secrets.token_urlsafe(24)


def token_digest(secret: bytes, token: str) -> bytes:
    """Return what is stored of an API token (32 bytes)."""
    return _keyed(secret, b"csms-token", token.encode("utf-8", "surrogatepass"))


def signature(secret: bytes, text: str) -> str:
    """Return a signature over `text` that only a holder of `secret` can make, as hex."""
    return _keyed(secret, b"csms-cookie", text.encode("utf-8", "surrogatepass")).hex()


def tag_of_user(secret: bytes, name: str) -> str:
    """Return the id tag for a user's remote starts: 20 hex digits, the same each time.

    Some charge points take hex tags only.
    """
    return _keyed(secret, b"csms-tag", name.encode())[:10].hex().upper()


def _keyed(secret: bytes, purpose: bytes, content: bytes) -> bytes:
    key = secret if len(secret) <= 64 else blake2b(secret).digest()
    return blake2b(content, key=key, person=purpose, digest_size=32).digest()


def _unhexed(presented: bytes) -> bytes | None:
    try:
        return bytes.fromhex(presented.decode("ascii"))
    except ValueError:
        return None
