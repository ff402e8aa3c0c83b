"""Find approved issues whose mails would be made differently now: after an update of the program, a library or an extension."""

import logging
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256

import orjson
from django.db.models import Min
from pydantic import ValidationError

from newsletter.issues.approval.approve import find_current_approval
from newsletter.issues.snapshot.records.content import IssueContent, UnknownContentVersion
from newsletter.issues.variants.mail_links import untrack_links
from newsletter.issues.variants.recipient_groups import choose_visible_for_group, make_stored_group
from newsletter.issues.variants.render import render_mail
from newsletter.models import Approval, Issue, IssueRevision, ReaderGroup, Variant
from newsletter.rendering.errors import RenderingError

log = logging.getLogger(__name__)

MAX_MAILS_COMPARED = 10
WAITING_STATES = (Issue.State.APPROVED, Issue.State.IN_REVIEW)
known_designs: dict[tuple[int, int], str] = {}
"""What `compare_design` found for each revision that waits, by its newest approval: that makes the mails again if the design
changed. The code of a process stays the same."""


def find_redesigned_issues() -> list[tuple[Issue, str]]:
    """Return each unsent issue whose mails would look different now, with a hash of their new look.

    Compare some of the mails that were made for the approval, each approval once in a process.
    """
    approvals = Approval.objects.filter(withdrawn_at__isnull=True, issue__state__in=WAITING_STATES).order_by("at")
    newest = {approval.issue_id: (approval.pk, approval.revision_id) for approval in approvals}
    for approved in known_designs.keys() - newest.values():
        del known_designs[approved]
    for approved in newest.values():
        if approved not in known_designs:
            known_designs[approved] = compare_design(approved[1])
    changed = {issue_id: known_designs[approved] for issue_id, approved in newest.items()}
    return [(issue, changed[issue.pk]) for issue in _find_waiting([pk for pk, design in changed.items() if design])]


def _find_waiting(issues: list[int]) -> Iterator[Issue]:
    """Yield those of the issues that still wait, as they were approved: a send may have begun during the comparison."""
    for issue in Issue.objects.filter(pk__in=issues, state__in=WAITING_STATES).select_related(
        "publication__brand", "slot"
    ):
        if find_current_approval(issue) is not None:
            yield issue


def compare_design(revision_id: int) -> str:
    """Return a name of how the mails of a revision are made now; "" if they are made as they were."""
    try:
        content = IssueContent.from_json(IssueRevision.objects.get(pk=revision_id).content)
    except (UnknownContentVersion, ValidationError):
        log.warning("The revision %s cannot be read, so its mails are not compared.", revision_id, exc_info=True)
        return ""
    made = [_make_again(variant, group=group, content=content) for variant, group in _choose_examples(revision_id)]
    changed = sorted(name for name in made if name)
    return sha256(" ".join(changed).encode()).hexdigest()[:12] if changed else ""


def _choose_examples(revision_id: int) -> list[tuple[Variant, ReaderGroup]]:
    """Return some variants, each with one of its groups. Each language, subject and kind of reader comes before the rest."""
    groups = ReaderGroup.objects.filter(revision=revision_id, variant__isnull=False)
    rows = groups.values_list("variant_id", "variant__language", "arm", "frequency").annotate(group=Min("pk"))
    first: dict[tuple[str, int, str], tuple[int, int]] = {}
    more: dict[int, int] = {}
    for variant_id, language, arm, frequency, group_id in rows.order_by("variant_id", "group"):
        first.setdefault((language, arm, frequency), (variant_id, group_id))
        more.setdefault(variant_id, group_id)
    chosen = dict(list((dict(first.values()) | more).items())[:MAX_MAILS_COMPARED])
    variants, examples = Variant.objects.in_bulk(list(chosen)), ReaderGroup.objects.in_bulk(list(chosen.values()))
    return [(variants[variant_id], examples[group_id]) for variant_id, group_id in chosen.items()]


def _make_again(variant: Variant, *, group: ReaderGroup, content: IssueContent) -> str:
    """Return the hash of the mail that a group would get now; "" if it is the stored one, or cannot be compared.

    Readers of another version, because too many were needed, are no example. Nor is a mail that has the day of its send.
    Signatures in addresses are no part of the design.
    """
    visible = choose_visible_for_group(content, group=make_stored_group(group))
    if visible.key != variant.key:
        return ""
    try:
        mail = render_mail(content, visible=visible, public_id=variant.public_id)
    except RenderingError as error:
        return sha256(str(error).encode()).hexdigest()
    except Exception as error:  # an extension's code draws too, and must not end the check of other issues
        log.warning("A mail of the revision %s can no longer be made.", variant.revision_id, exc_info=True)
        return sha256(type(error).__name__.encode()).hexdigest()
    now = _hash_design(mail.subject, mail.html, mail.text, [asdict(variable) for variable in mail.variables])
    return "" if now == _hash_design(variant.subject, variant.html, variant.text, variant.variables) else now


def _hash_design(subject: str, html: str, text: str, variables: object) -> str:
    parts = [subject, untrack_links(html), text, variables]
    return sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()
