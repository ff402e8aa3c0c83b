"""Ask for the figures of each domain that signs our mail once a day, and store them. No answer never becomes a figure."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from newsletter.google_postmaster.figures import FigureFailure, FigureReader, FiguresUnavailable, Requirement, SpamRate
from newsletter.models import PostmasterFigure, PostmasterReading, PostmasterRequirement
from newsletter.sending.deliverability.gmail_figures.access import get_access, open_figures
from newsletter.sending.deliverability.gmail_figures.signing import SignedSender, list_asked_senders

log = logging.getLogger(__name__)
EVERY = timedelta(hours=24)
RETRY_AFTER = timedelta(hours=1)
RETRY_AFTER_QUOTA = timedelta(hours=6)
READ_DAYS = 30
"""Figures come some days late, and Google may correct them."""
MAX_ASKED_DOMAINS = 4


def fetch_due_figures(*, now: datetime) -> int:
    """Ask about each sender and signing domain that is due. Return how many were asked about.

    If two processes call this at once, one of them asks. Without a key nothing is asked.
    """
    access = get_access()
    if access is None:
        return 0
    due = [row for row in _list_due(now=now) if _claim(row, now=now)]
    if not due:
        return 0
    try:
        reader = open_figures(access, now=now)
    except FiguresUnavailable as error:
        for row in due:
            _save_failure(row, error, now=now)
        return len(due)
    for number, row in enumerate(due):
        try:
            _read(row, reader, now=now)
        except FiguresUnavailable as error:
            stopped = due[number:] if error.failure is FigureFailure.QUOTA else [row]
            for waiting in stopped:
                _save_failure(waiting, error, now=now)
            if len(stopped) > 1:
                break
    return len(due)


def list_candidates(signed: SignedSender) -> list[str]:
    """Return the domains to ask about, the likeliest first: Google counts by the domain that signs, or one above it.

    A domain that another account signs with is left out, because its rate is that of other mail.
    """
    candidates = [signed.signing, signed.sender]
    for name in (signed.signing, signed.sender):
        labels = name.split(".")
        candidates += [".".join(labels[start:]) for start in range(1, len(labels) - 1)]
    domains_of_others = {sender.signing for sender in list_asked_senders()} - {signed.signing}
    allowed = [name for name in candidates if name not in domains_of_others or signed.signing.endswith(f".{name}")]
    return list(dict.fromkeys(allowed))[:MAX_ASKED_DOMAINS]


def _list_due(*, now: datetime) -> list[PostmasterReading]:
    """Return the readings that are due. A wait of more than two days is left from before a clock was set back."""
    senders = list_asked_senders()
    rows = (
        PostmasterReading(
            sender=sender.sender, signing=sender.signing, asked_at=now, retry_at=now, failure=FigureFailure.NO_ANSWER
        )
        for sender in senders
    )
    PostmasterReading.objects.bulk_create(rows, ignore_conflicts=True)
    is_due = Q(retry_at__lte=now) | Q(retry_at__gt=now + 2 * EVERY)
    due = PostmasterReading.objects.filter(is_due).order_by("sender", "signing")
    return [row for row in due if SignedSender(row.sender, row.signing) in senders]


def _claim(row: PostmasterReading, *, now: datetime) -> bool:
    """Return True if no other process asks about this domain now."""
    unchanged = PostmasterReading.objects.filter(pk=row.pk, retry_at=row.retry_at)
    return bool(unchanged.update(asked_at=now, retry_at=now + RETRY_AFTER))


def _read(row: PostmasterReading, reader: FigureReader, *, now: datetime) -> None:
    """Read a domain's rates, then its requirements. If the second fails, the rates count all the same."""
    domain, rates = read_rates(SignedSender(row.sender, row.signing), reader, now=now)
    rows = PostmasterReading.objects.filter(pk=row.pk)
    with transaction.atomic():
        _store_rates(domain, rates, now=now)
        rows.update(domain=domain, asked_at=now, read_at=now)
    requirements = reader.read_requirements(domain)
    with transaction.atomic():
        _store_requirements(domain, requirements, now=now)
        rows.update(retry_at=now + EVERY, failure="")


def read_rates(signed: SignedSender, reader: FigureReader, *, now: datetime) -> tuple[str, Sequence[SpamRate]]:
    """Return the first domain with figures, or else the first that Google knows. Raises FiguresUnavailable."""
    today = now.astimezone(UTC).date()
    first, refusal, readable = today - timedelta(days=READ_DAYS), None, ""
    for domain in list_candidates(signed):
        try:
            rates = reader.read_spam_rates(domain, first=first, last=today)
        except FiguresUnavailable as error:
            if error.failure is not FigureFailure.NOT_VERIFIED:
                raise
            refusal = refusal or error
            continue
        if rates:
            return domain, rates
        readable = readable or domain
    if readable:
        return readable, ()
    raise refusal or FiguresUnavailable(FigureFailure.NOT_VERIFIED, "%(sender)s is no domain.", sender=signed.sender)


def _store_rates(domain: str, rates: Sequence[SpamRate], *, now: datetime) -> None:
    rows = [
        PostmasterFigure(
            domain=domain, day=rate.day, figure=PostmasterFigure.Figure.SPAM_RATE, value=rate.rate, fetched_at=now
        )
        for rate in rates
    ]
    PostmasterFigure.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["domain", "day", "figure"],
        update_fields=["value", "fetched_at"],
    )


def _store_requirements(domain: str, requirements: Sequence[Requirement], *, now: datetime) -> None:
    """Keep what Google says now. A requirement without a verdict has no row."""
    rows = PostmasterRequirement.objects.filter(domain=domain)
    rows.exclude(name__in=[requirement.name for requirement in requirements]).delete()
    PostmasterRequirement.objects.bulk_create(
        [
            PostmasterRequirement(domain=domain, name=requirement.name, is_met=requirement.is_met, fetched_at=now)
            for requirement in requirements
        ],
        update_conflicts=True,
        unique_fields=["domain", "name"],
        update_fields=["is_met", "fetched_at"],
    )


def _save_failure(row: PostmasterReading, error: FiguresUnavailable, *, now: datetime) -> None:
    log.warning("Google's figures of %s were not read (%s): %s", row.signing, error.failure.value, error)
    wait = RETRY_AFTER_QUOTA if error.failure is FigureFailure.QUOTA else RETRY_AFTER
    PostmasterReading.objects.filter(pk=row.pk).update(asked_at=now, retry_at=now + wait, failure=error.failure)
