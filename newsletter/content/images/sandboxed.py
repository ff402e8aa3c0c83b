"""Encode images in a separate child process, so that the serving process never decodes a file from outside.

The child has less memory than the one for documents, and a slow document never delays an image.
"""

import atexit
import tempfile
from pathlib import Path

from newsletter.content.images.sandbox_messages import (
    DEFAULT_FOCUS,
    BadImage,
    EncodedImage,
    Focus,
    ImageRefusal,
    ImageRequest,
    RenditionFormat,
)
from newsletter.content.parsing.sandbox.process import (
    ParserCrashed,
    ResourceLimitExceeded,
    ResourceLimits,
    SandboxProcess,
)

MAX_IMAGE_BYTES = 40 * 1024 * 1024
# ``decode`` says how much of it each kind of file uses: at most 361 MiB were measured, for an AVIF.
LIMITS = ResourceLimits(cpu_seconds=10, wall_seconds=25.0, memory_bytes=384 * 1024 * 1024)
_child = SandboxProcess(task="images", limits=LIMITS)
atexit.register(_child.close)


def encode_image_in_sandbox(
    body: bytes,
    *,
    width: int = 1200,
    rendition_format: RenditionFormat | None = None,
    focus: Focus = DEFAULT_FOCUS,
    is_video: bool = False,
    child: SandboxProcess = _child,
) -> EncodedImage:
    """Return the answer of ``encode.encode_image``, made in the child. Raises BadImage."""
    if len(body) > MAX_IMAGE_BYTES:
        raise BadImage(
            "The image is larger than %(limit)s MB. Make it smaller.",
            limit=MAX_IMAGE_BYTES // (1024 * 1024),
        )
    with tempfile.TemporaryDirectory(prefix="newsletter-picture-") as folder:
        # A file, not a message: the child reads a large one in pieces.
        file = Path(folder) / "picture"
        file.write_bytes(body)
        request = ImageRequest(
            path=str(file), width=width, rendition_format=rendition_format, focus=focus, is_video=is_video
        )
        try:
            answer = child.run(request)
        except ResourceLimitExceeded as error:
            raise BadImage("The image takes too long or too much memory to open. Save it smaller, as JPEG.") from error
        except ParserCrashed as error:
            raise BadImage("The image is damaged and cannot be read. Save it again as JPEG.") from error
    if isinstance(answer, ImageRefusal):
        raise BadImage(answer.reason)
    if not isinstance(answer, EncodedImage):
        child.close()
        raise BadImage("The image could not be read. Try again, or save it again as JPEG.")
    return answer
