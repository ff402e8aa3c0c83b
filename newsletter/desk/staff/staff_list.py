"""The list of staff: who has which role, and whether their second factor is set up."""

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
    """The person's roles, the highest first."""
    held = {group.name for group in person.groups.all()}
    if person.is_superuser:
        return gettext("Superuser")
    return ", ".join(str(words) for name, words in _ROLES.items() if name in held) or gettext(
        "none: may do nothing here"
    )


def label_second_factor(person: Any) -> Any:
    return _("set up") if person.has_second_factor else _("not set up")


class StaffList(IndexView):
    page_title = _("Staff")
    add_item_label = _("Add somebody")

    @cached_property
    def columns(self) -> list[Column]:
        """Without the tick for many at once, and without what the address says already."""
        left_out = ("username", "is_superuser")
        title, *others = (
            column
            for column in super().columns
            if not isinstance(column, BulkActionsCheckboxColumn) and column.name not in left_out
        )
        role = Column("role", label=_("Role"), accessor=label_roles)
        factor = Column("factor", label=_("Second factor"), accessor=label_second_factor)
        return [title, role, factor, *others]

    def get_base_queryset(self) -> QuerySet[User]:
        guard = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
        people: QuerySet[User] = super().get_base_queryset()
        return people.prefetch_related("groups").annotate(has_second_factor=Exists(guard))


class StaffViewSet(UserViewSet):
    index_view_class = StaffList
    menu_label = _("Staff")
