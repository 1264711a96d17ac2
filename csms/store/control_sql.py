"""The text of the control loop's statements."""

from __future__ import annotations

# Always the last columns: `limit_rows.limit_row` counts from the end.
LIMIT = """
    l.transaction_id AS limit_tx, l.earlier_low_w, l.earlier_high_w,
    l.desired_w, l.desired_version, l.desired_at, l.reason,
    l.acknowledged_w, l.acknowledged_version, l.acknowledged_at, l.in_flight_w,
    l.in_flight_version, l.sent_at, l.before_w, l.drew_w, l.ends_at,
    l.doubtful, l.may_be_unlimited, l.refused_w, l.refused_status, l.refused_at,
    l.refusals, l.read_back_at, l.judged_at, l.over_readings, l.follow_s, l.raised_at, l.writes,
    l.written_on, l.may_end_at
"""

# A statement of its own: what is read beside a row that had to be waited for is old. Plans are made
# anew each time: one that was made while a site was small reads 1,000 sessions in 140 ms, not in 8.
LOCK_SITE = """
SELECT id, set_config('plan_cache_mode', 'force_custom_plan', true) FROM sites
WHERE id = :site FOR UPDATE
"""

LOCK_SITES_OF = """
SELECT id FROM sites WHERE id IN (SELECT site_id FROM charge_points WHERE id = ANY(:keys))
ORDER BY id FOR UPDATE
"""

HOLDER = "SELECT holder FROM leases WHERE name = :site"

SITE = """
SELECT s.name, s.time_zone, s.grid_limit_w, s.grid_phase_limit_da, s.policy, s.rules,
       coalesce(d.version, 0) AS version, d.decision -> 'turns' AS turns,
       d.decision -> 'drawn' AS drawn, d.decision -> 'waking' AS waking,
       m.power_w AS meter_w, m.building_w, m.building_at, m.received_at AS metered_at
FROM sites s LEFT JOIN site_decisions d ON d.site_id = s.id
LEFT JOIN site_meters m ON m.site_id = s.id WHERE s.id = :site
"""

OUTSIDE = """
SELECT circuit_id, limit_w, scope, starts_at, ends_at FROM site_limits
WHERE site_id = :site AND (ends_at IS NULL OR ends_at > :now) AND starts_at < :soon
ORDER BY starts_at LIMIT 1000
"""

CIRCUITS = """
SELECT id, parent_id, limit_w, phase_limit_da FROM circuits WHERE site_id = :site ORDER BY id
"""

BATTERIES = """
SELECT id, capacity_wh, power_w, energy_mwh, flow_w, updated_at
FROM batteries WHERE site_id = :site ORDER BY id
"""

STATIONS = f"""
SELECT c.id AS key, c.identity, c.circuit_id, c.current_type, c.phases, c.voltage_v, c.max_power_w,
       c.phase_rotation,
       c.registration, c.node, c.connected_at,
       coalesce(c.connector_count, (
           SELECT greatest(max(k.connector_id), 1) FROM connectors k WHERE k.charge_point_id = c.id
       ), 1) AS connectors,
       c.quiet,
       (SELECT count(*) FROM connectors k WHERE k.charge_point_id = c.id AND k.connector_id > 0
           AND (k.status IN ('Charging', 'SuspendedEV', 'SuspendedEVSE')
                OR k.received_at < c.connected_at AND k.status NOT IN ('Unavailable', 'Faulted'))
           AND NOT EXISTS (SELECT 1 FROM transactions t WHERE t.charge_point_id = c.id
               AND t.active AND t.connector_id = k.connector_id)) AS occupied,
       {LIMIT}
FROM charge_points c
LEFT JOIN charging_limits l
    ON l.charge_point_id = c.id AND l.connector_id = 0 AND l.purpose = 'TxDefaultProfile'
WHERE c.site_id = $1 AND c.deleted_at IS NULL
ORDER BY c.id
"""

# Static caps, and TxDefaultProfiles of single connectors
OTHER_LIMITS = f"""
SELECT l.charge_point_id AS key, l.connector_id, {LIMIT}
FROM charging_limits l JOIN charge_points c ON c.id = l.charge_point_id
WHERE c.site_id = :site AND (l.connector_id = 0 AND l.purpose = 'ChargePointMaxProfile'
    OR l.connector_id > 0 AND l.purpose = 'TxDefaultProfile')
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
SELECT t.id AS transaction_id, c.identity, t.connector_id, t.power_w, t.metered_received_at,
       t.register_wh - t.meter_start_wh AS charged_wh,
       extract(epoch FROM coalesce(t.metered_at, t.started_at)
           - coalesce(t.metered_received_at, t.start_received_at))::float8 AS clock_off_s,
       l.cap_w, l.under_readings, l.last_w, l.weighed_at, {LIMIT}
FROM charge_points c
JOIN transactions t ON t.charge_point_id = c.id AND t.active
LEFT JOIN charging_limits l ON l.charge_point_id = c.id AND l.connector_id = t.connector_id
    AND l.purpose = 'TxProfile'
WHERE c.site_id = $1 AND c.deleted_at IS NULL
ORDER BY t.id
"""

