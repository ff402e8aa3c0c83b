"""U7: how long one page waits for the database, and that its wait spares the next."""

from math import inf
from time import monotonic

import pytest
from django.db import OperationalError

from newsletter.common import database_deadlines as patience
from newsletter.common.database_deadlines import end_of_patience, note_silence, wait_at_most


@pytest.fixture(autouse=True)
def _forget_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(patience._silence, "until", -inf)


def test_an_end_holds_inside_only_and_a_new_one_inside_counts_from_then() -> None:
    with wait_at_most(5):
        outer = end_of_patience()
        with wait_at_most(50):
            assert end_of_patience() > outer + 40
        assert end_of_patience() == outer
        assert 4 < outer - monotonic() <= 5
    assert end_of_patience() == inf


def test_who_comes_right_after_a_silence_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    note_silence()
    with pytest.raises(OperationalError, match="in a moment"), wait_at_most(5):
        raise AssertionError("it went on")
    assert end_of_patience() == inf
    monkeypatch.setattr(patience, "monotonic", lambda: monotonic() + 3)
    with wait_at_most(5):
        assert end_of_patience() < inf
