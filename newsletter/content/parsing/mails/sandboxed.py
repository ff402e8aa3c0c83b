"""Read mails in a separate child process, so that a slow or malicious mail harms nothing else."""

import atexit

from newsletter.content.parsing.mails.parsed_mail import ParsedMail, RawMail
from newsletter.content.parsing.sandbox.process import (
    ParserCrashed,
    ResourceLimitExceeded,
    ResourceLimits,
    SandboxProcess,
)

LIMITS = ResourceLimits(cpu_seconds=5, wall_seconds=20.0, memory_bytes=256 * 1024 * 1024)
_child = SandboxProcess(task="mails", limits=LIMITS)
atexit.register(_child.close)


def parse_mail_in_sandbox(raw: RawMail) -> ParsedMail | None:
    """Return the answer of `parse_mail`, made in the child; None also for a mail that exceeds its limits."""
    try:
        answer = _child.run(raw)
    except (ResourceLimitExceeded, ParserCrashed):
        return None
    return answer if isinstance(answer, ParsedMail) else None
