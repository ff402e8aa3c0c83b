"""Save translations of an issue's texts. They hold for every issue of the publication that has the same text."""

from collections.abc import Mapping
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from newsletter.common.errors import NotAllowed, NotReady, WrongState
from newsletter.common.messages import Message
from newsletter.content.parsing.markup import plain_text
from newsletter.issues.approval.edits_of_approved_issues import withdraw_changed_issues
from newsletter.issues.snapshot.drafted_subjects import find_missing_placeholder
from newsletter.issues.snapshot.own_texts import OwnText, TextKind
from newsletter.models import Issue, TextTranslation
from newsletter.rendering.errors import MergeError
from newsletter.rendering.merge import fill_defaults


@transaction.atomic
def save_translations(
    *, issue: Issue, language: str, texts: Mapping[OwnText, str], by: User, now: datetime
) -> list[Issue]:
    """Store the translations that differ from those of now; "" deletes one. Return the issues that lost their approval.

    Raises NotAllowed; NotReady if the publication has no such language or a personal field is wrong; WrongState if the issue
    is being sent or over.
    """
    _require_translatable(issue, language=language, by=by)
    rows = TextTranslation.objects.filter(publication=issue.publication_id, language=language)
    stored = dict(rows.values_list("source_sha256", "text"))
    for text, translated in texts.items():
        translated = _tidy(text, translated)
        if translated == stored.get(text.sha256, ""):
            continue
        _check_fields(text, translated)
        if not translated:
            rows.filter(source_sha256=text.sha256).delete()
            continue
        TextTranslation.objects.update_or_create(
            publication=issue.publication,
            language=language,
            source_sha256=text.sha256,
            defaults={"source": text.text, "text": translated, "by": by, "at": now},
        )
    return withdraw_changed_issues(by=by, now=now)


def _tidy(text: OwnText, translated: str) -> str:
    """Return the translation, or "" for a formatted text without a word."""
    is_blank = text.kind == TextKind.RICH and not plain_text(translated).strip()
    return "" if is_blank else translated.strip()


def _require_translatable(issue: Issue, *, language: str, by: User) -> None:
    if not by.has_perm("newsletter.change_issue"):
        raise NotAllowed(
            "%(user)s may not %(deed)s. Ask an administrator for the right role.",
            user=by,
            deed=Message("translate issues"),
        )
    if language not in issue.publication.languages:
        raise NotReady("%(publication)s is not sent in this language.", publication=issue.publication)
    if issue.state not in Issue.UNSENT_STATES:
        raise WrongState("%(issue)s can no longer be translated: it is being sent, or it is over.", issue=issue)


def _check_fields(text: OwnText, translated: str) -> None:
    try:
        fill_defaults(translated)
    except MergeError as error:
        raise NotReady("“%(text)s”: %(error)s", text=translated[:60], error=error) from error
    if missing := find_missing_placeholder(text.text, translated):
        raise NotReady("“%(text)s”: write {%(name)s} as in the original.", text=translated[:60], name=missing)
