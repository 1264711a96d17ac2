"""Decides for one site at one instant: who gets what, and what batteries and grid do.

`decide_site` is the pure heart of the control loop: a snapshot goes in, a `Decision` comes out,
nothing is remembered. Cars come before the battery: it gives only what the grid connection lacks,
and takes only what the cars leave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from csms.domain.allocation import Allocation, allocate
from csms.domain.battery import (
    HORIZON,
    BatteryId,
    BatteryState,
    dischargeable_w,
    flows,
    state_of,
)
from csms.domain.charging_profiles import RateLimit
from csms.domain.power_tree import Load, LoadId, NodeId, PowerTree
from csms.domain.sites import (
    GRID,
    Charger,
    ChargerId,
    ConnectorRef,
    Site,
    SiteLoad,
    charger_node,
    limit_power_w,
    rate_limit,
    site_tree,
    tree_load,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadShare:
    """What one load gets.

    Attributes:
        power_w: Its share, never above the vehicle's maximum.
        limit: What its charger is to be told; None when another system controls it.
        limit_w: The most that it can draw under that limit: what `reconciliation` counts.
        reason: Why it is not more, for people.
        waiting: It gets nothing because its minimum did not fit; its turn comes.
    """

    load_id: LoadId
    at: ConnectorRef
    power_w: int
    limit: RateLimit | None
    limit_w: int
    reason: str
    waiting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePower:
    """Power at a node as decided, reserves included.

    `limit_w` and `load_w` of the grid are those of the grid connection itself: what batteries give
    is taken off, what they take is added.
    """

    id: NodeId
    limit_w: int
    load_w: int

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
    """

    shares: tuple[LoadShare, ...]
    nodes: tuple[NodePower, ...]
    batteries_w: Mapping[BatteryId, int]
    battery_w: int
    grid_w: int
    available_w: int
    tree: PowerTree


def decide_site(
    *,
    site: Site,
    chargers: Iterable[Charger],
    loads: Iterable[SiteLoad],
    batteries: Mapping[BatteryId, BatteryState] | None = None,
    reserved_w: Mapping[NodeId, int] | None = None,
    unmanaged_w: Mapping[NodeId, int] | None = None,
    horizon: timedelta = HORIZON,
) -> Decision:
    """Return the decision for a site; equal snapshots give equal decisions.

    Args:
        site: Sound after `site_problems`.
        chargers: All of the site, also those without a load.
        loads: Vehicles that want power, in any order.
        batteries: States now; a battery that is not in it counts as full.
        reserved_w: What may be drawn at a node without being ours to give: the building at GRID.
        unmanaged_w: The same for offline and disobedient chargers at their node, as
            `reconciliation.unmanaged_reserves` tells it.
        horizon: How long the decision may have to stand; batteries promise no longer than that.

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
    tree = site_tree(site, by_id.values(), reserved_w=held, supply_w=supply)
    wanted = sorted(loads, key=lambda load: (load.order, load.id))
    asked = [tree_load(load, _charger(by_id, load), site.policy) for load in wanted]
    allocation = allocate(tree, asked, site.policy)
    carried = _carried(tree, asked, allocation)
    company = Counter(node for load in asked if load.max_w for node in tree.path(load.node))
    shortage = carried[GRID] - site.grid_limit_w
    powers = flows(site.batteries, states, shortage_w=shortage, horizon=horizon)
    battery = sum(powers.values())
    grid = carried[GRID] - battery
    return Decision(
        shares=tuple(
            _share(load, by_id[load.at.charger_id], allocation, company) for load in wanted
        ),
        nodes=(
            NodePower(id=GRID, limit_w=site.grid_limit_w, load_w=grid),
            *(
                NodePower(id=node.id, limit_w=node.limit_w, load_w=carried[node.id])
                for node in tree.nodes
                if node.id != GRID and node.limit_w is not None
            ),
        ),
        batteries_w=powers,
        battery_w=battery,
        grid_w=grid,
        available_w=supply,
        tree=site_tree(site, by_id.values(), reserved_w=reserved_w, supply_w=supply),
    )


def _charger(by_id: Mapping[ChargerId, Charger], load: SiteLoad) -> Charger:
    try:
        return by_id[load.at.charger_id]
    except KeyError:
        msg = f"load {load.id} is on {load.at.charger_id}, which the site does not have"
        raise ValueError(msg) from None


def _carried(tree: PowerTree, loads: Sequence[Load], allocation: Allocation) -> dict[NodeId, int]:
    """Return the power through each node: shares and reserves at it and below it."""
    carried = {node.id: held for node, held in zip(tree.nodes, tree.reserved_w, strict=True)}
    for load in loads:
        for node in tree.path(load.node):
            carried[node] += allocation.power_w[load.id]
    return carried


def _share(
    load: SiteLoad, charger: Charger, allocation: Allocation, company: Mapping[NodeId, int]
) -> LoadShare:
    granted = allocation.power_w[load.id]
    limit = None if charger.controlled_elsewhere else rate_limit(charger, granted, load.phases)
    return LoadShare(
        load_id=load.id,
        at=load.at,
        # An AC vehicle under 6 A is granted the room for 6 A, but does not draw it.
        power_w=granted if load.vehicle_max_w is None else min(granted, load.vehicle_max_w),
        limit=limit,
        limit_w=granted if limit is None else limit_power_w(charger, limit, load.phases),
        reason=_reason(load, charger, allocation, company),
        waiting=load.id in allocation.waiting,
    )


def _reason(
    load: SiteLoad, charger: Charger, allocation: Allocation, company: Mapping[NodeId, int]
) -> str:
    """Return why a load does not get more.

    Args:
        load: Whose share it is.
        charger: Where it charges.
        allocation: Tells the node that holds it back.
        company: How many loads each node feeds: alone under a limit it is the limit, together it
            is a share of it.
    """
    node = allocation.bottlenecks.get(load.id)
    if node is None:
        own = load.vehicle_max_w is not None and load.vehicle_max_w <= charger.max_w
        return "vehicle maximum" if own else "charger limit"
    if load.id in allocation.waiting:
        return f"waiting: the least useful power does not fit under the {node} limit"
    if company[node] > 1:
        return f"fair share of the {node} limit"
    return "charger limit" if node == charger_node(charger.id) else f"{node} limit"
