"""Whether an issue says a protected term anywhere: in its content, in what a calendar gets of its events, in each mail.

A term is named by its mask alone. What is found is an error, and nothing may go out with one.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.issues.protected_terms.matcher import TermMatcher, get_term_matcher
from newsletter.issues.snapshot.resolve import Content, hash_content, resolve_content
from newsletter.models import EventNotice, Issue
from newsletter.rendering.lint.findings import Finding

_ISSUE_FIELDS = ("subject", "preheader", "headline")
_NOT_SHOWN = frozenset(
    {"id", "key", "type", "care", "own_title", "calendar", "latitude", "longitude", "not_in", "public_id"}
)
_HTML = frozenset({"html"})
_RANDOM_NAME_PATTERN = (
    r"/(?:m/[\w-]{22}\.(?:jpg|png|gif)|view/[0-9a-f]{32}|calendar/\d+-[0-9a-f]{20}|r/[0-9a-f]+/[0-9a-f]{32})(?![\w-])"
)
_WAITING = (Issue.State.DRAFT, Issue.State.IN_REVIEW, Issue.State.APPROVED)
_WHERE = {
    "subject": Message("in the subject"),
    "preheader": Message("in the preheader"),
    "headline": Message("in the headline"),
    "brand": Message("in what is set for the brand"),
    "publication": Message("in what is set for the publication"),
}
_BLOCK, _MAIL = Message("in one of its blocks"), Message("in a mail of some readers")
TermsByField = dict[tuple[str, str], frozenset[int]]


class MailLike(Protocol):
    """A mail as rendered or as stored; ``sha256`` is over its words."""

    @property
    def subject(self) -> str: ...
    @property
    def preheader(self) -> str: ...
    @property
    def html(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True)
class ContentScan:
    """What was found in a content, by block and field; then asked for each of its mails."""

    watch: TermMatcher
    placed: TermsByField = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        """What is wrong whoever reads it."""
        return [
            *_make_unreadable_finding(self.watch),
            *(
                _make_finding(self.watch, number, block=block, field=name)
                for (block, name), numbers in self.placed.items()
                for number in sorted(numbers)
            ),
        ]

    def find_in(self, mail: MailLike) -> list[Finding]:
        """What a mail says beyond that, as where a template or two blocks together say it."""
        if self.watch.idle:
            return []
        known = frozenset[int]().union(*self.placed.values())
        return [_make_finding(self.watch, number) for number in sorted(search_mail(self.watch, mail) - known)]


def scan_for_protected_terms(content: Content) -> ContentScan:
    """Everything that any mail, page, feed or calendar can show of this content."""
    watch = get_term_matcher()
    return ContentScan(watch) if watch.idle else ContentScan(watch, _search_content(watch, content))


def require_unprotected(*, issue: Issue, content: Content, mails: Iterable[MailLike]) -> int:
    """The id of the newest term that was looked for. Raises NotReady, with the first one that the issue says, masked."""
    look = scan_for_protected_terms(content)
    findings = look.findings or [finding for mail in mails for finding in look.find_in(mail)]
    if findings:
        more = _(" (and %(value)s more)") % {"value": len(findings) - 1} if len(findings) > 1 else ""
        raise NotReady(
            _("%(issue)s fails a check: %(value)s%(more)s")
            % {"issue": issue, "value": findings[0].message, "more": more}
        )
    return look.watch.newest


def has_protected_term(content: Content) -> bool:
    """Whether a content may not be shown to anybody."""
    look = scan_for_protected_terms(content)
    if look.watch.idle:
        return False
    return bool(look.watch.lost) or any(look.placed.values())


def find_issues_with_protected_terms() -> list[Issue]:
    """The issues that did not go out yet and say a protected term, which they cannot go out with."""
    waiting = Issue.objects.filter(state__in=_WAITING).select_related(
        "publication__brand", "publication__mailing_list", "slot"
    )
    return [issue for issue in waiting if has_protected_term(resolve_content(issue))]


def mail_has_protected_term(mail: MailLike) -> bool:
    """Whether a mail may not be shown to anybody."""
    watch = get_term_matcher()
    return bool(watch.lost) or (not watch.idle and bool(search_mail(watch, mail)))


def event_has_protected_term(event: EventNotice) -> bool:
    """Whether an event may not be given to any calendar."""
    watch = get_term_matcher()
    return bool(watch.lost) or (not watch.idle and bool(search_event(watch, event)))


def search_mail(watch: TermMatcher, mail: MailLike) -> frozenset[int]:
    """The terms in every part of a mail."""
    return watch.find_cached(
        f"mail {mail.sha256}",
        lambda: (
            watch.find(mail.subject, mail.preheader, _remove_own_random_urls(mail.text))
            | watch.find_in_page(_remove_own_random_urls(mail.html))
        ),
    )


def search_event(watch: TermMatcher, event: EventNotice) -> frozenset[int]:
    """The terms in what a calendar gets of an event."""
    texts = event.title, event.summary, event.place_text, event.town
    return watch.find(*texts) | watch.find_in_addresses(event.url)


def replace_protected_text(text: str) -> str:
    """The text; a word in its place where it says a protected term, for mails to staff."""
    watch = get_term_matcher()
    if watch.lost:
        return Message("What would stand here cannot be searched for protected terms. Read it in the desk.")
    if watch.find(text):
        return Message("What would stand here has a protected term. Read it in the desk.")
    return text


def _search_content(watch: TermMatcher, content: Content) -> TermsByField:
    """By block and field. What a calendar gets of an event is its row as it is now, so that is looked at each time."""
    placed = dict(watch.find_cached(f"content {hash_content(content)}", lambda: dict(_search_parts(watch, content))))
    events = _find_events(content)
    for block in content["blocks"] if events else ():
        shown = [events[event["id"]] for event in block.get("events", []) if event["id"] in events]
        found = frozenset[int]().union(*(search_event(watch, event) for event in shown))
        if found:
            place = (block["key"], "")
            placed[place] = placed.get(place, frozenset()) | found
    return placed


def _search_parts(watch: TermMatcher, content: Content) -> Iterator[tuple[tuple[str, str], frozenset[int]]]:
    parts: list[tuple[tuple[str, str], Any]] = [(("", name), content.get(name, "")) for name in _ISSUE_FIELDS]
    parts += [(("", name), content[name]) for name in ("brand", "publication")]
    parts += [((block["key"], ""), block) for block in content["blocks"]]
    for place, value in parts:
        said = _ContentText()
        said.take(value)
        found = watch.find(*said.texts) | watch.find_in_addresses(*said.addresses)
        found = found.union(*(watch.find_in_page(html) for html in said.pages))
        if found:
            yield place, found


@dataclass
class _ContentText:
    """The strings of resolved content, apart by what they are."""

    texts: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)

    def take(self, value: Any, name: str = "") -> None:
        match value:
            case str():
                self._take_text(value, name)
            case dict():
                for key, one in value.items():
                    if key not in _NOT_SHOWN:
                        self.take(one, key)
            case list() | tuple():
                for one in value:
                    self.take(one, name)

    def _take_text(self, text: str, name: str) -> None:
        if name in _HTML:
            self.pages.append(text)
        elif "://" in text and not text.strip().count(" "):
            if not is_own_random_url(text):
                self.addresses.append(text)
        else:
            self.texts.append(text)


def is_own_random_url(address: str) -> bool:
    """Whether it is one of the names that we draw by lot, in which anything can be read: a picture, an online view."""
    return not _remove_own_random_urls(address).strip()


def _remove_own_random_urls(text: str) -> str:
    return re.sub(rf"{re.escape(settings.NEWSLETTER_SITE_URL)}{_RANDOM_NAME_PATTERN}", "", text)


def _find_events(content: Content) -> dict[int, EventNotice]:
    ids = {event["id"] for block in content["blocks"] for event in block.get("events", [])}
    return {event.pk: event for event in EventNotice.objects.filter(pk__in=ids)} if ids else {}


def _make_finding(watch: TermMatcher, number: int, *, block: str = "", field: str = "") -> Finding:
    message = Message(
        "A protected term (%(watch)s) stands %(where)s. Take it out, or use a name that gives nobody "
        "away. Whoever looks after the people can say which term it is.",
        watch=watch.mask(number),
        where=_WHERE.get(field, _BLOCK if block else _MAIL),
    )
    return Finding("error", "protected", message, block=block, field=field)


def _make_unreadable_finding(watch: TermMatcher) -> Iterator[Finding]:
    if watch.lost:
        message = Message(
            "%(lost)s protected terms cannot be read with the keys of this installation, so nobody can say "
            "whether they stand here. Put the old secret key back, or take these terms off the list.",
            lost=watch.lost,
        )
        yield Finding("error", "protected-lost", message)
