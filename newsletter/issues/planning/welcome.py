"""Set up the welcome of a publication, change its days, and turn its mails off. Approving a mail turns it on."""

import secrets
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from newsletter.common.errors import BadValue
from newsletter.common.text import escape_merge_fields
from newsletter.issues.approval.approve import withdraw_approvals
from newsletter.issues.approval.edits_of_approved_issues import require_editor
from newsletter.issues.approval.hold import release_issue
from newsletter.issues.approval.publication_switches import require_publication_enabled
from newsletter.issues.approval.welcome_rules import FIRST_STEP
from newsletter.issues.assembly.first_draft import paragraphs
from newsletter.issues.snapshot.filled_blocks import BEST_STORY, NEXT_EVENT
from newsletter.issues.snapshot.own_texts import hash_text
from newsletter.issues.welcome.joined_people import stop_steps
from newsletter.models import Issue, Publication, TextTranslation
from newsletter.rendering.phrases import FALLBACK, base_language

Staff = User | AnonymousUser
_FOLDER = Path(__file__).parent / "welcome_languages"
WELCOME_DAYS = (0, 3, 10)
_FILLED = ((BEST_STORY, NEXT_EVENT), (BEST_STORY,), (NEXT_EVENT,))


class WelcomeText(NamedTuple):
    """One drafted mail. ``{publication}`` and ``{organisation}`` become their names.

    ``notes`` are (heading, paragraphs); ``filled`` are the blocks after the first note that a rule fills.
    """

    subject: str
    preheader: str
    notes: Sequence[tuple[str, str]]
    filled: Sequence[str]


def has_welcome_texts(language: str) -> bool:
    return base_language(language) in WELCOME_TEXTS


def find_welcome_texts(language: str) -> Sequence[WelcomeText]:
    """Return the mails in order. A language that is not here gets English."""
    return WELCOME_TEXTS.get(base_language(language), WELCOME_TEXTS[FALLBACK])


def _read(file: Path) -> Sequence[WelcomeText]:
    mails = tomllib.loads(file.read_text(encoding="utf-8"))["mails"]
    return [
        WelcomeText(
            subject=mail["subject"],
            preheader=mail["preheader"],
            notes=[(note["heading"], note["text"]) for note in mail["notes"]],
            filled=filled,
        )
        for mail, filled in zip(mails, _FILLED, strict=True)
    ]


WELCOME_TEXTS: Mapping[str, Sequence[WelcomeText]] = {file.stem: _read(file) for file in _FOLDER.glob("*.toml")}


@transaction.atomic
def set_up_welcome(*, publication: Publication, by: Staff, now: datetime) -> list[Issue]:
    """Draft the mails of the welcome. Return them; if they exist, they stay as they are. Raises NotAllowed, SwitchedOff."""
    require_editor(by)
    require_publication_enabled(publication)
    Publication.objects.select_for_update().get(pk=publication.pk)
    by_step = {issue.number: issue for issue in publication.issues.filter(kind=Issue.Kind.WELCOME)}
    texts = find_welcome_texts(publication.language)
    for step, (text, days) in enumerate(zip(texts, WELCOME_DAYS, strict=True), FIRST_STEP):
        if step not in by_step:
            by_step[step] = _draft(publication, text=text, step=step, days=days, now=now)
            _translate(publication, text=text, index=step - FIRST_STEP, now=now)
    return [by_step[step] for step in sorted(by_step)]


@transaction.atomic
def change_delay(*, issue: Issue, days: int, by: Staff) -> None:
    """Set how many days after the confirmation a later mail goes out. It holds for people who wait for it already.

    Raises NotAllowed; BadValue if the days are out of range, or do not lie between those of the mails before and after it.
    """
    require_editor(by)
    locked = Issue.objects.select_for_update(of=("self",)).get(pk=issue.pk)
    delays = dict(
        Issue.objects.filter(publication=issue.publication_id, kind=Issue.Kind.WELCOME).values_list(
            "number", "delay_days"
        )
    )
    lowest = max((int(delay or 0) for step, delay in delays.items() if step < locked.number), default=0) + 1
    later = [int(delay or 0) for step, delay in delays.items() if step > locked.number]
    highest = min(later) - 1 if later else Issue.MAX_DELAY_DAYS
    if locked.number == FIRST_STEP or not lowest <= days <= highest:
        raise BadValue(
            "Choose %(lowest)s to %(highest)s days, so that the mails keep their order. Nothing was changed.",
            name="days",
            lowest=lowest,
            highest=highest,
        )
    Issue.objects.filter(pk=issue.pk).update(delay_days=days)
    issue.refresh_from_db()


@transaction.atomic
def turn_off_welcome(*, issue: Issue, by: Staff, now: datetime) -> None:
    """Turn off a welcome mail; without the first one, all of them. People who wait for it do not get it later either.

    Its text stays as a draft. Once it is approved again, it goes to those who confirm from then on. Raises NotAllowed.
    """
    if not by.has_perm("newsletter.send_issue"):
        require_editor(by)
    mails = Issue.objects.filter(publication=issue.publication_id, kind=Issue.Kind.WELCOME)
    if issue.number != FIRST_STEP:
        mails = mails.filter(pk=issue.pk)
    for mail in mails.select_for_update(of=("self",)).order_by("number"):
        withdraw_approvals(issue=mail, now=now)
        release_issue(issue=mail)
        Issue.objects.filter(pk=mail.pk).update(on_since=None)
        stop_steps(issue=mail, now=now)
    issue.refresh_from_db()


def _translate(publication: Publication, *, text: WelcomeText, index: int, now: datetime) -> None:
    """Store the words of the mail in the publication's further languages, except those that staff have translated."""
    sources = _list_words(publication, text)
    for language in filter(has_welcome_texts, publication.languages):
        translated = _list_words(publication, find_welcome_texts(language)[index])
        for source, words in zip(sources, translated, strict=True):
            TextTranslation.objects.get_or_create(
                publication=publication,
                language=language,
                source_sha256=hash_text(source),
                defaults={"source": source, "text": words, "at": now},
            )


def _list_words(publication: Publication, text: WelcomeText) -> list[str]:
    """Return the words of a mail in order, as its blocks hold them."""
    names = _find_names(publication)
    notes = [(_fill(heading, names), paragraphs(_fill(words, names))) for heading, words in text.notes]
    return [_fill(text.subject, names), _fill(text.preheader, names), *chain.from_iterable(notes)]


def _find_names(publication: Publication) -> dict[str, str]:
    return {
        "{publication}": escape_merge_fields(publication.name),
        "{organisation}": escape_merge_fields(publication.brand.name),
    }


def _draft(publication: Publication, *, text: WelcomeText, step: int, days: int, now: datetime) -> Issue:
    names = _find_names(publication)
    first, *closing = [
        ("note", {"heading": _fill(heading, names), "text": paragraphs(_fill(words, names))})
        for heading, words in text.notes
    ]
    filled = [(kind, {} if kind == BEST_STORY else {"heading": ""}) for kind in text.filled]
    issue = Issue(
        publication=publication,
        kind=Issue.Kind.WELCOME,
        number=step,
        delay_days=days,
        public_id=secrets.token_hex(12),
        made_at=now,
        in_archive=False,
        subject=_fill(text.subject, names),
        preheader=_fill(text.preheader, names),
        body=[first, *filled, *closing],
    )
    issue.save()
    issue.store_revision()
    return issue


def _fill(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text
