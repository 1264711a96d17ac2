"""Coverage-guided fuzzing, bounded in time: ``make fuzz FUZZ='--seconds 300 --seed 7'``.

Each target runs in a process of its own with a seed that is printed, so a finding can be had again.
What broke something lies in `.fuzz/` afterwards; what was interesting is kept there and tried first
the next time.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import subprocess
import sys
import time
from pathlib import Path

from tests.ocppj.repairs.cases import T

FOLDER = Path(".fuzz")
_SPARE_S = 60  # to start, and to finish the last input


def _seeds(name: str) -> list[bytes]:
    import tests.conftest  # registers the profiles that shared tests ask for
    from tests.fuzz.seeds import FRAMES

    assert tests.conftest
    match name:
        case "frames":
            return [b"\x01" + text.encode() for text in FRAMES] + [
                b"\x00" + "\x1e".join(FRAMES).encode()
            ]
        case "texts":
            return [text.encode() for text in FRAMES] + [T.encode(), b"Sun, 01 Mar 2026 12:00:00"]
        case _:
            head = "GET /ocpp/CP1 HTTP/1.1\nHost: x\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
            return [
                head.encode(),
                f"{head}\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13"
                "\nAuthorization: Basic Q1AxOng=\nSec-WebSocket-Protocol: ocpp1.6".encode(),
            ]


def _dictionary(path: Path) -> None:
    import tests.conftest
    from tests.fuzz.seeds import WORDS

    assert tests.conftest
    lines = []
    for word in WORDS:
        escaped = "".join(
            char if char.isalnum() else f"\\x{ord(char):02x}" for char in word if ord(char) < 128
        )
        lines.append(f'"{escaped}"')
    path.write_text("\n".join(lines) + "\n")


def fuzz(name: str, seconds: int, seed: int) -> bool:
    """Run one target; return whether nothing was found."""
    corpus, known = FOLDER / name, FOLDER / f"{name}.known"
    for folder in (corpus, known):
        folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(_seeds(name)):
        (known / f"{number:03}").write_bytes(data)
    words = FOLDER / "words.dict"
    _dictionary(words)
    command = [
        *(sys.executable, "-m", "tests.fuzz.targets", name, str(corpus), str(known)),
        *(f"-max_total_time={seconds}", f"-seed={seed}", f"-dict={words}", "-timeout=20"),
        *(f"-artifact_prefix={FOLDER}/{name}-", "-max_len=4096", "-rss_limit_mb=2048"),
        *("-print_final_stats=1", "-verbosity=1"),
    ]
    began = time.monotonic()
    log = FOLDER / f"{name}.log"
    with log.open("wb") as out:
        try:
            code = subprocess.run(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=seconds + _SPARE_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
    runs = [
        line.split()[-1]
        for line in log.read_text(errors="replace").splitlines()
        if line.startswith("stat::number_of_executed_units")
    ]
    took = time.monotonic() - began
    sys.stdout.write(
        f"{name}: {'nothing found' if code == 0 else f'FAILED ({code})'}, "
        f"{runs[-1] if runs else '?'} inputs in {took:.0f} s, seed {seed}\n"
    )
    if code != 0:
        sys.stdout.write(log.read_text(errors="replace")[-4000:] + "\n")
    sys.stdout.flush()
    return code == 0


def main() -> int:
    """Run all targets one after the other; 1 when something was found."""
    parser = argparse.ArgumentParser(description="Coverage-guided fuzzing of the OCPP edge.")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--seed", type=int, help="of all targets; a new one when not given")
    parser.add_argument("--target", choices=("frames", "texts", "requests"), action="append")
    given = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        sys.stdout.write("fuzz: atheris is not to be had for this Python and machine; skipped\n")
        return 0
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(1, 2**31)
    FOLDER.mkdir(exist_ok=True)
    results = [
        fuzz(name, given.seconds, seed) for name in given.target or ("frames", "texts", "requests")
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
