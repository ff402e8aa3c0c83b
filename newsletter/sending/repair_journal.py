"""Complete the journal beside the database with what the database knows, when a process starts and in `doctor`."""

import logging
from datetime import datetime

from newsletter.sending.withdrawal_journal import repair_withdrawals
from subscribers.erasing.journal_check import repair_journal
from subscribers.unsubscribing.suppression_journal import journal_path

_LOG = logging.getLogger(__name__)


def repair_whole_journal(*, now: datetime) -> int:
    """Add the suppressions, changes of address and withdrawn stories that the journal misses. Raises OSError."""
    return repair_journal(now=now) + repair_withdrawals()


def try_to_repair_journal(*, now: datetime) -> None:
    """Repair the journal when a process starts. If that fails, log it: the next start tries again."""
    try:
        added = repair_whole_journal(now=now)
    except OSError as error:
        _LOG.error("The suppression journal cannot be written (%s). Run `newsletter doctor` to try again.", error)
        return
    if added:
        _LOG.info("%s lines that the suppression journal missed were added to %s.", added, journal_path())
