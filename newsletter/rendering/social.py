"""Social networks: their names, and our own icons. A network without an icon is shown by its name."""

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
    """Return (name, url, icon's URL) of the networks with an icon, and (name, url) of those without."""
    icons, named = [], []
    for network, url in brand.social:
        key = network.strip().lower()
        key = _OTHER_NAMES.get(key, key)
        name = NAMES.get(key) or network[:1].upper() + network[1:]
        if not url or not name:
            continue
        if brand.icons_url and key in NAMES:
            icons.append((name, url, f"{brand.icons_url.rstrip('/')}/{key}.png"))
        else:
            named.append((name, url))
    return icons, named
