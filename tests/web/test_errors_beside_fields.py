"""Forms of the desk: what a screen reader says of a field includes its error, and a group of buttons has a name."""

import lxml.html
from django import forms
from django.template import Context, Template
from lxml.html import HtmlElement

CHOICES = [("a", "Yes"), ("b", "No")]


class AskForm(forms.Form):
    with_help = forms.CharField(help_text="Such as a town.")
    without_help = forms.CharField()
    choice = forms.ChoiceField(label="Why?", choices=CHOICES, widget=forms.RadioSelect)


def show(name: str, **typed: str) -> HtmlElement:
    page = Template("{% load wagtailadmin_tags %}{% formattedfield field %}")
    return lxml.html.fromstring(page.render(Context({"field": AskForm(typed)[name]})))


def describe(shown: HtmlElement) -> str:
    """Return the texts that the widget names by aria-describedby."""
    (field,) = shown.xpath(".//input")
    elements = [shown.xpath(f'.//*[@id="{key}"]') for key in field.get("aria-describedby", "").split()]
    return " ".join(" ".join(element.text_content().split()) for (element,) in elements)


def test_a_field_with_help_is_described_by_error_and_help() -> None:
    assert describe(show("with_help")) == "This field is required. Such as a town."
    assert describe(show("with_help", with_help="Leith")) == "Such as a town."


def test_a_field_without_help_is_described_by_its_error() -> None:
    assert describe(show("without_help")) == "This field is required."
    assert describe(show("without_help", without_help="Leith")) == ""


def test_the_buttons_of_a_choice_are_a_group_with_its_name() -> None:
    shown = show("choice")
    (group,) = shown.xpath("//*[@role='group']")
    assert (group.get("aria-label"), len(group.xpath(".//input"))) == ("Why?", 2)
    assert not show("with_help").xpath("//*[@role='group']")
