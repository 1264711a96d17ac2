"""An outside authority behind a program, played by a script over the tests' own root."""

from __future__ import annotations

import sys

import pytest

from csms.errors import StartError
from csms.pki.command import CommandAuthority
from csms.pki.reader import PemReader
from csms.services.ports.certificates import AuthorityAway, Refused, Subject
from tests.pki.authority import Authority
from tests.pki.test_ca import request

SUBJECT = Subject(identity="A", common_name="SN-A", organization="Example")

PLAY = """#!{python}
import sys
from pathlib import Path
folder = Path(__file__).parent
words = sys.argv[1:]
with (folder / "asked").open("a") as asked:
    asked.write(" ".join(words) + "\\n" + sys.stdin.read())
answer = folder / words[0]
if not answer.exists():
    sys.exit("not today\\nmore words") if words[0] != "away" else sys.exit(7)
code, _, text = answer.read_text().partition("\\n")
(sys.stdout if code == "0" else sys.stderr).write(text)
sys.exit(int(code))
"""


@pytest.fixture
def play(tmp_path):
    program = tmp_path / "program"
    program.write_text(PLAY.format(python=sys.executable))
    program.chmod(0o700)
    root = Authority()
    (tmp_path / "roots").write_text("0\n" + root.pem.decode())
    return program, root


@pytest.mark.smoke
async def test_it_signs_what_it_is_given(play, tmp_path):
    program, root = play
    leaf, _ = root.client("SN-A")
    chain = (leaf + root.pem).decode()
    (tmp_path / "sign").write_text("0\nnoise of the program\r\n" + chain.replace("\n", "\r\n"))
    authority = CommandAuthority(program)
    asked = request()
    assert await authority.sign(asked, SUBJECT) == chain
    assert (tmp_path / "asked").read_text() == (
        "roots\nsign --identity A --common-name SN-A --organization Example\n" + asked.pem
    )
    (found,) = authority.roots()
    assert found.facts == PemReader().certificates(root.pem.decode())[0]


async def test_it_refuses_or_is_away(play, tmp_path):
    authority = CommandAuthority(play[0])
    assert await authority.sign(request(), SUBJECT) == Refused(reason="not today")
    (tmp_path / "sign").write_text("3\nthe token is not plugged in")
    with pytest.raises(AuthorityAway, match="ends with 3: the token is not plugged in"):
        await authority.sign(request(), SUBJECT)
    (tmp_path / "sign").write_text("0\nno chain")
    assert isinstance(await authority.sign(request(), SUBJECT), Refused)
    play[0].unlink()
    with pytest.raises(AuthorityAway):
        await authority.sign(request(), SUBJECT)


async def test_it_revokes(play, tmp_path):
    authority = CommandAuthority(play[0])
    assert not await authority.revoke("ab", "superseded")
    (tmp_path / "revoke").write_text("0\n")
    assert await authority.revoke("ab", "superseded")
    assert "revoke --serial-number ab --reason superseded" in (tmp_path / "asked").read_text()
    (tmp_path / "revoke").write_text("9\nno")
    with pytest.raises(AuthorityAway):
        await authority.revoke("ab", "superseded")


@pytest.mark.parametrize("roots", [None, "0\n", "1\nno token", "0\nrubbish"])
def test_without_roots_there_is_no_start(play, tmp_path, roots):
    (tmp_path / "roots").unlink()
    if roots is not None:
        (tmp_path / "roots").write_text(roots)
    with pytest.raises(StartError, match="CSMS_CA_COMMAND"):
        CommandAuthority(play[0])


def test_without_a_program_there_is_no_start(tmp_path):
    with pytest.raises(StartError, match="CSMS_CA_COMMAND"):
        CommandAuthority(tmp_path / "nothing")
