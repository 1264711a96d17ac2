"""The text of the intake's statements; arrays come as parameters and are unnested.

Where it counts they come as the text of an array (``$1::text::int[]``): asyncpg looks at each
element of an array with functions of Python, which costs ten times as much as to write the text.
"""

from __future__ import annotations

import re

from csms.domain.transactions import Finding

OPEN_COLUMNS = """
    id, charge_point_id, connector_id, id_tag, id_tag_status, meter_start_wh, started_at, active,
    register_wh, stopped_at, meter_stop_wh, findings, price_per_kwh
"""


def _moved(statement: str, *, by: int) -> str:
    """Return a statement with its parameters numbered from ``by + 1`` on."""
    return re.sub(r"\$(\d+)", lambda found: f"${int(found[1]) + by}", statement)


BOOT = """
UPDATE charge_points c SET
    vendor = u.vendor, model = u.model, charge_point_serial_number = u.cp_serial,
    charge_box_serial_number = u.cb_serial, firmware_version = u.firmware, iccid = u.iccid,
    imsi = u.imsi, meter_type = u.meter_type, meter_serial_number = u.meter_serial,
    booted_at = u.at, last_seen_at = greatest(c.last_seen_at, u.at)
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::timestamptz[])
    AS u(id, vendor, model, cp_serial, cb_serial, firmware, iccid, imsi, meter_type, meter_serial,
         at)
WHERE c.id = u.id
RETURNING c.id, c.registration
"""

# What is known of a connector and what is told of it make one line, so that each change is kept
# with the state it makes. A report out of a queue that comes after a newer one is history only: it
# is old by the station's clock while that was right, and the station has not booted since (M13).
STATUS = """
WITH told AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[],
                         $7::text[], $8::timestamptz[], $9::timestamptz[])
        WITH ORDINALITY AS u(cp, connector, status, error, info, vendor, vendor_error, reported,
                             received, place)
), line AS (
    SELECT DISTINCT ON (t.cp, t.connector) t.cp, t.connector, k.status, k.error_code, k.info,
           k.vendor_id, k.vendor_error_code, k.reported_at, k.received_at, 0 AS place
    FROM told t CROSS JOIN LATERAL (
        SELECT * FROM connectors c
        WHERE c.charge_point_id = t.cp AND c.connector_id = t.connector
        OFFSET 0  -- by the primary key, however many connectors there are
    ) k
    UNION ALL SELECT * FROM told
), compared AS (
    SELECT l.*, lag(reported_at) OVER earlier AS known_reported,
           lag(received_at) OVER earlier AS known_received,
           (status, error_code, info, vendor_id, vendor_error_code) IS DISTINCT FROM
           (lag(status) OVER earlier, lag(error_code) OVER earlier, lag(info) OVER earlier,
            lag(vendor_id) OVER earlier, lag(vendor_error_code) OVER earlier) AS changed
    FROM line l WINDOW earlier AS (PARTITION BY cp, connector ORDER BY place)
), judged AS (
    SELECT d.*, coalesce(
        reported_at < known_reported AND reported_at >= '2015-01-01'
        AND received_at - reported_at > interval '5 minutes'
        AND known_received - known_reported BETWEEN interval '-5 minutes' AND interval '5 minutes'
        AND NOT coalesce((
            SELECT p.booted_at > known_received FROM charge_points p WHERE p.id = d.cp
        ), false), false) AS late
    FROM compared d WHERE place > 0
), kept AS (
    INSERT INTO connector_statuses (charge_point_id, connector_id, status, error_code, info,
                                    vendor_id, vendor_error_code, reported_at, received_at, late)
    SELECT cp, connector, status, error_code, info, vendor_id, vendor_error_code, reported_at,
           received_at, late
    FROM judged j
    WHERE changed AND NOT EXISTS (  -- a commit of which we heard nothing is done again
        SELECT 1 FROM connector_statuses h
        WHERE h.charge_point_id = j.cp AND h.received_at = j.received_at
          AND h.connector_id = j.connector AND (h.status, h.error_code) = (j.status, j.error_code)
    ) AND NOT (late AND EXISTS (  -- and a queue may be told again
        SELECT 1 FROM connector_statuses h
        WHERE h.charge_point_id = j.cp AND h.connector_id = j.connector
          AND (h.status, h.error_code, h.info, h.vendor_id, h.vendor_error_code, h.reported_at)
            IS NOT DISTINCT FROM (j.status, j.error_code, j.info, j.vendor_id, j.vendor_error_code,
                                  j.reported_at)
    ))
    ORDER BY place
)
INSERT INTO connectors AS c (charge_point_id, connector_id, status, error_code, info, vendor_id,
                             vendor_error_code, reported_at, received_at)
SELECT DISTINCT ON (cp, connector) cp, connector, status, error_code, info, vendor_id,
       vendor_error_code, reported_at, received_at
FROM judged WHERE NOT late
ORDER BY cp, connector, place DESC
ON CONFLICT (charge_point_id, connector_id) DO UPDATE SET
    status = excluded.status, error_code = excluded.error_code, info = excluded.info,
    vendor_id = excluded.vendor_id, vendor_error_code = excluded.vendor_error_code,
    reported_at = excluded.reported_at, received_at = excluded.received_at
"""

