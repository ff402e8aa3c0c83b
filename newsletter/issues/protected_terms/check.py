"""Search an issue for protected terms: its content, what calendars get of its events, and each mail.

A message shows only the mask of a term. Nothing with a protected term may go out.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from django.conf import settings
from pydantic import JsonValue

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.issues.protected_terms.matcher import TermMatcher, TermsByField, get_term_matcher
from newsletter.issues.snapshot.records.blocks import Block, list_events
from newsletter.issues.snapshot.records.content import IssueContent, hash_content
from newsletter.issues.snapshot.records.fields import to_json
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import EventNotice, Issue
from newsletter.rendering.lint.findings import Finding

_NOT_SHOWN = frozenset(
    {"id", "key", "type", "care", "own_title", "calendar", "latitude", "longitude", "not_in", "public_id"}
)
_HTML = frozenset({"html"})
_RANDOM_NAME_PATTERN = (
    r"/(?:m/[\w-]{22}\.(?:jpg|png|gif)|view/[0-9a-f]{32}|calendar/\d+-[0-9a-f]{20}|r/[0-9a-f]+/[0-9a-f]{32})(?![\w-])"
)
_FIELDS = ("subject", "preheader", "headline")
_LOCATIONS = {
    "subject": Message("in the subject"),
    "preheader": Message("in the preheader"),
    "headline": Message("in the headline"),
    "brand": Message("in the brand’s settings"),
    "publication": Message("in the publication’s settings"),
}
_BLOCK, _MAIL = Message("in one of its blocks"), Message("in a mail of some readers")


class MailLike(Protocol):
    """A mail as rendered or as stored. ``sha256`` is over its parts."""

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
    """The terms found in a content, by block and field. Ask it for each mail of the content."""

    matcher: TermMatcher
    found: TermsByField = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        """The errors that every reader would see."""
        return [
            *_make_unreadable_finding(self.matcher),
            *(
                _make_finding(self.matcher, term, block=block, field=name)
                for (block, name), terms in self.found.items()
                for term in sorted(terms)
            ),
        ]

    def find_in(self, mail: MailLike) -> list[Finding]:
        """Return the errors of a mail alone, for example a term that only two blocks together make."""
        if self.matcher.idle:
            return []
        term_ids = frozenset[int]().union(*self.found.values())
        return [_make_finding(self.matcher, term) for term in sorted(search_mail(self.matcher, mail) - term_ids)]


def scan_for_protected_terms(content: IssueContent) -> ContentScan:
    """Search everything that any mail, page, feed or calendar can show of this content."""
    matcher = get_term_matcher()
    return ContentScan(matcher) if matcher.idle else ContentScan(matcher, _search_content(matcher, content))


def require_unprotected(*, issue: Issue, content: IssueContent, mails: Iterable[MailLike]) -> int:
    """Return the id of the newest term that was searched for. Raises NotReady with the first one found, masked."""
    scan = scan_for_protected_terms(content)
    findings = scan.findings or [finding for mail in mails for finding in scan.find_in(mail)]
    if findings:
        more = Message(" More problems: %(count)s.", count=len(findings) - 1) if len(findings) > 1 else ""
        raise NotReady("%(issue)s fails a check: %(error)s%(more)s", issue=issue, error=findings[0].message, more=more)
    return scan.matcher.newest


def has_protected_term(content: IssueContent) -> bool:
    """Return True if a content may not be shown to anybody."""
    scan = scan_for_protected_terms(content)
    return bool(scan.matcher.unreadable) or any(scan.found.values())


def find_issues_with_protected_terms() -> list[Issue]:
    """Return the unsent issues that contain a protected term."""
    waiting = Issue.objects.filter(state__in=Issue.UNSENT_STATES).select_related(
        "publication__brand", "publication__mailing_list", "slot"
    )
    return [issue for issue in waiting if has_protected_term(resolve_content(issue))]


def mail_has_protected_term(mail: MailLike) -> bool:
    """Return True if a mail may not be shown to anybody."""
    matcher = get_term_matcher()
    return bool(matcher.unreadable) or (not matcher.idle and bool(search_mail(matcher, mail)))


def event_has_protected_term(event: EventNotice) -> bool:
    """Return True if an event may not be given to any calendar."""
    matcher = get_term_matcher()
    return bool(matcher.unreadable) or (not matcher.idle and bool(search_event(matcher, event)))


def search_mail(matcher: TermMatcher, mail: MailLike) -> frozenset[int]:
    """Return the ids of the terms in any part of a mail."""

    def search() -> TermsByField:
        texts = mail.subject, mail.preheader
        return {("", ""): search_mail_parts(matcher, texts=texts, plain_text=mail.text, html=mail.html)}

    return matcher.find_cached(f"mail {mail.sha256}", search)["", ""]


def search_mail_parts(matcher: TermMatcher, *, texts: Iterable[str], plain_text: str, html: str) -> frozenset[int]:
    """Return the ids of the terms in the parts of a mail to one person. Nothing is remembered of it."""
    in_texts = matcher.find(*texts, _remove_own_random_urls(plain_text))
    return in_texts | matcher.find_in_page(_remove_own_random_urls(html))


def search_event(matcher: TermMatcher, event: EventNotice) -> frozenset[int]:
    """Return the ids of the terms in an event's calendar entry."""
    texts = event.title, event.summary, event.place_text, event.town
    return matcher.find(*texts) | matcher.find_in_addresses(event.url)


