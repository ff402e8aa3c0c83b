"""newsletter mcp: let an assistant read and draft, with a key of the API."""

import sys
from argparse import ArgumentParser
from importlib.util import find_spec

from django.conf import settings
from django.utils import timezone

from newsletter.api_keys import find_key
from newsletter.common.commands.base import ProductCommand
from newsletter.common.errors import NotFound, NotReady

KEY_VARIABLE = "NEWSLETTER_API_KEY"


class Command(ProductCommand):
    help = (
        "Serve tools of the Model Context Protocol on standard input and output, for an assistant that starts this command. "
        f"It reads and drafts with the key in {KEY_VARIABLE}, and never approves, sends, reveals or exports."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """It takes no options: a key on the command line would be in the list of processes."""

    def run(self) -> None:
        if find_spec("mcp") is None:
            raise NotReady(
                f"An assistant needs one more package. Run: {sys.executable} -m pip install 'newsletter[assistant]'"
            )
        key = settings.ENV.api_key
        if not key:
            raise NotFound(
                f"{KEY_VARIABLE} is not set, so the assistant has no key. Make one with `newsletter api-key add` and set it."
            )
        if find_key(key, now=timezone.now()) is None:
            raise NotFound(
                f"The key in {KEY_VARIABLE} is not valid: it was revoked, has expired, or is another site's."
            )
        from newsletter.assistant.serve import serve

        serve(key=key)