JOBS = """
INSERT INTO job_statuses (charge_point_id, kind, status, received_at)
SELECT u.* FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[])
    AS u(cp, kind, status, at)
WHERE NOT EXISTS (  -- a commit of which we heard nothing is done again
    SELECT 1 FROM job_statuses j
    WHERE j.charge_point_id = u.cp AND j.received_at = u.at
      AND (j.kind, j.status) = (u.kind, u.status)
)
"""

ACTIVE_SESSIONS = """
SELECT id_tag_key, count(*) FROM transactions
WHERE active AND id_tag_key = ANY($1::text[]) AND id_tag_status = 'Accepted' GROUP BY 1
"""

# Two kinds of rows in one answer, transactions and id tags, because each round trip costs as much
# as the look-up itself. A tag's fields stand in columns of the same types; `tag_key` tells them.
LOOK_UP = f"""
WITH known AS MATERIALIZED (
    SELECT {OPEN_COLUMNS}, id_tag_key FROM transactions
    WHERE active AND charge_point_id = ANY($1::text::bigint[])
    UNION ALL
    SELECT {OPEN_COLUMNS}, id_tag_key FROM transactions
    WHERE id = ANY($2::text::int[]) AND NOT (active AND charge_point_id = ANY($1::text::bigint[]))
)
SELECT {OPEN_COLUMNS}, NULL AS tag_key, NULL AS parent FROM known
UNION ALL
SELECT max_active_sessions, NULL, NULL, id_tag, status, NULL, expires_at, NULL, NULL, NULL, NULL,
       NULL, NULL, id_tag_key, parent_id_tag
FROM id_tags WHERE id_tag_key = ANY($3::text::text[] || ARRAY(SELECT id_tag_key FROM known))
"""

# EXPLAIN: the newest transactions of each charge point by ix_transactions_charge_point_id.
STOPPED_AT = f"""
SELECT {OPEN_COLUMNS} FROM transactions
WHERE charge_point_id = ANY($1::bigint[]) AND stopped_at = ANY($2::timestamptz[])
  AND meter_stop_wh IS NOT NULL
ORDER BY id DESC LIMIT 1000
"""

DOUBT = """
UPDATE transactions t SET findings = t.findings || d.findings
FROM (
    SELECT u.id, u.cp, array_agg(DISTINCT u.finding) AS findings
    FROM unnest($1::int[], $2::bigint[], $3::text[]) AS u(id, cp, finding)
    JOIN transactions o ON o.id = u.id AND NOT u.finding = ANY(o.findings)
    GROUP BY u.id, u.cp
) d
WHERE t.id = d.id AND t.charge_point_id = d.cp
"""

NEXT_IDS = "SELECT nextval('transaction_ids')::int FROM generate_series(1, $1)"

