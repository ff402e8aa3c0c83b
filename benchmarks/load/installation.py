"""Fill an installation, and write what its visitors need: `python -m benchmarks.load.installation FILE PEOPLE STAFF`."""

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import django
import orjson

MAX_LINKS = 5_000


@dataclass(frozen=True)
class Visits:
    """What the visitors do. ``desk`` and ``public`` are addresses by the name of the page.

    ``left_out`` are the routes of the desk that show no page without further input, by the status of their answer.
    ``sessions`` are cookies of signed-in staff. ``links`` unsubscribe one person each. ``issue`` is approved for ``people``.
    """

    cookie: str
    sessions: list[str]
    desk: dict[str, str]
    left_out: dict[str, list[str]]
    public: dict[str, str]
    links: list[str]
    issue: int
    people: int


def make_visits(people: int, *, staff: int) -> Visits:
    """Make what years of use leave behind, an approved issue and the draft of the next one.

    Raise NotMeasured if a page of the desk fails: no visitor would open it.
    """
    from datetime import UTC, datetime

    from django.conf import settings

    from newsletter.bench.audience import make_draft_issue
    from newsletter.bench.serving.clients import sign_in
    from newsletter.bench.serving.pages import (
        find_desk_pages,
        find_draft_pages,
        list_public_pages,
        make_used_installation,
        select_pages,
    )
    from newsletter.issues.approval.approval_rules import count_recipients
    from newsletter.issues.approval.approve import approve_by_policy
    from subscribers.links.signed_links import Purpose, Signer, link_keys
    from subscribers.models import Subscriber

    sent, issue = make_used_installation(people)
    approve_by_policy(issue=issue, now=datetime.now(UTC))
    settings.ALLOWED_HOSTS = ["*"]
    clients = [sign_in() for _ in range(staff)]
    draft = make_draft_issue(issue.publication)
    desk, left_out = select_pages(clients[0], [*find_desk_pages(sent), *find_draft_pages(draft)])
    public = list_public_pages(sent)
    signer = Signer(link_keys(), site_url="", issued=datetime.now(UTC))
    unsubscribe = signer.maker(Purpose.UNSUBSCRIBE, bytes.fromhex(sent.publication.mailing_list.public_id))
    readers = Subscriber.objects.order_by("-pk").values_list("uuid", flat=True)[:MAX_LINKS]
    return Visits(
        cookie=settings.SESSION_COOKIE_NAME,
        sessions=[client.cookies[settings.SESSION_COOKIE_NAME].value for client in clients],
        desk=desk,
        left_out={str(status): names for status, names in left_out.items()},
        public={_name_public(url): url for url in public},
        links=list(unsubscribe([uuid.bytes for uuid in readers])),
        issue=issue.pk,
        people=count_recipients(issue, now=datetime.now(UTC), at_once=True),
    )


def _name_public(url: str) -> str:
    """Return the address without the personal part of a link."""
    first, _, rest = url.strip("/").partition("/")
    return f"/{first}/…" if len(rest) > 40 else url


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "newsletter.project.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    Path(sys.argv[1]).write_bytes(orjson.dumps(asdict(make_visits(int(sys.argv[2]), staff=int(sys.argv[3])))))


if __name__ == "__main__":
    main()
