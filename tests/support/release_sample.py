"""Fill the database of a release's fixture, in processes of its own: python -m tests.support.release_sample week|pause|resume

``week``, of an empty database: the sample organisation's week, and the rows of the desk's pages. ``pause``, of one that is
filled so: a send that is paused half-way, and a row in every table that had none. It prints as JSON who is in that send, with
their links. ``resume``: as staff do it, the send goes on.
"""

import json
import os
import sys
from datetime import UTC, datetime

import django
from django.utils import timezone

PEOPLE = 40
SENT_BATCHES = 3
_REQUESTED_BY_STAFF: dict[str, object] = {
    **dict.fromkeys(("asked_by_key", "allowed_by_id", "allowed_at", "expires_at", "used_at", "people_in_file")),
    "person_ids": [1],
}
_KNOWN: dict[str, dict[str, object]] = {
    "subscribers.ExportRequest": _REQUESTED_BY_STAFF,
    "newsletter.AccountMove": {"from_account": "default", "to_account": "backup", "code": "away", "by": ""},
    "newsletter.PaceStep": {
        "code": "slowed",
        "reports": 5,
        "mailbox": "Gmail",
        "status": "4.7.28",
        "people_per_minute": 60,
    },
    "newsletter.Correction": {"corrects_id": None},
    "newsletter.RunningProcess": {"web": True},
    "newsletter.PostmasterReading": {"domain": "news.example.org", "read_at": datetime.now(UTC), "failure": ""},
}
"""Values of tables whose constraints want what nobody can guess."""


def week() -> None:
    from django.core.management import call_command
    from rich.console import Console

    from newsletter.demo.sample_week import run_sample_week
    from newsletter.demo.site_server import DemoSite
    from tests.support.demo_rows import print_rows

    now = timezone.now()
    call_command("migrate", verbosity=0, interactive=False)
    with DemoSite(now=now) as site:
        run_sample_week(site_url=site.url, people=PEOPLE, now=now, console=Console())
    print_rows()


def pause() -> None:
    from django.contrib.auth.models import User

    from newsletter.demo.sample_week import LOGIN
    from newsletter.feedback.endpoint import webhook_secret
    from newsletter.issues.protected_terms.terms import add_terms
    from newsletter.models import Delivery, Issue
    from newsletter.sending.adapters import current_adapter
    from newsletter.sending.dispatching.dispatcher import Dispatcher
    from newsletter.sending.dispatching.worker_loop import dispatch_due
    from newsletter.sending.freezing.start import start_send
    from newsletter.sending.settling.send_controls import pause_send
    from subscribers.models import Subscriber
    from tests.support.demo_rows import SPANISH_STAFF, copy_and_approve
    from tests.support.people import path_to
    from tests.support.table_rows import fill_empty_tables

    now = timezone.now()
    staff, second = (User.objects.get(email=email) for email in (LOGIN.email, SPANISH_STAFF))
    add_terms(lines="Oleander Quince", note="A name that no story has", by=staff, now=now)
    weekly = Issue.objects.filter(publication__slug="weekly").earliest("pk")
    send = start_send(issue=copy_and_approve(weekly, "f", by=staff, approver=second), now=now, at_once=True)
    sent = dispatch_due(dispatcher=Dispatcher(adapter=current_adapter()), limit=SENT_BATCHES)
    if sent != SENT_BATCHES or send.batches.count() <= SENT_BATCHES + 1:
        raise SystemExit(f"{sent} of {send.batches.count()} batches were sent; the send is not half-way.")
    pause_send(send=send, by=staff)
    fill_empty_tables(now=now, known=_KNOWN)
    deliveries = Delivery.objects.filter(batch__send=send)
    people = Subscriber.objects.filter(pk__in=deliveries.values("subscriber_id")).order_by("email")
    links = {person.email: path_to(person, send.issue.publication.mailing_list) for person in people}
    facts = {"send": send.pk, "links": links, "webhook": f"/hooks/mailgun/{webhook_secret('mailgun')}"}
    json.dump(facts, sys.stdout)


def resume() -> None:
    from django.contrib.auth.models import User

    from newsletter.demo.sample_week import LOGIN
    from newsletter.models import Send
    from newsletter.sending.settling.send_controls import resume_send

    resume_send(send=Send.objects.get(state=Send.State.PAUSED), by=User.objects.get(email=LOGIN.email))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    django.setup()
    {"week": week, "pause": pause, "resume": resume}[sys.argv[1]]()
