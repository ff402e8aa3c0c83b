"""Wagtail's choosers: with the content policy's nonce on their inline script, and for permitted staff."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from wagtail.admin.widgets import BaseChooser
from wagtail.log_actions import log
from wagtail.permissions import policy_registry
from wagtail.snippets.views.chooser import (
    ChooseResultsView,
    ChooseView,
    SnippetChooserViewSet,
    SnippetChosenMultipleView,
    SnippetChosenView,
    SnippetCreateView,
)
from wagtail.snippets.widgets import AdminSnippetChooser

from newsletter.common.archiving import can_be_archived
from newsletter.common.script_nonce import current_nonce


class NoncedScriptMixin(BaseChooser):
    def render(
        self, name: str, value: object, attrs: dict[str, object] | None = None, renderer: object = None
    ) -> SafeString:
        chosen = self.get_value_data(value)
        attributes = attrs or {}
        # The script holds names that staff typed, as JSON. An escaped "<" means the same there and cannot end the script.
        script = str(self.render_js_init(attributes["id"], name, chosen)).replace("<", "\\u003c")
        return format_html(
            '{}<script nonce="{}">{}</script>',
            self.render_html(name, chosen, attributes),
            current_nonce(),
            mark_safe(script),
        )


def _name_object(text: str, name: str) -> str:
    return gettext(text) % {"object": name}


_name_object_lazily = lazy(_name_object, str)


class NoncedChooser(NoncedScriptMixin, AdminSnippetChooser):
    """A chooser whose buttons are in the reader's language. Wagtail translates them once, for whoever is the first reader."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        name = self.model._meta.verbose_name
        self.choose_one_text = _name_object_lazily("Choose %(object)s", name)
        self.choose_another_text = _name_object_lazily("Choose another %(object)s", name)
        self.link_to_chosen_text = _name_object_lazily("Edit this %(object)s", name)


class NoncedChooserViewSet(SnippetChooserViewSet):
    base_widget_class = NoncedChooser


class _PermittedMixin:
    """Refuse staff who may not view the rows."""

    model_class: Any

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        policy = policy_registry.get_by_type(self.model_class)
        if not policy.user_has_any_permission(request.user, ["view", "add", "change"]):
            raise PermissionDenied
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return response


class _UsableRowsMixin(_PermittedMixin):
    """Offer the rows that are not archived."""

    def get_object_list(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_object_list()  # type: ignore[misc]
        return rows.filter(archived=False) if can_be_archived(self.model_class) else rows


class ChooseUsable(_UsableRowsMixin, ChooseView):
    pass


class ChooseUsableResults(_UsableRowsMixin, ChooseResultsView):
    pass


class PermittedChosen(_PermittedMixin, SnippetChosenView):
    pass


class PermittedChosenMultiple(_PermittedMixin, SnippetChosenMultipleView):
    pass


class CreateAndChoose(_PermittedMixin, SnippetCreateView):
    """Create a row in the chooser, and note it in the row's history."""

    @transaction.atomic
    def save_form(self, form: object) -> object:
        row = super().save_form(form)
        log(instance=row, action="wagtail.create", user=self.request.user)
        return row


class PermittedChooserViewSet(NoncedChooserViewSet):
    """A chooser for staff who may view the rows. It offers none that are archived."""

    choose_view_class = ChooseUsable
    choose_results_view_class = ChooseUsableResults
    create_view_class = CreateAndChoose
    chosen_view_class = PermittedChosen
    chosen_multiple_view_class = PermittedChosenMultiple
