"""The preview of an issue: each mail that its readers would get, in every look that it can have, or one person's own."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from newsletter.common.errors import DomainError
from newsletter.desk.issues.variant_groups import NOBODY, content_of, find_readers, name_group, read_group, render_for
from newsletter.desk.preview.frame import frame_inbox, frame_mail, frame_text
from newsletter.desk.preview.preview import FramedPreview
from newsletter.desk.preview.preview_modes import PART_NAMES, Mode
from newsletter.desk.preview.preview_person import PERSON, read_person
from newsletter.desk.shell.labels import say_people
from newsletter.issues.snapshot.resolve import Content
from newsletter.models import Issue

MOST_MODES = 40
FIRST = f"mail.{name_group(NOBODY)}"


def list_issue_modes(issue: Issue) -> list[Mode]:
    """The panel's menu for an issue. Where its content cannot be resolved yet, only a reader of unknown place is offered."""
    try:
        readers = find_readers(issue, content=content_of(issue))
    except (DomainError, OSError):
        return [Mode(FIRST, _("A reader of unknown place"))]
    return [
        Mode(f"mail.{reader.name}", f"{say_people(reader.people)} · {reader.label}") for reader in readers[:MOST_MODES]
    ]


def show_part(content: Content, *, mode: str, request: HttpRequest) -> HttpResponse:
    """One look at one reader's mail. ``mode`` is ``PART.READERS``, such as ``dark.12.donor`` or ``text.person.7``.

    Raises Http404 where there is no such part or reader, and what rendering raises.
    """
    part, _, name = mode.partition(".")
    if part not in PART_NAMES:
        raise Http404("There is no such part of the mail.")
    if name.startswith(PERSON):
        group, fields = read_person(name, user=request.user, publication=content["publication"])
    else:
        group, fields = read_group(name), {}
    mail = render_for(content, group=group).mail
    if part == "text":
        return frame_text(mail, request=request, fields=fields)
    if part == "inbox":
        return frame_inbox(mail, sender=content["publication"]["from_name"], request=request, fields=fields)
    return frame_mail(mail, look=part, fields=fields)


class IssuePreview(FramedPreview):
    def show(self, mode: str) -> HttpResponse:
        issue: Any = self.object
        return show_part(content_of(issue), mode=mode or FIRST, request=self.request)
