"""Feeds of real static site generators are read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.organisation import Organisation
from tests.integration.static_sites import GENERATORS, Post, StaticSite, serve_generated
from tests.integration.tools import skip_without


@pytest.fixture(params=GENERATORS)
def site(request: pytest.FixtureRequest, tmp_path: Path, organisation: Organisation) -> Iterator[StaticSite]:
    skip_without(request.param)
    day = datetime.now(UTC) - timedelta(days=2)
    with serve_generated(request.param, folder=tmp_path / request.param) as made:
        made.posts = {
            "bridge": Post("Bridges & boats", "The bridge opened on Monday.", f"{day:%Y-%m-%dT10:00:00Z}"),
            "well": Post("The well works", "The well was repaired.", f"{day - timedelta(days=1):%Y-%m-%dT10:00:00Z}"),
            "school": Post("A school of “our own”", "Lessons began.", f"{day - timedelta(days=2):%Y-%m-%dT10:00:00Z}"),
        }
        made.build()
        organisation.add_source("Stories", kind="feed", url=made.feed)
        yield made


def test_posts_are_read_with_titles_as_text_and_their_dates(site, organisation):
    organisation.ingest_well()
    rows = organisation.install.query("SELECT title, published_at FROM newsletter_story ORDER BY published_at")
    assert [(title, str(published)[:10]) for title, published in rows] == [
        (post.title, post.date[:10]) for post in reversed(site.posts.values())
    ]


def test_a_changed_post_updates_only_its_story(site, organisation):
    organisation.ingest_well()
    site.posts["well"].title = "The well works again"
    site.build()
    report = organisation.ingest_well()["Stories"]
    assert (report["new"], report["updated"]) == (0, 1)


def test_building_a_site_again_changes_nothing(site, organisation):
    organisation.ingest_well()
    site.build()
    report = organisation.ingest_well()["Stories"]
    assert (report["new"], report["updated"]) == (0, 0)


def test_a_post_removed_after_approval_is_not_mailed(site, organisation):
    organisation.ingest_well()
    organisation.assemble()
    organisation.approve()
    del site.posts["bridge"]
    site.build()
    assert "Bridges" in organisation.send_refusal()
    assert organisation.mailed_text() == ""
