from __future__ import annotations

from csms.bus.local import LocalBus
from csms.domain.events import SessionsChanged, SiteChanged
from csms.domain.ids import SiteId, TransactionId
from csms.services.ports.bus import Bus

SITE = SiteChanged(SiteId("s"))


def test_it_is_a_bus():
    bus: Bus = LocalBus()
    bus.publish(SITE)


def test_subscribers_get_their_kind_only():
    bus, got = LocalBus(), []
    bus.subscribe(SiteChanged, got.append)
    bus.publish(SessionsChanged(frozenset({TransactionId(1)})))
    bus.publish(SITE)
    assert got == [SITE]


def test_all_subscribers_are_told_though_one_fails():
    bus, got = LocalBus(), []

    def fail(event: SiteChanged) -> None:
        raise RuntimeError("mine")

    bus.subscribe(SiteChanged, fail)
    bus.subscribe(SiteChanged, got.append)
    bus.publish(SITE)
    assert got == [SITE]


def test_unsubscribing_ends_one_subscription_only():
    bus, got = LocalBus(), []
    stop = bus.subscribe(SiteChanged, got.append)
    bus.subscribe(SiteChanged, got.append)
    stop()
    stop()
    bus.publish(SITE)
    assert got == [SITE]


def test_a_receiver_may_unsubscribe_itself_while_it_is_told():
    bus, got = LocalBus(), []

    def once(event: SiteChanged) -> None:
        got.append(event)
        stop()

    stop = bus.subscribe(SiteChanged, once)
    bus.subscribe(SiteChanged, got.append)
    bus.publish(SITE)
    bus.publish(SITE)
    assert got == [SITE] * 3
