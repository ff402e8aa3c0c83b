"""Write a comment or an answer, and resolve or reopen a comment. A refused text stays in its form."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from newsletter.common.fields.limited_text import LimitedTextField
from newsletter.common.staff_pages import ServiceAction
from newsletter.desk.issues.issue_page import EDITOR, ISSUES, IssuePermissionMixin, editor_url, overview_url
from newsletter.desk.issues.planning.form_page import IssueFormPage
from newsletter.issues.comments.block_labels import label_blocks
from newsletter.issues.comments.comment import (
    add_comment,
    answer_comment,
    find_issue_staff,
    reopen_comment,
    resolve_comment,
)
from newsletter.models import Comment, Issue

MAX_LENGTH = 5000


_UNKNOWN_BLOCK = gettext_lazy(
    "The block of your comment was deleted or is not saved yet. Choose what the comment is about, then save it."
)


class AnswerForm(forms.Form):
    text = LimitedTextField(
        label=gettext_lazy("Answer"),
        max_length=MAX_LENGTH,
        widget=forms.Textarea({"rows": 4}),
    )
    notify = forms.ModelChoiceField(
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("Nobody else"),
        label=gettext_lazy("Notify"),
        help_text=gettext_lazy("Or write @ and the name of an account in the text."),
    )
    back = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = [person.pk for person in find_issue_staff()]
        field = cast(forms.ModelChoiceField[User], self.fields["notify"])
        field.queryset = User.objects.filter(pk__in=staff).order_by("username")

    def list_notified(self) -> list[User]:
        return list(filter(None, [self.cleaned_data["notify"]]))


class CommentForm(AnswerForm):
    block = forms.ChoiceField(
        label=gettext_lazy("About"), required=False, error_messages={"invalid_choice": _UNKNOWN_BLOCK}
    )
    field_order = ["block", "text", "notify"]

    def __init__(self, *args: object, issue: Issue, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = gettext_lazy("Comment")
        field = cast(forms.ChoiceField, self.fields["block"])
        field.choices = [("", _("The whole issue")), *label_blocks(issue).items()]


class _CommentPage(IssueFormPage):
    """A form that everybody may use who may open the issue."""

    any_permission_required = IssuePermissionMixin.any_permission_required

    def finish(self, comment: Comment, form: forms.Form) -> str:
        self.done("comment", instance=self.issue, message=_("Your comment is saved."), comment=comment.pk)
        return find_way_back(self.issue, comment, back=form.cleaned_data["back"])


class AddComment(_CommentPage):
    form_class = CommentForm
    page_title = gettext_lazy("Add a comment")
    button = gettext_lazy("Add comment")

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "issue": self.issue}

    def get_initial(self) -> dict[str, object]:
        return {"block": self.request.GET.get("block", "")}

    def list_sentences(self) -> list[str]:
        asked = self.request.method == "GET" and self.request.GET.get("block")
        return [str(_UNKNOWN_BLOCK)] if asked and asked not in label_blocks(self.issue) else []

    def run(self, form: forms.Form) -> str:
        comment = add_comment(
            issue=self.issue,
            block=form.cleaned_data["block"],
            text=form.cleaned_data["text"],
            notify=cast(CommentForm, form).list_notified(),
            by=cast(User, self.request.user),
            now=timezone.now(),
        )
        return self.finish(comment, form)


class AnswerComment(_CommentPage):
    form_class = AnswerForm
    page_title = gettext_lazy("Answer a comment")
    button = gettext_lazy("Answer")

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: Any) -> Any:
        self.comment = find_comment(kwargs["pk"], kwargs["comment"])
        return super().dispatch(request, *args, **kwargs)

    def list_sentences(self) -> list[str]:
        return [f"“{self.comment.text}”"]

    def run(self, form: forms.Form) -> str:
        answer = answer_comment(
            comment=self.comment,
            text=form.cleaned_data["text"],
            notify=cast(AnswerForm, form).list_notified(),
            by=cast(User, self.request.user),
            now=timezone.now(),
        )
        return self.finish(answer, form)


@require_POST
def run_comment_step(request: HttpRequest, pk: int, comment: int, step: str) -> HttpResponse:
    """Resolve or reopen a comment, and go back to where it was read."""
    issue, row = get_object_or_404(ISSUES, pk=pk), find_comment(pk, comment)
    action = ServiceAction(
        call=lambda: COMMENT_STEPS[step](request, row), instance=issue, log_action=f"newsletter.comment_{step}"
    )
    return action.respond(request, back=find_way_back(issue, row, back=request.POST.get("back", "")))


def find_comment(issue: int, comment: int) -> Comment:
    """Return a comment of the issue that is no answer, or raise Http404."""
    return get_object_or_404(Comment, pk=comment, issue=issue, parent__isnull=True)


def find_way_back(issue: Issue, comment: Comment, *, back: str) -> str:
    """Return the URL of the editor if the form was next to it, else that of the comment on the issue's page."""
    if back == EDITOR:
        return editor_url(issue)
    return f"{overview_url(issue)}#nl-comment-{comment.pk}"


def _resolve(request: HttpRequest, comment: Comment) -> str:
    resolve_comment(comment=comment, by=cast(User, request.user), now=timezone.now())
    return _("The comment is resolved.")


def _reopen(request: HttpRequest, comment: Comment) -> str:
    reopen_comment(comment=comment, by=cast(User, request.user))
    return _("The comment is open again.")


COMMENT_STEPS: dict[str, Callable[[HttpRequest, Comment], str]] = {"resolve": _resolve, "reopen": _reopen}