START = """
INSERT INTO transactions (id, charge_point_id, connector_id, site_id, id_tag, id_tag_key,
    id_tag_status, reservation_id, meter_start_wh, started_at, start_received_at, findings,
    price_per_kwh, currency)
SELECT u.id, u.cp, u.connector, c.site_id, u.tag, u.tag_key, u.status, u.reservation, u.meter, u.at,
       u.received, coalesce(string_to_array(nullif(u.findings, ''), ','), '{}')::text[], u.price,
       u.currency
FROM unnest($1::text::int[], $2::text::bigint[], $3::text::bigint[], $4::text::text[],
            $5::text::text[], $6::text::text[], $7::text::bigint[], $8::text::bigint[],
            $9::timestamptz[], $10::timestamptz[], $11::text::text[], $12::text::numeric[],
            $13::text::text[])
    AS u(id, cp, connector, tag, tag_key, status, reservation, meter, at, received, findings, price,
         currency)
JOIN charge_points c ON c.id = u.cp
RETURNING site_id
"""

END_WITHOUT_STOP = f"""
UPDATE transactions SET active = false, stopped_at = $2, cost = NULL, power_w = NULL,
    findings = array_append(findings, '{Finding.STOP_MISSING}')
WHERE id = ANY($1::int[]) AND active
"""

STOP = """
UPDATE transactions t SET active = false, meter_stop_wh = u.meter, stopped_at = u.at,
    stop_received_at = u.received, stop_reason = u.reason, stop_id_tag = u.tag, power_w = NULL,
    findings = coalesce(string_to_array(nullif(u.findings, ''), ','), '{}')::text[], cost = u.cost
FROM unnest($1::text::int[], $2::text::bigint[], $3::timestamptz[], $4::timestamptz[],
            $5::text::text[], $6::text::text[], $7::text::text[], $8::text::numeric[])
    AS u(id, meter, at, received, reason, tag, findings, cost)
WHERE t.id = u.id AND t.meter_stop_wh IS NULL
RETURNING t.site_id
"""

# Both in one round trip, and so without a transaction round them.
START_AND_STOP = f"""
WITH started AS ({START}), stopped AS ({_moved(STOP, by=13)})
SELECT site_id FROM started UNION ALL SELECT site_id FROM stopped
"""

# One statement, so that it may stand without a transaction round it.
_READINGS = """
    unnest($1::timestamptz[], $2::text::bigint[], $3::text::int[], $4::text::bigint[],
           $5::timestamptz[], $6::text::text[], $7::text::bigint[], $8::text::int[],
           $9::text::int[], $10::text::int[], $11::text::int[], $12::text::int[], $13::text::int[],
           $14::text::int[], $15::text::int[], $16::text::smallint[], $17::text::text[])
    AS r(received, cp, tx, connector, at, context, energy, power, offered, i1, i2, i3, v1, v2, v3,
         soc, rest)
"""

_STORE_READINGS = """
    INSERT INTO meter_values (received_at, charge_point_id, transaction_id, connector_id,
        measured_at, context, energy_wh, power_w, offered_w, current_l1_ma, current_l2_ma,
        current_l3_ma, voltage_l1_mv, voltage_l2_mv, voltage_l3_mv, soc_permille, rest)
    SELECT r.received, r.cp, t.id, r.connector, r.at, r.context, r.energy, r.power, r.offered, r.i1,
           r.i2, r.i3, r.v1, r.v2, r.v3, r.soc, r.rest::jsonb
    FROM readings r LEFT JOIN transactions t ON t.id = r.tx AND t.charge_point_id = r.cp
"""

