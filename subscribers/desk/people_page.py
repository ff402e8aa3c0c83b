"""What the pages about many people share: who may enter, and the way that leads to them."""

from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from subscribers.desk.person_actions import require_permission

SHOWN = 100


class PeoplePage(WagtailAdminTemplateMixin, TemplateView):
    """``may`` is the permission without which nobody enters."""

    may: ClassVar[str]
    header_icon = "time"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        require_permission(request, self.may)
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("people:index"), "label": _("Subscribers")},
            {"url": "", "label": str(self.page_title)},
        ]
