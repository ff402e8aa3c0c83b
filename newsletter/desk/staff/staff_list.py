"""The list of staff with their roles and second factors."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, Column
from wagtail.users.views.users import IndexView, UserViewSet

_ROLES = {
    "admin": _("Administrator"),
    "data": _("Data manager"),
    "approver": _("Approver"),
    "editor": _("Editor"),
    "writer": _("Writer"),
}


def label_roles(person: User) -> str:
    """Return the person's roles, the highest first."""
    held = {group.name for group in person.groups.all()}
    if person.is_superuser:
        return gettext("Superuser")
    return ", ".join(str(label) for name, label in _ROLES.items() if name in held) or gettext(
        "No role: cannot do anything here"
    )


def label_second_factor(person: Any) -> Any:
    return _("set up") if person.has_second_factor else _("not set up")


class StaffList(IndexView):
    page_title = _("Staff")
    add_item_label = _("Add staff")

    @cached_property
    def columns(self) -> list[Column]:
        """Return Wagtail's columns without check boxes, user name and superuser; with role and second factor."""
        hidden = ("username", "is_superuser")
        title, *others = (
            column
            for column in super().columns
            if not isinstance(column, BulkActionsCheckboxColumn) and column.name not in hidden
        )
        role = Column("role", label=_("Role"), accessor=label_roles)
        factor = Column("factor", label=_("Second factor"), accessor=label_second_factor)
        return [title, role, factor, *others]

    def get_base_queryset(self) -> QuerySet[User]:
        apps = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
        users: QuerySet[User] = super().get_base_queryset()
        return users.prefetch_related("groups").annotate(has_second_factor=Exists(apps))


class StaffViewSet(UserViewSet):
    index_view_class = StaffList
    menu_label = _("Staff")
