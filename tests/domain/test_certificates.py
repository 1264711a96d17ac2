"""What is decided about certificate requests (M80, A22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.certificates import (
    Expected,
    RequestFacts,
    SubjectCheck,
    ends_soon,
    judge,
    key_problem,
)

REQUEST = RequestFacts(
    pem="",
    common_names=("SN-A",),
    organizations=("Example",),
    key_type="EC",
    key_bits=256,
    public_key=b"",
)
EXPECTED = Expected(
    identity="A", serial_number="SN-A", organization="Example", check=SubjectCheck.STRICT
)


@pytest.mark.parametrize(
    "request_",
    [
        REQUEST,
        replace(REQUEST, common_names=("A",)),
        replace(REQUEST, organizations=("Example AG",)),
    ],
)
def test_serial_number_and_identity_are_expected(request_):
    judgement = judge(request_, EXPECTED, [])
    assert (judgement.refusal, judgement.mismatch) == (None, None)


@pytest.mark.parametrize(
    "request_",
    [
        replace(REQUEST, common_names=()),
        replace(REQUEST, common_names=("SN-A", "SN-A")),
        replace(REQUEST, common_names=("sn-a",)),
        replace(REQUEST, organizations=()),
        replace(REQUEST, organizations=("Other",)),
    ],
)
def test_all_else_is_odd_or_refused(request_):
    strict = judge(request_, EXPECTED, [])
    assert strict.refusal is not None
    relaxed = judge(request_, replace(EXPECTED, check=SubjectCheck.RELAXED), [])
    assert (relaxed.refusal, relaxed.mismatch) == (None, strict.refusal)


def test_without_a_name_of_the_operator_any_organization_will_do():
    anybody = replace(EXPECTED, organization=None)
    assert judge(replace(REQUEST, organizations=()), anybody, []).refusal is None


@pytest.mark.parametrize("check", SubjectCheck)
def test_another_stations_name_is_never_signed(check):
    judgement = judge(REQUEST, replace(EXPECTED, check=check), ["SN-A"])
    assert judgement.refusal == "The request names another station."


def test_the_name_is_the_serial_number_or_else_the_identity():
    assert EXPECTED.common_name == "SN-A"
    assert replace(EXPECTED, serial_number=None).common_name == "A"


@pytest.mark.parametrize(
    ("kind", "bits", "right"),
    [
        ("RSA", 2047, False),
        ("RSA", 2048, True),
        ("RSA", 8192, True),
        ("RSA", 16384, False),
        ("EC", 192, False),
        ("EC", 224, True),
        ("EC", 521, True),
        ("DSA", 4096, False),
        ("EdDSA", 256, False),
    ],
)
def test_keys(kind, bits, right):
    assert (key_problem(kind, bits) is None) is right


def test_renewal_is_due_before_the_end():
    now, lead = datetime(2026, 3, 1, tzinfo=UTC), timedelta(days=30)
    assert ends_soon(now + timedelta(days=29), now, lead)
    assert not ends_soon(now + timedelta(days=31), now, lead)
