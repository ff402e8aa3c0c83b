"""The second part of `newsletter setup`: ask about the organisation, its website and its stories."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

from newsletter.common.errors import DomainError
from newsletter.content.ingesting.find_sources import FoundSource, find_sources
from newsletter.desk.setup.brand_step import find_values
from newsletter.management.setup.answer_checks import (
    MAX_NAME_LENGTH,
    check_email,
    check_website,
    find_machine_zone,
)
from newsletter.management.setup.organisation_file import Organisation
from newsletter.management.setup.prompt import NONE, BadAnswer, Prompt, Question, is_none
from newsletter.management.setup.questions import NAME, POSTAL_ADDRESS, SENDER, WEBSITE, ZONE
from newsletter.models.brands import check_sender_name, domain_of
from newsletter.organisation.sample_text import Value
from newsletter.organisation.site_look import SiteLook, look_at_site, read_site, read_site_address
from newsletter.rendering.clean_text import tidy_line


def ask_about_organisation(prompt: Prompt, *, look: bool) -> Organisation:
    """Return the answers. With ``look``, the website's name, logo and colours are proposed."""
    website, found = _ask_for_website(prompt, look=look)
    brand: dict[str, Value | None] = {"website": website or None, "privacy_url": None}
    if found is not None:
        brand |= _read_look(found)
    sender = prompt.ask(SENDER, default=_propose_sender(website))
    name = replace(NAME, check=partial(_check_name, website=website, sender=sender))
    brand["name"] = prompt.ask(name, default=_propose_name(found, check=name.check))
    brand["postal_address"] = prompt.ask(POSTAL_ADDRESS)
    own = settings.TIME_ZONE
    zone = prompt.ask(ZONE, default=own if own != "UTC" else find_machine_zone())
    return Organisation(brand=brand, sender=sender, zone=zone, sources=_ask_for_sources(prompt, website))


def _ask_for_website(prompt: Prompt, *, look: bool) -> tuple[str, SiteLook | None]:
    """Return the website's address, "" without one, and what was found there, None if nothing is to be taken."""
    is_repeated = False
    while True:
        typed = prompt.ask(WEBSITE, default=NONE, is_repeated=is_repeated)
        if typed == NONE:
            return "", None
        if not look:
            return read_site_address(typed), None
        prompt.say("  Looking at it …")
        try:
            address, found = read_site(typed, look_at_site)
        except DomainError as error:
            prompt.say(f"  {error} So neither logo nor colours were taken; the desk can take them later.")
            if prompt.confirm("  Use this address all the same?", default=not prompt.asks):
                return read_site_address(typed), None
            is_repeated = True
            continue
        _describe_look(prompt, found)
        return address, found if prompt.confirm("  Take them?", default=True, keep_as="look") else None


def _describe_look(prompt: Prompt, look: SiteLook) -> None:
    parts = [f"the colours {look.colours.colour} and {look.colours.accent}"]
    parts += ["a logo"] if look.logo else []
    parts += ["the privacy notice"] if look.privacy_url else []
    prompt.say(f"  Found {look.name or 'a page without a name'}: {', '.join(parts)}.")
    for theirs, ours in look.corrected:
        prompt.say(f"  The colour {theirs} is too pale to read, so {ours} is used.")


def _read_look(look: SiteLook) -> dict[str, Value | None]:
    """Return the keys of [brand] that a website gives."""
    found = {name: value for name, value in find_values(look).items() if isinstance(value, str) and value}
    names = ("privacy_url", "colour", "accent", "background", "font", "heading_font")
    brand: dict[str, Value | None] = {name: found[name] for name in names if name in found}
    if look.logo is not None:
        brand["logo"] = look.logo.source_url
    return brand


def _propose_sender(website: str) -> str | None:
    host = (urlsplit(website).hostname or "").removeprefix("www.")
    try:
        return check_email(f"news@{host}") if host else None
    except BadAnswer:
        return None


def _check_name(text: str, *, website: str, sender: str) -> str:
    """Return the name. Raises BadAnswer for one that brands or publications refuse, and `organisation.toml` with it."""
    name = NAME.check(text)
    try:
        check_sender_name(name, field="name", own=[domain_of(sender)])
    except ValidationError as error:
        raise BadAnswer("%(error)s", error=" ".join(error.messages)) from error
    try:
        check_sender_name(name, field="name", own=[urlsplit(website).hostname or ""])
    except ValidationError as error:
        raise BadAnswer(
            "“%(name)s” has the domain of the sender in it, which is not your website's, so it cannot be the name of the"
            " organisation. Remove the domain.",
            name=name,
        ) from error
    return name


def _propose_name(found: SiteLook | None, *, check: Callable[[str], str]) -> str | None:
    """Return the website's name, cut if it is too long. None if there is none, or none that can be used."""
    name = tidy_line(found.name)[:MAX_NAME_LENGTH].strip() if found is not None else ""
    try:
        return check(name) if name else None
    except BadAnswer:
        return None


@dataclass
class _SourceLook:
    """The sources at the last address that was typed."""

    found: list[FoundSource] = field(default_factory=list)

    def check(self, text: str) -> str:
        """Return the address whose stories or events could be read, or “none”. Raises BadAnswer."""
        self.found = []
        text = check_website(re.sub(r"^webcals?://", "https://", text, flags=re.IGNORECASE))
        if is_none(text):
            return NONE
        try:
            _, found = read_site(text, partial(find_sources, now=datetime.now(UTC)))
        except DomainError as error:
            raise BadAnswer(
                "%(error)s Nothing can be gathered from there. Write another address, or “none” to add one in the desk.",
                error=error,
            ) from error
        self.found = [one for one in found if not one.needs_key]
        if not self.found:
            raise BadAnswer(
                "%(address)s is neither a feed nor a calendar, and names none with stories or events. Nothing can be gathered"
                " from there. Write the address of a feed, or “none” to add one in the desk.",
                address=text[:200],
            )
        return text


def _ask_for_sources(prompt: Prompt, website: str) -> list[FoundSource]:
    look = _SourceLook()
    question = Question(
        "source",
        "Stories and events",
        "Where are your stories and events? Write the address of a feed or a calendar, or of a site that has them. Each is read"
        " once now; “none” adds none.",
        look.check,
    )
    try:
        prompt.ask(question, default=website or NONE)
    except BadAnswer as error:
        if question.name in prompt.given:
            raise
        prompt.say(f"{question.title}: none. {error}")
    if not look.found:
        return []
    for number, one in enumerate(look.found, start=1):
        more = f", {one.trial.items} items" if one.trial.items else ""
        prompt.say(f"  {number}. {one.name} ({one.kind}{more}): {one.url}")
        for title in one.trial.titles:
            prompt.say(f"       {tidy_line(title)}")
    return [
        look.found[index] for index in prompt.choose("  Which of these? Numbers with commas", count=len(look.found))
    ]
