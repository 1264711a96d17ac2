"""The configuration keys of one charge point and their present values (OCPP 1.6 5.3, 5.8, 9).

Values are texts, as on the wire; typed readers stand beside. Key names compare without case. The
store decides whether a change is allowed; who uses a key reads it when needed, so a change acts at
once, unless the key is one that waits for the next reboot.
"""

import functools
from collections.abc import Collection, Mapping
from typing import Literal

from simulator.keys import Key, split_list

ChangeStatus = Literal["Accepted", "Rejected", "RebootRequired", "NotSupported"]


@functools.cache
def _by_name(keys: tuple[Key, ...]) -> Mapping[str, Key]:
    """The table of keys, one for all charge points of a kind."""
    return {key.name.lower(): key for key in keys}


class Configuration:
    """The keys of one charge point and their present values.

    Only values that differ from the defaults are stored; the table of keys is shared.

    Args:
        keys: the keys there are, with their defaults.
        overrides: first values that differ, of keys of any access.
        after_reboot: names of keys whose changes wait for the next reboot.

    Raises:
        ValueError: an override names no key, or its value does not pass the key's test.
    """

    def __init__(
        self,
        keys: tuple[Key, ...],
        overrides: Mapping[str, str] | None = None,
        after_reboot: Collection[str] = (),
    ) -> None:
        self._keys = _by_name(keys)
        self._values: dict[str, str] = {}
        self._after_reboot = frozenset(name.lower() for name in after_reboot)
        self._waiting: dict[str, str] = {}
        for name, value in (overrides or {}).items():
            key = self._keys.get(name.lower())
            if key is None or not key.accepts(value):
                fault = "unknown configuration key" if key is None else "bad value for"
                msg = f"{fault} {name}"
                raise ValueError(msg)
            self._values[name.lower()] = value

    def text(self, name: str) -> str:
        """Return a key's value.

        Raises:
            KeyError: there is no such key.
        """
        return self._values.get(name.lower(), self._keys[name.lower()].value)

    def integer(self, name: str) -> int:
        """Return a key's value as a whole number."""
        return int(self.text(name))

    def flag(self, name: str) -> bool:
        """Return a key's value as a truth value."""
        return self.text(name).lower() == "true"

    def items(self, name: str) -> list[str]:
        """Return a key's comma separated items."""
        return split_list(self.text(name))

    def is_default(self, name: str) -> bool:
        """Return whether nobody has set a key."""
        return name.lower() not in self._values

    def override(self, name: str, value: str) -> None:
        """Set a value from inside, access and tests aside (HeartbeatInterval at boot)."""
        self._values[self._keys[name.lower()].name.lower()] = value

    def judge(self, name: str, value: str) -> ChangeStatus:
        """Return what ``change`` would answer; nothing changes."""
        key = self._keys.get(name.lower())
        if key is None:
            return "NotSupported"
        if key.access == "R" or not key.accepts(value):
            return "Rejected"
        if key.most is not None and len(split_list(value)) > self.integer(key.most):
            return "Rejected"
        return "RebootRequired" if name.lower() in self._after_reboot else "Accepted"

    def change(self, name: str, value: str) -> ChangeStatus:
        """Carry out ChangeConfiguration and return its status.

        Accepted changes the value now; RebootRequired keeps it for ``take_waiting``.
        """
        status = self.judge(name, value)
        if status == "Accepted":
            self._values[name.lower()] = value
        elif status == "RebootRequired":
            self._waiting[name.lower()] = value
        return status

    def take_waiting(self) -> Mapping[str, str]:
        """Return, once, the changes that waited for a reboot; names are in small letters."""
        waiting, self._waiting = self._waiting, {}
        return waiting

    @property
    def values(self) -> Mapping[str, str]:
        """What differs from the defaults, by names in small letters."""
        return self._values

    @property
    def waiting(self) -> Mapping[str, str]:
        """The changes that wait for a reboot, by names in small letters."""
        return self._waiting

    def recall(self, values: Mapping[str, str], waiting: Mapping[str, str]) -> None:
        """Take kept values over; those of keys that there are no more are passed over."""
        for target, kept in ((self._values, values), (self._waiting, waiting)):
            for name, value in kept.items():
                key = self._keys.get(name)
                if key is not None and key.accepts(value):
                    target[name] = value

    def read(self, names: list[str] | None) -> tuple[list[dict[str, object]], list[str]]:
        """Return GetConfiguration's known keys and the unknown names; no names ask for all.

        A write-only key is left out of the whole list, and has no value when it is asked for by
        name.
        """
        if not names:
            listed = [key for key in self._keys.values() if key.access != "W"]
            return [self._entry(key) for key in listed], []
        known = [
            self._entry(self._keys[name.lower()]) for name in names if name.lower() in self._keys
        ]
        return known, [name for name in names if name.lower() not in self._keys]

    def _entry(self, key: Key) -> dict[str, object]:
        entry: dict[str, object] = {"key": key.name, "readonly": key.access == "R"}
        if key.access != "W":
            entry["value"] = self.text(key.name)
        return entry
