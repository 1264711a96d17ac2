from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain import files

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@given(st.text())
def test_a_label_is_one_line_and_no_path(text):
    found = files.label(text)
    assert len(found) <= 255
    assert not set(found) & set("/\\\n\r\0")
    assert found not in {".", ".."}
    found.encode()  # can be stored


@given(st.text())
def test_names_that_we_choose_are_safe_in_headers_and_addresses(text):
    for name in (files.firmware_name(text), files.file_name("log", 1, text)):
        assert name.isascii()
        assert not set(name) & set('/\\"\r\n\0 ;?#%@:')
        assert not name.startswith(".")
        assert 0 < len(name) <= 80


@pytest.mark.parametrize(
    ("direction", "state", "status", "has_file", "is_open"),
    [
        ("upload", "running", None, False, True),
        ("upload", "running", "Uploading", True, True),
        ("upload", "done", "Uploaded", True, False),
        ("upload", "done", "Uploaded", False, True),
        ("upload", "failed", "UploadFailed", False, True),
        ("upload", "failed", "NothingAvailable", False, True),
        ("upload", "failed", "Canceled", False, False),
        ("upload", None, None, False, False),
        ("download", "running", "Downloading", False, True),
        ("download", "failed", "DownloadFailed", False, True),
        ("download", "failed", "InvalidSignature", False, False),
        ("download", "done", "Installed", False, False),
    ],
)
def test_a_way_is_open_as_long_as_its_job_may_need_it(direction, state, status, has_file, is_open):
    def opened(now):
        return files.is_open(
            direction, state, status, has_file=has_file, expires_at=NOW + HOUR, now=now
        )

    assert opened(NOW) is is_open
    assert opened(NOW + HOUR) is False


def test_a_way_lasts_as_long_as_its_retries_but_not_for_ever():
    later = NOW + timedelta(days=3)
    assert files.open_until({}, later, NOW) == later + 24 * HOUR
    assert files.open_until({}, NOW - timedelta(days=3), NOW) == NOW + 24 * HOUR
    month = NOW + timedelta(days=32)
    huge = {"retries": 10**30, "retryInterval": 10**30}
    assert files.open_until(huge, None, NOW) == month
    end_of_time = datetime.max.replace(tzinfo=UTC)
    assert files.open_until({}, end_of_time, NOW) == NOW + timedelta(days=366)
    assert files.open_until({"retries": -5, "retryInterval": 9}, None, NOW) == NOW + 24 * HOUR


def test_the_way_that_the_station_speaks_is_taken():
    def chosen(said):
        return files.chosen(["https", "ftp"], files.spoken(said))

    assert chosen(None) == chosen("") == chosen("HTTPS,FTP") == chosen("SFTP") == "https"
    assert chosen("HTTP,FTP") == chosen("ftp") == chosen(" FTPS , FTP ") == "ftp"
    assert files.chosen([], {"ftp"}) is None


@pytest.mark.parametrize("action", sorted(files.UPLOADS | files.FIRMWARE))
def test_a_location_is_filled_in_only_where_there_is_none(action):
    filled = files.with_location(action, {"requestId": 1, "retries": 2}, "ftp://h/")
    assert files.has_location(action, filled)
    assert not files.has_location(action, {"requestId": 1})
    assert [name for name in filled if name in {"requestId", "retries"}] == ["requestId", "retries"]
