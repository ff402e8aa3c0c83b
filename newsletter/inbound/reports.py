"""Turn bounces and complaints that arrive by mail into the same events as those of the providers' webhooks.

Only a report that returns our own signed link counts, so that nobody can report a bounce of somebody else.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from newsletter.common.errors import BadLink
from newsletter.content.parsing.mails.parsed_mail import MailKind, ParsedMail, RecipientReport
from newsletter.feedback.receive import store_feedback
from newsletter.models import Delivery
from newsletter.providers.base.webhooks.bounces import classify_bounce, find_report_status
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from subscribers.links.signed_links import LINK_PATTERN, LinkTarget, Purpose, read_link
from subscribers.models import FormerIdentity, Subscriber

PROVIDER = "inbound"
"""The name under which these events are stored, in the place of a provider's."""
_TOKEN = re.compile(rf"/u/({LINK_PATTERN})(?![A-Za-z0-9_-])")
_ACTIONS = {"failed": FeedbackKind.BOUNCED, "delayed": FeedbackKind.DEFERRED}


def take_report(parsed: ParsedMail, *, key: str, now: datetime) -> bool:
    """Store the content of a report about our mail. Return False if it is not about a mail of ours, which changes nothing."""
    target = _find_target(parsed.returned, now=now)
    person = _find_person(target) if target else None
    if target is None or person is None:
        return False
    if parsed.kind is MailKind.COMPLAINT:
        store_feedback([_make_feedback(FeedbackKind.COMPLAINED, person, target, key=key)], now=now)
        return True
    reported = [report for report in parsed.reports if report.action in _ACTIONS]
    if not reported:
        return False
    # Each of our mails has one recipient. If a server names several, the failure is what counts.
    worst = next((report for report in reported if report.action == "failed"), reported[0])
    store_feedback([_make_feedback(_ACTIONS[worst.action], person, target, key=key, report=worst)], now=now)
    return True


def _find_target(returned: Iterable[str], *, now: datetime) -> LinkTarget | None:
    for value in returned:
        for token in _TOKEN.findall(value):
            try:
                return read_link(token, purpose=Purpose.UNSUBSCRIBE, now=now)
            except BadLink:
                continue
    return None


def _find_person(target: LinkTarget) -> Subscriber | None:
    person = Subscriber.objects.filter(uuid=target.subscriber_uuid).first()
    if person is None:
        former = FormerIdentity.objects.filter(uuid=target.subscriber_uuid).select_related("subscriber").first()
        person = former.subscriber if former else None
    return person


def _make_feedback(
    kind: FeedbackKind, person: Subscriber, target: LinkTarget, *, key: str, report: RecipientReport | None = None
) -> Feedback:
    """Return the event about the person's mail of this send; without such a mail, about their address."""
    mails = Delivery.objects.filter(subscriber_id=person.pk, batch__send=target.mailing, proof=False)
    delivery, batch = mails.values_list("pk", "batch__key").first() or (None, "")
    reply = f"{report.diagnostic} {report.status}" if report else ""
    fallback = BounceClass.HARD if report and report.status.startswith("5.1.") else BounceClass.SOFT
    return Feedback(
        provider=PROVIDER,
        key=key,
        kind=kind,
        address="" if delivery else person.email,
        delivery=delivery,
        batch=batch,
        bounce_class=classify_bounce(reply, fallback=fallback) if kind is FeedbackKind.BOUNCED else BounceClass.NONE,
        reason=report.diagnostic if report else "",
        status=find_report_status(kind, reply),
    )
