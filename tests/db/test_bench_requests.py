"""Measurements that make requests run in development, and in production, which answers one host only."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

from newsletter.bench.parts import measure_webhooks
from newsletter.bench.serving.preview import measure_preview

pytestmark = pytest.mark.django_db


@pytest.fixture
def production() -> Iterator[None]:
    with override_settings(
        NEWSLETTER_PRODUCTION=True,
        NEWSLETTER_SITE_URL="https://letter.example.org",
        ALLOWED_HOSTS=["letter.example.org"],
        CSRF_TRUSTED_ORIGINS=["https://letter.example.org"],
        SESSION_COOKIE_SECURE=True,
        CSRF_COOKIE_SECURE=True,
    ):
        yield


@override_settings(NEWSLETTER_PRODUCTION=False, NEWSLETTER_PROVIDER_URL="outbox://", SUBSCRIBERS_ONLY_TO=[])
def test_reports_are_measured_if_no_real_mail_may_be_sent() -> None:
    figures = measure_webhooks(events=20)
    assert figures.events == 20
    assert min(figures.taken_per_second, figures.applied_per_second) > 0


@pytest.mark.usefixtures("production")
def test_reports_are_measured_in_production() -> None:
    assert measure_webhooks(events=20).events == 20


@pytest.mark.usefixtures("production")
def test_the_preview_is_measured_in_production() -> None:
    assert measure_preview(people=20, times=1).median_ms > 0
