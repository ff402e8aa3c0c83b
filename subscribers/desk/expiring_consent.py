"""Those whose implied consent runs out within 60 days, so that staff can ask them while they may. It changes nothing."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy

from subscribers.consent.implied_consent import list_expiring_subscriptions
from subscribers.desk.imports.views import REQUIRED_PERMISSION
from subscribers.desk.people_page import SHOWN, PeoplePage


class ExpiringPage(PeoplePage):
    """The first hundred to run out."""

    template_name = "desk/expiring.html"
    page_title = gettext_lazy("Consent that runs out")
    may = REQUIRED_PERMISSION

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        soon = list_expiring_subscriptions(now=timezone.now())
        return {**super().get_context_data(**kwargs), "soon": soon[:SHOWN], "all": soon.count()}
