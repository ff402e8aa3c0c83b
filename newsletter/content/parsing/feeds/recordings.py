"""Find in a feed's entry that it is a video or an audio recording, and how long it is.

Sources: Apple's podcast tags (podcasters.apple.com/support/823), Media RSS (rssboard.org/media-rss), and YouTube's feeds.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

VIDEO, AUDIO = "video", "audio"
MAX_SECONDS = 100 * 3600
_CLOCK = re.compile(r"(?:(?P<hours>\d{1,3}):)?(?P<minutes>\d{1,3}):(?P<seconds>\d{1,2})(?:\.\d+)?")
_ISO = re.compile(
    r"P(?:(?P<days>\d{1,2})D)?T(?:(?P<hours>\d{1,3})H)?(?:(?P<minutes>\d{1,4})M)?(?:(?P<seconds>\d{1,6})(?:\.\d+)?S)?"
)


@dataclass(frozen=True)
class Recording:
    """A recording. ``seconds`` is 0 if the feed does not say how long it is; ``url`` is that of its file, or ""."""

    media: str
    seconds: int = 0
    url: str = ""


def find_recording(raw: Mapping[str, Any]) -> Recording | None:
    """Return the recording that the entry is about, or None."""
    if raw.get("yt_videoid"):
        return Recording(VIDEO, _longest(raw))
    for item in _files(raw):
        kind = str(item.get("type") or item.get("medium") or "").partition("/")[0].lower()
        if kind in (VIDEO, AUDIO):
            return Recording(kind, _longest(raw), str(item.get("href") or item.get("url") or ""))
    return None


def read_duration(text: str) -> int:
    """Return a duration in seconds: “1:02:03”, “62:03”, “3723” or “PT1H2M3S”. Return 0 for anything else."""
    bare = text.strip()
    if bare.isascii() and bare.isdigit() and len(bare) <= 6:
        seconds = int(bare)
    else:
        match = _CLOCK.fullmatch(bare) or _ISO.fullmatch(bare)
        parts = {name: int(value or 0) for name, value in match.groupdict().items()} if match else {}
        seconds = parts.get("days", 0) * 86_400 + parts.get("hours", 0) * 3600 + parts.get("minutes", 0) * 60
        seconds += parts.get("seconds", 0)
    return seconds if seconds <= MAX_SECONDS else 0


def _files(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from raw.get("enclosures") or []
    yield from raw.get("media_content") or []


def _longest(raw: Mapping[str, Any]) -> int:
    durations = [str(raw.get("itunes_duration") or ""), *(str(item.get("duration") or "") for item in _files(raw))]
    return max(map(read_duration, durations))
