"""The base of the pages about many people: the permission to enter, and the way back."""

from typing import ClassVar

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.common.staff_pages import StaffTemplatePage
from subscribers.desk.person_actions import require_permission

MAX_ROWS_SHOWN = 100


class PeoplePage(StaffTemplatePage):
    """A page below “Subscribers” that needs `required_permission`."""

    required_permission: ClassVar[str]
    header_icon = "time"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        require_permission(request, self.required_permission)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def list_parents(self) -> list[tuple[str, str]]:
        return [(_("Subscribers"), reverse("people:index"))]

    @classmethod
    def admits(cls, user: User | AnonymousUser) -> bool:
        return bool(user.has_perm(cls.required_permission))
