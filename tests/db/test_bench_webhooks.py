"""The bench of reports runs on an installation that may mail nobody, as one in development."""

import pytest
from django.test import override_settings

from newsletter.bench.parts import measure_webhooks

pytestmark = pytest.mark.django_db


@override_settings(NEWSLETTER_PRODUCTION=False, NEWSLETTER_PROVIDER_URL="outbox://", SUBSCRIBERS_ONLY_TO=[])
def test_reports_are_measured_if_no_real_mail_may_be_sent() -> None:
    figures = measure_webhooks(events=20)
    assert figures.events == 20
    assert min(figures.taken_per_second, figures.applied_per_second) > 0
