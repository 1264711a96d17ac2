"""Certificates and keys in a backup: sealed, opened by their passphrase alone, put back whole."""

from __future__ import annotations

import stat

import pytest

from csms.app import DatabaseAddress
from csms.backups import left_out, make_backup, restore_backup
from csms.data_folder import load_secret
from csms.errors import StartError
from csms.pki import sealed_keys
from csms.pki.sealed_keys import KeysRefused
from csms.store.backup_file import BackupRefused
from tests.app.bench import settings_for

PASSPHRASE = b"correct horse battery"
KEYS = {
    "ca/root.key": b"root key",
    "ca/issuing-ec.pem": b"certificate",
    "ca/journal": b"{}\n",
    "tls/server-ec.key": b"server key",
}


def folders(path):
    return {"ca": path / "ca", "tls": path / "tls"}


def fill(path, files=KEYS):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


@pytest.fixture
def passphrase(tmp_path):
    file = tmp_path / "passphrase"
    file.write_bytes(PASSPHRASE + b"\n")
    return file


def test_what_is_sealed_opens_with_its_passphrase_alone():
    sealed = sealed_keys.seal(KEYS, PASSPHRASE)
    assert all(content not in sealed for content in KEYS.values())
    assert sealed_keys.unseal(sealed, PASSPHRASE) == KEYS
    assert sealed_keys.seal(KEYS, PASSPHRASE) != sealed  # another salt each time
    with pytest.raises(KeysRefused, match="the passphrase is another one"):
        sealed_keys.unseal(sealed, b"another passphrase")


@pytest.mark.parametrize("at", [0, 15, 30, 60, -1])
def test_damage_is_seen(at):
    sealed = bytearray(sealed_keys.seal(KEYS, PASSPHRASE))
    sealed[at] ^= 1
    with pytest.raises(KeysRefused, match="nothing was changed"):
        sealed_keys.unseal(bytes(sealed), PASSPHRASE)


@pytest.mark.parametrize("sealed", [b"", b"csms keys 1\n", b"csms keys 1\n" + bytes(28)])
def test_half_of_it_is_damage_too(sealed):
    with pytest.raises(KeysRefused):
        sealed_keys.unseal(sealed, PASSPHRASE)


@pytest.mark.parametrize("name", ["ca/../../etc/x", "etc/x", "ca/", "x", "ca/..", "ca/a/b"])
def test_no_name_leads_out_of_its_folder(tmp_path, name):
    with pytest.raises(KeysRefused):
        sealed_keys.put_back({name: b"x"}, folders(tmp_path))
    assert list(tmp_path.rglob("x")) == []


def test_a_short_passphrase_is_none(tmp_path):
    (tmp_path / "short").write_text("short\n")
    with pytest.raises(KeysRefused, match="less than 12"):
        sealed_keys.passphrase_of(tmp_path / "short")
    with pytest.raises(KeysRefused, match="cannot be read"):
        sealed_keys.passphrase_of(tmp_path / "nowhere")


def test_what_is_put_back_is_as_it_was_and_its_owners_alone(tmp_path):
    fill(tmp_path / "a")
    (tmp_path / "a" / "ca" / ".root.key.part").write_bytes(b"half")
    found = sealed_keys.files_of(folders(tmp_path / "a"))
    assert found == KEYS
    assert sealed_keys.differing(found, folders(tmp_path / "b")) == []
    assert sealed_keys.put_back(found, folders(tmp_path / "b")) == len(KEYS)
    assert sealed_keys.files_of(folders(tmp_path / "b")) == KEYS
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / "b").rglob("*")
        if path.is_file()
    }
    assert modes == {
        "root.key": 0o600,
        "issuing-ec.pem": 0o644,
        "journal": 0o600,
        "server-ec.key": 0o600,
    }


