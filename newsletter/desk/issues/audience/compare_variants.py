"""The page “Compare two versions”: the mails with differences outlined, and their text parts line by line."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TypedDict

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy
from django.views.generic import View
from lxml.html import HtmlElement, document_fromstring, tostring

from newsletter.common.errors import DomainError
from newsletter.desk.issues.checking.finding_locations import MissingPart, list_missing_parts
from newsletter.desk.issues.issue_page import ISSUES, IssuePage, IssuePermissionMixin, with_kept_counts
from newsletter.desk.preview.mail_iframe import apply_look, fill_personal_fields, iframe_response
from newsletter.desk.preview.panel import show_or_explain
from newsletter.issue_checks.variant_groups import (
    VariantGroup,
    find_issue_content,
    find_variant_groups,
    parse_group_key,
    render_for_group,
)
from newsletter.models import Issue
from newsletter.rendering.mail import RenderedMail

_OUTLINE_STYLE = "<style>[data-differs]{outline:3px solid #d9480f!important;outline-offset:2px}</style></head>"
_LEAF_TAGS = ("p", "h1", "h2", "h3", "h4", "a", "td", "div", "span", "li", "img")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Line:
    """One line of both text parts. A side without the line has "". ``same`` is True if they agree."""

    left: str
    right: str
    same: bool


class CompareContext(TypedDict, total=False):
    """The context of desk/issue_compare.html: only ``issue`` and ``missing_parts`` if a mail cannot be made yet.

    ``left`` and ``right`` are keys of variant groups; ``differences`` counts lines.
    """

    issue: Issue
    missing_parts: list[MissingPart]
    variant_groups: list[VariantGroup]
    left: str
    right: str
    lines: list[Line]
    differences: int


class IssueCompare(IssuePage):
    template_name = "desk/issue_compare.html"
    header_icon = "view"
    page_title = gettext_lazy("Compare two versions")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        with with_kept_counts(self.request) as counted:
            context = {**super().get_context_data(**kwargs), **self._compare_context()}
        return {**context, **counted}

    def _compare_context(self) -> CompareContext:
        issue = self.issue
        try:
            content = find_issue_content(issue)
            groups = find_variant_groups(issue, content=content)
            left = self.request.GET.get("left") or groups[0].name
            right = self.request.GET.get("right") or groups[min(1, len(groups) - 1)].name
            mails = [render_for_group(content, group=parse_group_key(name)) for name in (left, right)]
        except (DomainError, OSError) as error:
            return {"issue": issue, "missing_parts": list_missing_parts(issue, error)}
        lines = compare_lines(*(fill_personal_fields(mail.text, mail=mail) for mail in mails))
        return {
            "issue": issue,
            "variant_groups": groups,
            "left": left,
            "right": right,
            "lines": lines,
            "differences": sum(not line.same for line in lines),
        }


class ComparedMail(IssuePermissionMixin, View):
    """One of the two mails, for its iframe. Parts that the other mail lacks are outlined."""

    def get(self, request: HttpRequest, pk: int, name: str, other: str) -> HttpResponse:
        issue = get_object_or_404(ISSUES, pk=pk)
        groups = parse_group_key(name), parse_group_key(other)
        if request.GET.get("look", "mail") not in ("mail", "dark"):
            raise Http404("There is no such look.")

        def show(look: str) -> HttpResponse:
            content = find_issue_content(issue)
            mine, theirs = (render_for_group(content, group=group) for group in groups)
            return iframe_response(apply_look(mark_differences(_fill_html(mine), _fill_html(theirs)), look=look))

        return show_or_explain(show, request.GET.get("look", "mail"), request=request)


def mark_differences(html: str, other: str) -> str:
    """Return the HTML with an outline around each element whose text or image the other HTML lacks."""
    root = document_fromstring(html)
    unmatched = Counter(_fingerprint(element) for element in _leaf_elements(document_fromstring(other)))
    for element in _leaf_elements(root):
        fingerprint = _fingerprint(element)
        if unmatched[fingerprint]:
            unmatched[fingerprint] -= 1
        else:
            element.set("data-differs", "yes")
    marked: str = tostring(root, encoding="unicode", doctype="<!doctype html>")
    return marked.replace("</head>", _OUTLINE_STYLE, 1)


def compare_lines(left: str, right: str) -> list[Line]:
    """Return both texts line by line, with equal lines side by side."""
    a, b = left.splitlines(), right.splitlines()
    lines: list[Line] = []
    for tag, a1, a2, b1, b2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [Line(line, line, same=True) for line in a[a1:a2]]
            continue
        for at in range(max(a2 - a1, b2 - b1)):
            left_line = a[a1 + at] if a1 + at < a2 else ""
            right_line = b[b1 + at] if b1 + at < b2 else ""
            lines.append(Line(left_line, right_line, same=False))
    return lines


def _leaf_elements(root: HtmlElement) -> Iterable[HtmlElement]:
    """Yield the elements that directly contain text, and the images."""
    for element in root.body.iter(*_LEAF_TAGS):
        if element.tag == "img" or _own_text(element):
            yield element


def _fingerprint(element: HtmlElement) -> str:
    if element.tag == "img":
        return f"img {element.get('src')}"
    return f"{element.tag} {_own_text(element)} {element.get('href') or ''}"


def _own_text(element: HtmlElement) -> str:
    text = (element.text or "") + "".join(child.tail or "" for child in element)
    return _SPACE.sub(" ", text).strip()


def _fill_html(mail: RenderedMail) -> str:
    return fill_personal_fields(mail.html, mail=mail)
