"""The root of the one exception tree.

Every refusal that a person may read is a ``DomainError``: its message says what happened and what to do.
"""

from newsletter.common.messages import Message


class DomainError(Exception):
    """Something the caller asked for cannot be done. The message says what happened, what it means and what to do."""

    def __init__(self, template: str = "", /, **values: object) -> None:
        self.message = template if isinstance(template, Message) and not values else Message(template, **values)
        super().__init__(self.message)


class BadAddress(DomainError):
    """The text is not an email address that this system accepts."""


class BadLink(DomainError):
    """A signed link is forged, altered, of another purpose, or too old."""


class BadRule(DomainError):
    """A segment rule cannot be understood; the message names the part at fault."""


class UnknownPlace(DomainError):
    """A place, region or country is not in the gazetteer."""


class NotFound(DomainError):
    """What was asked for by name or number does not exist."""


class BadSchedule(DomainError):
    """A schedule or zone cannot be understood."""


class NotAllowed(DomainError):
    """The person lacks the right to do this."""


class WrongState(DomainError):
    """The issue, send or batch is not in a state that allows this step (somebody else may have moved it)."""


class NotApproved(DomainError):
    """The content that would go out is not the content that was approved."""


class NotReady(DomainError):
    """The issue cannot go out as it is: a check fails, a setting is missing, nobody would get it."""


class SwitchedOff(NotReady):
    """The publication, or its monthly digest, is switched off. It assembles and sends nothing."""


class AudienceChanged(NotApproved):
    """The list or segment is not the approved one, or far more people would get the issue than were approved."""


class NeedsManualApproval(NotApproved):
    """An automatic issue must wait until staff have approved it."""


class BadFile(DomainError):
    """The organisation's file has an error; the message names the key."""


class InvariantViolated(DomainError):
    """An invariant does not hold. Nothing further is done; this is a defect to report."""
