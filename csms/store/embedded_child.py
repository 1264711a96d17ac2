"""What a child process does before it becomes its program: a script of the standard library only.

``python -I -S embedded_child.py PARENT MODE UID GID PROGRAM [ARGUMENT...]`` gives up root, ties its
life to the parent's and then becomes PROGRAM. A script of its own instead of `preexec_fn`: Python
code after a fork may deadlock in a program with threads, and a fork copies the page tables of a
large process.

Modes: ``same`` keeps the user; ``userns`` enters a user namespace in which root is seen as UID
(needs no user account of its own, no chown, and works below root's home); ``setuid`` becomes UID.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
EXIT_NO_NAMESPACE = 71
"""Exit code when the kernel or the container refuses the user namespace."""


def enter_user_namespace(uid: int, gid: int) -> None:
    """Enter a user namespace in which this process' user and group are seen as `uid` and `gid`.

    Raises:
        OSError: The kernel or a container's seccomp profile refuses it.
    """
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER)")
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("gid_map", f"{gid} {outer_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)


def die_with(parent: int) -> None:
    """Have the kernel send SIGINT (a fast shutdown for Postgres) when the parent's thread ends.

    Comes after the change of the user, which would clear it.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:  # it died before the call above
        raise SystemExit(1)


def main(arguments: list[str]) -> None:
    """Change the user, tie the life to the parent and become the program."""
    parent, mode, uid, gid, *program = arguments
    os.setsid()  # Ctrl-C in the terminal is for csms, which then stops the server in order
    if mode == "userns":
        try:
            enter_user_namespace(int(uid), int(gid))
        except OSError as error:
            sys.stderr.write(f"user namespace refused: {error}\n")
            raise SystemExit(EXIT_NO_NAMESPACE) from error
    elif mode == "setuid":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    die_with(int(parent))
    os.execv(program[0], program)  # noqa: S606  the program is one of our own binaries


if __name__ == "__main__":
    main(sys.argv[1:])
