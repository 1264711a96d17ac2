from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from csms.files import ranges

TEXTS = st.text() | st.from_regex(r"bytes ?= ?\d{0,5} ?- ?\d{0,5}", fullmatch=True)


@given(TEXTS, st.none() | st.text(), st.integers(0, 10**5))
def test_a_part_lies_within_the_file(header, if_range, size):
    try:
        part = ranges.wanted(header, if_range, '"a"', size)
    except ranges.Unsatisfiable:
        return
    if part is not None:
        assert part.length > 0
        assert part.start >= 0
        assert part.start + part.length <= size


@given(st.text() | st.from_regex(r"bytes \d{1,5}-\d{1,5}/(\d{1,5}|\*)", fullmatch=True))
def test_a_content_range_is_one_or_none(header):
    found = ranges.given(header)
    if found is not None:
        part, total = found
        assert part.length > 0
        assert total is None or part.start + part.length <= total


@given(st.none() | st.text())
def test_any_text_may_name_a_version(header):
    assert ranges.matches(header, '"a"') in {True, False}
