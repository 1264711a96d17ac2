"""Secrets are cut out of frames before anything keeps them.

Works on the raw text, so the log shows what was sent byte for byte, but for the secrets: values of
configuration keys that hold one, credentials inside URLs, private keys, and what vendors send each
other beside the word for a secret. Frames of harmless actions are returned as they are, without a
look into them.
"""

from __future__ import annotations

import re

MASK = "***"
_DEEPEST = 8

_CONFIGURATION = frozenset({"ChangeConfiguration", "GetConfiguration"})
_LOCATIONS = frozenset({"GetDiagnostics", "UpdateFirmware", "GetLog", "SignedUpdateFirmware"})
_TEXTS = frozenset({"SecurityEventNotification"})  # a URL may stand in them
_CERTIFICATES = frozenset(
    {"InstallCertificate", "CertificateSigned", "SignCertificate", "SignedUpdateFirmware"}
)
_VENDORS = frozenset({"DataTransfer"})
WATCHED = _CONFIGURATION | _LOCATIONS | _TEXTS | _CERTIFICATES | _VENDORS
"""Actions whose frames may hold secrets."""

_SECRETS = (  # in names of keys, in any case, with underscores or without
    *("authorizationkey", "authorisationkey", "passw", "passphrase", "passcode", "secret"),
    *("privatekey", "apikey", "accesstoken", "authtoken", "bearer", "credential"),
    *("simpin", "pincode"),
)
_SHORT = ("pwd", "psk")
_SHORT_WORD = re.compile(r"(?<![a-z0-9+/])(?:pwd|psk)(?![a-z0-9+/])")  # not by chance in base64

_INSIDE = r'[^"\\]*(?:\\.[^"\\]*)*'
_STRING = f'"{_INSIDE}"'
_FLAT_OBJECT = re.compile(r'\{[^{}"]*(?:' + _STRING + r'[^{}"]*)*\}', re.DOTALL)
_KEY = re.compile(r'"key"\s*:\s*(' + _STRING + ")", re.DOTALL)
_VALUE = re.compile(r'("value"\s*:\s*)(?:' + _STRING + r"|[^\s,}\"]+)", re.DOTALL)
_NO_BRACES = str.maketrans("", "", "{}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_URL = re.compile(r"(:(?:\\?/){2})(" + _INSIDE + ")", re.DOTALL)
_SLASH = re.compile(r"\\?/")
_DATA = re.compile(r'("data"\s*:\s*)(?:' + _STRING + "|.*)", re.DOTALL)
# with the certificate in one file, where somebody has copied too much
_PRIVATE_KEY = re.compile(r'(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)[^"]*?(?=-----END|"|\Z)')
_TOKEN = re.compile(r"(?<=/)[0-9a-f]{32,}(?=[/\\\"])")  # such as our own, see `csms.domain.files`


def mask(action: str | None, raw: str) -> str:
    """Return `raw` without its secrets.

    Args:
        action: Action of the frame's call; None when it is not known (then all rules apply).
        raw: The frame, which need not be valid JSON.

    >>> mask("ChangeConfiguration", '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey",'
    ...      '"value":"00ff"}]')
    '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]'
    >>> mask("GetLog", '{"remoteLocation":"ftp://user:secret@host/logs"}')
    '{"remoteLocation":"ftp://***@host/logs"}'
    >>> mask("UpdateFirmware", '{"location":"http://h/0123456789abcdef0123456789abcdef/fw.bin"}')
    '{"location":"http://h/***/fw.bin"}'
    """
    if action is None:
        return _private_keys(_locations(_vendors(_configuration(raw))))
    if action not in WATCHED:
        return raw
    if action in _CONFIGURATION:
        return _private_keys(without_credentials(_configuration(raw)))
    if action in _VENDORS:
        return _private_keys(without_credentials(_vendors(raw)))
    return _private_keys(raw if action in _CERTIFICATES - _LOCATIONS else _locations(raw))


def is_secret(key: str) -> bool:
    """Return whether a configuration key holds a secret.

    >>> is_secret("authorizationKey"), is_secret("HeartbeatInterval")
    (True, False)
    """
    return _names_one(key)


def _names_one(text: str) -> bool:
    plain = text.lower().replace("_", "")  # ten times as fast as an expression
    return any(word in plain for word in _SECRETS) or any(word in plain for word in _SHORT)


def _names_one_in_prose(text: str) -> bool:
    plain = text.lower()
    if any(word in plain for word in _SHORT) and _SHORT_WORD.search(plain.replace("_", " ")):
        return True
    plain = plain.replace("_", "")
    return any(word in plain for word in _SECRETS)


def without_credentials(text: str) -> str:
    """Return a text, plain or JSON, without user and password of the URLs in it.

    >>> without_credentials("ws://me:secret@host/ocpp")
    'ws://***@host/ocpp'
    """
    return _URL.sub(_without_user, text)


def _locations(raw: str) -> str:
    return _TOKEN.sub(MASK, without_credentials(raw))


def _private_keys(raw: str) -> str:
    return _PRIVATE_KEY.sub(rf"\1{MASK}", raw) if "PRIVATE KEY" in raw else raw


def _vendors(raw: str) -> str:
    """Mask the whole data where a secret is named: nobody but the vendor knows its form."""
    if not _names_one_in_prose(_unescaped(raw)):
        return raw
    return _DATA.sub(rf'\1"{MASK}"', raw, count=1)


def _without_user(found: re.Match[str]) -> str:
    """Mask what stands before the last ``@`` that may belong to the credentials."""
    rest = found[2]
    if "@" not in rest:
        return found[0]
    slash = _SLASH.search(rest)
    authority = rest if slash is None else rest[: slash.start()]
    # a colon there is a port or a password, and a password may hold a bare slash
    last = rest.rfind("@") if ":" in authority else authority.rfind("@")
    return found[0] if last < 0 else f"{found[1]}{MASK}{rest[last:]}"


def _configuration(raw: str) -> str:
    """Mask the values of secret keys; where the text cannot be understood nothing of it stays."""
    if not _names_one(_unescaped(raw)):
        return raw
    masked = _FLAT_OBJECT.sub(_object, raw)
    outside = _FLAT_OBJECT.sub("", raw)
    for _ in range(_DEEPEST):
        outside = _FLAT_OBJECT.sub(_hull, outside)
    if not _names_one(_unescaped(outside)):
        return masked
    # a secret's name where no whole object is: nobody knows where its value stands
    return raw[: raw.find("{")] + MASK if "{" in raw else MASK


def _object(found: re.Match[str]) -> str:
    text = found[0]
    return _VALUE.sub(rf'\1"{MASK}"', text) if _names_secret(text) else text


def _hull(found: re.Match[str]) -> str:
    """Take away an object that held others, unless it is itself a secret with an odd value."""
    text = found[0]
    return text.translate(_NO_BRACES) if _names_secret(text) else ""


def _names_secret(text: str) -> bool:
    key = _KEY.search(text)
    return key is not None and _names_one(_unescaped(key[1]))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "\\u" in text else text
