"""The demonstration prints as many variants as the desk and the outbox count."""

import io

import pytest
from rich.console import Console

from newsletter.demo.sample_week import print_variants
from newsletter.models import ReaderGroup, Variant
from tests.support.fixtures import add_subscribers, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db


def test_two_mails_with_the_same_label_are_two_variants():
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    first = ReaderGroup.objects.filter(variant__isnull=False).get()
    other = Variant.objects.get(pk=first.variant_id)
    other.pk, other.key, other.public_id = None, "another", "f" * 32
    other.save()
    ReaderGroup.objects.create(
        revision=first.revision,
        variant=other,
        place_id=first.place_id + 1,
        giving=first.giving,
        radius_km=first.radius_km,
        frequency=first.frequency,
        people=4,
    )
    written = io.StringIO()
    print_variants(issue, Console(file=written, width=100))
    assert "2 variants" in written.getvalue()
    assert written.getvalue().index(" 4 ") < written.getvalue().index(" 3 ")
