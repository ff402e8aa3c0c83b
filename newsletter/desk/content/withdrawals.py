"""Withdrawing a story from the desk: first the question, with who has it already; then one service call."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.issues.snapshot.exposure import find_reach
from newsletter.models import ShownItem, Story
from newsletter.sending.limits.withdraw import Withdrawal, reinstate_story, withdraw_story

EDIT_URL_NAME = "wagtailsnippets_newsletter_story:edit"


class WithdrawStory(PermissionCheckedMixin, WagtailAdminTemplateMixin, TemplateView):
    """GET asks, and says what will happen; POST withdraws, or takes the withdrawal back."""

    template_name = "desk/withdraw.html"
    header_icon = "doc-full"
    permission_policy = ModelPermissionPolicy(Story)
    permission_required = "change"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.story = get_object_or_404(Story, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return self.story.title

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("wagtailsnippets_newsletter_story:list"), "label": _("Stories")},
            {"url": reverse(EDIT_URL_NAME, args=[self.story.pk]), "label": self.story.title},
            {"url": "", "label": _("Withdraw")},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {
            **context,
            "story": self.story,
            "edit_url": reverse(EDIT_URL_NAME, args=[self.story.pk]),
            **reach_context(self.story),
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            if "reinstate" in request.POST:
                reinstate_story(story=self.story, by=request.user)
                action, said = (
                    "reinstate_story",
                    _("“%s” is no longer withdrawn. Issues that were held for it still are."),
                )
                messages.success(request, said % self.story.title)
            else:
                reason = request.POST.get("reason", "").strip()
                done = withdraw_story(story=self.story, by=request.user, reason=reason, now=timezone.now())
                action = "withdraw_story"
                messages.success(request, " ".join(describe_withdrawal(self.story, done)))
        except DomainError as error:
            messages.error(request, translate(error))
        else:
            log(instance=self.story, action=f"newsletter.{action}", user=request.user)
        return redirect(EDIT_URL_NAME, pk)


def reach_context(story: Story) -> dict[str, Any]:
    """``reach`` by issue, and ``people``, of those who may have the story in a mail."""
    reach = find_reach(ShownItem.Kind.STORY, story.pk)
    return {"reach": reach, "people": sum(one.people for one in reach)}


def describe_withdrawal(story: Story, done: Withdrawal) -> list[str]:
    """What happened, in sentences."""
    sentences = [_("“%s” is withdrawn: it is in no issue, no online view and no archive any more.") % story.title]
    if done.pictures:
        sentences.append(_("Its pictures show a neutral one now, also in mails that were delivered."))
    if done.people:
        sentences.append(
            ngettext(
                "%(count)s mail with its words was delivered and cannot be called back.",
                "%(count)s mails with its words were delivered and cannot be called back.",
                done.people,
            )
            % {"count": f"{done.people:,}"}
        )
    if done.held:
        sentences.append(_("Held, until you have read it again: %s.") % ", ".join(map(str, done.held)))
    if done.paused:
        sentences.append(_("Its send is paused: %s.") % ", ".join(map(str, done.paused)))
    return sentences
