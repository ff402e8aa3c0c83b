"""The base of the pages about many people: the permission to enter, and the way back."""

from typing import ClassVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from newsletter.common.staff_pages import make_breadcrumbs
from subscribers.desk.person_actions import require_permission

MAX_ROWS_SHOWN = 100


class PeoplePage(WagtailAdminTemplateMixin, TemplateView):
    """A page below “Subscribers” that needs `required_permission`."""

    required_permission: ClassVar[str]
    header_icon = "time"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        require_permission(request, self.required_permission)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return make_breadcrumbs((_("Subscribers"), reverse("people:index")), (str(self.page_title), ""))
