"""The leash: how a program ends when its holder lets go, asks, or dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from csms.demo import leash

# says "ready" and sleeps; SIGINT makes it end with 7, or is ignored
PROGRAM = """
import signal, sys, time
signal.signal(signal.SIGINT, {handler})
print("ready", flush=True)
time.sleep(60)
"""
ENDS = "lambda *_: sys.exit(7)"
IGNORES = "signal.SIG_IGN"


@pytest.fixture
def held():
    started = []

    def hold(handler: str, patience_s: float = 20) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", leash.__file__, str(patience_s)),
                *(sys.executable, "-I", "-S", "-c", PROGRAM.format(handler=handler)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield hold
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_asked_it_ends_the_program_in_order(held):
    process = held(ENDS)
    process.stdin.write(b".")
    process.stdin.flush()
    assert process.wait(10) == 7
    assert process.stdout.read() == b"", "the program has ended and let go of its output"


def test_a_program_that_does_not_listen_is_killed(held):
    process = held(IGNORES, patience_s=0.1)
    process.stdin.write(b".")
    process.stdin.flush()
    assert process.wait(10) == 128 + signal.SIGKILL


def test_the_end_of_the_holder_kills_the_program_at_once(held):
    process = held(IGNORES)
    process.stdin.close()
    assert process.wait(10) == 128 + signal.SIGKILL
    assert process.stdout.read() == b""


def test_a_signal_to_the_leash_is_for_the_program(held):
    process = held(ENDS)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 7
