"""What is sent so that a charge point gets the desired list (N15)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from csms.domain import local_list
from csms.domain.local_list import LocalList

TAGS = st.lists(
    st.tuples(st.sampled_from("aAbBcdef"), st.sampled_from(["Accepted", "Blocked"])),
    max_size=8,
    unique_by=lambda pair: pair[0].upper(),
).map(lambda pairs: tuple({"idTag": tag, "idTagInfo": {"status": status}} for tag, status in pairs))


class Station:
    """Does what a charge point does with SendLocalList; breaks when it is sent nonsense."""

    def __init__(self, entries, version, most):
        self.entries = {entry["idTag"].upper(): entry for entry in entries}
        self.version, self.most = version, most

    def take(self, payload):
        entries = payload["localAuthorizationList"]
        assert payload["listVersion"] > 0
        assert self.most is None or len(entries) <= self.most
        if payload["updateType"] == "Full":
            assert all("idTagInfo" in entry for entry in entries)
            self.entries = {}
        else:
            assert payload["listVersion"] > self.version
        for entry in entries:
            if "idTagInfo" in entry:
                self.entries[entry["idTag"].upper()] = entry
            else:
                del self.entries[entry["idTag"].upper()]
        self.version = payload["listVersion"]


def told(entries):
    return {entry["idTag"].upper(): entry["idTagInfo"] for entry in entries}


@given(TAGS, TAGS, st.none() | st.integers(1, 5), st.booleans(), st.booleans(), st.integers(0, 9))
def test_the_messages_lead_to_the_desired_list(before, after, most, known, full, version):
    station = Station(before if version else (), version, most)
    start = LocalList(
        installed_version=version,
        installed=tuple(station.entries.values()) if known else None,
        force_full=full,
    )
    wanted = local_list.next_version(start, len(after), most)
    state = replace(start, desired_version=wanted, desired=after)
    steps = 0
    while messages := local_list.messages(state, most):
        # one at a time, as the station may be lost after each
        station.take(messages[0])
        state = replace(
            state,
            installed_version=messages[0]["listVersion"],
            installed=local_list.applied(state.installed, messages[0]),
            force_full=False,
        )
        steps += 1
        assert steps <= 20
    assert state.state == "installed"
    assert station.version == wanted
    assert told(station.entries.values()) == told(after) == told(state.installed)


def test_a_small_change_of_a_known_list_is_a_differential():
    entries = tuple({"idTag": f"t{i}", "idTagInfo": {"status": "Accepted"}} for i in range(5))
    state = LocalList(
        installed_version=1, installed=entries, desired_version=2, desired=entries[1:]
    )
    assert local_list.messages(state, None) == [
        {
            "listVersion": 2,
            "localAuthorizationList": [{"idTag": "t0"}],
            "updateType": "Differential",
        }
    ]
    (full,) = local_list.messages(replace(state, force_full=True), None)
    assert (full["updateType"], len(full["localAuthorizationList"])) == ("Full", 4)


def test_states():
    assert LocalList().state == "unknown"
    wanted = LocalList(desired_version=1)
    assert wanted.state == "pending"
    assert replace(wanted, refused_status="Failed").state == "failed"
    assert replace(wanted, refused_status="NotSupported").state == "notSupported"
