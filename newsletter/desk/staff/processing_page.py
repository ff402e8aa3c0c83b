"""The page of the record of processing, for administrators and staff who manage people. Made to be printed."""

from django.utils import timezone
from django.utils.translation import gettext_lazy

from newsletter.desk.staff.processing_record import describe_processing
from subscribers.desk.count_again import counted_context, wants_count
from subscribers.desk.people_page import PeoplePage

RETENTION_LABELS = {
    "left": gettext_lazy("address and details, after the person left the last list"),
    "unconfirmed": gettext_lazy("a sign-up that was not confirmed"),
    "held": gettext_lazy("a sign-up that waits for review"),
    "links": gettext_lazy("emailed links to download data, change an address or erase data"),
    "counts": gettext_lazy("number of sign-ups per network, as a keyed hash"),
    "askings": gettext_lazy("number of confirmation emails per mailbox, as a keyed hash"),
    "files": gettext_lazy("an import file, its refused lines and notes"),
    "exports": gettext_lazy("export requests: what, by whom and why"),
    "reports": gettext_lazy("the provider’s reports about emails"),
    "deliveries": gettext_lazy("who was sent which issue; after that, only totals"),
    "webhooks": gettext_lazy("what was told to other systems by webhook, without addresses"),
    "inbound": gettext_lazy("that a mail came in; what a reply says only until staff have it"),
    "dmarc": gettext_lazy("DMARC reports: addresses of mail servers, and counts"),
    "mails": gettext_lazy("that a single mail was sent, as a keyed hash; its values only until then"),
}
"""Labels for the names of `retention_days`."""


class ProcessingPage(PeoplePage):
    template_name = "desk/processing.html"
    page_title = gettext_lazy("Record of processing")
    header_icon = "doc-full-inverse"
    required_permission = "subscribers.add_importbatch"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        record = describe_processing(now=timezone.now(), again=wants_count(self.request))
        retention = [(RETENTION_LABELS[name], days) for name, days in record.retention_days.items()]
        return {
            **super().get_context_data(**kwargs),
            "record": record,
            "retention": retention,
            **counted_context(self.request, record.bases_counted_at),
        }
