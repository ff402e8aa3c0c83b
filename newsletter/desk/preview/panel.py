"""The live preview panel of the desk's editors: its modes, its widths, and the view that answers with an iframe page."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from http import HTTPStatus
from time import monotonic
from typing import TypedDict

from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.components import Component, MediaContainer
from wagtail.admin.ui.side_panels import ChecksSidePanel, PreviewSidePanel
from wagtail.snippets.views.snippets import CreateView, EditView, PreviewOnEditView
from wagtail.utils.decorators import xframe_options_sameorigin_override

from newsletter.common.errors import DomainError, NotReady
from newsletter.common.translation import translate
from newsletter.desk.preview.file_errors import explain_failure
from newsletter.desk.preview.mail_iframe import message_iframe_response
from newsletter.desk.preview.modes import PARTS, Mode
from subscribers.desk.count_again import make_count_again_url

_LOG = logging.getLogger(__name__)
LOG_AGAIN_SECONDS = 600.0
logged_failures: dict[int | None, float] = {}
"""When this process logged each error number last."""
DEVICE_SIZES = (
    {"name": "desktop", "icon": "desktop", "device_width": 720, "label": _("Computer width")},
    {"name": "phone", "icon": "mobile-alt", "device_width": 375, "label": _("Phone width")},
)


class PreviewPanelContext(TypedDict):
    """The context of desk/preview_panel.html, which extends a template of Wagtail. ``parts`` are (name, label)."""

    panel: "DeskPreviewPanel"
    object: models.Model
    request: HttpRequest
    preview_url: str
    auto_update_interval: int
    sizes: Sequence[dict[str, object]]
    modes: list[Mode]
    mode_groups: list[tuple[str, list[Mode]]]
    parts: Sequence[tuple[str, str | Promise]]
    people_url: str
    sender: str
    counted: str
    count_again_url: str


class DeskPreviewPanel(PreviewSidePanel):
    """``people_url`` searches for a person to preview as; it is "" if that is not offered.

    With a ``sender``, the row of an inbox is above the mail. ``counted`` says when the people of the modes were counted, if that
    was not for this page.
    """

    template_name = "desk/preview_panel.html"

    class Media:
        js = [
            "subscribers/open_preview.js",
            "newsletter/preview_as.js",
            "newsletter/count_characters.js",
            "newsletter/inbox.js",
            "newsletter/saved_form.js",
            "newsletter/keep_edits.js",
            "newsletter/live_preview.js",
            "newsletter/issue_blocks.js",
            "newsletter/mail_blocks.js",
            "newsletter/undo.js",
            "newsletter/text_limits.js",
            "newsletter/pasted_text.js",
            "newsletter/picture_files.js",
            "newsletter/mentions.js",
        ]

    def __init__(
        self,
        row: models.Model,
        request: HttpRequest,
        *,
        preview_url: str,
        modes: list[Mode],
        people_url: str = "",
        sender: str = "",
        counted: str = "",
    ) -> None:
        super().__init__(row, request, preview_url=preview_url)
        self.modes = modes
        self.people_url = people_url
        self.sender = sender
        self.counted = counted

    def get_context_data(self, parent_context: object) -> PreviewPanelContext:
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
            "parts": PARTS if self.modes[0].recipients else (),
            "people_url": self.people_url,
            "sender": self.sender,
            "counted": self.counted,
            "count_again_url": make_count_again_url(self.request),
        }


class _DeskPreviewMixin:
    """Replace Wagtail's preview panel by ours, and leave out its checks of web pages: they do not fit mail."""

    request: HttpRequest
    counted = ""

    @property
    def people_url(self) -> str:
        return ""

    @property
    def sender(self) -> str:
        return ""

    def list_modes(self) -> list[Mode]:
        return [Mode("", gettext("Preview"))]

    def get_side_panels(self) -> MediaContainer:
        shown_panels: list[Component] = []
        for panel in super().get_side_panels():  # type: ignore[misc]
            if isinstance(panel, PreviewSidePanel):
                modes = self.list_modes()
                panel = DeskPreviewPanel(
                    panel.object,
                    self.request,
                    preview_url=panel.preview_url,
                    modes=modes,
                    people_url=self.people_url,
                    sender=self.sender,
                    counted=self.counted,
                )
            if not isinstance(panel, ChecksSidePanel):
                shown_panels.append(panel)
        return MediaContainer(shown_panels)


class PreviewedEditView(_DeskPreviewMixin, EditView):
    """An editor of an existing row, with our preview panel. Its template keeps the typed text if it cannot be saved."""


class PreviewedCreateView(_DeskPreviewMixin, CreateView):
    """An editor of a new row, with our preview panel."""


class IframePreview(PreviewOnEditView, ABC):
    """Answer the panel with the mail of the unsaved form, or with a list of missing parts.

    Wagtail posts the form, then gets the page. Our script posts it and gets the page at once: nothing is stored then.
    """

    @abstractmethod
    def show(self, mode: str) -> HttpResponse:
        """Return the row of the form in this mode."""

    @method_decorator(xframe_options_sameorigin_override)
    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        state = self._get_form_state()
        if state is not None:
            return self._show_form(self.get_form(self._get_form_data(state)))
        return show_or_explain(self.show, request.GET.get("mode", ""), request=request)

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.headers.get("Accept") == "text/html":
            return self._show_form(self.get_form(request.POST))
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response

    def _show_form(self, form: "ModelForm[models.Model]") -> HttpResponse:
        if not self.validate_form(form):
            lines = [
                f"{form[field].label}: {error}" if field in form.fields else str(error)
                for field, errors in form.errors.items()
                for error in errors
            ]
            response = message_iframe_response(gettext("No preview yet"), lines=lines, request=self.request)
            response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
            return response
        form.save(commit=False)
        return show_or_explain(
            self.show,
            self.request.GET.get("mode", ""),
            request=self.request,
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )


def show_or_explain(
    show: Callable[[str], HttpResponse], mode: str, *, request: HttpRequest, status: int = HTTPStatus.OK
) -> HttpResponse:
    """Return ``show(mode)``, or a page with ``status`` that explains why the mail cannot be made.

    The page has status 503 if the server could not use a file: the script of the page then asks again.
    """
    try:
        return show(mode)
    except NotReady as error:
        title, lines = gettext("Something is missing"), translate(error).splitlines()
    except DomainError as error:
        title, lines = gettext("We cannot show the mail yet"), [explain_failure(error)]
    except OSError as error:
        _log_failure(error)
        title, lines = gettext("We cannot show the mail yet"), [explain_failure(error)]
        status = HTTPStatus.SERVICE_UNAVAILABLE
    response = message_iframe_response(title, lines=lines, request=request)
    response.status_code = status
    return response


def _log_failure(error: OSError) -> None:
    """Log each kind of error every ten minutes at most: an open preview asks again every few seconds."""
    now = monotonic()
    if now - logged_failures.get(error.errno, -LOG_AGAIN_SECONDS) < LOG_AGAIN_SECONDS:
        return
    logged_failures[error.errno] = now
    _LOG.warning(
        "A mail was not shown, because a file could not be read or written: %s. This is logged every 10 minutes at most.",
        error,
    )
