"""Rows read by a query that is compiled once: the same as the queryset's, for each number of ids."""

import pytest

from newsletter.common.database.prepared_rows import PreparedIds, PreparedRows
from subscribers.models import MailingList
from tests.support.people import make_list

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
COLUMNS = ("pk", "slug", "archived")
BY_ID = PreparedRows(
    lambda ids: MailingList.objects.filter(pk__in=ids, archived=False).order_by("slug").values_list(*COLUMNS)
)


@pytest.mark.parametrize("number", [1, 2, 10, 11, 50, 51, 200])
def test_prepared_rows_are_those_of_the_queryset(number: int) -> None:
    ids = [make_list(f"list-{one:03}").pk for one in range(number)]
    MailingList.objects.filter(pk=ids[0]).update(archived=True, public=False)
    expected = list(MailingList.objects.filter(pk__in=ids[1:]).order_by("slug").values_list(*COLUMNS))
    for _ in range(2):
        assert BY_ID.read(ids) == expected


def test_prepared_rows_are_found_by_texts_too() -> None:
    by_slug = PreparedRows(lambda slugs: MailingList.objects.filter(slug__in=slugs).values_list("slug", "archived"))
    make_list("board")
    assert by_slug.read(["board"]) == [("board", False)]
    assert by_slug.read(["other"]) == []


def test_no_ids_read_no_rows_and_no_query(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert BY_ID.read([]) == []


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_of_ids_are_read_whole_and_each_id_once(newest_first: bool) -> None:
    ids = [make_list(f"list-{one}").pk for one in range(5)]
    MailingList.objects.filter(pk=ids.pop(2)).update(archived=True, public=False)
    expected = ids[::-1] if newest_first else ids
    for_lists = PreparedIds(
        lambda above: MailingList.objects.filter(archived=False, pk__gt=above).values_list("pk"),
        newest_first=newest_first,
    )
    found: list[int] = []
    for _ in range(3):
        found += for_lists.read(0, last=found[-1] if found else None, limit=2)
    assert found == expected
    assert for_lists.read(max(ids), last=None, limit=2) == []
