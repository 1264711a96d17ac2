from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.proxies import Peer, TrustedProxies

PROXIES = TrustedProxies([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])
CLIENT = "198.51.100.7"


@pytest.mark.parametrize(
    ("given_headers", "address", "secure"),
    [
        ({}, "10.0.0.1", None),
        ({"forwarded_for": [CLIENT]}, CLIENT, None),
        ({"forwarded_for": [CLIENT], "forwarded_proto": ["https"]}, CLIENT, True),
        ({"forwarded_for": [CLIENT], "forwarded_proto": ["WSS"]}, CLIENT, True),
        ({"forwarded_for": [CLIENT], "forwarded_proto": ["http"]}, CLIENT, False),
        ({"forwarded_proto": ["https"]}, "10.0.0.1", True),
        # the client's own words stand before what the proxy has seen
        ({"forwarded_for": ["1.1.1.1, " + CLIENT]}, CLIENT, None),
        ({"forwarded_for": ["1.1.1.1", CLIENT]}, CLIENT, None),
        ({"forwarded_for": ["10.9.9.9, " + CLIENT + ", 10.0.0.2"]}, CLIENT, None),
        # each hop has said how it was reached: what counts is how the client came
        (
            {"forwarded_for": [f"{CLIENT}, 10.0.0.2"], "forwarded_proto": ["https, http"]},
            CLIENT,
            True,
        ),
        (
            {"forwarded_for": [f"1.1.1.1, {CLIENT}"], "forwarded_proto": ["https, http"]},
            CLIENT,
            False,
        ),
        ({"forwarded_for": ["10.0.0.3, 10.0.0.2"]}, "10.0.0.3", None),
        ({"forwarded_for": [f"{CLIENT}:4711"]}, CLIENT, None),
        ({"forwarded_for": ["[2001:db8::1]:4711"]}, "2001:db8::1", None),
        ({"forwarded_for": ["unknown"]}, "10.0.0.1", None),
        ({"forwarded_for": [f"{CLIENT}, x' OR 1"]}, "10.0.0.1", None),
        ({"forwarded": [f"for={CLIENT};proto=https"]}, CLIENT, True),
        ({"forwarded": ['for="[2001:db8::1]:80";Proto="https";by=x']}, "2001:db8::1", True),
        ({"forwarded": ["for=1.1.1.1;proto=https, for=198.51.100.7"]}, CLIENT, None),
        # both kinds: one of them is the client's own
        ({"forwarded": ["for=1.1.1.1;proto=https"], "forwarded_for": [CLIENT]}, "10.0.0.1", None),
        (
            {
                "forwarded": [f"for={CLIENT};proto=https"],
                "forwarded_for": [CLIENT],
                "forwarded_proto": ["https"],
            },
            CLIENT,
            True,
        ),
    ],
)
def test_what_a_trusted_proxy_says(given_headers, address, secure):
    assert PROXIES.peer("10.0.0.1", **given_headers) == Peer(address=address, secure=secure)


def test_proxies_are_known_by_network_also_as_mapped_addresses():
    assert "10.200.1.1" in PROXIES
    assert "::ffff:10.0.0.1" in PROXIES
    assert "fd00::5" in PROXIES
    assert CLIENT not in PROXIES
    assert "" not in PROXIES
    assert "10.0.0.1" not in TrustedProxies()


texts = st.lists(st.text(max_size=30) | st.just(CLIENT) | st.just("https"), max_size=4)


@given(forwarded_for=texts, forwarded_proto=texts, forwarded=texts)
def test_a25_nobody_else_is_believed(forwarded_for, forwarded_proto, forwarded):
    for proxies in (PROXIES, TrustedProxies()):
        assert proxies.peer(
            "203.0.113.5",
            forwarded_for=forwarded_for,
            forwarded_proto=forwarded_proto,
            forwarded=forwarded,
        ) == Peer(address="203.0.113.5")


@given(forwarded_for=texts, forwarded_proto=texts, forwarded=texts)
def test_nothing_a_proxy_passes_on_is_an_error(forwarded_for, forwarded_proto, forwarded):
    peer = PROXIES.peer(
        "10.0.0.1",
        forwarded_for=forwarded_for,
        forwarded_proto=forwarded_proto,
        forwarded=forwarded,
    )
    assert peer.address


@given(theirs=texts)
def test_what_the_client_writes_before_the_proxys_words_changes_nothing(theirs):
    theirs = [*theirs, "192.0.2.1"]
    assert PROXIES.peer("10.0.0.1", forwarded_for=[*theirs, CLIENT]).address == CLIENT
