"""Holds a program on a leash: it ends with the process that holds this one's standard input.

``python -I -S leash.py PATIENCE_S PROGRAM [ARGUMENT...]``. A byte on standard input asks for an
orderly end (SIGINT, and SIGKILL after PATIENCE_S seconds). The end of standard input without one
means that the holder has died: then the program is killed at once, for nobody is left who could
answer it. A script of the standard library, so that it costs little beside the program.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main(arguments: list[str]) -> int:
    """Run the program and return its exit code; 128 and the number of the signal that ended it."""
    patience_s, *command = arguments
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  our own caller's
    for number in (signal.SIGINT, signal.SIGTERM):
        # whoever ends the leash means the program; the leash ends last
        signal.signal(number, lambda received, _: program.send_signal(received))
    threading.Thread(target=_hold, args=(program, float(patience_s)), daemon=True).start()
    code = program.wait()
    return code if code >= 0 else 128 - code


def _hold(program: subprocess.Popen[bytes], patience_s: float) -> None:
    # not sys.stdin: a thread that holds its lock would crash the interpreter's end
    if os.read(0, 1):
        program.send_signal(signal.SIGINT)
        try:
            program.wait(patience_s)
        except subprocess.TimeoutExpired:
            program.kill()
    else:
        program.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
