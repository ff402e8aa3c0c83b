"""Social networks: how each is written, and which have an icon of our own. Unknown ones are shown as words."""

from pathlib import Path

from newsletter.rendering.blocks import Brand

ICONS = Path(__file__).parent / "icons"
NAMES = {
    "bluesky": "Bluesky",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "linkedin": "LinkedIn",
    "mastodon": "Mastodon",
    "podcast": "Podcast",
    "telegram": "Telegram",
    "threads": "Threads",
    "tiktok": "TikTok",
    "whatsapp": "WhatsApp",
    "x": "X",
    "youtube": "YouTube",
}
_OTHER_NAMES = {"twitter": "x"}


def find_icons(brand: Brand) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    """(name, url, picture's address) of the networks with an icon, and (name, url) of those without."""
    icons, words = [], []
    for network, url in brand.social:
        key = network.strip().lower()
        key = _OTHER_NAMES.get(key, key)
        name = NAMES.get(key) or network[:1].upper() + network[1:]
        if not url or not name:
            continue
        if brand.icons_url and key in NAMES:
            icons.append((name, url, f"{brand.icons_url.rstrip('/')}/{key}.png"))
        else:
            words.append((name, url))
    return icons, words
