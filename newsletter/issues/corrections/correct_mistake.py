"""Correct a mistake in an issue that was sent, for exactly the people who have it. It sends no mail."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.html import linebreaks

from newsletter.common.errors import NotReady, WrongState
from newsletter.common.text import shorten
from newsletter.issues.approval.publication_switches import require_publication_enabled
from newsletter.issues.archive.correction_text import may_name_stopped_story
from newsletter.issues.corrections.correct import require_corrector
from newsletter.issues.corrections.draft import draft_correction
from newsletter.issues.snapshot.own_texts import hash_text
from newsletter.issues.variants.event_mentions import find_reached
from newsletter.issues.variants.unreached import find_root, list_parts, require_no_open_call
from newsletter.models import Correction, Issue, Send, TextTranslation
from newsletter.rendering.merge import fill_defaults
from newsletter.rendering.phrases import reader_text

_UNDER_WAY = (Send.State.PREPARING, Send.State.READY, Send.State.SUBMITTING, Send.State.PAUSED)


def correct_mistake(*, issue: Issue, text: str, by: User | AnonymousUser, now: datetime) -> Issue:
    """Return the draft of a correction with this text.

    Raises NotAllowed, SwitchedOff; WrongState while the issue is being sent, or if a correction of it waits; NotReady if
    nobody is known to have it.
    """
    require_corrector(by)
    require_publication_enabled(issue.publication)
    sequence = (issue.corrections.aggregate(last=Max("sequence"))["last"] or 0) + 1
    require_correctable(issue)
    try:
        with transaction.atomic():
            return _make_correction(issue, text=text, sequence=sequence, by=by, now=now)
    except IntegrityError:
        require_correctable(issue)
        raise


def find_waiting_correction(issue: Issue) -> Issue | None:
    """Return the correction of the issue's mistake that is not sent yet, if there is one."""
    waiting = issue.corrections.filter(issue__state__in=[*Issue.UNSENT_STATES, Issue.State.SENDING])
    correction = waiting.select_related("issue__publication").order_by("sequence").last()
    return correction.issue if correction else None


def find_other_reached_parts(issue: Issue) -> list[Issue]:
    """Return the issues that this one completes, or that complete it, and that somebody got. Each is corrected on its own."""
    parts = Issue.objects.filter(pk__in=list_parts(find_root(issue))).exclude(pk=issue.pk)
    return [part for part in parts.select_related("publication").order_by("number") if find_reached(part).exists()]


def is_correctable(issue: Issue) -> bool:
    """Return True if a correction of the issue can be drafted now."""
    if issue.state not in (Issue.State.SENT, Issue.State.CANCELLED):
        return False
    try:
        require_correctable(issue)
    except (WrongState, NotReady):
        return False
    return True


def require_correctable(issue: Issue) -> None:
    """Raise WrongState or NotReady if no mail of the issue can be corrected now, or a draft does so already."""
    if issue.is_welcome:
        raise NotReady(
            "New people get %(issue)s every day. Correct its text. Write to those who have it in an issue of its own.",
            issue=issue,
        )
    if Send.objects.filter(issue=issue, state__in=_UNDER_WAY).exists():
        raise WrongState(
            "%(issue)s is being sent, so more people may get the mistake. Wait until its send ends, or stop it permanently.",
            issue=issue,
        )
    require_no_open_call(issue)
    waiting = find_waiting_correction(issue)
    if waiting is not None:
        raise WrongState(
            "%(correction)s corrects %(issue)s and is not sent yet. Add to its text, or cancel it first.",
            correction=waiting,
            issue=issue,
        )
    if not find_reached(issue).exists():
        raise NotReady(
            "No recipient of %(issue)s is known: nobody got it, or it was sent so long ago that its recipients were deleted.",
            issue=issue,
        )


def _make_correction(original: Issue, *, text: str, sequence: int, by: User | AnonymousUser, now: datetime) -> Issue:
    publication = original.publication
    subject = _find_public_subject(original)
    texts = _write_texts(subject or publication.name, language=publication.language)
    for language in publication.languages:
        _store_translations(original, texts, subject=subject, language=language, now=now)
    issue = draft_correction(
        publication=publication,
        subject=texts[0],
        preheader=shorten(" ".join(fill_defaults(text).split()), 100),
        body=[("note", {"heading": texts[1], "text": linebreaks(text, autoescape=True)})],
        by=by,
        now=now,
    )
    Correction.objects.create(
        issue=issue,
        publication=publication,
        corrects=original,
        change_type=Correction.ChangeType.MISTAKE,
        sequence=sequence,
        made_at=now,
    )
    return issue


def _write_texts(subject: str, *, language: str) -> tuple[str, str]:
    """Return the subject and the heading of a correction."""
    return reader_text("mistake_subject", language, title=subject), reader_text("mistake_heading", language)


def _find_public_subject(issue: Issue) -> str:
    """Return the issue's subject, or "" if a story of the issue was withdrawn or is gone: the subject may name it."""
    return "" if may_name_stopped_story(issue) else issue.subject


def _store_translations(original: Issue, texts: tuple[str, str], *, subject: str, language: str, now: datetime) -> None:
    """Store the heading in another language, and the subject if that of the issue is translated."""
    stored = TextTranslation.objects.filter(publication=original.publication, language=language)
    known = stored.filter(source_sha256=hash_text(subject)).first() if subject else None
    translated = _write_texts(known.text if known else "", language=language)
    pairs = zip(texts if known else texts[1:], translated if known else translated[1:], strict=True)
    for source, text in pairs:
        stored.get_or_create(
            publication=original.publication,
            language=language,
            source_sha256=hash_text(source),
            defaults={"source": source, "text": text, "by": None, "at": now},
        )
