"""Segment conditions about issues: people who were sent one, or were not sent one.

“Was sent” includes uncertain recipients, who may have the issue. It excludes people whose mail bounced.
"""

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.errors import BadRule
from newsletter.common.messages import Message
from newsletter.issues.variants.unreached import list_parts
from newsletter.models import Batch, Delivery, DeliveryException, Issue, Publication, Send
from subscribers.segments.membership import subscriber_in
from subscribers.segments.registry import ConditionKind, register_condition

_MAILED_STATES = (Batch.State.ACCEPTED, Batch.State.PARTIAL, Batch.State.UNCERTAIN, Batch.State.WRITTEN_OFF)
_SENT_STATES = (Issue.State.SENDING, Issue.State.SENT)
_MAX_CHOICES = 100


def register() -> None:
    """Add the conditions to the rule language. The app calls it when it starts."""
    hint = gettext_lazy("An issue is named PUBLICATION/NUMBER; PUBLICATION/latest is the newest that was sent.")
    for key, label, find_people, text in (
        ("received", gettext_lazy("Was sent an issue"), _find_received, gettext_lazy("was sent %(issue)s")),
        (
            "not_received",
            gettext_lazy("Was not sent an issue"),
            _find_not_received,
            gettext_lazy("was not sent %(issue)s"),
        ),
    ):
        register_condition(
            ConditionKind(
                key=key,
                label=label,
                compile=find_people,
                describe=lambda name, text=text: text % {"issue": _describe_issue(name)},  # type: ignore[misc]
                choices=_list_choices,
                help=hint,
                resolve=lambda name: _find_issue(name).pk,
            )
        )


def _find_received(name: str) -> Q:
    issue = _find_issue(name)
    if Send.objects.filter(issue=issue, purged_at__isnull=False).exists():
        raise BadRule("the list of people who were sent %(issue)s was deleted. Name a newer issue.", issue=issue)
    not_received = DeliveryException.objects.filter(
        Q(state__in=[DeliveryException.State.REJECTED, DeliveryException.State.SKIPPED]) | Q(bounced_at__isnull=False),
        delivery=OuterRef("pk"),
    )
    batches = Batch.objects.filter(send__issue__in=list_parts(issue), state__in=_MAILED_STATES).values("pk")
    people = Delivery.objects.filter(~Exists(not_received), proof=False, batch__in=batches)
    return subscriber_in(people)


def _find_not_received(name: str) -> Q:
    return ~_find_received(name)


def _find_issue(name: str) -> Issue:
    slug, _, number = name.strip().rpartition("/")
    issues = Issue.objects.select_related("publication").filter(publication__slug=slug, kind=Issue.Kind.ISSUE)
    if number == "latest":
        issue = issues.filter(state__in=_SENT_STATES).order_by("-number").first()
    else:
        issue = issues.filter(number=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    if issue is None:
        newest = Issue.objects.filter(kind=Issue.Kind.ISSUE).select_related("publication").first()
        hint = (
            Message("The newest is %(reference)s.", reference=newest.reference)
            if newest
            else Message("None has been made yet.")
        )
        raise BadRule("there is no issue “%(name)s”. %(hint)s", name=name, hint=hint)
    return issue


def _describe_issue(name: str) -> str:
    issue = _find_issue(name)
    return _("%(issue)s, the latest") % {"issue": issue} if name.endswith("/latest") else str(issue)


def _list_choices() -> list[tuple[str, str]]:
    """Return the latest issue of each publication, then the newest hundred issues with their subjects."""
    latest = [
        (f"{publication.slug}/latest", _("%(name)s: latest sent issue") % {"name": publication.name})
        for publication in Publication.objects.all()
    ]
    newest = Issue.objects.filter(kind=Issue.Kind.ISSUE).select_related("publication")[:_MAX_CHOICES]
    return latest + [(issue.reference, f"{issue}: {issue.default_subject[:60]}".rstrip(": ")) for issue in newest]
