"""Actions of people on their own pages and of staff in the desk: python -m tests.soak.staff_changes

Reads a line of JSON, ``{"what": "erase" | "move" | "resume", "number": N}``, and answers with one, ``{"done": true |
false}``, once it is committed. To resume concerns the send that is paused, and no number.
"""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

import django

from tests.soak.addresses import address_of, new_address_of


def change(*, what: str, number: int) -> bool:
    """Return False if the database could not do it now, or if there is nothing to change."""
    from django.db import Error, close_old_connections

    close_old_connections()
    try:
        return resume() if what == "resume" else change_person(what=what, number=number)
    except Error:
        return False
    finally:
        close_old_connections()


def change_person(*, what: str, number: int) -> bool:
    from subscribers.erasing.erasure import erase_person
    from subscribers.models import MailingList, Subscriber
    from subscribers.people.change_address import confirm_address_change

    now = datetime.now(UTC)
    person = Subscriber.objects.filter(email=address_of(number)).first()
    if person is None:
        return False
    if what == "erase":
        erase_person(subscriber=person, by="the person", now=now)
    else:
        confirm_address_change(link=_ask_for_move(person, MailingList.objects.get(), new_address_of(number)), now=now)
    return True


def resume() -> bool:
    from django.contrib.auth import get_user_model

    from newsletter.models import Send
    from newsletter.sending.settling.send_controls import resume_send

    approver, _ = get_user_model().objects.get_or_create(username="approver@example.org", is_superuser=True)
    send = Send.objects.filter(state=Send.State.PAUSED).first()
    if send is not None:
        resume_send(send=send, by=approver)
    return send is not None


def _ask_for_move(person: Any, mailing_list: Any, email: str) -> Any:
    """Return the link that waits in the new mailbox."""
    from subscribers.models import MailedLink
    from subscribers.people.mailed_links import Kind

    now = datetime.now(UTC)
    return MailedLink.objects.create(
        subscriber=person,
        mailing_list=mailing_list,
        kind=Kind.CONFIRM_ADDRESS,
        new_email=email,
        asked_at=now,
        sent_at=now,
    )


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    django.setup()
    sys.stdout.write(json.dumps({"done": True}) + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps({"done": change(**json.loads(line))}) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