# EXPLAIN: a session each, backwards over (charge_point_id, received_at) of the newest partition
CURRENTS = """
SELECT t.id AS transaction_id, m.current_l1_ma, m.current_l2_ma, m.current_l3_ma
FROM charge_points c
JOIN transactions t ON t.charge_point_id = c.id AND t.active
CROSS JOIN LATERAL (
    SELECT v.current_l1_ma, v.current_l2_ma, v.current_l3_ma FROM meter_values v
    WHERE v.charge_point_id = c.id AND v.received_at > :since AND v.transaction_id = t.id
        AND v.current_l1_ma IS NOT NULL AND v.current_l2_ma IS NOT NULL
        AND v.current_l3_ma IS NOT NULL
    ORDER BY v.received_at DESC LIMIT 3) m
WHERE c.site_id = :site AND c.deleted_at IS NULL
"""

ROTATIONS = """
SELECT k.charge_point_id AS key, k.value
FROM charge_points c JOIN configuration_keys k ON k.charge_point_id = c.id
    AND k.key_folded = 'connectorphaserotation'
WHERE c.site_id = :site AND c.deleted_at IS NULL AND k.value IS NOT NULL
"""

MANAGED = """
SELECT id, charger_id, connector_id, vehicle_max_power_w, consumed_power_w
FROM managed_loads WHERE site_id = :site AND stopped_at IS NULL ORDER BY id
"""

# `csms.domain.limit_rows.forgotten` for many rows at once
FORGET = """
UPDATE charging_limits SET
    earlier_low_w = least(earlier_low_w, in_flight_w),
    earlier_high_w = greatest(earlier_high_w, in_flight_w),
    in_flight_w = NULL, in_flight_version = NULL, doubtful = true, may_be_unlimited = true,
    refused_w = NULL, refused_status = NULL, refused_at = NULL, refusals = 0, read_back_at = NULL
WHERE charge_point_id = ANY(:keys)
"""

_ROW = {
    "charge_point_id": "bigint",
    "connector_id": "bigint",
    "purpose": "text",
    "transaction_id": "integer",
    "desired_w": "bigint",
    "desired_version": "bigint",
    "desired_at": "timestamptz",
    "reason": "text",
    "acknowledged_w": "bigint",
    "acknowledged_version": "bigint",
    "acknowledged_at": "timestamptz",
    "in_flight_w": "bigint",
    "in_flight_version": "bigint",
    "sent_at": "timestamptz",
    "before_w": "bigint",
    "drew_w": "bigint",
    "ends_at": "timestamptz",
    "earlier_low_w": "bigint",
    "earlier_high_w": "bigint",
    "doubtful": "boolean",
    "may_be_unlimited": "boolean",
    "refused_w": "bigint",
    "refused_status": "text",
    "refused_at": "timestamptz",
    "refusals": "integer",
    "read_back_at": "timestamptz",
    "judged_at": "timestamptz",
    "over_readings": "integer",
    "follow_s": "float8",
    "raised_at": "timestamptz",
    "writes": "integer",
    "written_on": "date",
    "may_end_at": "timestamptz",
}

# All changed rows of a step in one statement, as JSON; a row passes from one transaction of its
# connector to the next, and the appetite of the former one is no longer known.
ROWS = f"""
INSERT INTO charging_limits AS l ({", ".join(_ROW)})
SELECT {", ".join(f"r.{name}" for name in _ROW)}
FROM json_to_recordset(CAST(:rows AS json))
    AS r({", ".join(f"{name} {kind}" for name, kind in _ROW.items())})
ON CONFLICT (charge_point_id, connector_id, purpose) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in list(_ROW)[3:])},
    cap_w = CASE WHEN l.transaction_id IS NOT DISTINCT FROM excluded.transaction_id
        THEN l.cap_w END,
    last_w = CASE WHEN l.transaction_id IS NOT DISTINCT FROM excluded.transaction_id
        THEN l.last_w END,
    weighed_at = CASE WHEN l.transaction_id IS NOT DISTINCT FROM excluded.transaction_id
        THEN l.weighed_at END,
    under_readings = CASE WHEN l.transaction_id IS NOT DISTINCT FROM excluded.transaction_id
        THEN l.under_readings ELSE 0 END
"""

APPETITES = """
UPDATE charging_limits l
SET cap_w = r.cap_w, under_readings = r.under_readings, last_w = r.last_w, weighed_at = r.weighed_at
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(charge_point_id bigint, connector_id bigint,
    cap_w bigint, under_readings integer, last_w bigint, weighed_at timestamptz)
WHERE l.charge_point_id = r.charge_point_id AND l.connector_id = r.connector_id
    AND l.purpose = 'TxProfile'
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
