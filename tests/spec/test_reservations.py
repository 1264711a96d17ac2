"""Reservations."""

from __future__ import annotations

import itertools

import pytest

from tests.spec.playbook import Asks, PowerCycles, Sees
from tests.spec.states import (
    CHILD,
    GROUP,
    UNKNOWN,
    VALID,
    authorizes,
    booted,
    charging,
    starts,
    status,
)
from tests.spec.values import Has, at, transaction

octt = pytest.mark.octt
pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

ALL = "/api/reservations?stationId={id}"
SESSIONS = "/api/sessions?stationId={id}"
_numbers = itertools.count(1)


def newest(answer):
    return answer["items"][0]


class Reservation:
    """A reservation of a playbook: its id is on the wire and in the API."""

    def __init__(self, connector=1, *, tag=VALID, expires=None):
        self.id = next(_numbers)
        self.request = {
            "connectorId": connector,
            "expiryDate": expires or at(3600),
            "idTag": tag,
            "reservationId": self.id,
        }

    def made(self, answer="Accepted"):
        outcome = "accepted" if answer == "Accepted" else "rejected"
        return Asks("ReserveNow", self.request, {"status": answer}, outcome, {"warnings": []})

    def cancelled(self, answer="Accepted"):
        outcome = "accepted" if answer == "Accepted" else "rejected"
        payload = {"reservationId": self.id}
        return Asks("CancelReservation", payload, {"status": answer}, outcome)

    def seen(self, state, **more):
        request = self.request
        shown = {
            "reservationId": self.id,
            "connectorId": request["connectorId"],
            "idTag": request["idTag"],
            "expiresAt": request["expiryDate"],
        }
        return Sees(ALL, Has({**shown, "status": state, **more}), newest)

    @staticmethod
    def none_active():
        return Sees(ALL + "&status=active", [], lambda answer: answer["items"])


@octt("TC_046", "3.17", "Reservation of a connector, transaction")
async def test_reservation_and_transaction(stage):
    tx, reserved = transaction(), Reservation()
    await stage.play(
        booted(),
        reserved.made(),
        reserved.seen("active", confirmed=True),
        status(1, "Reserved"),
        authorizes(),
        status(1, "Preparing"),
        starts(tx, reservationId=reserved.id),
        status(1, "Charging"),
        reserved.seen("used"),
        Sees(SESSIONS, Has(transactionId=tx, flags=[]), newest),
    )


@octt("TC_047", "3.17", "Reservation of a connector, expires")
async def test_reservation_expires(stage):
    reserved = Reservation(expires=at(2))
    await stage.play(
        booted(),
        reserved.made(),
        reserved.seen("active"),
        status(1, "Reserved"),
        reserved.seen("expired"),
        status(1, "Available"),
        reserved.none_active(),
    )


@octt("TC_048_1", "3.17", "Reservation of a connector, faulted")
async def test_reservation_faulted(stage):
    reserved = Reservation()
    await stage.play(
        booted(), reserved.made("Faulted"), reserved.none_active(), reserved.seen("refused")
    )


@octt("TC_048_2", "3.17", "Reservation of a connector, occupied")
async def test_reservation_occupied(stage):
    reserved = Reservation()
    await stage.play(
        booted(),
        status(1, "Preparing"),
        reserved.made("Occupied"),
        reserved.none_active(),
        reserved.seen("refused"),
    )


