"""Upgrading: publications, issues and edits that were there before approvals named their audience."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, AFTER = "0022_announced_again", "0024_another_approves_by_default"


def migrate(name: str):
    executor = MigrationExecutor(connection)
    executor.migrate([("newsletter", name)])
    return MigrationExecutor(connection).loader.project_state([("newsletter", name)]).apps


def test_an_upgrade_leaves_no_to_the_default_and_remembers_edits():
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes("newsletter")
    old = migrate(BEFORE)
    now = timezone.now()
    Brand, Publication, Issue = (old.get_model("newsletter", name) for name in ("Brand", "Publication", "Issue"))
    mailing_list = old.get_model("subscribers", "MailingList").objects.create(slug="weekly", name="Weekly")
    common = {"brand": Brand.objects.create(name="B"), "mailing_list": mailing_list, "schedule": "0 9 * * thu"}
    no = Publication.objects.create(slug="no", name="No", another_approves=False, **common)
    yes = Publication.objects.create(slug="yes", name="Yes", another_approves=True, **common)
    issue = Issue.objects.create(publication=no, number=1, public_id="a" * 24, made_at=now, state="approved")
    user = old.get_model("auth", "User").objects.create(username="ann@example.org")
    kind = old.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="newsletter", model="story")[0]
    for number, (action, at) in enumerate(
        [("wagtail.edit", now), ("newsletter.looked", now), ("wagtail.edit", now - timedelta(days=1))]
    ):
        old.get_model("newsletter", "AuditEntry").objects.create(
            content_type=kind,
            object_id="7",
            label="",
            action=action,
            timestamp=at,
            user_id=user.pk,
            previous=str(number) * 64,
            sha256="c" * 64,
            data={},
        )
    revision = old.get_model("newsletter", "IssueRevision").objects.create(
        issue=issue, number=1, sha256="b" * 64, content={}, made_at=now
    )
    old.get_model("newsletter", "Approval").objects.create(
        issue=issue, revision=revision, sha256="b" * 64, person_id=user.pk, at=now
    )
    try:
        new = migrate(AFTER)
        values = dict(new.get_model("newsletter", "Publication").objects.values_list("slug", "another_approves"))
        assert values == {no.slug: None, yes.slug: True}
        assert list(new.get_model("newsletter", "ContentEdit").objects.values_list("kind", "row_id", "person_id")) == [
            ("newsletter.story", 7, user.pk)
        ]
        approval = new.get_model("newsletter", "Approval").objects.get()
        assert (approval.audience_sha256, approval.people) == ("", None)
        for model in ("Approval", "IssueRevision", "Issue", "ContentEdit", "Publication", "Brand"):
            new.get_model("newsletter", model).objects.all().delete()
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(leaves)
