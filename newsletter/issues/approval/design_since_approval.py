"""Find approved issues whose mails the program now makes differently: after an update of it, of a library or an extension."""

from functools import lru_cache
from hashlib import sha256

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.recipient_groups import choose_visible_for_group, make_stored_group
from newsletter.issues.variants.render import render_visible
from newsletter.models import Issue, IssueRevision, Variant
from newsletter.rendering.errors import RenderingError

MAX_MAILS_COMPARED = 10


def find_redesigned_issues() -> list[tuple[Issue, str]]:
    """Return each issue that waits to be sent and whose mails would be made differently, with a name of what they are now.

    Compare some of the mails that were made for the approval. A process compares a revision once: its code stays the same.
    """
    waiting = Issue.objects.filter(
        state__in=[Issue.State.APPROVED, Issue.State.IN_REVIEW], approvals__withdrawn_at__isnull=True
    ).exclude(approvals=None)
    found: list[tuple[Issue, str]] = []
    for issue in waiting.select_related("publication").distinct().order_by("pk"):
        approval = issue.approvals.filter(withdrawn_at__isnull=True).order_by("-at").first()
        design = compare_design(approval.revision_id) if approval else ""
        if design:
            found.append((issue, design))
    return found


@lru_cache(maxsize=256)
def compare_design(revision_id: int) -> str:
    """Return a name of how the mails of a revision are made now; "" if they are made as they were."""
    content = IssueContent.from_json(IssueRevision.objects.get(pk=revision_id).content)
    made = Variant.objects.filter(revision=revision_id, groups__isnull=False).distinct().order_by("pk")
    for variant in made[:MAX_MAILS_COMPARED]:
        now = _make_again(variant, content=content)
        if now not in ("", variant.sha256):
            return now[:12]
    return ""


def _make_again(variant: Variant, *, content: IssueContent) -> str:
    """Return the hash of the mail that its readers would get now; "" if it cannot be compared.

    Readers of another version, because too many were needed, are no example. Nor is a mail that has the day of its send.
    """
    group = variant.groups.order_by("pk").first()
    visible = choose_visible_for_group(content, group=make_stored_group(group)) if group else None
    if visible is None or visible.key != variant.key:
        return ""
    try:
        return render_visible(content, visible=visible).mail.sha256
    except RenderingError as error:
        return sha256(str(error).encode()).hexdigest()
