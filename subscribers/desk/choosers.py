"""Wagtail's choosers, with the content policy's nonce on their inline script."""

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from wagtail.admin.widgets import BaseChooser
from wagtail.snippets.views.chooser import SnippetChooserViewSet
from wagtail.snippets.widgets import AdminSnippetChooser

from newsletter.common.script_nonce import current_nonce


class NoncedScriptMixin(BaseChooser):
    def render(
        self, name: str, value: object, attrs: dict[str, object] | None = None, renderer: object = None
    ) -> SafeString:
        chosen = self.get_value_data(value)
        given = attrs or {}
        # The script holds names that staff typed, as JSON. An escaped "<" means the same there and cannot end the script.
        script = str(self.render_js_init(given["id"], name, chosen)).replace("<", "\\u003c")
        return format_html(
            '{}<script nonce="{}">{}</script>',
            self.render_html(name, chosen, given),
            current_nonce(),
            mark_safe(script),
        )


class NoncedChooser(NoncedScriptMixin, AdminSnippetChooser):
    pass


class NoncedChooserViewSet(SnippetChooserViewSet):
    base_widget_class = NoncedChooser
