"""The record of processing in the desk, for those who look after people and for administrators. Made to be printed."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy

from newsletter.desk.staff.processing_record import describe_processing
from subscribers.desk.people_page import PeoplePage

KEPT = {
    "left": gettext_lazy("address and details, after the last list was left"),
    "unconfirmed": gettext_lazy("a sign-up that was not confirmed"),
    "held": gettext_lazy("a sign-up that waits for staff"),
    "links": gettext_lazy("links that were mailed, to download, move or erase"),
    "counts": gettext_lazy("counts of sign-ups a network, as keyed hashes"),
    "askings": gettext_lazy("how often a mailbox was asked, as a keyed hash"),
    "files": gettext_lazy("an import's file, its refused lines and remarks"),
    "exports": gettext_lazy("what was asked for as a file, by whom and why"),
    "reports": gettext_lazy("what the provider reports of a mail"),
    "deliveries": gettext_lazy("who was sent which issue; then the numbers alone"),
}
"""The names of `retention_days` in words."""


def can_read_processing(user: Any) -> bool:
    return bool(user.has_perm(ProcessingPage.may))


class ProcessingPage(PeoplePage):
    """It names nobody; opening it changes nothing."""

    template_name = "desk/processing.html"
    page_title = gettext_lazy("Record of processing")
    header_icon = "doc-full-inverse"
    may = "subscribers.add_importbatch"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        record = describe_processing(now=timezone.now())
        kept = [(KEPT[name], days) for name, days in record.kept.items()]
        return {**super().get_context_data(**kwargs), "record": record, "kept": kept}
