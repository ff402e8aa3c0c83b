"""The database deadline of a page, and the circuit that spares the next one the wait."""

from math import inf
from time import monotonic

import pytest
from django.db import OperationalError

from newsletter.common.database import deadlines as patience
from newsletter.common.database.deadlines import current_deadline, database_deadline, open_circuit

pytestmark = [pytest.mark.requirement("U7")]


@pytest.fixture(autouse=True)
def _forget_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(patience._circuit, "until", -inf)


def test_an_end_holds_inside_only_and_a_new_one_inside_counts_from_then() -> None:
    with database_deadline(5):
        outer = current_deadline()
        with database_deadline(50):
            assert current_deadline() > outer + 40
        assert current_deadline() == outer
        assert 4 < outer - monotonic() <= 5
    assert current_deadline() == inf


def test_a_visitor_right_after_a_failure_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    open_circuit()
    with pytest.raises(OperationalError, match="in a moment"), database_deadline(5):
        raise AssertionError("it went on")
    assert current_deadline() == inf
    monkeypatch.setattr(patience, "monotonic", lambda: monotonic() + 3)
    with database_deadline(5):
        assert current_deadline() < inf
