"""Decides for one site at one instant: who gets what, and what batteries and grid do.

`decide_site` is the pure heart of the control loop: a snapshot goes in, a `Decision` comes out,
nothing is remembered. Cars come before the battery: it gives only what the grid connection lacks,
and takes only what the cars leave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from csms.domain.allocation import Policy
from csms.domain.battery import (
    HORIZON,
    BatteryId,
    BatteryState,
    dischargeable_w,
    flows,
    state_of,
)
from csms.domain.pieces import Pieces, collected, in_one_go
from csms.domain.power_tree import LoadId, NodeId, PowerTree
from csms.domain.rotation import Turn
from csms.domain.site_sharing import LoadShare, share_phases, share_power
from csms.domain.sites import GRID, Charger, Currents, Site, SiteLoad, site_tree_built
from csms.domain.steadiness import steadied


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePower:
    """Power at a node as decided, reserves included.

    `limit_w` and `load_w` of the grid are those of the grid connection itself: what batteries give
    is taken off, what they take is added.

    Attributes:
        phase_limit_da: Limit of each phase, in 0.1 A; None without one.
        load_da: Current of L1, L2, L3 as decided, in 0.1 A, loads and reserves; what batteries do
            is not in it. None where phases are not shared.
    """

    id: NodeId
    limit_w: int
    load_w: int
    phase_limit_da: int | None = None
    load_da: tuple[int, int, int] | None = None

    @property
    def headroom_w(self) -> int:
        """What is left of the limit; negative when reserves alone exceed it."""
        return self.limit_w - self.load_w


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A site's decision.

    Attributes:
        shares: One a load, by its place in the queue.
        nodes: Grid, circuits, chargers; parents before children.
        batteries_w: Power of each battery, positive = discharging.
        battery_w: Their sum.
        grid_w: Power from the grid, positive = import.
        available_w: What grid and batteries could have fed together.
        tree: The limits behind the decision, with `available_w` at the root, for
            `reconciliation.plan_changes`: unmanaged loads are not reserved in it, because there
            they are entries.
        turns: Where each load stands in the rotation now; for the next decision.
    """

    shares: tuple[LoadShare, ...]
    nodes: tuple[NodePower, ...]
    batteries_w: Mapping[BatteryId, int]
    battery_w: int
    grid_w: int
    available_w: int
    tree: PowerTree
    turns: Mapping[LoadId, Turn] = field(default_factory=dict)


def site_decided(
    *,
    site: Site,
    chargers: Iterable[Charger],
    loads: Iterable[SiteLoad],
    batteries: Mapping[BatteryId, BatteryState] | None = None,
    reserved_w: Mapping[NodeId, int] | None = None,
    unmanaged_w: Mapping[NodeId, int] | None = None,
    next_da: Mapping[NodeId, Currents] | None = None,
    horizon: timedelta = HORIZON,
    turns: Mapping[LoadId, Turn] | None = None,
    has_w: Mapping[LoadId, int] | None = None,
    exact: bool = False,
    now: datetime | None = None,
) -> Pieces[Decision]:
    """Return the decision for a site; equal snapshots give equal decisions.

    Args:
        site: Sound after `site_problems`.
        chargers: All of the site, also those without a load.
        loads: Vehicles that want power, in any order.
        batteries: States now; a battery that is not in it counts as full.
        reserved_w: What may be drawn at a node without being ours to give: the building at GRID.
        unmanaged_w: The same for offline and disobedient chargers at their node, as
            `reconciliation.unmanaged_reserves` tells it.
        next_da: Current that the next cars may take where the present ones take none, by chargers'
            nodes; they are entries of the ledger, too.
        horizon: How long the decision may have to stand; batteries promise no longer than that.
        turns: Of the decision before; empty at first.
        has_w: What loads were told last: near its fair share a limit stays (`steadiness`). None:
            all get exactly that.
        exact: All get exactly that, but for those who rest.
        now: For the rotation of those who wait. None: the queue alone decides who waits.

    Raises:
        ValueError: The site is not sound, a load is on an unknown charger or there twice.
    """
    states = batteries or {}
    by_id = {charger.id: charger for charger in chargers}
    supply = site.grid_limit_w + sum(
        dischargeable_w(battery, state_of(battery, states), horizon) for battery in site.batteries
    )
    held = Counter(reserved_w or {})
    held.update(unmanaged_w or {})
    tree = yield from site_tree_built(
        site, by_id.values(), reserved_w=held, reserved_da=next_da, supply_w=supply
    )
    wanted = sorted(loads, key=lambda load: (load.order, load.id))
    for load in wanted:
        if load.at.charger_id not in by_id:
            msg = f"load {load.id} is on {load.at.charger_id}, which the site does not have"
            raise ValueError(msg)
    if site.shares_phases:
        sharing = yield from share_phases(tree, wanted, by_id, turns or {}, now)
    else:
        sharing = yield from share_power(tree, wanted, by_id, site.policy, turns or {}, now)
    yield
    if has_w and site.policy is Policy.FAIR:
        sharing = yield from steadied(sharing, tree, wanted, by_id, has_w, exact=exact)
    carried = sharing.carried_w
    shortage = carried[GRID] - site.grid_limit_w
    powers = flows(site.batteries, states, shortage_w=shortage, horizon=horizon)
    battery = sum(powers.values())
    grid = carried[GRID] - battery
    nodes = yield from collected(
        NodePower(
            id=node.id,
            limit_w=site.grid_limit_w if node.id == GRID else node.limit_w,
            load_w=grid if node.id == GRID else carried[node.id],
            phase_limit_da=node.phase_limit_da,
            load_da=sharing.carried_da.get(node.id),
        )
        for node in tree.nodes
        if node.limit_w is not None
    )
    if any((unmanaged_w or {}).values()) or next_da:
        tree = yield from site_tree_built(
            site, by_id.values(), reserved_w=reserved_w, supply_w=supply
        )
    return Decision(
        shares=sharing.shares,
        nodes=tuple(nodes),
        batteries_w=powers,
        battery_w=battery,
        grid_w=grid,
        available_w=supply,
        tree=tree,
        turns=sharing.turns,
    )


decide_site = in_one_go(site_decided)
