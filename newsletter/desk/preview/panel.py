"""The live preview panel, whatever it previews: its modes and sizes, and the view that answers with a frame."""

from abc import ABC, abstractmethod
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.ui.side_panels import ChecksSidePanel, PreviewSidePanel
from wagtail.snippets.views.snippets import CreateView, EditView, PreviewOnEditView
from wagtail.utils.decorators import xframe_options_sameorigin_override

from newsletter.common.errors import DomainError, NotReady
from newsletter.common.translation import translate
from newsletter.desk.preview.mail_iframe import message_iframe_response
from newsletter.desk.preview.modes import PARTS, Mode

__all__ = ["IframePreview", "Mode", "PreviewedCreateView", "PreviewedEditView", "show_or_explain"]

DEVICE_SIZES = (
    {"name": "desktop", "icon": "desktop", "device_width": 720, "label": _("As wide as on a computer")},
    {"name": "phone", "icon": "mobile-alt", "device_width": 375, "label": _("As wide as on a phone")},
)


class DeskPreviewPanel(PreviewSidePanel):
    """``people_url`` is where one person can be looked up to preview as; empty where that is not offered."""

    template_name = "desk/preview_panel.html"

    class Media:
        js = ["subscribers/open_preview.js", "newsletter/preview_as.js", "newsletter/inbox.js"]

    def __init__(
        self, row: models.Model, request: HttpRequest, *, preview_url: str, modes: list[Mode], people_url: str = ""
    ) -> None:
        super().__init__(row, request, preview_url=preview_url)
        self.modes = modes
        self.people_url = people_url

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        groups: dict[str, list[Mode]] = {}
        for mode in self.modes:
            groups.setdefault(mode.group, []).append(mode)
        return {
            "panel": self,
            "object": self.object,
            "request": self.request,
            "preview_url": self.preview_url,
            "auto_update_interval": self.auto_update_interval,
            "sizes": DEVICE_SIZES,
            "modes": self.modes,
            "mode_groups": list(groups.items()),
            "parts": PARTS if self.modes[0].readers else (),
            "people_url": self.people_url,
        }


class _DeskPreviewMixin:
    """The preview panel is ours; Wagtail's checks of web pages say nothing about mail and are left out."""

    request: HttpRequest

    @property
    def people_url(self) -> str:
        return ""

    def list_modes(self) -> list[Mode]:
        return [Mode("", gettext("Preview"))]

    def get_side_panels(self) -> MediaContainer:
        kept: list[Any] = []
        for panel in super().get_side_panels():  # type: ignore[misc]
            if isinstance(panel, PreviewSidePanel):
                kept.append(
                    DeskPreviewPanel(
                        panel.object,
                        self.request,
                        preview_url=panel.preview_url,
                        modes=self.list_modes(),
                        people_url=self.people_url,
                    )
                )
            elif not isinstance(panel, ChecksSidePanel):
                kept.append(panel)
        return MediaContainer(kept)


class PreviewedEditView(_DeskPreviewMixin, EditView):
    """An editor of a row that is there."""


class PreviewedCreateView(_DeskPreviewMixin, CreateView):
    """The editor of a new row, with the same preview beside it."""


class IframePreview(PreviewOnEditView, ABC):
    """Answers the panel with the unsaved form's mail, or with what is missing. Nothing is saved."""

    @abstractmethod
    def show(self, mode: str) -> HttpResponse:
        """The row of the form in this mode; each editor shows its own."""

    @method_decorator(xframe_options_sameorigin_override)
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        state = self._get_form_state()
        if state is not None:
            form = self.get_form(self._get_form_data(state))
            if not self.validate_form(form):
                lines = [f"{field}: {error}" for field, errors in form.errors.items() for error in errors]
                return message_iframe_response(gettext("This cannot be shown yet"), lines=lines, request=request)
            form.save(commit=False)
        return show_or_explain(self.show, request.GET.get("mode", ""), request=request)


def show_or_explain(show: Any, mode: str, *, request: HttpRequest) -> HttpResponse:
    """What ``show(mode)`` answers; where the mail cannot be made, a page that says why."""
    try:
        response: HttpResponse = show(mode)
    except NotReady as error:
        return message_iframe_response(
            gettext("There is something missing"), lines=translate(error).splitlines(), request=request
        )
    except DomainError as error:
        return message_iframe_response(
            gettext("This cannot become a mail as it is"), lines=[translate(error)], request=request
        )
    except OSError as error:
        lines = [
            gettext("A picture's file cannot be read (%(value)s). Choose another picture.")
            % {"value": error.strerror or error}
        ]
        return message_iframe_response(gettext("A picture is missing"), lines=lines, request=request)
    return response
