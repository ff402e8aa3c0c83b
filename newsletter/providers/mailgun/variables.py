"""Mailgun's table of recipient variables: every value of every address, each said once."""

import orjson

from newsletter.providers.base.attempt import PreparedBatch
from newsletter.providers.base.contract import Person
from newsletter.providers.base.tokens import clean_value, find_shared_values
from newsletter.providers.mailgun import text as mailgun_text

VARIABLES = "recipient-variables"


class RecipientVariables:
    """``names`` of the values that are sent; ``shared`` gives those left out and which of ``names`` says the same.

    A variable left out for one person would reach them as a raw token, so everybody has every name.
    """

    def __init__(self, prepared: PreparedBatch) -> None:
        self._people = prepared.people
        self._plain = _all_plain(prepared.people, prepared.needed)
        people = [person for _, person in prepared.people]
        self.shared = find_shared_values(people, names=prepared.needed) if self._plain else {}
        self.names = sorted(prepared.needed - self.shared.keys())

    def as_json(self) -> bytes:
        write = self._raw_values if self._plain else self._escaped_values
        return orjson.dumps({address: write(person) for address, person in self._people})

    def _raw_values(self, person: Person) -> dict[str, str]:
        given = person.variables
        return {**{name: given[name] for name in self.names}, "did": str(person.delivery)}

    def _escaped_values(self, person: Person) -> dict[str, str]:
        given = person.variables
        values = {name: mailgun_text.value(name, clean_value(name, given[name])) for name in self.names}
        values["did"] = str(person.delivery)
        return values


def _all_plain(people: list[tuple[str, Person]], names: set[str]) -> bool:
    """Whether no value of anybody holds a percent sign or a character that does not print: then none needs a look."""
    everything = "".join([person.variables[name] for _, person in people for name in names])
    return "%" not in everything and everything.isprintable()
