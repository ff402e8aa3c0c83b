"""Mailing lists and topics in the desk."""

from typing import Any

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, MultiFieldPanel
from wagtail.admin.ui.tables import BooleanColumn, Column, NumberColumn
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import register_permission_policy
from wagtail.snippets.views.snippets import DeleteView, SnippetViewSet

from subscribers.audience.eligibility import AudienceCount, count_lists
from subscribers.desk.choosers import NoncedChooserViewSet
from subscribers.desk.embedded_form import EmbedPanel
from subscribers.desk.labels import exclusion_label
from subscribers.desk.listing import HOME_BREADCRUMB, DeskList
from subscribers.models import MailingList, Topic

NOBODY = AudienceCount(candidates=0, eligible=0, excluded={})


class NeverDeletePolicy(ModelPermissionPolicy):
    """A list keeps the proof of who asked for it; it is closed to the public instead of deleted."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action != "delete" and bool(super().user_has_permission(user, action))


register_permission_policy(MailingList, NeverDeletePolicy(MailingList))


class KeepChosenTopicsPolicy(ModelPermissionPolicy):
    """A topic goes only while nobody chose it: who chose nothing else would get everything from then on."""

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Any) -> bool:
        kept = action == "delete" and instance.subscribers.exists()
        return not kept and bool(super().user_has_permission_for_instance(user, action, instance))


register_permission_policy(Topic, KeepChosenTopicsPolicy(Topic))


class Lists(DeskList):
    """Every list with how many of its people may be mailed, and why the others may not: all counted at one moment."""

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        counted = count_lists(now=timezone.now())
        for one in context["object_list"]:
            one.counted = counted.get(one.pk, NOBODY)
        return context


def count_mailable(mailing_list: Any) -> int:
    return int(mailing_list.counted.eligible)


def describe_others(mailing_list: Any) -> str:
    """Such as “3 have not confirmed by mail yet; 1 asked for a pause”, the most first; empty where there is nobody else."""
    rows = sorted(mailing_list.counted.excluded.items(), key=lambda row: (-row[1], row[0]))
    return "; ".join(f"{intcomma(people)} {exclusion_label(reason)}" for reason, people in rows)


class ListViewSet(SnippetViewSet):
    model = MailingList
    chooser_viewset_class = NoncedChooserViewSet
    breadcrumbs_items = HOME_BREADCRUMB
    index_view_class = Lists
    icon = "list-ul"
    menu_label = gettext_lazy("Lists")
    base_url_path = "lists"
    copy_view_enabled = False
    search_fields = ["name", "description"]
    search_backend_name = None
    list_display = [
        "name",
        NumberColumn("mailed", label=gettext_lazy("May be mailed"), accessor=count_mailable),
        Column("others", label=gettext_lazy("Others on it"), accessor=describe_others),
        BooleanColumn("double_opt_in", label=gettext_lazy("Confirmed by mail")),
        BooleanColumn("public", label=gettext_lazy("Open to the public")),
    ]
    panels = [
        MultiFieldPanel(
            [FieldPanel("name"), FieldPanel("description"), FieldPanel("slug", heading=gettext_lazy("Short name"))],
            heading=gettext_lazy("What readers are told"),
        ),
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("double_opt_in"), FieldPanel("public")])], heading=gettext_lazy("Signing up")
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("ask_name"), FieldPanel("ask_place")]),
                FieldRowPanel([FieldPanel("ask_topics"), FieldPanel("ask_language")]),
            ],
            heading=gettext_lazy("What the form asks beside the address"),
        ),
        EmbedPanel(heading=gettext_lazy("The form on your own web site")),
    ]


class DeleteTopic(DeleteView):
    """Says why not, where somebody chose it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.has_perm("subscribers.delete_topic") and self.object.subscribers.exists():
            messages.error(request, _("Readers have chosen this topic, so it cannot be deleted. Rename it instead."))
            return redirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)


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
    panels = [
        FieldPanel("name"),
        FieldPanel("slug", heading=gettext_lazy("Short name")),
        HelpPanel(gettext_lazy("A topic that a reader has chosen cannot be deleted, only renamed.")),
    ]
