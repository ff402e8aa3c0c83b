"""Queries that are built once: they ask about the present moment, and find what was written since."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from newsletter.common.database.compiled_query import TIME_PLACEHOLDER, compile_query, find_rows, finds_row
from newsletter.models import Publication, Send
from newsletter.sending.canaries.canary_decision import _find_alarmed
from newsletter.sending.canaries.send_canaries import find_sends_after, find_sends_before
from newsletter.sending.limits.send_window import _find_switched_off
from newsletter.sending.mails_with_story import _find_running_with_withdrawn
from newsletter.sending.settling.account_moves import _find_moves_to_continue, _find_with_second_account
from newsletter.sending.settling.reconcile import _find_uncertain, _find_with_uncertain_recipients
from newsletter.sending.settling.release_local_hours import _find_sends_with_due_hour
from newsletter.sending.settling.sweep import _find_done, _find_sends_to_reopen, _find_stalled_starts
from newsletter.sending.subject_tests.decide_subject import _find_undecided
from tests.support.fixtures import NOW, make_publication

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
LATER = NOW + timedelta(days=40, hours=5, seconds=7)
FINDERS: list[tuple[Callable[..., QuerySet[Any]], tuple[str, ...]]] = [
    (find_sends_before, ()),
    (find_sends_after, ()),
    (_find_alarmed, ()),
    (_find_switched_off, ()),
    (_find_running_with_withdrawn, ()),
    (_find_undecided, ()),
    (_find_sends_with_due_hour, ()),
    (_find_moves_to_continue, ()),
    (_find_with_second_account, ()),
    (_find_stalled_starts, ()),
    (_find_done, ()),
    (_find_sends_to_reopen, ()),
    (_find_uncertain, ("mailgun",)),
    (_find_with_uncertain_recipients, ("mailgun",)),
]


@pytest.mark.parametrize(("build", "arguments"), FINDERS)
def test_a_compiled_query_is_the_one_that_its_builder_makes(build: Any, arguments: tuple[str, ...]) -> None:
    compiled = compile_query(build(TIME_PLACEHOLDER, *arguments))
    for moment in (NOW, LATER):
        sql, parameters = build(moment, *arguments).query.sql_with_params()
        assert (compiled.sql, compiled.fill(moment=moment)) == (sql, list(parameters))


@pytest.mark.parametrize(("build", "arguments"), FINDERS)
def test_each_query_that_is_compiled_once_runs(build: Any, arguments: tuple[str, ...]) -> None:
    assert not finds_row(build, *arguments, now=NOW)
    assert list(find_rows(build, *arguments, now=NOW)) == []


def _find_named(now: datetime, name: str) -> QuerySet[Publication]:
    return Publication.objects.filter(name=name)


def _find_nothing(now: datetime) -> QuerySet[Send]:
    return Send.objects.none()


def test_a_row_that_is_written_later_is_found() -> None:
    assert list(find_rows(_find_named, "Weekly", now=NOW)) == []
    made = make_publication(name="Weekly")
    assert list(find_rows(_find_named, "Weekly", now=NOW)) == [made]
    assert list(find_rows(_find_named, "Monthly", now=NOW)) == []


def test_a_query_that_can_find_nothing_is_not_asked() -> None:
    with CaptureQueriesContext(connection) as captured:
        assert not finds_row(_find_nothing, now=NOW)
    assert len(captured) == 0
