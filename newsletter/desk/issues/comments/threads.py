"""The comments of an issue as its page and the editor's side panel list them: open ones first, each with its answers."""

import json
from dataclasses import dataclass
from typing import TypedDict

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.side_panels import BaseSidePanel

from newsletter.desk.issues.issue_page import editor_url
from newsletter.issues.comments.block_labels import label_blocks
from newsletter.issues.comments.comment import find_issue_staff
from newsletter.models import Comment, Issue


@dataclass(frozen=True)
class Thread:
    """A comment with its answers. ``block_label`` is that of now; ``block_url`` is "" if the block was deleted."""

    comment: Comment
    answers: list[Comment]
    block_label: str
    block_url: str


class CommentsContext(TypedDict):
    """The context of desk/comments.html. ``blocks`` are (id, label); ``staff_names`` is a list as JSON, for a script."""

    open_threads: list[Thread]
    resolved_threads: list[Thread]
    blocks: list[tuple[str, str]]
    issue_staff: list[User]
    staff_names: str


def comments_context(issue: Issue) -> CommentsContext:
    labels, staff = label_blocks(issue), find_issue_staff()
    rows = list(issue.comments.select_related("person", "resolved_by"))
    threads = [
        Thread(
            comment=comment,
            answers=[answer for answer in rows if answer.parent_id == comment.pk],
            block_label=labels.get(comment.block, comment.block_label),
            block_url=editor_url(issue, part=comment.block) if comment.block in labels else "",
        )
        for comment in rows
        if comment.parent_id is None
    ]
    return {
        "open_threads": [thread for thread in threads if thread.comment.resolved_at is None],
        "resolved_threads": [thread for thread in threads if thread.comment.resolved_at is not None],
        "blocks": list(labels.items()),
        "issue_staff": staff,
        "staff_names": json.dumps([person.username for person in staff]),
    }


class IssueCommentsPanel(BaseSidePanel):
    """The comments next to the editor. An autosave does not update it: a comment that is being written would be lost."""

    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        aria_label = _("Comments")
        icon_name = "comment"

        def get_context_data(self, parent_context: object) -> dict[str, object]:
            return {**super().get_context_data(parent_context), "count": len(self.panel.threads["open_threads"])}

    name = "issue-comments"
    title = _("Comments")
    template_name = "desk/comments_panel.html"
    order = 360

    def __init__(self, issue: Issue, request: HttpRequest) -> None:
        super().__init__(issue, request)
        self.threads = comments_context(Issue.objects.get(pk=issue.pk))

    def get_context_data(self, parent_context: object) -> dict[str, object]:
        return {**super().get_context_data(parent_context), **self.threads, "issue": self.object}