@octt("TC_048_3", "3.17", "Reservation of a connector, unavailable")
async def test_reservation_while_unavailable(stage):
    reserved = Reservation()
    await stage.play(
        booted(),
        Asks("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}),
        status(1, "Unavailable"),
        reserved.made("Unavailable"),
        reserved.none_active(),
        reserved.seen("refused"),
    )


@octt("TC_048_4", "3.17", "Reservation of a connector, rejected")
async def test_reservation_rejected(stage):
    reserved = Reservation()
    await stage.play(
        booted(), reserved.made("Rejected"), reserved.none_active(), reserved.seen("refused")
    )


@octt("TC_049", "3.17", "Reservation of the charge point")
async def test_reservation_of_the_station(stage):
    reserved = Reservation(connector=0)
    await stage.play(
        booted(), reserved.made(), status(1, "Reserved"), reserved.seen("active", connectorId=0)
    )


@octt("TC_051", "3.17", "Cancel a reservation")
async def test_cancel_a_reservation(stage):
    reserved = Reservation()
    await stage.play(
        booted(),
        reserved.made(),
        status(1, "Reserved"),
        reserved.cancelled(),
        status(1, "Available"),
        reserved.seen("cancelled"),
    )


@octt("TC_052", "3.17", "Cancel a reservation, rejected")
async def test_n01_a_cancellation_that_is_rejected(stage):
    reserved = Reservation()
    await stage.play(
        booted(),
        reserved.made(),
        status(1, "Reserved"),
        reserved.cancelled("Rejected"),
        reserved.seen("dropped"),
    )


@octt("TC_053", "3.17", "Use of a reserved connector with the parent id tag")
async def test_reservation_used_by_its_group(stage):
    tx, reserved = transaction(), Reservation()
    reserved.request["parentIdTag"] = GROUP
    await stage.play(
        booted(),
        reserved.made(),
        status(1, "Reserved"),
        charging(tx, tag=CHILD),  # another tag, whose group it is
        reserved.seen("used", parentIdTag=GROUP),
        Sees(SESSIONS, Has(transactionId=tx, idTag=CHILD, flags=[]), newest),
    )


# -- variants


async def test_n01_a_cancellation_of_nothing_is_sent(stage):
    await stage.play(booted(), Reservation().cancelled("Rejected"), Reservation().cancelled())


async def test_n13_the_same_id_replaces(stage):
    reserved, other = Reservation(), Reservation(connector=2)
    other.id = other.request["reservationId"] = reserved.id
    await stage.play(
        booted(),
        reserved.made(),
        other.made(),
        other.seen("active"),
        Sees(ALL + "&status=active", 1, lambda answer: len(answer["items"])),
    )


async def test_m35_used_by_a_tag_of_the_same_group(stage):
    tx, reserved = transaction(), Reservation(tag=GROUP)
    reserved.request["parentIdTag"] = GROUP
    await stage.play(
        booted(),
        reserved.made(),
        starts(tx, tag=CHILD, reservationId=reserved.id),
        reserved.seen("used", parentIdTag=GROUP),
    )


async def test_m35_a_reservation_that_is_not_known_is_a_flag(stage):
    tx = transaction()
    await stage.play(
        booted(),
        starts(tx, reservationId=987_654),
        Sees(SESSIONS, Has(transactionId=tx, flags=["reservationUnknown"]), newest),
    )


@pytest.mark.parametrize("down", ["Faulted", "Unavailable"])
async def test_m14_a_connector_that_goes_down_drops_its_reservation(stage, down):
    reserved = Reservation()
    await stage.play(booted(), reserved.made(), status(1, down), reserved.seen("dropped"))


async def test_a_reservation_for_an_unknown_tag_is_sent(stage):
    reserved = Reservation(tag=UNKNOWN)
    await stage.play(booted(), reserved.made(), reserved.seen("active"))


@pytest.mark.parametrize("number", [1, 2])
async def test_m35_a_reservation_of_the_station_is_used_on_any_connector(stage, number):
    tx, reserved = transaction(), Reservation(connector=0)
    await stage.play(
        booted(),
        reserved.made(),
        starts(tx, connector=number, reservationId=reserved.id),
        reserved.seen("used", connectorId=0),
        Sees(SESSIONS, Has(transactionId=tx, flags=[]), newest),
    )


async def test_m35_used_by_its_tag_without_naming_the_id(stage):
    tx, reserved = transaction(), Reservation(tag=VALID.lower())
    await stage.play(booted(), reserved.made(), starts(tx), reserved.seen("used"))


async def test_m35_of_another_tag_and_group_it_is_not_used(stage):
    tx, reserved = transaction(), Reservation(tag=CHILD)
    await stage.play(
        booted(),
        reserved.made(),
        starts(tx, reservationId=reserved.id),
        reserved.seen("active"),
        Sees(SESSIONS, Has(transactionId=tx, flags=["reservationUnknown"]), newest),
    )


async def test_reservations_survive_a_power_cycle_and_a_boot(stage):
    tx, reserved = transaction(), Reservation()
    await stage.play(
        booted(),
        reserved.made(),
        PowerCycles(),
        booted(),
        reserved.seen("active"),
        starts(tx, reservationId=reserved.id),
        reserved.seen("used"),
    )
