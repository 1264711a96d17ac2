"""An outside certificate authority behind a program of the operator's.

For authorities that have a client of their own (EST, ACME, a cloud's, a safe on a token). The
program is started anew for each of

- ``PROGRAM sign --identity ID --common-name CN [--organization O]``: the request (PEM) is on its
  standard input, the chain (PEM, the station's certificate first) is expected on its output;
- ``PROGRAM revoke --serial-number HEX --reason REASON``;
- ``PROGRAM roots``: what charge points have to trust (PEM) on its output; asked once, at start.

Exit code 0: done. 1: refused, the first line on standard error is the reason. Anything else: not
now, it is asked again.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Sequence
from pathlib import Path

from csms.domain.certificates import LONGEST_CHAIN, RequestFacts
from csms.errors import StartError
from csms.pki.reader import PemReader, pem_blocks
from csms.services.ports.certificates import AuthorityAway, Refused, Root, Subject

_REFUSED = 1
_TIMEOUT_S = 60.0
_LONGEST_REASON = 200


class CommandAuthority:
    """See `csms.services.ports.certificates.CertificateAuthority`."""

    def __init__(self, program: Path) -> None:
        """Ask the program for its roots. Blocks.

        Raises:
            StartError: It cannot be started, or gives no roots.
        """
        self._program = program
        try:
            answer = subprocess.run(  # noqa: S603  the operator's own program, no shell
                [program, "roots"], capture_output=True, timeout=_TIMEOUT_S, check=False
            )
            text = answer.stdout.decode("ascii", "replace")
            facts = PemReader().certificates(text) if answer.returncode == 0 else []
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise StartError(f"CSMS_CA_COMMAND {program} roots: {error}.") from error
        if not facts:
            raise StartError(
                f"CSMS_CA_COMMAND {program} roots ends with {answer.returncode}, "
                f"{_first_line(answer.stderr)}."
            )
        self._roots = [
            Root(pem=pem, facts=each) for pem, each in zip(pem_blocks(text), facts, strict=True)
        ]

    async def sign(self, request: RequestFacts, subject: Subject) -> str | Refused:
        """See the port."""
        words = ["sign", "--identity", subject.identity, "--common-name", subject.common_name]
        if subject.organization is not None:
            words += ["--organization", subject.organization]
        code, said, complaint = await self._run(words, request.pem.encode())
        if code == _REFUSED:
            return Refused(reason=complaint)
        if code != 0:
            raise AuthorityAway(f"{self._program.name} ends with {code}: {complaint}")
        chain = "".join(pem_blocks(said.decode("ascii", "replace")))
        if not chain or len(chain) > LONGEST_CHAIN:
            return Refused(reason="The authority's answer is no chain that can be sent.")
        return chain

    async def revoke(self, serial_number: str, reason: str) -> bool:
        """See the port."""
        words = ["revoke", "--serial-number", serial_number, "--reason", reason]
        code, _, complaint = await self._run(words, b"")
        if code not in (0, _REFUSED):
            raise AuthorityAway(f"{self._program.name} ends with {code}: {complaint}")
        return code == 0

    def roots(self) -> Sequence[Root]:
        """See the port."""
        return self._roots

    async def _run(self, words: list[str], given: bytes) -> tuple[int, bytes, str]:
        try:
            process = await asyncio.create_subprocess_exec(
                self._program,
                *words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise AuthorityAway(f"{self._program}: {error.strerror}") from error
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                said, complaint = await process.communicate(given)
        except TimeoutError as error:
            raise AuthorityAway(f"{self._program.name} does not end") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, said, _first_line(complaint)


def _first_line(text: bytes) -> str:
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return lines[0][:_LONGEST_REASON] if lines else "without a reason"
