"""List the measurements of an issue's mail, one sentence each: size, events that nobody sees, links, spam score."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.common.text import count_characters
from newsletter.common.translation import translate
from newsletter.issue_checks.render_cache import render_cached
from newsletter.issue_checks.variant_groups import VariantGroup
from newsletter.issues.checks.links import count_link_states, find_silent_links
from newsletter.issues.snapshot.records.blocks import EventsBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.visible.block_choices import shows_events
from newsletter.models import Issue, LinkCheck
from newsletter.rendering.lint.checks import MAX_HTML_BYTES
from newsletter.rendering.lint.document import PHONE_SUBJECT_LENGTH
from newsletter.sending.spam_score import describe_score, find_spam_check


def list_measurements(
    issue: Issue, content: IssueContent, *, groups: Sequence[VariantGroup], sha256: str, now: datetime
) -> list[str]:
    """Return the sentences. A measurement that does not exist has none."""
    mails = (render_cached(content, visible=group.visible, sha256=sha256).mail for group in groups)
    sentences = [describe_size(max(len(mail.html.encode()) for mail in mails)), _describe_subject(issue)]
    sentences.append(_describe_unseen_events(content, groups=groups))
    if settings.NEWSLETTER_LINK_CHECKS:
        sentences.append(_describe_links(content, now=now))
    if check := find_spam_check(issue, sha256=sha256):
        sentences.append(translate(describe_score(check)))
    return [sentence for sentence in sentences if sentence]


def count_unchecked_links(content: IssueContent, *, now: datetime) -> int:
    """Return how many links were not fetched yet; 0 if this installation does not check links."""
    return count_link_states(content, now=now)[""] if settings.NEWSLETTER_LINK_CHECKS else 0


def count_silent_links(content: IssueContent, *, now: datetime) -> int:
    """Return how many links did not answer and are no warning; 0 if this installation does not check links."""
    return len(find_silent_links(content, now=now)) if settings.NEWSLETTER_LINK_CHECKS else 0


def describe_size(size: int) -> str:
    """Return the size of a mail of so many bytes, and how much it can grow, in numbers that add up."""
    shown, limit = round(size / 1000), round(MAX_HTML_BYTES / 1000)
    values = {"size": shown, "limit": limit, "left": limit - shown}
    if size > MAX_HTML_BYTES:
        return _("The mail is %(size)s kB. Gmail cuts mails off at %(limit)s kB.") % values
    return _("The mail is %(size)s kB. Gmail cuts mails off at %(limit)s kB, so it can grow by %(left)s kB.") % values


def _describe_subject(issue: Issue) -> str:
    length = count_characters(issue.default_subject)
    if length <= PHONE_SUBJECT_LENGTH:
        return ""
    values = {"length": length, "shown": PHONE_SUBJECT_LENGTH}
    return _("The subject has %(length)s characters. Phones show about %(shown)s.") % values


def _describe_unseen_events(content: IssueContent, *, groups: Sequence[VariantGroup]) -> str:
    """Return that no reader of these groups sees any of the events, if so."""
    if not shows_events(content):
        return ""
    listed = [event for block in content.blocks if isinstance(block, EventsBlock) for event in block.events]
    if not listed or any(chosen.events for group in groups for chosen in group.visible.events.values()):
        return ""
    return ngettext(
        "Nobody sees the event: it is near no subscriber whose town we know.",
        "Nobody sees the %(events)s events: they are near no subscriber whose town we know.",
        len(listed),
    ) % {"events": len(listed)}


def _describe_links(content: IssueContent, *, now: datetime) -> str:
    counts = count_link_states(content, now=now)
    answering, missing = counts[LinkCheck.State.GOOD], counts[LinkCheck.State.DEAD]
    silent, unchecked = counts[LinkCheck.State.UNREACHED], counts[""]
    parts = [
        ngettext("%(n)s link answers", "%(n)s links answer", answering) % {"n": answering} if answering else "",
        ngettext("%(n)s is not found", "%(n)s are not found", missing) % {"n": missing} if missing else "",
        ngettext("%(n)s does not answer", "%(n)s do not answer", silent) % {"n": silent} if silent else "",
        ngettext(
            "%(n)s is not checked yet: this happens in the background within minutes",
            "%(n)s are not checked yet: this happens in the background within minutes",
            unchecked,
        )
        % {"n": unchecked}
        if unchecked
        else "",
    ]
    listed = ", ".join(part for part in parts if part)
    text = _("Links: %(listed)s.") % {"listed": listed} if listed else ""
    if urls := find_silent_links(content, now=now):
        why = _("No other site answered either, so our own connection may be down. Open these yourself: %(urls)s")
        text = f"{text} {why % {'urls': ', '.join(url[:90] for url in urls)}}"
    return text
