"""Sessions that a limit of 0 would end: they keep the least current as long as that fits.

Others wait for their turn with 0 A; on chargers that take 0 for "stop" nobody can. So such a
session keeps 6 A, which is taken off what the others share. Where not even that fits, limits come
first: it is told 0, and ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from csms.domain.possible_limits import PossibleLimits
from csms.domain.power_tree import NodeId, PowerTree
from csms.domain.reconciliation import fitting
from csms.domain.site_sharing import LoadShare
from csms.domain.site_snapshot import ChargerState
from csms.domain.site_wishes import least_w, told_w
from csms.domain.sites import Charger, ChargerId, charger_node, rate_limit

_REASON = "the least that it can be told: 0 would end its session"


def kept_alive(
    shares: Iterable[LoadShare], chargers: Mapping[ChargerId, ChargerState], tree: PowerTree
) -> list[LoadShare]:
    """Return the shares of sessions that would get 0 and can have the least instead.

    Args:
        shares: As decided without regard to that.
        chargers: Of the site.
        tree: With all reserved that is not ours to give.
    """
    needed = []
    for share in shares:
        state = chargers[share.at.charger_id]
        if state.dialect.zero_means_stop and share.limit is not None and not share.limit_w:
            needed.append((share, state.charger))
    fits = fitting(tree, [_entry(share, charger) for share, charger in needed])
    return [_least(share, charger) for share, charger in needed if share.load_id in fits]


def reserved_for(alive: Iterable[LoadShare]) -> dict[NodeId, int]:
    """Return what is kept for these sessions, by the nodes of their chargers."""
    kept: dict[NodeId, int] = {}
    for share in alive:
        node = charger_node(share.at.charger_id)
        kept[node] = kept.get(node, 0) + share.limit_w
    return kept


def _entry(share: LoadShare, charger: Charger) -> PossibleLimits:
    least = told_w(charger, least_w(charger))
    return PossibleLimits(
        id=share.load_id,
        node=charger_node(charger.id),
        hardware_max_w=least,
        acknowledged_w=least,
        phases=share.phases,
        volts=share.volts,
    )


def _least(share: LoadShare, charger: Charger) -> LoadShare:
    limit = rate_limit(charger, least_w(charger))
    return replace(
        share,
        power_w=least_w(charger),
        limit=limit,
        limit_w=told_w(charger, least_w(charger)),
        reason=_REASON,
        waiting=False,
    )
