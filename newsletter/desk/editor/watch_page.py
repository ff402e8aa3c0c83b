"""The page “Watch”: the mail as it is saved while somebody else edits the issue."""

from django.utils.translation import gettext_lazy

from newsletter.desk.editor.preview import DEFAULT_MODE
from newsletter.desk.issues.issue_page import IssuePage


class WatchPage(IssuePage):
    """Show the mail without the form. A script loads it again after each save."""

    template_name = "desk/issue_watch.html"
    header_icon = "view"
    page_title = gettext_lazy("Watch")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), "issue": self.issue, "mode": DEFAULT_MODE}
