"""A certificate and its key change together, also when their writer is killed between the files."""

from __future__ import annotations

import pytest

from csms.clock import SystemClock
from csms.pki import pairs
from csms.pki.contexts import TlsContexts
from csms.pki.folder import CertificateError, holds_certificates
from tests.pki.authority import Authority


class Killed(BaseException):
    """Nothing runs after it."""


@pytest.fixture
def root():
    return Authority()


def pair_of(root, folder):
    """Return another chain with its key."""
    folder.mkdir()
    root.write_pair(folder, "server-ec")
    return {
        "chain": (folder / "server-ec.pem").read_bytes(),
        "key": (folder / "server-ec.key").read_bytes(),
    }


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("dies_at", range(4))
def test_a_writer_that_is_killed(tmp_path, root, monkeypatch, before, dies_at):
    folder = tmp_path / "tls"
    folder.mkdir()
    if before:
        root.write_pair(folder, "server-ec")
    new = pair_of(root, tmp_path / "new")
    writes = iter(range(9))
    written = pairs.written

    def until_killed(path, content, *, secret=False):
        if next(writes) == dies_at:
            raise Killed
        written(path, content, secret=secret)

    monkeypatch.setattr(pairs, "written", until_killed)
    if dies_at < 3:
        with pytest.raises(Killed):
            pairs.write_pair(folder, "server-ec", **new)
    else:
        pairs.write_pair(folder, "server-ec", **new)
    monkeypatch.undo()
    pairs.finish_pairs(folder)
    if not before and dies_at == 0:
        assert not holds_certificates(folder)
        return
    TlsContexts(folder, SystemClock())
    is_new = (folder / "server-ec.pem").read_bytes() == new["chain"]
    assert is_new == (dies_at > 0)
    assert not list(folder.glob(".*"))


def test_a_folder_that_is_not_there_has_nothing_to_finish(tmp_path):
    pairs.finish_pairs(tmp_path / "nowhere")


def test_what_cannot_be_finished_is_told(tmp_path):
    (tmp_path / ".server-rsa.pair").write_text("{")
    with pytest.raises(CertificateError, match=r"\.server-rsa\.pair cannot be finished: "):
        pairs.finish_pairs(tmp_path)
