"""The Authorization header of Basic authentication (RFC 7617), as OCPP-J uses it."""

import base64


def basic(user: str, password: bytes) -> str:
    """Return the header's value; a password is bytes and need not be a text.

    >>> basic("AL1000", bytes.fromhex("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF"))
    'Basic QUwxMDAwOgABAgMEBQYH////////////////'
    """
    return "Basic " + base64.b64encode(user.encode() + b":" + password).decode()
