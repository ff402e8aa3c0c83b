"""Figures of large lists are shown with the time of their count, and counted again on demand."""

import re

import pytest

from newsletter.models import Publication
from subscribers.audience import count_cache
from tests.support.desk import sign_in
from tests.support.fixtures import add_subscribers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def slow_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_cache, "QUICK_SECONDS", -1)


@pytest.mark.parametrize("path", ["/admin/lists/", "/admin/"])
def test_a_page_says_when_it_counted_and_counts_again(publication: Publication, path: str) -> None:
    add_subscribers(publication, 2)
    staff = sign_in("admin")
    first = staff.get(path).content.decode()
    assert "ounted at" not in first
    add_subscribers(publication, 1, start=2)
    kept = staff.get(path).content.decode()
    assert "ounted at" in kept
    assert 'href="?count=again"' in kept
    again = staff.get(f"{path}?count=again").content.decode()
    assert "ounted at" not in again
    assert count_shown(again) == count_shown(first) + 1 == count_shown(kept) + 1


def count_shown(page: str) -> int:
    """Return the number of people in the chart of Home, or in the column of the list of lists."""
    found = re.search(r"(\d+) (?:people|person) now", page) or re.search(r"<td[^>]*>\s*(\d+)\s*</td>", page)
    assert found, page
    return int(found[1])
