"""Two variants side by side, with what differs marked: in the mail by an outline, in the text line by line."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View
from lxml.html import HtmlElement, document_fromstring, tostring
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from newsletter.common.errors import DomainError
from newsletter.desk.issues.finding_locations import list_gaps
from newsletter.desk.issues.overview import ISSUES, IssuePermissionMixin
from newsletter.desk.issues.variant_groups import (
    find_issue_content,
    find_variant_groups,
    parse_group_key,
    render_for_group,
)
from newsletter.desk.preview.mail_iframe import apply_look, fill_personal_fields, frame
from newsletter.desk.preview.panel import show_or_explain
from newsletter.rendering.mail import RenderedMail

_OUTLINE_STYLE = "<style>[data-differs]{outline:3px solid #d9480f!important;outline-offset:2px}</style></head>"
_LEAF_TAGS = "p|h1|h2|h3|h4|a|td|div|span|li|img"
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Line:
    """One line of both text parts; "" on the side that has none. ``same`` says whether they agree."""

    left: str
    right: str
    same: bool


class IssueCompare(IssuePermissionMixin, WagtailAdminTemplateMixin, TemplateView):
    template_name = "desk/issue_compare.html"
    header_icon = "view"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.issue = get_object_or_404(ISSUES, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return _("Two mails side by side")

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("newsletter_issue_overview", args=[self.issue.pk]), "label": str(self.issue)},
            {"url": "", "label": self.get_page_title()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = {**super().get_context_data(**kwargs), "issue": self.issue}
        try:
            content = find_issue_content(self.issue)
            readers = find_variant_groups(self.issue, content=content)
            left = self.request.GET.get("left") or readers[0].name
            right = self.request.GET.get("right") or readers[min(1, len(readers) - 1)].name
            mails = [render_for_group(content, group=parse_group_key(name)).mail for name in (left, right)]
        except (DomainError, OSError) as error:
            return {**context, "missing": list_gaps(self.issue, error)}
        lines = compare_lines(*(fill_personal_fields(mail.text, mail=mail) for mail in mails))
        return {
            **context,
            "readers": readers,
            "left": left,
            "right": right,
            "lines": lines,
            "differences": sum(not line.same for line in lines),
        }


class ComparedMail(IssuePermissionMixin, View):
    """One of the two mails, for its iframe, with what the other does not have outlined."""

    def get(self, request: HttpRequest, pk: int, name: str, other: str) -> HttpResponse:
        issue = get_object_or_404(ISSUES, pk=pk)
        groups = parse_group_key(name), parse_group_key(other)
        if request.GET.get("look", "mail") not in ("mail", "dark"):
            raise Http404("There is no such look.")

        def show(look: str) -> HttpResponse:
            content = find_issue_content(issue)
            mine, theirs = (render_for_group(content, group=group).mail for group in groups)
            return frame(apply_look(mark_differences(_fill_html(mine), _fill_html(theirs)), look=look))

        return show_or_explain(show, request.GET.get("look", "mail"), request=request)


def mark_differences(html: str, other: str) -> str:
    """The HTML with an outline around each piece whose words or picture do not stand in the other."""
    root, there = (
        document_fromstring(html),
        Counter(_fingerprint(piece) for piece in _leaf_elements(document_fromstring(other))),
    )
    for piece in _leaf_elements(root):
        said = _fingerprint(piece)
        if there[said]:
            there[said] -= 1
        else:
            piece.set("data-differs", "yes")
    marked: str = tostring(root, encoding="unicode", doctype="<!doctype html>")
    return marked.replace("</head>", _OUTLINE_STYLE, 1)


def compare_lines(left: str, right: str) -> list[Line]:
    """Both texts line by line, those that agree beside each other."""
    a, b = left.splitlines(), right.splitlines()
    lines: list[Line] = []
    for tag, a1, a2, b1, b2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [Line(line, line, same=True) for line in a[a1:a2]]
            continue
        for at in range(max(a2 - a1, b2 - b1)):
            mine = a[a1 + at] if a1 + at < a2 else ""
            theirs = b[b1 + at] if b1 + at < b2 else ""
            lines.append(Line(mine, theirs, same=False))
    return lines


def _leaf_elements(root: HtmlElement) -> Iterable[HtmlElement]:
    """The innermost elements that say or show something."""
    for element in root.body.iter(*_LEAF_TAGS.split("|")):
        own = (element.text or "") + "".join(child.tail or "" for child in element)
        if element.tag == "img" or own.strip():
            yield element


def _fingerprint(element: HtmlElement) -> str:
    if element.tag == "img":
        return f"img {element.get('src')}"
    own = (element.text or "") + "".join(child.tail or "" for child in element)
    return f"{element.tag} {_SPACE.sub(' ', own).strip()} {element.get('href') or ''}"


def _fill_html(mail: RenderedMail) -> str:
    return fill_personal_fields(mail.html, mail=mail)
