"""The preview of an issue: each mail that its readers would get, the dark scheme, plain text and the inbox row."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from newsletter.desk.frame import frame_inbox, frame_mail, frame_text
from newsletter.desk.preview import FramedPreview, Mode
from newsletter.desk.readers import NOBODY, find_readers, render_for, resolve_complete
from newsletter.issues.content import Content
from newsletter.models import Issue
from subscribers.errors import DomainError

MOST_MODES = 40
FIRST = f"mail.{NOBODY.place_id}.{NOBODY.giving}"


def list_issue_modes(issue: Issue) -> list[Mode]:
    """The panel's menu for an issue. Where its content cannot be resolved yet, only a reader of unknown place is offered."""
    try:
        readers = find_readers(issue, content=resolve_complete(issue))
    except DomainError:
        return [Mode(FIRST, "A reader of unknown place")]
    largest = readers[0]
    modes = [
        Mode(f"mail.{reader.name}", f"{count(reader.people)} · {reader.label}", group="What readers see")
        for reader in readers[:MOST_MODES]
    ]
    return [
        *modes,
        Mode(f"dark.{largest.name}", "Dark scheme", group="The largest, otherwise"),
        Mode(f"text.{largest.name}", "Plain text", group="The largest, otherwise"),
        Mode(f"inbox.{largest.name}", "Inbox row", group="The largest, otherwise"),
    ]


def count(people: int) -> str:
    return "1 person" if people == 1 else f"{people:,} people"


def show_part(content: Content, *, mode: str, request: HttpRequest) -> HttpResponse:
    """One part of one reader's mail. ``mode`` is ``PART.PLACE_ID.GIVING``, PART being mail, dark, text or inbox."""
    part, place_id, giving = _parse(mode)
    mail = render_for(content, place_id=place_id, giving=giving).mail
    if part == "text":
        return frame_text(mail, request=request)
    if part == "inbox":
        return frame_inbox(mail, sender=content["publication"]["from_name"], request=request)
    return frame_mail(mail, dark=part == "dark")


class IssuePreview(FramedPreview):
    def show(self, mode: str) -> HttpResponse:
        issue: Any = self.object
        return show_part(resolve_complete(issue), mode=mode or FIRST, request=self.request)


def _parse(mode: str) -> tuple[str, int, str]:
    part, _, rest = mode.partition(".")
    place_id, _, giving = rest.partition(".")
    if (
        part not in ("mail", "dark", "text", "inbox")
        or not place_id.isdigit()
        or giving not in ("none", "donor", "monthly")
    ):
        raise Http404("There is no such part of the mail.")
    return part, int(place_id), giving
