"""newsletter scheduler: the clock only. More than one do no harm: a slot is a row that exists once."""

from newsletter.management.commands.worker import Command as Worker


class Command(Worker):
    help = "Poll sources, assemble issues and start sends when they are due, until stopped."
    role = "scheduler"
