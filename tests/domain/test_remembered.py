from __future__ import annotations

from csms.domain.remembered import Remembered


def test_what_is_the_same_is_made_once_and_what_has_changed_anew():
    made: list[int] = []

    def make(content: int) -> list[int]:
        made.append(content)
        return [content]

    kept = Remembered[list[int]]()
    first = kept.of([("a", 1), ("b", 2)], make)
    again = kept.of([("b", 2), ("a", 3)], make)
    assert (first, again) == (([1], [2]), ([2], [3]))
    assert again[0] is first[1]
    assert made == [1, 2, 3]


def test_what_was_gone_is_made_anew():
    kept = Remembered[object]()
    (first,) = kept.of([("a", 1)], lambda _: object())
    assert kept.of([], lambda _: object()) == ()
    assert kept.of([("a", 1)], lambda _: object()) != (first,)
