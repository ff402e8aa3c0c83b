"""A topic that somebody chose cannot be deleted."""

import pytest
from django.urls import reverse

from subscribers.models import Segment, Topic
from tests.support.desk import sign_in
from tests.support.people import make_list, make_member

pytestmark = pytest.mark.django_db
BULK = "/admin/bulk/subscribers/topic/delete/"


def test_only_a_topic_that_nobody_chose_can_be_deleted() -> None:
    """Without the topic, people who chose nothing else would get everything."""
    chosen, free = (Topic.objects.create(slug=slug, name=slug.title()) for slug in ("land", "water"))
    make_member(make_list()).topics.add(chosen)
    client = sign_in("data")
    page = client.get(f"/admin/topics/edit/{chosen.pk}/").content.decode()
    assert f"/admin/topics/delete/{chosen.pk}/" in page
    assert f"/admin/topics/delete/{free.pk}/" in client.get(f"/admin/topics/edit/{free.pk}/").content.decode()
    for path in (f"/admin/topics/delete/{chosen.pk}/", f"{BULK}?id={chosen.pk}"):
        client.post(path)
        assert Topic.objects.filter(pk=chosen.pk).exists()
    said = client.post(f"/admin/topics/delete/{chosen.pk}/", follow=True).content.decode()
    assert "It is still used by" in said
    assert "1 subscriber" in said
    assert "people who chose it and no other would get every story" in said
    client.post(f"/admin/topics/delete/{free.pk}/")
    assert not Topic.objects.filter(pk=free.pk).exists()


def test_two_topics_cannot_share_a_name() -> None:
    Topic.objects.create(slug="land", name="Land rights")
    answer = sign_in("data").post("/admin/topics/add/", {"name": "land Rights", "slug": "land-2"})
    assert "There is a topic of this name already" in answer.content.decode()
    assert Topic.objects.count() == 1
    land = Topic.objects.get()
    sign_in("data", email="kim@example.org").post(reverse_edit(land), {"name": "LAND rights", "slug": "land"})
    land.refresh_from_db()
    assert land.name == "LAND rights"


def reverse_edit(topic: Topic) -> str:
    return reverse("wagtailsnippets_subscribers_topic:edit", args=[topic.pk])


def test_a_topic_in_a_rule_is_not_deleted_and_the_segment_is_named() -> None:
    topic = Topic.objects.create(slug="land", name="Land rights")
    segment = Segment.objects.create(slug="land", name="Interested in land", rule={"all": [{"topic": "land"}]})
    client = sign_in("data")
    page = client.post(f"/admin/topics/delete/{topic.pk}/").content.decode()
    assert f'<a href="/admin/segments/edit/{segment.pk}/">Interested in land</a>' in page
    assert Topic.objects.exists()
    segment.delete()
    client.post(f"/admin/topics/delete/{topic.pk}/")
    assert not Topic.objects.exists()
