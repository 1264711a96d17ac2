"""The text of the control loop's statements."""

from __future__ import annotations

_LIMIT = """
    l.transaction_id AS limit_tx, l.desired_w, l.desired_version, l.acknowledged_w, l.in_flight_w,
    l.in_flight_version, l.earlier_low_w, l.earlier_high_w, l.doubtful, l.may_be_unlimited,
    l.refused_w, l.refused_status, l.refused_at, l.refusals
"""

# A statement of its own: what is read beside a row that had to be waited for is old.
LOCK_SITE = "SELECT id FROM sites WHERE id = :site FOR UPDATE"

LOCK_SITES_OF = """
SELECT id FROM sites WHERE id IN (SELECT site_id FROM charge_points WHERE id = ANY(:keys))
ORDER BY id FOR UPDATE
"""

HOLDER = "SELECT holder FROM leases WHERE name = :site"

SITE = """
SELECT s.name, s.time_zone, s.grid_limit_w, s.policy, coalesce(d.version, 0) AS version
FROM sites s LEFT JOIN site_decisions d ON d.site_id = s.id WHERE s.id = :site
"""

CIRCUITS = "SELECT id, parent_id, limit_w FROM circuits WHERE site_id = :site ORDER BY id"

BATTERIES = """
SELECT id, capacity_wh, power_w, energy_mwh, flow_w, updated_at
FROM batteries WHERE site_id = :site ORDER BY id
"""

STATIONS = f"""
SELECT c.id AS key, c.identity, c.circuit_id, c.current_type, c.phases, c.voltage_v, c.max_power_w,
       c.registration, c.node, c.connected_at,
       coalesce(c.connector_count, (
           SELECT greatest(max(k.connector_id), 1) FROM connectors k WHERE k.charge_point_id = c.id
       ), 1) AS connectors,
       {_LIMIT}
FROM charge_points c
LEFT JOIN charging_limits l
    ON l.charge_point_id = c.id AND l.connector_id = 0 AND l.purpose = 'TxDefaultProfile'
WHERE c.site_id = :site AND c.deleted_at IS NULL
ORDER BY c.id
"""

# A station that has taken the name of an external charger is the one that counts.
EXTERNALS = """
SELECT x.id, x.circuit_id, x.max_power_w, x.connector_count
FROM external_chargers x
WHERE x.site_id = :site AND NOT EXISTS (
    SELECT 1 FROM charge_points c
    WHERE c.site_id = x.site_id AND c.identity = x.id AND c.deleted_at IS NULL)
ORDER BY x.id
"""

SESSIONS = f"""
SELECT t.id AS transaction_id, c.identity, t.connector_id, t.power_w, {_LIMIT}
FROM charge_points c
JOIN transactions t ON t.charge_point_id = c.id AND t.active
LEFT JOIN charging_limits l ON l.charge_point_id = c.id AND l.connector_id = t.connector_id
    AND l.purpose = 'TxProfile'
WHERE c.site_id = :site AND c.deleted_at IS NULL
ORDER BY t.id
"""

MANAGED = """
SELECT id, charger_id, connector_id, vehicle_max_power_w, consumed_power_w
FROM managed_loads WHERE site_id = :site AND stopped_at IS NULL ORDER BY id
"""

_OPEN = """
WHERE charge_point_id = :cp AND connector_id = :connector AND purpose = :purpose
    AND transaction_id IS NOT DISTINCT FROM :tx AND in_flight_version = :version
    AND in_flight_w = :limit
"""

ACCEPTED = f"""
UPDATE charging_limits SET acknowledged_w = :limit, acknowledged_version = :version,
    acknowledged_at = :at, in_flight_w = NULL, in_flight_version = NULL, earlier_low_w = NULL,
    earlier_high_w = NULL, doubtful = false, may_be_unlimited = false, refused_w = NULL,
    refused_status = NULL, refused_at = NULL, refusals = 0
{_OPEN}
"""

# An open request without a good answer: its limit is one of those that may hold.
_IN_DOUBT = """
    earlier_low_w = least(earlier_low_w, in_flight_w),
    earlier_high_w = greatest(earlier_high_w, in_flight_w),
    in_flight_w = NULL, in_flight_version = NULL, doubtful = true
"""