async def test_a_backup_takes_them_along_when_it_is_told_how(
    database_url, postgres_url, tmp_path, passphrase
):
    settings = settings_for(None, tmp_path / "a", data_dir=tmp_path / "a")
    fill(tmp_path / "a")
    file = tmp_path / "x.zip"
    address = DatabaseAddress(url=database_url)
    await make_backup(settings, address, file, passphrase_file=passphrase)
    assert left_out(settings, keys_taken=True) == []
    assert b"root key" not in file.read_bytes()

    there, target = (
        settings_for(None, tmp_path / "b", data_dir=tmp_path / "b"),
        DatabaseAddress(url=postgres_url),
    )
    lines = await restore_backup(there, target, file)
    assert any("were left out" in line for line in lines)
    assert not (tmp_path / "b" / "ca").exists()

    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase")
    with pytest.raises(KeysRefused):
        await restore_backup(there, target, file, force=True, passphrase_file=wrong)
    lines = await restore_backup(there, target, file, force=True, passphrase_file=passphrase)
    assert "restored 4 files of certificates and keys" in lines
    assert sealed_keys.files_of(folders(tmp_path / "b")) == KEYS


async def test_a_restore_that_ends_before_the_keys_are_back_keeps_csms_from_starting(
    database_url, postgres_url, tmp_path, passphrase, monkeypatch
):
    fill(tmp_path / "a")
    file, address = tmp_path / "x.zip", DatabaseAddress(url=database_url)
    made_of = settings_for(None, tmp_path / "a", data_dir=tmp_path / "a")
    await make_backup(made_of, address, file, passphrase_file=passphrase)
    there = settings_for(None, tmp_path / "b", data_dir=tmp_path / "b")
    target = DatabaseAddress(url=postgres_url)

    def full(files, folders):
        raise KeysRefused("The disk is full.")

    monkeypatch.setattr(sealed_keys, "put_back", full)
    with pytest.raises(KeysRefused):
        await restore_backup(there, target, file, passphrase_file=passphrase)
    with pytest.raises(StartError, match="A restore was interrupted"):
        load_secret(there)
    monkeypatch.undo()
    await restore_backup(there, target, file, force=True, passphrase_file=passphrase)
    assert load_secret(there) == load_secret(made_of)


async def test_other_keys_that_are_there_are_not_lost(
    database_url, postgres_url, tmp_path, passphrase
):
    fill(tmp_path / "a")
    file, address = tmp_path / "x.zip", DatabaseAddress(url=database_url)
    await make_backup(
        settings_for(None, tmp_path / "a", data_dir=tmp_path / "a"),
        address,
        file,
        passphrase_file=passphrase,
    )
    there, target = (
        settings_for(None, tmp_path / "b", data_dir=tmp_path / "b"),
        DatabaseAddress(url=postgres_url),
    )
    fill(tmp_path / "b", {"ca/root.key": b"another"})
    with pytest.raises(BackupRefused, match=r"root\.key is there and another one"):
        await restore_backup(there, target, file, passphrase_file=passphrase)
    assert (tmp_path / "b" / "ca" / "root.key").read_bytes() == b"another"
    await restore_backup(there, target, file, force=True, passphrase_file=passphrase)
    assert (tmp_path / "b" / "ca" / "root.key").read_bytes() == b"root key"


async def test_what_is_left_out_is_told(database_url, tmp_path, passphrase):
    settings = settings_for(None, tmp_path / "a", data_dir=tmp_path / "a")
    assert left_out(settings, keys_taken=False) == []
    fill(tmp_path / "a")
    (tmp_path / "a" / "files" / "uploads").mkdir(parents=True)  # as csms makes it at its start
    assert len(left_out(settings, keys_taken=False)) == 1
    (tmp_path / "a" / "files" / "uploads" / "f").write_bytes(b"x")
    told = left_out(settings, keys_taken=False)
    assert len(told) == 2
    assert "--keys-passphrase-file" in told[0]
    assert str(tmp_path / "a" / "files") in told[1]
