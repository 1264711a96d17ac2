"""Draws a picture for a terminal of any size. Pure: no clock, no terminal, no database.

Sections share the height: addresses and totals always stay, sites come next, and sessions and
messages divide what is left. Colours are the terminal's own basic ones, and nothing is told by a
colour alone, so that light, dark and colourless terminals show the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from csms.demo.picture import (
    Addresses,
    Answered,
    BatteryPicture,
    MessagePicture,
    Picture,
    SessionPicture,
    SitePicture,
    Totals,
)

_WIDE = 100
"""From here on there are columns for id tag and state of charge, and whole reasons."""

_FULL = 115
"""From here on nothing is abbreviated."""

_SIDE_BY_SIDE = 170
"""From here on sessions and messages stand beside each other."""

_TALL = 34
"""From here on circuits have lines of their own."""

_SPACIOUS = 28
"""From here on all sections are set apart by empty lines."""

_LEAST_BODY = 4
"""Sessions and messages need so many lines to make sense."""

_ROOM_FOR_GAPS = 10
"""Lines for sessions and messages from which on some sections are set apart."""

_BAR_FULL, _BAR_EMPTY = "━", "─"
_STATUS_STYLES = {"Charging": "green", "Faulted": "bold red"}
_ANSWER_STYLES = {Answered.WELL: "green", Answered.BADLY: "bold red", Answered.OPEN: "dim"}


def render(picture: Picture, width: int, height: int) -> RenderableType:
    """Return what to show: at most `height` lines of at most `width` cells."""
    head = [
        *_header(picture, width),
        *(_line(Text(notice, "bold red")) for notice in picture.notices),
    ]
    foot = [_totals(picture.totals, width), _hint()]
    sites = _sites(picture.sites, width, circuits=height >= _TALL)
    sites = sites[: max(0, height - len(head) - len(foot))]
    room = height - len(head) - len(foot) - len(sites)
    few: list[RenderableType] = [Text("")] if room >= _ROOM_FOR_GAPS else []
    more = few if height >= _SPACIOUS else []
    room -= len(few) + 2 * len(more)
    body: list[RenderableType]
    if room < _LEAST_BODY:
        body = []
    elif width >= _SIDE_BY_SIDE:
        left = width * 11 // 20
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=left)
        table.add_column(width=width - left - 2)
        table.add_row(
            _sessions(picture.sessions, left, room - 1), _messages(picture.messages, room)
        )
        body = [table]
    else:
        room -= len(few)
        for_sessions = min(room * 3 // 5, len(picture.sessions) + 1)
        body = [_sessions(picture.sessions, width, for_sessions - 1), *few]
        body.append(_messages(picture.messages, room - for_sessions))
    return Group(*head, *few, *sites, *more, *body, *more, *foot)


def summary(picture: Picture) -> str:
    """Return the picture in one plain line."""
    minutes, seconds = divmod(picture.uptime_s, 60)
    totals = picture.totals
    parts = [
        f"{minutes:02}:{seconds:02}",
        f"{totals.online}/{totals.stations} stations online,",
        f"{totals.sessions} sessions ({totals.finished_today} finished today),",
        f"{_kw(totals.cars_w)},",
        f"{_kwh(totals.energy_today_wh)} today,",
        f"{totals.messages_per_s:.1f} messages/s,",
        f"{totals.limits} limits accepted",
    ]
    return " ".join([*parts, *(f"- {notice}" for notice in picture.notices)])


def addresses_in_words(addresses: Addresses) -> list[str]:
    """Return the addresses, a plain line each."""
    return [
        f"OCPP     {addresses.ocpp}",
        f"cockpit  {addresses.cockpit}",
        f"driver   {addresses.driver} (behind the connector's QR code)",
        f"API      {addresses.api}",
        f"docs     {addresses.docs}",
        f"sign in  {addresses.sign_in}",
    ]


def _header(picture: Picture, width: int) -> list[RenderableType]:
    hours, rest = divmod(picture.uptime_s, 3600)
    title = Text().append("csms demo", "bold")
    title.append(f"  {picture.version}  speed 1", "dim")
    up = f"up {hours:02}:{rest // 60:02}:{rest % 60:02}"
    title.append(" " * max(1, width - title.cell_len - len(up)) + up, "dim")
    addresses = picture.addresses
    places = Text.assemble(("Cockpit ", "dim"), _link(addresses.cockpit))
    places.append_text(Text.assemble(("  docs ", "dim"), _link(addresses.docs)))
    return [
        _line(title),
        _line(Text.assemble(("OCPP    ", "dim"), addresses.ocpp)),
        _line(places),
        *_whole("Sign in ", addresses.sign_in, width),
    ]


def _link(address: str) -> Text:
    return Text(address, Style(link=address))


def _whole(label: str, address: str, width: int) -> list[Text]:
    """Return an address in as many lines as it takes: half of a sign-in link is of no use."""
    first = max(1, width - len(label))
    lines = [Text.assemble((label, "dim"), (address[:first], Style(link=address)))]
    lines += [
        Text(address[start : start + width], Style(link=address))
        for start in range(first, len(address), max(1, width))
    ]
    return lines


def _line(text: Text) -> Text:
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text


def _sites(sites: Sequence[SitePicture], width: int, *, circuits: bool) -> list[RenderableType]:
    wide = width >= _WIDE
    bar = max(8, min(60, width - (88 if wide else 72)))
    lines: list[RenderableType] = []
    for site in sites:
        line = Text()
        line.append(_fit(site.name, 18), "bold")
        line.append(f"{_pair(site.grid_w, site.limit_w):>13} kW ")
        line.append_text(_bar(site.grid_w, site.limit_w, bar))
        busy = (
            f"{site.sessions} of {site.connectors}"
            if wide
            else f"{site.sessions}/{site.connectors}"
        )
        line.append(f" {busy:>8} busy" if wide else f" {busy:>5} busy")
        if site.battery is not None:
            line.append(f"  {_battery(site.battery, wide=wide)}")
        lines.append(_line(line))
        if circuits:
            for circuit in site.circuits:
                part = Text(f"  {_fit('circuit ' + circuit.id, 16)}")
                part.append(f"{_pair(circuit.power_w, circuit.limit_w):>13} kW ")
                part.append_text(_bar(circuit.power_w, circuit.limit_w, bar))
                lines.append(_line(part))
    return lines


def _battery(battery: BatteryPicture, *, wide: bool) -> str:
    """Return the energy of the batteries and what they give to the cars or take from the grid."""
    energy, power = f"{battery.energy_wh / 1000:.1f}", f"{abs(battery.power_w) / 1000:.0f}"
    verb = "gives" if battery.power_w > 0 else "takes"
    if wide:
        text = f"battery {energy} of {battery.capacity_wh / 1000:g} kWh"
        return text if not battery.power_w else f"{text} {verb} {power} kW"
    return f"bat {energy} kWh" if not battery.power_w else f"bat {energy} kWh {verb} {power}"


def _bar(power_w: int, limit_w: int, cells: int) -> Text:
    """Return a bar; a full one is what sharing is for, only more than full is bad."""
    share = power_w / limit_w if limit_w else float(power_w > 0)
    full = min(cells, round(share * cells))
    bar = Text(_BAR_FULL * full, "green" if share <= 1.0 else "bold red")
    bar.append(_BAR_EMPTY * (cells - full), "dim")
    return bar


def _sessions(sessions: Sequence[SessionPicture], width: int, rows: int) -> RenderableType:
    wide = width >= _WIDE
    shown = _share_of_each_site(sessions, rows)
    hidden = len(sessions) - len(shown)
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("station", no_wrap=True, min_width=9)
    table.add_column("#", no_wrap=True)
    if wide:
        table.add_column("id tag", no_wrap=True, min_width=13)
    table.add_column("state", no_wrap=True, min_width=11)
    table.add_column("power", no_wrap=True, justify="right", min_width=8)
    table.add_column("limit", no_wrap=True, justify="right", min_width=8)
    table.add_column("energy", no_wrap=True, justify="right", min_width=9)
    if wide:
        table.add_column("SoC", no_wrap=True, justify="right", min_width=4)
    why = "why" if not hidden else f"why  ({hidden} more sessions)"
    table.add_column(why, no_wrap=True, overflow="ellipsis", ratio=1)
    for session in shown:
        soc = session.soc_percent
        cells = [
            Text(session.station),
            Text(str(session.connector_id)),
            *([Text(session.id_tag)] if wide else []),
            Text(session.status, _STATUS_STYLES.get(session.status, "")),
            Text("" if session.power_w is None else _kw(session.power_w)),
            Text(_limit(session)),
            Text(_kwh(session.energy_wh)),
            *([Text("" if soc is None else f"{soc:.0f} %")] if wide else []),
            Text(session.reason if wide else _brief(session.reason), "dim"),
        ]
        table.add_row(*cells)
    return table


def _share_of_each_site(sessions: Sequence[SessionPicture], rows: int) -> list[SessionPicture]:
    """Return as many sessions as there are rows, of each site in turn, in their order."""
    if len(sessions) <= rows:
        return list(sessions)
    turns: Counter[str] = Counter()
    ranked = []
    for place, session in enumerate(sessions):
        ranked.append((turns[session.site_id], place))
        turns[session.site_id] += 1
    kept = sorted(place for _, place in sorted(ranked)[: max(rows, 0)])
    return [sessions[place] for place in kept]


def _messages(messages: Sequence[MessagePicture], rows: int) -> RenderableType:
    table = Table.grid(expand=True, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True, min_width=8)
    table.add_column(no_wrap=True, min_width=1)
    table.add_column(no_wrap=True, min_width=9)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for message in _varied(messages, rows):
        text = Text().append(message.action, "bold" if message.to_station else "")
        text.append(f" {message.text}")
        if message.answered is Answered.OPEN and message.to_station:
            text.append(" -> ...", "dim")
        elif message.answer:
            text.append(" -> ").append(message.answer, _ANSWER_STYLES[message.answered])
        table.add_row(
            Text(f"{message.at:%H:%M:%S}", "dim"),
            Text("→" if message.to_station else "←", "bold" if message.to_station else "dim"),
            Text(message.station),
            text,
        )
    return table


def _varied(messages: Sequence[MessagePicture], rows: int) -> list[MessagePicture]:
    """Return the newest messages; at most half are meter values, so that others can be read."""
    if rows <= 0:
        return []
    most, kept = max(1, rows // 2), []
    for message in reversed(messages):
        if message.action == "MeterValues":
            if not most:
                continue
            most -= 1
        kept.append(message)
        if len(kept) == rows:
            break
    return kept[::-1]


def _totals(totals: Totals, width: int) -> Text:
    """Return the totals; the names are shorter and the less important are left out in need."""
    wide = width >= _WIDE
    parts = [
        f"{totals.online}/{totals.stations}{' stations' if wide else ''} online",
        f"{totals.sessions} sessions",
        *([_kw(totals.cars_w)] if wide else []),
        f"{_kwh(totals.energy_today_wh)} today",
        *([f"{totals.finished_today} finished"] if width >= _SIDE_BY_SIDE else []),
        f"{totals.messages_per_s:.1f} {'messages' if wide else 'msg'}/s",
        f"{totals.limits} {'SetChargingProfile accepted' if width >= _FULL else 'limits set'}",
    ]
    return _line(Text("  ".join(parts), "bold"))


def _hint() -> Text:
    return _line(Text("Ctrl-C unplugs the cars and stops; the data is kept", "dim"))


def _limit(session: SessionPicture) -> str:
    if session.limit_a is not None:
        return f"{session.limit_a:.1f} A"
    return "" if session.limit_w is None else _kw(session.limit_w)


def _brief(reason: str) -> str:
    return reason.replace("fair share of the ", "shares ").removesuffix(" limit")


def _fit(text: str, cells: int) -> str:
    return text if len(text) == cells else f"{text[:cells]:<{cells}}"


def _pair(power_w: int, limit_w: int) -> str:
    return f"{power_w / 1000:.1f} / {limit_w / 1000:g}"


def _kw(power_w: int) -> str:
    return f"{power_w / 1000:.1f} kW"


def _kwh(energy_wh: int) -> str:
    return f"{energy_wh / 1000:.2f} kWh" if energy_wh < 100_000 else f"{energy_wh / 1000:.1f} kWh"
