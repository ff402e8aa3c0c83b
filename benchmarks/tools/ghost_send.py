"""Publish the benchmark's post on a running Ghost, or retry its email after a crash, and wait until the email has ended."""

import sys

from benchmarks.tools.ghost_api import ENDED, GhostApi, wait_for

_SEND_SECONDS = 1800.0


def send(api: GhostApi, *, stuck_seconds: float) -> str:
    """Return the status of the email at its end. An email that a crash left “submitting” gets ``stuck_seconds``."""
    api.sign_in()
    post = api.read_post()
    if post["status"] == "draft":
        email, seconds = api.publish(post), _SEND_SECONDS
    else:
        email, seconds = api.read_email(), stuck_seconds
        api.retry(email)
    return wait_for(lambda: api.read_status(email), lambda status: status in ENDED, seconds=seconds)


if __name__ == "__main__":
    ended = send(GhostApi(sys.argv[1]), stuck_seconds=float(sys.argv[2]))
    sys.stdout.write(f"The email is {ended}.\n")
    sys.exit(ended != "submitted")
