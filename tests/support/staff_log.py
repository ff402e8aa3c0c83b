"""Fail a test if the product changes something and writes the entry of the staff log in another transaction."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Model

from newsletter.models import AuditEntry
from newsletter.models.staff import AuditEntryManager

PRODUCT = tuple(str(Path(__file__).parents[2] / name) + "/" for name in ("newsletter", "subscribers"))
WITHOUT_A_CHANGE = frozenset(
    {
        "newsletter.api_read",
        "newsletter.factor_lost",
        "newsletter.logout_refused",
        "newsletter.preview_as",
        "newsletter.previewed_as",
        "newsletter.protected_shown",
        "newsletter.saw_mail",
        "newsletter.sign_in_failed",
        "newsletter.sign_in_refused",
        "newsletter.sign_in_stopped",
        "newsletter.signed_in",
        "subscribers.export_person",
        "subscribers.import_refused",
        "subscribers.look",
        "subscribers.reveal",
        "subscribers.search",
    }
)
"""Somebody read something, signed in or failed to. The entry is written before they get what they read."""
AFTER_A_CHANGE = frozenset(
    {
        "newsletter.api_added",
        "newsletter.api_changed",
        "newsletter.api_signed_up",
        "newsletter.api_stopped",
        "newsletter.assembled",
        "newsletter.dmarc_added",
        "newsletter.factor_changed",
        "newsletter.proof",
        "newsletter.read_source",
        "newsletter.reports_set_up",
        "subscribers.bulk",
        "subscribers.import_left",
    }
)
"""Changes that must hold without an entry (a sign-up, the end of mails), that other systems have made already (a sent proof, a
webhook at a provider), that a library makes, or that are done in steps, so that a part of them holds."""
UPLOADED = "wagtailimages.image"
"""The model of an upload. Its file would stay without a row if the row were undone with the entry."""


@dataclass
class _Watch:
    """The running test: how many transactions were open when it began, None for one without the database, and its mistakes."""

    before: int | None = None
    late: list[str] = field(default_factory=list)


_watch = _Watch()


@pytest.fixture(scope="session", autouse=True)
def watched_staff_log() -> Iterator[None]:
    """Watch the log in all tests at once: a replacement in each test would make `repeat_rows` build its rows again."""
    append = AuditEntryManager.log_action

    def log_action(manager: AuditEntryManager, instance: Model, action: str, **details: object) -> AuditEntry:
        if instance._meta.label_lower == UPLOADED:
            return append(manager, instance, action, **details)
        is_alone = _watch.before is not None and _count_transactions() <= _watch.before
        if is_alone and action not in WITHOUT_A_CHANGE | AFTER_A_CHANGE and _is_product_calling():
            _watch.late.append(action)
        return append(manager, instance, action, **details)

    AuditEntryManager.log_action = log_action  # type: ignore[method-assign]
    yield
    AuditEntryManager.log_action = append  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _entries_belong_to_changes(request: pytest.FixtureRequest) -> Iterator[None]:
    marker = request.node.get_closest_marker("django_db")
    if marker is None:
        yield
        return
    if not marker.kwargs.get("transaction"):
        request.getfixturevalue("db")
    _watch.before, _watch.late = _count_transactions(), []
    yield
    _watch.before = None
    assert not _watch.late, f"These entries of the staff log are not in the transaction of their change: {_watch.late}"


def _count_transactions() -> int:
    return 1 + len(connection.savepoint_ids) if connection.in_atomic_block else 0


def _is_product_calling() -> bool:
    """Return True if the caller of Wagtail's `log` is a module of the product."""
    frame = sys._getframe(2)
    while frame.f_back is not None and "/wagtail/" in frame.f_code.co_filename:
        frame = frame.f_back
    return frame.f_code.co_filename.startswith(PRODUCT)
