"""The exception tree, and what led to an error. A person may read the message of every `DomainError`."""

from collections.abc import Iterator
from functools import partial

from newsletter.common.messages import Message


class DomainError(Exception):
    """A request that cannot be done. The message says what happened, what it means and what to do."""

    def __init__(self, template: str = "", /, **values: object) -> None:
        self.message = template if isinstance(template, Message) and not values else Message(template, **values)
        super().__init__(self.message)


class BadAddress(DomainError):
    """The text is no email address that this system accepts."""


class BadLink(DomainError):
    """A signed link is forged, altered, of another purpose, or too old."""


class BadRule(DomainError):
    """A segment rule cannot be understood. The message names the wrong part."""


class UnknownPlace(DomainError):
    """A place, region or country is not in the gazetteer."""


class NotFound(DomainError):
    """The named row does not exist."""


class BadSchedule(DomainError):
    """A schedule or time zone cannot be understood."""


class NotAllowed(DomainError):
    """The person lacks the right to do this."""


class WrongState(DomainError):
    """The issue, send or batch is in a state that does not allow this step; somebody else may have moved it."""


class NotApproved(DomainError):
    """The content that would be sent is not the approved content."""


class NotReady(DomainError):
    """The issue cannot be sent as it is: a check fails, a setting is missing, or nobody would get it."""


class BadValue(NotReady):
    """A value that the person typed or chose is missing or wrong. ``name`` says which, so that a form marks its field."""

    def __init__(self, template: str, /, *, name: str, **values: object) -> None:
        super().__init__(template, **values)
        self.name = name

    def __reduce__(self) -> tuple[object, ...]:
        return partial(type(self), name=self.name), (self.message,)


class SwitchedOff(NotReady):
    """The publication, or its monthly digest, is switched off."""


class AudienceChanged(NotApproved):
    """The list or segment is not the approved one, or many more people would get the issue than were approved."""


class NeedsManualApproval(NotApproved):
    """An automatic issue must wait until staff have approved it."""


class NotConfirmed(DomainError):
    """The step has an effect elsewhere, such as a withdrawn approval, that the person has not confirmed."""


class BadFile(DomainError):
    """The organisation file has an error. The message names the key."""


class InvariantViolated(DomainError):
    """An invariant does not hold. This is a defect to report; the work stops."""


class InUse(DomainError):
    """Other rows use this one, so it cannot be archived or deleted. The message names them."""


def list_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it, as a traceback shows them: `raise … from None` ends the chain."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ if cause.__suppress_context__ else cause.__context__
