"""An extension is found by its entry point; one that is no good is left out with a reason and takes nothing else with it."""

import logging
from typing import Any

import pytest

from newsletter.common import extension_registry
from newsletter.common.extension_registry import INTERFACE, Registry
from newsletter.common.installed_entry_points import OWN_PACKAGE, list_entry_points
from newsletter.common.translation_kind import TRANSLATIONS
from newsletter.content.parsing.source_kind import SOURCE_KINDS
from newsletter.issues.checks.issue_check import CHECKS, IssueCheck
from newsletter.organisation.health.configuration import check_extensions, list_broken_extensions
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.registry import PROVIDERS, WEBHOOK_HANDLERS, read_provider_url
from tests.support.installed_extensions import Extensions
from tests.support.installed_extensions import extensions as extensions

ORDERED: list[Registry[Any]] = [CHECKS, PROVIDERS, SOURCE_KINDS, TRANSLATIONS]
CHECK = """
from newsletter.extensions.checks import IssueCheck

class Check(IssueCheck):
    interface = 1

    def check(self, issue):
        return []
"""
BROKEN = {
    "an older interface": (CHECK.replace("interface = 1", "interface = 0"), "it is written for interface 0"),
    "a later interface": (CHECK.replace("interface = 1", "interface = 2"), "it is written for interface 2"),
    "no interface": (CHECK.replace("interface = 1", "pass"), "it does not say for which interface"),
    "an older interface without methods": (
        "class Check:\n    interface = 0\n\n    def __init__(self, old):\n        pass\n",
        "it is written for interface 0, and this version has interface 1",
    ),
    "no method": (CHECK.replace("def check(", "def look("), "it lacks check"),
    "another class": ("class Check:\n    interface = 1\n", "it is no subclass of IssueCheck"),
    "a wrong import": ("import nowhere_to_be_found\n" + CHECK, "its code fails with ModuleNotFoundError"),
    "a syntax error": ("class Check(\n", "its code fails with SyntaxError"),
    "code that exits": ("raise SystemExit(3)\n", "its code fails with SystemExit: 3"),
    "no such object": ("Something = 1\n", "its code fails with AttributeError"),
    "a constructor that fails": (
        CHECK + "\n    def __init__(self):\n        raise OSError('no disk')\n",
        "its code fails with OSError: no disk",
    ),
}


def test_our_own_kinds_are_found_by_entry_points() -> None:
    assert list_broken_extensions() == []


@pytest.mark.parametrize("registry", ORDERED, ids=lambda registry: registry.group)
def test_our_own_kinds_have_a_place_in_the_order(registry: Registry[Any]) -> None:
    """People see a kind that `_ORDER` lacks after all others, and in another place if the program is installed."""
    declared = {entry.name for package, entry in list_entry_points(registry.group) if package == OWN_PACKAGE}
    advice = f"Write the same names under {registry.group} in pyproject.toml and into _ORDER beside its Registry."
    assert declared == set(registry.order), advice
    assert list(registry)[: len(declared)] == list(registry.order)


def test_people_see_the_kinds_in_the_same_order_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed entry points are in another order than those of a checkout."""
    entries = list_entry_points("newsletter.checks")
    monkeypatch.setattr(extension_registry, "list_entry_points", lambda group: entries[::-1])
    assert list(Registry("newsletter.checks", IssueCheck, order=["other_languages", "dead_links"]))[:2] == [
        "other_languages",
        "dead_links",
    ]


def test_an_extension_of_another_package_is_found_after_ours(extensions: Extensions) -> None:
    extensions.install("fine", CHECK, {"checks": {"fine": "Check"}})
    assert list(CHECKS) == [*CHECKS.order, "fine"]


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_extension_is_left_out_and_named(case: str, extensions: Extensions) -> None:
    code, reason = BROKEN[case]
    extensions.install("broken", code, {"checks": {"broken": "Check"}})
    extensions.install("fine", CHECK, {"checks": {"fine": "Check"}})
    assert list(CHECKS) == [*CHECKS.order, "fine"]
    (found,) = list_broken_extensions()
    assert (found.name, found.package, found.group) == ("broken", "broken", "newsletter.checks")
    assert reason in found.reason
    assert found.do.endswith(".")


@pytest.mark.parametrize("case", ["an older interface", "an older interface without methods", "a later interface"])
def test_every_other_interface_gets_the_one_answer(case: str, extensions: Extensions) -> None:
    extensions.install("broken", BROKEN[case][0], {"checks": {"broken": "Check"}})
    (found,) = list_broken_extensions()
    assert str(INTERFACE) in found.reason
    assert found.do == "Install a version of it that is made for this version of the newsletter."


def test_a_name_that_is_taken_is_left_to_the_first(extensions: Extensions) -> None:
    extensions.install("bad", CHECK, {"checks": {"dead_links": "Check", "mine": "Check"}})
    extensions.install("twin", CHECK, {"checks": {"mine": "Check"}})
    assert type(CHECKS["dead_links"]).__module__ == "newsletter.issues.checks.links"
    assert type(CHECKS["mine"]).__module__ == "bad"
    reasons = {(found.package, found.name): str(found.reason) for found in list_broken_extensions()}
    assert reasons == {
        ("bad", "dead_links"): "the name is taken by the package “newsletter”",
        ("twin", "mine"): "the name is taken by the package “bad”",
    }


@pytest.mark.parametrize("name", ["Big", "two words", "a" * 21, "été", "-x"])
def test_a_name_that_cannot_be_stored_is_refused(name: str, extensions: Extensions) -> None:
    extensions.install("fine", CHECK, {"checks": {name: "Check"}})
    (found,) = list_broken_extensions()
    assert "at most 20 small letters" in found.reason


def test_a_broken_extension_is_logged_once(extensions: Extensions, caplog: pytest.LogCaptureFixture) -> None:
    extensions.install("broken", "raise RuntimeError('no')\n", {"checks": {"broken": "Check"}})
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            list(CHECKS)
            list_broken_extensions()
    assert [record.getMessage() for record in caplog.records] == [
        "The extension broken (newsletter.checks, broken) could not be loaded: its code fails with RuntimeError: no."
    ]


def test_the_doctor_names_it_and_says_what_to_do(extensions: Extensions) -> None:
    assert [finding.level for finding in check_extensions()] == ["ok"]
    extensions.install("broken", BROKEN["no method"][0], {"checks": {"broken": "Check"}})
    (finding,) = check_extensions()
    assert finding.level == "error"
    assert finding.says.startswith(
        "broken of the package broken (newsletter.checks) could not be loaded: it lacks check"
    )
    assert finding.do


PROVIDER = """
from newsletter.extensions.providers import ProviderKind
from newsletter.providers.postmark.kind import PostmarkKind

class Kind(PostmarkKind):
    pass
"""


def test_a_provider_of_another_name_in_its_parts_is_left_out(extensions: Extensions) -> None:
    extensions.install("pigeon", PROVIDER, {"providers": {"pigeon": "Kind"}})
    (found,) = list_broken_extensions()
    assert found.reason == "its url_rules.scheme is “postmark”, not “pigeon”"
    with pytest.raises(BadProviderUrl, match="“pigeon” of NEWSLETTER_PROVIDER_URL is missing, so nothing is sent"):
        read_provider_url("pigeon://KEY@")
    assert read_provider_url("postmark://KEY@").scheme == "postmark"
    assert "pigeon" not in WEBHOOK_HANDLERS
