"""newsletter web: serve the desk and the public pages only."""

from newsletter.jobs.catalogue import WEB
from newsletter.management.commands.serve import Command as Serve


class Command(Serve):
    help = "Serve the desk and the public pages only; run `newsletter scheduler` and `newsletter worker` beside it."
    roles = frozenset({WEB})