def replace_protected_text(text: str) -> str:
    """Return the text, or a notice in its place if it contains a protected term. For mails to staff."""
    matcher = get_term_matcher()
    if matcher.unreadable:
        return Message("This text cannot be searched for protected terms. Read it in the desk.")
    if matcher.find(text):
        return Message("This text contains a protected term. Read it in the desk.")
    return text


def is_own_random_url(address: str) -> bool:
    """Return True for an address that we draw at random, such as a picture's: any term can be in it by chance."""
    return not _remove_own_random_urls(address).strip()


def _remove_own_random_urls(text: str) -> str:
    return re.sub(rf"{re.escape(settings.NEWSLETTER_SITE_URL)}{_RANDOM_NAME_PATTERN}", "", text)


def _search_content(matcher: TermMatcher, content: IssueContent) -> TermsByField:
    """Search by block and field. Calendars show an event's row as it is now, so rows are searched each time."""
    by_part = dict(matcher.find_cached(f"content {hash_content(content)}", lambda: _search_parts(matcher, content)))
    ids = {row for block in content.all_blocks for row in _list_event_rows(block)}
    events = EventNotice.objects.in_bulk(ids) if ids else {}
    for block in content.all_blocks if events else ():
        rows = [events[row] for row in _list_event_rows(block) if row in events]
        in_rows = frozenset[int]().union(*(search_event(matcher, row) for row in rows))
        if in_rows:
            key = (block.key, "")
            by_part[key] = by_part.get(key, frozenset()) | in_rows
    return by_part


def _list_event_rows(block: Block) -> list[int]:
    """Return the ids of the events of a block and of their translations: a calendar gets either."""
    return [row for event in list_events(block) for row in (event.id, event.translation_id) if row is not None]


def _search_parts(matcher: TermMatcher, content: IssueContent) -> TermsByField:
    """Search each part of every version. A block has the same key in each of them."""
    by_part: TermsByField = {}
    parts: list[tuple[tuple[str, str], JsonValue]] = [
        *((("", name), getattr(version, name)) for version in content.all_versions for name in _FIELDS),
        (("", "subject"), to_json(content.subject_test) if content.subject_test else None),
        (("", "brand"), to_json(content.brand)),
        (("", "publication"), to_json(content.publication)),
        *(((block.key, ""), to_json(block)) for block in content.all_blocks),
    ]
    for key, value in parts:
        strings = _ContentStrings()
        strings.collect(value)
        terms = matcher.find(*strings.texts) | matcher.find_in_addresses(*strings.addresses)
        terms = terms.union(*(matcher.find_in_page(html) for html in strings.pages))
        if terms:
            by_part[key] = by_part.get(key, frozenset()) | terms
    return by_part


@dataclass
class _ContentStrings:
    """The strings of a content, by kind: plain texts, addresses, HTML."""

    texts: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)

    def collect(self, value: JsonValue, name: str = "") -> None:
        """Add every string that readers can see. ``name`` is the JSON key of the value."""
        match value:
            case str():
                self._add(value, name)
            case dict():
                for key, item in value.items():
                    if key not in _NOT_SHOWN:
                        self.collect(item, key)
            case list():
                for item in value:
                    self.collect(item, name)

    def _add(self, text: str, name: str) -> None:
        if name in _HTML:
            self.pages.append(text)
        elif "://" in text and " " not in text.strip():
            if not is_own_random_url(text):
                self.addresses.append(text)
        else:
            self.texts.append(text)


def _make_finding(matcher: TermMatcher, term: int, *, block: str = "", field: str = "") -> Finding:
    message = Message(
        "A protected term (%(mask)s) was found %(where)s. Remove it, or use a name that identifies "
        "nobody. Staff with the role “data” can see which term it is.",
        mask=matcher.mask(term),
        where=_LOCATIONS.get(field, _BLOCK if block else _MAIL),
    )
    return Finding("error", "protected", message, block=block, field=field)


def _make_unreadable_finding(matcher: TermMatcher) -> Iterator[Finding]:
    if message := matcher.explain_unreadable():
        yield Finding("error", "protected-lost", message)
