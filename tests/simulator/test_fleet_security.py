"""Fleets of charge points with certificates of their own."""

import asyncio

import pytest

from simulator.errors import FleetError
from simulator.fleet import Fleet
from simulator.fleet_file import parse_fleet
from tests.simulator.central import Central
from tests.simulator.fast_clock import FastClock
from tests.simulator.pki import authority, server_context


def described(**group) -> dict:
    return {"groups": [{"identities": ["A", "B/1"], "vehicles": {"atStart": 0}, **group}]}


def own_certificates(folder, root) -> None:
    for name, stem in (("A", "A"), ("B/1", "B%2F1")):
        (made := folder / stem).mkdir()
        certificate, key = root.issue(name).files(made)
        certificate.rename(folder / f"{stem}.pem")
        key.rename(folder / f"{stem}.key")


async def test_a_fleet_on_profile_3(tmp_path):
    root = authority()
    (server := tmp_path / "server").mkdir()
    own_certificates(tmp_path, root)
    (tmp_path / "root.pem").write_text(root.pem)
    group = {"certificatesDir": str(tmp_path), "centralRoots": [str(tmp_path / "root.pem")]}
    async with Central(tls=server_context(server, root, root)).listening() as central:
        fleet = Fleet(
            parse_fleet(described(**group)),
            central.url,
            clock=FastClock(),
            changes={"sets_clock": False, "reconnect_min_s": 0.1},
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fleet.run())
            await central.until_calls("BootNotification", 2)
            names = {central.certificate(one)["subject"][-1][0][1] for one in ("A", "B%2F1")}
            assert names == {"A", "B/1"}
            fleet.stop()
    assert {station.security.profile for station in fleet.stations} == {3}


@pytest.mark.parametrize(
    ("group", "fault"),
    [
        ({"securityProfile": 3}, "certificatesDir"),
        ({"certificatesDir": "/nowhere"}, "certificatesDir"),
        ({"centralRoots": ["/nowhere.pem"]}, "nowhere.pem"),
        ({"makerRoots": [__file__]}, "not a certificate"),
        ({"securityProfile": 4}, "securityProfile"),
    ],
)
def test_files_that_are_none_are_faults_of_the_fleet_file(group, fault):
    with pytest.raises(FleetError, match=fault):
        parse_fleet(described(**group))