REFUSED = f"""
UPDATE charging_limits SET {_IN_DOUBT}, refused_w = in_flight_w, refused_status = :status,
    refused_at = :at, refusals = refusals + 1
{_OPEN}
"""

FORGET = f"""
UPDATE charging_limits SET {_IN_DOUBT}, may_be_unlimited = true, refused_w = NULL,
    refused_status = NULL, refused_at = NULL, refusals = 0
WHERE charge_point_id = ANY(:keys)
"""

DOUBT = f"""
UPDATE charging_limits SET {_IN_DOUBT}
WHERE charge_point_id = :cp AND connector_id = :connector AND purpose = :purpose
    AND transaction_id IS NOT DISTINCT FROM :tx AND in_flight_version = :version
"""

# the row of a connector passes from one transaction to the next and forgets the old one's limits
_SAME = "l.transaction_id IS NOT DISTINCT FROM excluded.transaction_id"

WISH = f"""
INSERT INTO charging_limits AS l (charge_point_id, connector_id, purpose, transaction_id, desired_w,
    desired_version, desired_at, reason)
VALUES (:cp, :connector, :purpose, :tx, :limit, 1, :at, :reason)
ON CONFLICT (charge_point_id, connector_id, purpose) DO UPDATE SET
    desired_w = excluded.desired_w, desired_version = l.desired_version
        + (l.desired_w IS DISTINCT FROM excluded.desired_w)::int,
    desired_at = excluded.desired_at, reason = excluded.reason,
    transaction_id = excluded.transaction_id,
    acknowledged_w = CASE WHEN {_SAME} THEN l.acknowledged_w END,
    in_flight_w = CASE WHEN {_SAME} THEN l.in_flight_w END,
    in_flight_version = CASE WHEN {_SAME} THEN l.in_flight_version END,
    earlier_low_w = CASE WHEN {_SAME} THEN l.earlier_low_w END,
    earlier_high_w = CASE WHEN {_SAME} THEN l.earlier_high_w END,
    refused_w = CASE WHEN {_SAME} THEN l.refused_w END,
    doubtful = CASE WHEN {_SAME} THEN l.doubtful ELSE false END,
    may_be_unlimited = CASE WHEN {_SAME} THEN l.may_be_unlimited ELSE false END,
    refusals = CASE WHEN {_SAME} THEN l.refusals ELSE 0 END
"""

SEND = """
UPDATE charging_limits SET in_flight_w = :limit, in_flight_version = :version, sent_at = :at
WHERE charge_point_id = :cp AND connector_id = :connector AND purpose = :purpose
    AND transaction_id IS NOT DISTINCT FROM :tx
"""

FLOW = """
UPDATE batteries SET energy_mwh = :energy, flow_w = :flow, updated_at = :at
WHERE site_id = :site AND id = :battery
"""

SHARE = "UPDATE managed_loads SET allocated_w = :share WHERE id = :id"

DECIDED = """
INSERT INTO site_decisions (site_id, version, decided_at, decision)
VALUES (:site, :version, :at, CAST(:decision AS jsonb))
ON CONFLICT (site_id) DO UPDATE SET version = excluded.version, decided_at = excluded.decided_at,
    decision = excluded.decision
"""

STATUS = "SELECT decided_at, decision FROM site_decisions WHERE site_id = :site"

# Both lock only what they change, in the order of the names, so that nodes never block each other.
RENEW_LEASES = """
UPDATE leases SET expires_at = :until
WHERE name IN (SELECT name FROM leases
               WHERE holder = :holder AND expires_at > :now AND name IN (SELECT id FROM sites)
               ORDER BY name FOR UPDATE)
RETURNING name
"""

TAKE_LEASES = """
INSERT INTO leases AS l (name, holder, version, expires_at)
SELECT id, :holder, 1, :until FROM sites
WHERE NOT EXISTS (SELECT 1 FROM leases held WHERE held.name = sites.id AND held.expires_at > :now)
ORDER BY id
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, version = l.version + 1,
    expires_at = excluded.expires_at
WHERE l.expires_at <= :now
RETURNING name
"""

RELEASE_LEASES = "DELETE FROM leases WHERE holder = :holder"

SITES_OF = "SELECT id, site_id FROM charge_points WHERE id = ANY(:keys) AND site_id IS NOT NULL"
