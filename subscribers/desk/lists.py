"""Mailing lists and topics in the desk: lists, editors, and what may be deleted."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column, NumberColumn
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import register_permission_policy
from wagtail.snippets.views.snippets import DeleteView, SnippetViewSet

from subscribers.audience.eligibility import AudienceCount, count_lists
from subscribers.desk.choosers import NoncedChooserViewSet
from subscribers.desk.embedded_form import EmbedPanel
from subscribers.desk.labels import exclusion_label
from subscribers.desk.listing import HOME_BREADCRUMB, DeskList
from subscribers.desk.topic_form import TopicForm
from subscribers.models import MailingList, Topic

NOBODY = AudienceCount(candidates=0, eligible=0, excluded={})


class NeverDeletePolicy(ModelPermissionPolicy):
    """Never allow a list to be deleted: it holds the proof of consent. Staff make it non-public instead."""

    def user_has_permission(self, user: User | AnonymousUser, action: str) -> bool:
        return action != "delete" and bool(super().user_has_permission(user, action))


register_permission_policy(MailingList, NeverDeletePolicy(MailingList))


class KeepChosenTopicsPolicy(ModelPermissionPolicy):
    """Allow a topic to be deleted only if nobody chose it: their choice would be lost."""

    def user_has_permission_for_instance(self, user: User | AnonymousUser, action: str, instance: Any) -> bool:
        kept = action == "delete" and instance.subscribers.exists()
        return not kept and bool(super().user_has_permission_for_instance(user, action, instance))


register_permission_policy(Topic, KeepChosenTopicsPolicy(Topic))


class ListIndexView(DeskList):
    """The lists, each with the number of people who can be emailed and who cannot, all counted at one moment."""

    def get_context_data(self, *args: object, **kwargs: object) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        counts = count_lists(now=timezone.now())
        for mailing_list in context["object_list"]:
            mailing_list.audience_count = counts.get(mailing_list.pk, NOBODY)
        return context


def count_mailable(mailing_list: Any) -> int:
    return int(mailing_list.audience_count.eligible)


def describe_excluded(mailing_list: Any) -> str:
    """Return “3 not confirmed yet; 1 paused”, the largest number first; empty if nobody is excluded."""
    rows = sorted(mailing_list.audience_count.excluded.items(), key=lambda row: (-row[1], row[0]))
    return "; ".join(f"{intcomma(people)} {exclusion_label(reason)}" for reason, people in rows)


class ListViewSet(SnippetViewSet):
    model = MailingList
    chooser_viewset_class = NoncedChooserViewSet
    breadcrumbs_items = HOME_BREADCRUMB
    index_view_class = ListIndexView
    icon = "list-ul"
    menu_label = gettext_lazy("Lists")
    base_url_path = "lists"
    copy_view_enabled = False
    search_fields = ["name", "description"]
    search_backend_name = None
    list_display = [
        "name",
        NumberColumn("mailed", label=gettext_lazy("Can be emailed"), accessor=count_mailable),
        Column("others", label=gettext_lazy("Cannot be emailed"), accessor=describe_excluded),
        BooleanColumn("double_opt_in", label=gettext_lazy("Double opt-in")),
        BooleanColumn("public", label=gettext_lazy("Public")),
    ]
    panels = [
        MultiFieldPanel(
            [FieldPanel("name"), FieldPanel("description"), FieldPanel("slug", heading=gettext_lazy("Short name"))],
            heading=gettext_lazy("Details"),
        ),
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("double_opt_in"), FieldPanel("public")])], heading=gettext_lazy("Signing up")
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("ask_name"), FieldPanel("ask_place")]),
                FieldRowPanel([FieldPanel("ask_topics"), FieldPanel("ask_language")]),
            ],
            heading=gettext_lazy("Sign-up form questions"),
            help_text=gettext_lazy("People are asked for topics or a language only if a segment selects by them."),
        ),
        EmbedPanel(heading=gettext_lazy("Sign-up form for your website")),
    ]


class DeleteTopic(DeleteView):
    """Explain why a topic that somebody chose cannot be deleted."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.user.has_perm("subscribers.delete_topic") and self.object.subscribers.exists():
            messages.error(
                request, _("Subscribers have chosen this topic, so you cannot delete it. Rename it instead.")
            )
            return redirect(self.get_success_url())
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response


class TopicViewSet(SnippetViewSet):
    model = Topic
    breadcrumbs_items = HOME_BREADCRUMB
    delete_view_class = DeleteTopic
    index_view_class = DeskList
    icon = "tag"
    base_url_path = "topics"
    copy_view_enabled = False
    search_fields = ["name"]
    search_backend_name = None
    list_display = ["name", Column("slug", label=gettext_lazy("Short name"))]
    edit_handler = ObjectList(
        [
            FieldPanel("name"),
            FieldPanel("names"),
            FieldPanel("slug", heading=gettext_lazy("Short name")),
            HelpPanel(gettext_lazy("You cannot delete a topic that a subscriber has chosen. You can rename it.")),
        ],
        base_form_class=TopicForm,
    )