# Readings of a queue may come after newer ones: with less energy, measured since the start and
# before what is known, by a clock that was not ahead then. They are kept, but are not the newest.
_MOVE_NEWEST = f"""
UPDATE transactions t SET
    register_wh = coalesce(u.energy, t.register_wh), power_w = coalesce(u.power, t.power_w),
    soc_percent = coalesce(u.soc / 10.0, t.soc_percent), metered_at = u.at,
    metered_received_at = u.received,
    findings = CASE WHEN u.energy < t.register_wh
                     AND NOT '{Finding.REGISTER_FELL}' = ANY(t.findings)
                    THEN array_append(t.findings, '{Finding.REGISTER_FELL}') ELSE t.findings END
FROM newest u
WHERE t.id = u.tx AND t.charge_point_id = u.cp AND t.active
  AND (u.energy < t.register_wh AND u.at >= t.started_at AND u.at < t.metered_at
       AND t.metered_at <= t.metered_received_at + interval '5 minutes') IS NOT TRUE
RETURNING t.site_id
"""

METER = f"""
WITH readings AS MATERIALIZED (SELECT * FROM {_READINGS}),
stored AS ({_STORE_READINGS}),
newest AS (
    SELECT * FROM unnest($18::int[], $19::bigint[], $20::bigint[], $21::bigint[], $22::smallint[],
                         $23::timestamptz[], $24::timestamptz[])
        AS u(tx, cp, energy, power, soc, at, received)
)
{_MOVE_NEWEST}
"""

# Where each transaction has one reading, that is its newest: nearly always.
METER_ONE_EACH = f"""
WITH newest AS MATERIALIZED (SELECT * FROM {_READINGS}),
stored AS ({_STORE_READINGS.replace("FROM readings r", "FROM newest r")})
{_MOVE_NEWEST}
"""

# What is repeated is one of the newest rows of its charge point. The bound on received_at leaves
# the partitions of older days out; `rest` is compared as jsonb, so spelling does not matter.
STORED_BEFORE = """
SELECT EXISTS (
    SELECT 1 FROM (
        SELECT * FROM meter_values v
        WHERE v.charge_point_id = u.cp AND v.received_at >= $16
        ORDER BY v.received_at DESC LIMIT 200
    ) m
    WHERE (m.connector_id, m.measured_at, m.context, m.energy_wh, m.power_w, m.offered_w,
           m.current_l1_ma, m.current_l2_ma, m.current_l3_ma, m.voltage_l1_mv, m.voltage_l2_mv,
           m.voltage_l3_mv, m.soc_permille, m.rest)
        IS NOT DISTINCT FROM (u.connector, u.at, u.context, u.energy, u.power, u.offered, u.i1,
           u.i2, u.i3, u.v1, u.v2, u.v3, u.soc, u.rest::jsonb)
)
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[], $5::bigint[], $6::int[],
            $7::int[], $8::int[], $9::int[], $10::int[], $11::int[], $12::int[], $13::int[],
            $14::smallint[], $15::text[])
    WITH ORDINALITY AS u(cp, connector, at, context, energy, power, offered, i1, i2, i3, v1, v2, v3,
                         soc, rest, place)
ORDER BY u.place
"""

# What is kept aside may come twice: by a commit of which we heard nothing, or by a charge point
# that missed our answer. A repetition follows soon, so the newest rows are enough to look through.
ORPHANS = """
INSERT INTO orphan_messages (charge_point_id, action, reason, payload, received_at)
SELECT DISTINCT ON (u.cp, u.action, u.reason, u.payload) u.cp, u.action, u.reason, u.payload, u.at
FROM (
    SELECT cp, action, reason, payload::jsonb AS payload, at
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
        AS a(cp, action, reason, payload, at)
) u
WHERE NOT EXISTS (
    SELECT 1 FROM orphan_messages o
    WHERE o.id > (SELECT max(id) FROM orphan_messages) - 1000
      AND (o.charge_point_id, o.action, o.reason, o.payload)
        = (u.cp, u.action, u.reason, u.payload)
)
"""

QUARANTINE = """
INSERT INTO quarantine (charge_point_id, action, reason, raw, received_at)
SELECT u.* FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
    AS u(cp, action, reason, raw, at)
WHERE NOT EXISTS (
    SELECT 1 FROM quarantine q
    WHERE q.id > (SELECT max(id) FROM quarantine) - 1000
      AND (q.charge_point_id, q.action, q.reason, q.raw, q.received_at)
        = (u.cp, u.action, u.reason, u.raw, u.at)
)
"""
