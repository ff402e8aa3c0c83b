"""The page that withdraws a story everywhere, or reinstates it."""

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.errors import BadValue, DomainError
from newsletter.common.staff_pages import PermittedPage, make_breadcrumbs
from newsletter.common.translation import translate
from newsletter.desk.shell.labels import describe_paused, link_issues
from newsletter.issues.corrections.hold_corrections import find_corrections_about
from newsletter.issues.corrections.people_of_story import find_reach
from newsletter.models import Issue, Story
from newsletter.sending.mails_with_story import (
    find_held_with,
    find_paused_with,
    find_stoppable_with,
)
from newsletter.sending.settling.retention import RETENTION
from newsletter.sending.withdraw_story import (
    Withdrawal,
    reinstate_story,
    withdraw_story,
)

EDIT_URL_NAME = "wagtailsnippets_newsletter_story:edit"


class WithdrawStoryPage(PermittedPage):
    """GET asks for confirmation and shows who has the story; POST withdraws or reinstates it."""

    template_name = "desk/withdraw.html"
    header_icon = "doc-full"
    permission_policy = ModelPermissionPolicy(Story)

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self.story = get_object_or_404(Story, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return self.story.title

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return make_breadcrumbs(
            (_("Stories"), reverse("wagtailsnippets_newsletter_story:list")),
            (self.story.title, reverse(EDIT_URL_NAME, args=[self.story.pk])),
            (_("Withdraw"), ""),
        )

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context: dict[str, object] = super().get_context_data(**kwargs)
        return {
            **context,
            "story": self.story,
            "edit_url": reverse(EDIT_URL_NAME, args=[self.story.pk]),
            "original": self.story.translation_of,
            "translations": _list_translations(self.story),
            "stopped": link_issues(find_stoppable_with(self.story), user=self.request.user),
            "corrections": link_issues(_find_corrections(self.story), user=self.request.user),
            **reach_context(self.story),
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        reason = request.POST.get("reason", "").strip()
        try:
            with transaction.atomic():
                if "reinstate" in request.POST:
                    reinstate_story(story=self.story, by=request.user)
                    action = "reinstate_story"
                    sentences = _describe_reinstated(self.story, user=request.user)
                else:
                    done = withdraw_story(story=self.story, by=request.user, reason=reason, now=timezone.now())
                    action = "withdraw_story"
                    sentences = describe_withdrawal(self.story, done, user=request.user)
                log(instance=self.story, action=f"newsletter.{action}", user=request.user)
        except BadValue as error:
            return self.refuse(reason=reason, refusal=translate(error))
        except DomainError as error:
            messages.error(request, translate(error))
        else:
            messages.success(request, format_html_join(" ", "{}", ((sentence,) for sentence in sentences)))
        return redirect(EDIT_URL_NAME, pk)


def reach_context(story: Story) -> dict[str, object]:
    """Return `reach`, the people who may have the story by issue, and their number, `people`.

    `is_most`: the number is the most that it can be, because the rows of an older send are deleted.
    """
    reach = find_reach(story)
    return {
        "reach": reach,
        "people": sum(reached.people for reached in reach),
        "is_most": any(reached.is_most for reached in reach),
        "kept_days": RETENTION.days,
    }


def _find_corrections(story: Story) -> list[Issue]:
    return find_corrections_about(list(Story.objects.stopped_with(story)))


def _list_translations(story: Story) -> str:
    return ", ".join(f"“{translation.title}”" for translation in story.translations.order_by("language"))


def _describe_reinstated(story: Story, *, user: User | AnonymousUser) -> list[str]:
    sentences = [_("“%s” is reinstated.") % story.title]
    if held := find_held_with(story):
        text = ngettext(
            "It is still on hold: {issues}. Read it again, then release it.",
            "They are still on hold: {issues}. Read them again, then release them.",
            len(held),
        )
        sentences.append(format_html(text, issues=link_issues(held, user=user)))
    if paused := find_paused_with(story):
        sentences.append(_describe_still_paused(paused, user=user))
    return sentences


def describe_withdrawal(story: Story, done: Withdrawal, *, user: User | AnonymousUser) -> list[str]:
    """Return the effects of the withdrawal as sentences."""
    sentences = [_("“%s” is withdrawn. It is no longer in any issue, online view or archive page.") % story.title]
    if translations := _list_translations(story):
        sentences.append(_("Its translations are not shown any more either: %s.") % translations)
    if done.pictures:
        sentences.append(_("A neutral image replaces its images, also in emails already delivered."))
    if done.mails_sent:
        text = ngettext(
            "%(count)s delivered email contains its text and cannot be recalled.",
            "%(count)s delivered emails contain its text and cannot be recalled.",
            done.mails_sent,
        )
        if done.is_most:
            text = ngettext(
                "At most %(count)s delivered email contains its text and cannot be recalled.",
                "At most %(count)s delivered emails contain its text and cannot be recalled.",
                done.mails_sent,
            )
        sentences.append(text % {"count": intcomma(done.mails_sent)})
    if done.held:
        held = link_issues(done.held, user=user)
        text = ngettext(
            "On hold until you review it: {issues}.", "On hold until you review them: {issues}.", len(done.held)
        )
        sentences.append(format_html(text, issues=held))
    if done.paused:
        sentences.append(describe_paused(done.paused, user=user))
    if mailed := [issue for issue in done.corrections if issue.state not in Issue.UNSENT_STATES]:
        text = ngettext(
            "A correction may be about it. Its text is no longer shown online: {issues}.",
            "Corrections may be about it. Their texts are no longer shown online: {issues}.",
            len(mailed),
        )
        sentences.append(format_html(text, issues=link_issues(mailed, user=user)))
    return sentences


def _describe_still_paused(issues: list[Issue], *, user: User | AnonymousUser) -> str:
    text = ngettext(
        "Its send is still paused: {issues}. Whoever may send issues can resume it on its page.",
        "Their sends are still paused: {issues}. Whoever may send issues can resume them on their pages.",
        len(issues),
    )
    return format_html(text, issues=link_issues(issues, user=user))
