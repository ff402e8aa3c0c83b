"""The list of staff with their roles and second factors."""

from typing import Any

import django_filters  # type: ignore[import-untyped]
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.paginator import WagtailPaginator
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, Column
from wagtail.users.views.users import DeleteView, IndexView, UserFilterSet, UserViewSet

from newsletter.desk.staff.staff_forms import ROLE_NAMES, AccountForm, InvitationForm
from newsletter.desk.staff.staff_pages import (
    AccountPage,
    InvitationPage,
    remove_second_factor,
    send_staff_link,
    warn_of_known_keys,
)
from subscribers.desk.editing.row_pages import DeleteRowMixin
from subscribers.desk.editing.uses import RefuseUsedMixin
from subscribers.desk.listing import LimitedSearch


def label_roles(person: User) -> str:
    """Return the person's roles, the highest first."""
    held = {group.name for group in person.groups.all()}
    if person.is_superuser:
        return gettext("Superuser")
    return ", ".join(str(label) for name, label in ROLE_NAMES.items() if name in held) or gettext(
        "No role: cannot do anything here"
    )


def label_second_factor(person: Any) -> Any:
    return _("set up") if person.has_second_factor else _("not set up")


class StaffPaginator(WagtailPaginator):
    @property
    def items_count_label(self) -> str:
        return ngettext("%(number)s account", "%(number)s accounts", self.count) % {"number": self.count}


class StaffFilters(UserFilterSet):
    """Wagtail's filters, with the roles by their names. Nobody here is a superuser, which Wagtail calls an administrator."""

    role = django_filters.MultipleChoiceFilter(
        field_name="groups__name",
        label=_("Role"),
        choices=list(ROLE_NAMES.items()),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        del self.filters["group"], self.filters["is_superuser"]


class StaffList(LimitedSearch, IndexView):
    paginator_class = StaffPaginator
    page_title = _("Staff")
    add_item_label = _("Invite staff")

    @cached_property
    def columns(self) -> list[Column]:
        """Return Wagtail's columns without check boxes, user name and superuser; with role and second factor."""
        hidden = ("username", "is_superuser")
        title, *further = (
            column
            for column in super().columns
            if not isinstance(column, BulkActionsCheckboxColumn) and column.name not in hidden
        )
        role = Column("role", label=_("Role"), accessor=label_roles)
        factor = Column("factor", label=_("Second factor"), accessor=label_second_factor)
        return [title, role, factor, *further]

    def get_base_queryset(self) -> QuerySet[User]:
        apps = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
        users: QuerySet[User] = super().get_base_queryset()
        return users.prefetch_related("groups").annotate(has_second_factor=Exists(apps))


class DeleteStaff(RefuseUsedMixin, DeleteRowMixin, DeleteView):
    """Delete an account that no approval or other decision names. Those stay on record, with who made them."""

    reason = _("Nothing was deleted. Approvals and other decisions on record name this person.")
    advice = _("To close the account, untick “May sign in” on its page.")
    lists_uses = False

    def delete_action(self) -> None:
        username = self.object.get_username()
        super().delete_action()
        warn_of_known_keys(self.request, username)


class StaffViewSet(UserViewSet):
    index_view_class = StaffList
    filterset_class = StaffFilters
    add_view_class = InvitationPage
    edit_view_class = AccountPage
    delete_view_class = DeleteStaff
    create_template_name = InvitationPage.template_name
    edit_template_name = AccountPage.template_name
    copy_view_enabled = False
    menu_label = _("Staff")

    def get_form_class(self, for_update: bool = False) -> type[forms.Form]:
        return AccountForm if for_update else InvitationForm

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("link/<int:pk>/", send_staff_link, name="link"),
            path("factor/<int:pk>/", remove_second_factor, name="factor"),
        ]
