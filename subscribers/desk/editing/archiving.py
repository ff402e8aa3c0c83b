"""Archiving in the desk: the rows that are not archived, the archived ones apart, and the page that asks before a change."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise, cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.admin.ui.menus import MenuItem
from wagtail.admin.widgets.button import Button, HeaderButton

from newsletter.common.archiving import Uses, archive_row, bring_back_row, find_active_uses
from newsletter.common.errors import DomainError
from newsletter.common.staff_pages import PermittedPage, ServiceAction, make_breadcrumbs
from newsletter.common.translation import translate
from subscribers.desk.editing.duplicating import DuplicableMixin
from subscribers.desk.editing.uses import describe_uses
from subscribers.desk.listing import DeskList, DeskViewSet
from subscribers.models import MailingList

LOG_ACTIONS = {
    "archive": (gettext_lazy("Archive"), gettext_lazy("Archived")),
    "bring_back": (gettext_lazy("Bring back"), gettext_lazy("Brought back")),
}


def archive_list(mailing_list: MailingList) -> None:
    """Close the list to sign-ups and archive it. Raises InUse if a publication that is not archived is sent to it."""
    archive_row(mailing_list, switch="public")


class ArchivableList(DuplicableMixin, DeskList):
    """The rows that are not archived, or with `archived` the others."""

    archived = False
    archived_url_name = ""
    archive_url_name = ""

    def get_base_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_base_queryset().filter(archived=self.archived)
        return rows

    @cached_property
    def index_url(self) -> str:
        return reverse(self.archived_url_name if self.archived else self.index_url_name)

    @cached_property
    def is_searchable(self) -> bool:
        return not self.archived and bool(super().is_searchable)

    def get_page_title(self) -> str:
        title = capfirst(str(self.model._meta.verbose_name_plural))
        return _("Archived: %(rows)s") % {"rows": title} if self.archived else title

    def get_breadcrumbs_items(self) -> list[dict[str, object]]:
        items: list[dict[str, object]] = super().get_breadcrumbs_items()
        if not self.archived:
            return items
        plural = capfirst(str(self.model._meta.verbose_name_plural))
        here: dict[str, object] = {"url": reverse(self.index_url_name), "label": plural}
        return [*items[:-1], here, {**items[-1], "url": ""}]

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if self.archived:
            return []
        buttons = list(super().header_buttons)
        count = self.model._default_manager.filter(archived=True).count()
        if count:
            url = reverse(self.archived_url_name)
            buttons.append(HeaderButton(_("Archived (%(count)s)") % {"count": count}, url=url, icon_name="folder"))
        return buttons

    def get_list_more_buttons(self, instance: Any) -> list[MenuItem]:
        buttons: list[MenuItem] = super().get_list_more_buttons(instance)
        if self.user_has_permission("change"):
            label = _("Bring back") if self.archived else _("Archive")
            url = reverse(self.archive_url_name, args=[instance.pk])
            buttons.append(MenuItem(label, url=url, icon_name="undo" if self.archived else "folder", priority=25))
        return buttons


class ArchivableEditMixin(DuplicableMixin):
    """For edit views: a button that leads to `ArchivePage`, and a notice on an archived row."""

    archive_url_name = ""
    archived_notice: str | Promise = gettext_lazy("“%(row)s” is archived, so it is not used.")
    request: HttpRequest

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response: HttpResponse = super().get(request, *args, **kwargs)  # type: ignore[misc]
        if self.object.archived:
            url = reverse(self.archive_url_name, args=[self.object.pk])
            notice = str(self.archived_notice) % {"row": self.object}
            messages.warning(request, notice, buttons=[messages.button(url, _("Bring back"))])
        return response

    @cached_property
    def header_more_buttons(self) -> list[Any]:
        label, icon = (_("Bring back"), "undo") if self.object.archived else (_("Archive"), "folder")
        url = reverse(self.archive_url_name, args=[self.object.pk])
        return [*super().header_more_buttons, Button(label, url=url, icon_name=icon, priority=15)]


class ArchivePage(PermittedPage):
    """Explain what archiving does, or what prevents it. Restore an archived row.

    ``find_obstacles`` returns the uses that prevent it. ``require_allowed`` raises a DomainError for any other reason.
    """

    model: Any = None
    template_name = "desk/archive_row.html"
    header_icon = "folder"
    consequences: Sequence[str | Promise] = ()
    after_return: str | Promise = ""
    archive: Callable[[Any], None] = staticmethod(archive_row)
    find_obstacles: Callable[[Any], list[Uses]] = staticmethod(find_active_uses)
    require_allowed: Callable[[Any], None] = staticmethod(lambda row: None)
    mentions_text: str | Promise = gettext_lazy("These go to it or select by it:")
    find_mentions: Callable[[Any], list[Uses]] = staticmethod(lambda row: [])
    index_url_name = ""
    edit_url_name = ""

    def setup(self, request: HttpRequest, *args: object, **kwargs: object) -> None:
        super().setup(request, *args, **kwargs)
        self.row: Any = get_object_or_404(self.model, pk=kwargs["pk"])

    def get_page_title(self) -> str:
        title = _("Bring back %(kind)s: %(row)s") if self.row.archived else _("Archive %(kind)s: %(row)s")
        return title % {"kind": self.model._meta.verbose_name, "row": self.row}

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        rows = capfirst(str(self.model._meta.verbose_name_plural))
        edit = reverse(self.edit_url_name, args=[self.row.pk])
        step = _("Bring back") if self.row.archived else _("Archive")
        return make_breadcrumbs((rows, reverse(self.index_url_name)), (str(self.row), edit), (step, ""))

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        uses = [] if self.row.archived else type(self).find_obstacles(self.row)
        return {
            **super().get_context_data(**kwargs),
            "row": self.row,
            "uses": describe_uses(uses, user=self.request.user),
            "refusal": "" if self.row.archived else self._explain_refusal(),
            "mentions_text": self.mentions_text,
            "mentions": describe_uses(type(self).find_mentions(self.row), user=self.request.user),
            "consequences": [] if self.row.archived else self.list_consequences(),
            "after_return": self.after_return,
            "back": reverse(self.edit_url_name, args=[self.row.pk]),
        }

    def _explain_refusal(self) -> str:
        try:
            type(self).require_allowed(self.row)
        except DomainError as error:
            return translate(error)
        return ""

    def list_consequences(self) -> list[str | Promise]:
        """Return what archiving the row does, in sentences."""
        return list(self.consequences)

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Archive the row if it is not archived, else restore it."""
        edit = reverse(self.edit_url_name, args=[self.row.pk])
        app = self.model._meta.app_label
        if self.row.archived:
            action = ServiceAction(call=self._bring_back, instance=self.row, log_action=f"{app}.bring_back")
            return action.respond(request, back=edit)
        action = ServiceAction(call=self._archive, instance=self.row, log_action=f"{app}.archive")
        return action.respond(request, back=reverse(self.index_url_name))

    def _archive(self) -> str:
        type(self).archive(self.row)
        return _("“%(row)s” is archived. You can bring it back from the archived ones.") % {"row": self.row}

    def _bring_back(self) -> str:
        bring_back_row(self.row)
        back = _("“%(row)s” is back.") % {"row": self.row}
        return f"{back} {self.after_return}".strip()


class ArchivableViewSet(DeskViewSet):
    """A viewset of rows that can be archived and brought back."""

    index_view_class = ArchivableList
    archive_page_class: ClassVar[type[ArchivePage]] = ArchivePage

    def get_common_view_kwargs(self, **kwargs: object) -> dict[str, object]:
        names = {f"{name}_url_name": self.get_url_name(name) for name in ("archived", "archive")}
        return {**super().get_common_view_kwargs(**kwargs), **names}

    def get_urlpatterns(self) -> list[URLPattern]:
        listed = self.get_index_view_kwargs()
        template = {
            "template_name": self.index_template_name,
            "results_template_name": self.index_results_template_name,
        }
        archived = self.construct_view(
            self.index_view_class, **{**listed, **template, "archived": True, "index_results_url_name": ""}
        )
        return [
            *super().get_urlpatterns(),
            path("archived/", archived, name="archived"),
            path("archive/<int:pk>/", self.construct_view(self.archive_page_class), name="archive"),
        ]
