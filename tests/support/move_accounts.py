"""Moves the rest of the only send from account to account and back: python -m tests.support.move_accounts SECONDS"""

import os
import sys
import time

import django


def main(seconds: float) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "newsletter.project.settings"
    django.setup()
    from django.contrib.auth.models import User
    from django.utils import timezone

    from newsletter.common.errors import DomainError
    from newsletter.models import Send
    from newsletter.sending.settling.account_moves import move_by_hand

    by = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("mover", "", "a-long-password")
    end, turn = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        turn += 1
        try:
            move_by_hand(send=Send.objects.get(), to=("backup", "default")[turn % 2], by=by, now=timezone.now())
        except DomainError:
            time.sleep(0.05)


if __name__ == "__main__":
    main(float(sys.argv[1]))
