"""The page of people whose implied consent expires within 60 days, so that staff can ask them in time. Reads only."""

from django.utils import timezone
from django.utils.translation import gettext_lazy

from subscribers.consent.implied_consent import list_expiring_subscriptions
from subscribers.desk.imports.views import REQUIRED_PERMISSION
from subscribers.desk.people_page import MAX_ROWS_SHOWN, PeoplePage


class ExpiringConsentPage(PeoplePage):
    """List the first hundred to expire."""

    template_name = "desk/expiring.html"
    page_title = gettext_lazy("Expiring consent")
    required_permission = REQUIRED_PERMISSION

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        expiring = list_expiring_subscriptions(now=timezone.now())
        context: dict[str, object] = super().get_context_data(**kwargs)
        return {**context, "expiring": expiring[:MAX_ROWS_SHOWN], "total": expiring.count()}
