"""Fills a database for the tests that kill: python -m tests.support.crash_data PEOPLE approved|begun|welcome

``approved``, of an empty one: an approved issue that is due now, and somebody who was asked to confirm. ``begun``, of one
that is filled so: the send of its issue was begun as well. ``welcome``, of one that is filled so: the issue is held, a welcome is
on, and some people joined since.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import django

from tests.support.processes import CONFIRMING, JOINED


def begin() -> None:
    from newsletter.models import Issue
    from newsletter.sending.freezing.start import start_send

    start_send(issue=Issue.objects.get(state=Issue.State.APPROVED), now=datetime.now(UTC))


def welcome() -> None:
    from django.contrib.auth.models import User

    from newsletter.issues.approval.approve import approve_issue
    from newsletter.issues.planning.welcome import set_up_welcome
    from newsletter.models import Issue, Publication
    from subscribers.models import Basis, Subscription

    Issue.objects.update(held=True)
    by = User.objects.create_superuser("approver@example.org")
    first = set_up_welcome(publication=Publication.objects.get(), by=by, now=datetime.now(UTC))[0]
    approve_issue(issue=first, by=by, now=datetime.now(UTC))
    joined = list(Subscription.objects.mailable().order_by("pk").values_list("pk", flat=True)[:JOINED])
    Subscription.objects.filter(pk__in=joined).update(confirmed_at=datetime.now(UTC), basis=Basis.DOUBLE_OPT_IN)


def fill(*, people: int) -> None:
    from django.core.management import call_command

    from newsletter.bench.audience import make_audience
    from newsletter.issues.approval.approve import approve_by_policy
    from newsletter.issues.assembly.assemble import assemble_slot
    from newsletter.issues.assembly.slots import get_or_create_slot
    from newsletter.models import Source
    from subscribers.consent.signup import SignupRequest, request_subscription
    from subscribers.models import Confirmation

    now = datetime.now(UTC)
    call_command("migrate", verbosity=0, interactive=False)
    publication = make_audience(people)
    _know_people_by_their_addresses()
    _count_on_from_the_last()
    request_subscription(
        SignupRequest(email=CONFIRMING, mailing_list=publication.mailing_list, wording="Yes please", source="a test"),
        now=now,
    )
    Source.objects.update(enabled=False)
    Confirmation.objects.update(sent_at=now)
    due = (now - timedelta(minutes=2)).astimezone(ZoneInfo(publication.zone)).strftime("%Y-%m-%dT%H:%M")
    issue = assemble_slot(slot=get_or_create_slot(publication=publication, due=due, now=now), now=now).issue
    if issue is None:
        raise SystemExit("The issue was not assembled.")
    approve_by_policy(issue=issue, now=now)


def _know_people_by_their_addresses() -> None:
    """The audience was written with hashes of its own; a provider's report names an address."""
    from django.db import connection, transaction

    from subscribers.identity import identify
    from subscribers.models import Subscriber

    named = [(identify(email), pk) for pk, email in Subscriber.objects.values_list("pk", "email")]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany("UPDATE subscribers_subscriber SET address_hash = %s WHERE id = %s", named)


def _count_on_from_the_last() -> None:
    """Set PostgreSQL's sequences after rows were written with ids of their own."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('subscribers_subscriber', 'id'), MAX(id))"
                " FROM subscribers_subscriber"
            )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    django.setup()
    steps = {"begun": begin, "welcome": welcome}
    steps[sys.argv[2]]() if sys.argv[2] in steps else fill(people=int(sys.argv[1]))
