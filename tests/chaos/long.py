"""`make chaos`: what `test_proof` plays, larger and longer; prints a summary, exits with 1 on loss.

python -m tests.chaos.long --stations 200 --minutes 30 --kills 20 --postgres-kills 5 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.play import Plan, play
from tests.chaos.server import Server
from tests.ports import steady_port


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--stations", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--postgres-kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    plan = Plan(
        seed=secrets.randbelow(1_000_000) if given.seed is None else given.seed,
        stations=given.stations,
        duration_s=given.minutes * 60,
        kills=given.kills,
        postgres_kills=given.postgres_kills,
        meter_interval_s=5,
        stay_minutes=(5.0, 30.0),
    )
    folder = Path(tempfile.mkdtemp(prefix="csms-chaos-"))
    say(f"seed {plan.seed}, {plan.duration_s / 60:g} minutes, in {folder}")
    ocpp_port, http_port = steady_port(), steady_port()
    server = Server(folder, ocpp_port=ocpp_port, http_port=http_port)
    try:
        report = asyncio.run(play(server, plan))
    finally:
        server.close()
    say(str(report))
    faults = server.log().count("Traceback")
    say(f"tracebacks         {faults}")
    if report.differences or report.kept or faults:
        say(f"the database and the log are left in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
