"""Mailing lists and topics in the desk."""

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
from wagtail.admin.ui.tables import BooleanColumn, Column, NumberColumn
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import register_permission_policy
from wagtail.snippets.views.snippets import SnippetViewSet

from subscribers.desk.embed import EmbedPanel
from subscribers.desk.listing import FROM_HOME, DeskList
from subscribers.models import MailingList, Subscription, Topic


class NeverDelete(ModelPermissionPolicy):
    """A list keeps the proof of who asked for it; it is closed to the public instead of deleted."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action != "delete" and bool(super().user_has_permission(user, action))


register_permission_policy(MailingList, NeverDelete(MailingList))


class ListViewSet(SnippetViewSet):
    model = MailingList
    breadcrumbs_items = FROM_HOME
    index_view_class = DeskList
    icon = "list-ul"
    menu_label = gettext_lazy("Lists")
    base_url_path = "lists"
    copy_view_enabled = False
    search_fields = ["name", "description"]
    search_backend_name = None
    list_display = [
        "name",
        NumberColumn("people", label=gettext_lazy("People who said yes"), sort_key="people"),
        BooleanColumn("double_opt_in", label=gettext_lazy("Confirmed by mail")),
        BooleanColumn("public", label=gettext_lazy("Open to the public")),
    ]
    panels = [
        MultiFieldPanel(
            [FieldPanel("name"), FieldPanel("description"), FieldPanel("slug")],
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[MailingList]:
        here = Subscription.objects.mailable().filter(mailing_list=OuterRef("pk")).order_by()
        people = here.values("mailing_list").annotate(people=Count("pk")).values("people")
        return MailingList.objects.annotate(people=Coalesce(Subquery(people), 0))


class TopicViewSet(SnippetViewSet):
    model = Topic
    breadcrumbs_items = FROM_HOME
    index_view_class = DeskList
    icon = "tag"
    base_url_path = "topics"
    copy_view_enabled = False
    search_fields = ["name"]
    search_backend_name = None
    list_display = ["name", Column("slug", label=gettext_lazy("Short name"))]
    panels = [FieldPanel("name"), FieldPanel("slug")]
