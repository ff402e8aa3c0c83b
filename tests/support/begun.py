"""Fills an empty database for the tests that kill: python -m tests.support.begun PEOPLE approved|begun

An approved issue that is due now, somebody who was asked to confirm, and, where wanted, a send that was begun.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import django

from tests.support.processes import CONFIRMING


def fill(*, people: int, begun: bool) -> None:
    from django.core.management import call_command

    from newsletter.bench.audience import make_audience
    from newsletter.issues.approve import approve_by_policy
    from newsletter.issues.assemble import assemble_slot, find_slot
    from newsletter.models import Source
    from newsletter.sending.start import start_send
    from subscribers.models import Confirmation
    from subscribers.signup import request_subscription

    now = datetime.now(UTC)
    call_command("migrate", verbosity=0, interactive=False)
    publication = make_audience(people)
    _count_on_from_the_last()
    request_subscription(
        email=CONFIRMING, mailing_list=publication.mailing_list, wording="Yes please", source="a test", now=now
    )
    Source.objects.update(enabled=False)
    Confirmation.objects.update(sent_at=now)
    due = (now - timedelta(minutes=2)).astimezone(ZoneInfo(publication.zone)).strftime("%Y-%m-%dT%H:%M")
    issue = assemble_slot(slot=find_slot(publication=publication, due=due, now=now), now=now).issue
    if issue is None:
        raise SystemExit("The issue was not assembled.")
    approve_by_policy(issue=issue, now=now)
    if begun:
        start_send(issue=issue, now=now)


def _count_on_from_the_last() -> None:
    """The audience was written with ids of its own; PostgreSQL has to be told of them."""
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
    fill(people=int(sys.argv[1]), begun=sys.argv[2] == "begun")
