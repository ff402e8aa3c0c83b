"""The age of the newest backup: stored by a complete archive, told by doctor, and right after a restore."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from newsletter.models import Installation
from newsletter.organisation.health.backup import check_backup
from newsletter.sending.limits.installation_hold import get_installation

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(("age", "level"), [(8 * DAY, "ok"), (9 * DAY, "warning")])
def test_doctor_warns_of_an_old_backup(age: timedelta, level: str) -> None:
    get_installation(now=NOW)
    Installation.objects.update(backed_up_at=NOW - age)
    finding = check_backup(now=NOW)
    assert (finding.level, f"{NOW - age:%Y-%m-%d} 09:30 UTC" in finding.says) == (level, True)


@pytest.mark.parametrize(("production", "level"), [(True, "advice"), (False, "ok")])
def test_doctor_says_if_no_backup_is_known(monkeypatch: pytest.MonkeyPatch, production: bool, level: str) -> None:
    monkeypatch.setattr(settings, "NEWSLETTER_PRODUCTION", production)
    finding = check_backup(now=NOW)
    assert finding.level == level
    assert finding.says.startswith("No archive of `newsletter backup` is known.")
