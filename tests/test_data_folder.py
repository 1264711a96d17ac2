"""What the first start makes of its own: whole or not there, whatever ends it on the way."""

from __future__ import annotations

import resource
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from csms.data_folder import load_secret, node_name
from csms.errors import StartError
from tests.app.bench import settings_for


@pytest.fixture
def settings(tmp_path):
    return settings_for(None, tmp_path)


@contextmanager
def no_room():
    """Let no file have a byte: what a full disk does, without filling one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("made", [load_secret, node_name])
def test_a_start_without_room_leaves_nothing_half_written(settings, made):
    with no_room(), pytest.raises(StartError, match=r"cannot be read or written: File too large\."):
        made(settings)
    found = made(settings)
    assert len(found) > 10
    assert made(settings) == found


def test_the_secret_is_its_owners_alone(settings):
    load_secret(settings)
    assert stat.S_IMODE((settings.data_dir / "secret").stat().st_mode) == 0o600


def test_two_that_start_at_once_have_one_secret(settings):
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(load_secret, [settings] * 40))) == 1


def test_a_blank_name_is_made_anew_and_a_blank_secret_is_not(settings):
    """Nothing hangs on the name; passwords are keyed by the secret, which may come back."""
    for name in ("node", "secret"):
        settings.data_dir.mkdir(exist_ok=True)
        (settings.data_dir / name).touch()
    assert node_name(settings) == node_name(settings) != ""
    with pytest.raises(StartError, match="it has 0"):
        load_secret(settings)
