"""Find which issues a correction corrects, and which corrections an issue has. Reads only.

The rows about recipients are deleted 90 days after a send. So this goes by the details that the mails showed.
"""

from django.db.models import Q, QuerySet

from newsletter.issues.snapshot.exposure import list_sends_to_files
from newsletter.issues.variants.event_mentions import find_event_mentions
from newsletter.models import Correction, Issue, Send, ShownItem


def find_corrected_issues(correction: Correction) -> list[Issue]:
    """Return the issues with the mistake, or those that showed other details before it was drafted, the newest first."""
    if correction.corrects:
        return [correction.corrects]
    misinforming = {
        mention.issue_id
        for mention in find_event_mentions(correction.event_id)
        if mention.publication_id == correction.publication_id and mention.facts != correction.fingerprint
    }
    sent = _list_sends().filter(issue__in=misinforming, made_at__lte=correction.made_at)
    issues = Issue.objects.filter(pk__in=sent.values("issue")).exclude(correction__pk__gte=correction.pk)
    return list(issues.select_related("publication").order_by("-made_at", "-pk"))


def find_corrections_of(issue: Issue) -> list[Correction]:
    """Return the corrections of an issue, the oldest first. Those that were cancelled before their send are left out."""
    first = _list_sends().filter(issue=issue.pk).order_by("made_at").values_list("made_at", flat=True).first()
    if first is None:
        return []
    shown = ShownItem.objects.filter(kind=ShownItem.Kind.EVENT, variant__issue=issue.pk).values("row_id")
    announced = Correction.objects.filter(issue=issue.pk).values("event")
    corrections = Correction.objects.filter(
        Q(event__in=shown) | Q(event__in=announced) | Q(corrects=issue),
        publication=issue.publication_id,
        made_at__gte=first,
    ).exclude(issue=issue.pk)
    never_sent = Q(issue__state=Issue.State.CANCELLED) & ~Q(issue__in=Send.objects.values("issue"))
    rows = corrections.exclude(never_sent).select_related("event", "corrects", "issue__publication").order_by("pk")
    return [correction for correction in rows if issue in find_corrected_issues(correction)]


def _list_sends() -> QuerySet[Send]:
    return Send.objects.exclude(pk__in=list_sends_to_files().values("pk"))
