"""Makes pictures in a child process of their own, so that no file from outside is decoded in the serving process.

The child has less memory than the one for documents, and a slow document never makes a picture wait.
"""

import atexit
import tempfile
from pathlib import Path

from newsletter.content.images.sandbox_messages import (
    DEFAULT_FOCUS,
    BadPicture,
    EncodedPicture,
    Focus,
    PictureRefusal,
    PictureRequest,
    RenditionFormat,
)
from newsletter.content.parsing.sandbox.process import (
    ParserCrashed,
    ResourceLimitExceeded,
    ResourceLimits,
    SandboxProcess,
)

__all__ = ["MAX_PICTURE_BYTES", "BadPicture", "EncodedPicture", "make_picture_in_sandbox"]

MAX_PICTURE_BYTES = 40 * 1024 * 1024
# ``picture_memory`` says what each kind of file takes of it: at most 361 MiB were measured, for an AVIF.
LIMITS = ResourceLimits(cpu_seconds=10, wall_seconds=25.0, memory_bytes=384 * 1024 * 1024)
_child = SandboxProcess(work="pictures", limits=LIMITS)
atexit.register(_child.close)


def make_picture_in_sandbox(
    body: bytes,
    *,
    width: int = 1200,
    place: RenditionFormat | None = None,
    focus: Focus = DEFAULT_FOCUS,
    film: bool = False,
    child: SandboxProcess = _child,
) -> EncodedPicture:
    """Return what ``pictures.make_picture`` makes of ``body``, made in the child. Raises BadPicture."""
    if len(body) > MAX_PICTURE_BYTES:
        raise BadPicture(
            "The picture is larger than %(most_picture_bytes)s MB. Make it smaller.",
            most_picture_bytes=MAX_PICTURE_BYTES // (1024 * 1024),
        )
    with tempfile.TemporaryDirectory(prefix="newsletter-picture-") as folder:
        # A file, not a message: the child reads a large one in pieces.
        file = Path(folder) / "picture"
        file.write_bytes(body)
        order = PictureRequest(path=str(file), width=width, place=place, focus=focus, film=film)
        try:
            answer = child.ask(order)
        except ResourceLimitExceeded as error:
            raise BadPicture(
                "The picture takes more time or memory to open than any picture may. Save it smaller, as JPEG."
            ) from error
        except ParserCrashed as error:
            raise BadPicture("The picture is damaged in a way that stops our reader. Save it anew as JPEG.") from error
    if isinstance(answer, PictureRefusal):
        raise BadPicture(answer.reason)
    if not isinstance(answer, EncodedPicture):
        child.close()
        raise BadPicture("The picture could not be read. Try it again, or save it anew as JPEG.")
    return answer
