"""Choosers outside a text: Wagtail's own, whose inline script carries the nonce of the content policy."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from wagtail.snippets.views.chooser import SnippetChooserViewSet
from wagtail.snippets.widgets import AdminSnippetChooser

from newsletter.common.script_nonce import current_nonce


class NoncedChooser(AdminSnippetChooser):
    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        chosen = self.get_value_data(value)
        given = attrs or {}
        # Names that staff gave stand in it as JSON, so an escaped sign means the same and can end no script.
        script = str(self.render_js_init(given["id"], name, chosen)).replace("<", "\\u003c")
        return format_html(
            '{}<script nonce="{}">{}</script>',
            self.render_html(name, chosen, given),
            current_nonce(),
            mark_safe(script),
        )


class NoncedChooserViewSet(SnippetChooserViewSet):
    base_widget_class = NoncedChooser
