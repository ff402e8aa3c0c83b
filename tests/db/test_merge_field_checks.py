"""Merge fields are tried before approval: a mail that cannot be made for some recipient is not approved."""

from dataclasses import replace
from typing import Any

import pytest

from newsletter.common.errors import NotReady
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.content_checks import find_merge_field_error
from newsletter.models import Publication, Variant
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db


def approved_variant(**publication: str) -> Variant:
    made = make_publication(**publication)
    make_story("The first verdict")
    add_subscribers(made, 2)
    make_issue(made, approved=True)
    return Variant.objects.get()


def changed(variant: Variant, **fields: Any) -> Variant:
    """Return a changed copy in memory; stored variants never change."""
    for name, value in fields.items():
        setattr(variant, name, value)
    return variant


@pytest.mark.requirement("F16")
def test_a_mail_that_can_be_made_for_everybody_is_approved() -> None:
    greeting = 'Dear {{ first_name | default:"friend" }} of {{ city | default:"wherever you are" }}'
    variant = approved_variant(intro=greeting)
    assert {one["field"] for one in variant.variables} >= {"first_name", "city", "unsubscribe", "preferences"}
    assert find_merge_field_error(variant) == ""


@pytest.mark.requirement("F16")
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"text": "Dear __pv_t_shoe_size_1__"}, "has no value"),
        ({"subject": "Dear __pv_broken"}, "has no value: subject"),
    ],
)
def test_a_token_without_a_value_is_found(fault: dict[str, str], words: str) -> None:
    assert words in find_merge_field_error(changed(approved_variant(), **fault))


@pytest.mark.requirement("F16")
def test_a_merge_field_without_a_default_is_found() -> None:
    variant = approved_variant(intro='Dear {{ first_name | default:"friend" }}')
    bare = [{**one, "default": "" if one["field"] == "first_name" else one["default"]} for one in variant.variables]
    assert "no “first_name” for this person" in find_merge_field_error(changed(variant, variables=bare))


@pytest.mark.requirement("F16")
def test_an_issue_with_an_unfillable_mail_is_not_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    from newsletter.issues.variants import render as variants
    from newsletter.rendering.pipeline import render

    monkeypatch.setattr(variants, "render", lambda document: replace(render(document), subject="Dear __pv_broken"))
    made = make_publication()
    make_story("The first verdict")
    add_subscribers(made, 2)
    issue = make_issue(Publication.objects.get())
    with pytest.raises(NotReady, match="has no value: subject"):
        approve_issue(issue=issue, by=make_approver(), now=NOW)
