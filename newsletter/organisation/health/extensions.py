"""Check the installed extensions. Home and `newsletter doctor` name those that were left out."""

from collections.abc import Iterator

from newsletter.common.extension_registry import AnyRegistry, BrokenExtension
from newsletter.common.translation_kind import TRANSLATIONS
from newsletter.content.parsing.source_kind import SOURCE_KINDS
from newsletter.issues.checks.issue_check import CHECKS
from newsletter.providers.registry import PROVIDERS
from newsletter.rendering.block_kind import BLOCK_KINDS
from newsletter.sending.deliverability.findings import Finding, error, ok

REGISTRIES: tuple[AnyRegistry, ...] = (SOURCE_KINDS, PROVIDERS, BLOCK_KINDS, CHECKS, TRANSLATIONS)


def list_broken_extensions() -> list[BrokenExtension]:
    """Return every extension that was left out. The first call in a process loads all extensions."""
    return [broken for registry in REGISTRIES for broken in registry.list_broken()]


def check_extensions() -> Iterator[Finding]:
    """Yield an error for each extension that was left out."""
    broken = list_broken_extensions()
    if not broken:
        yield ok(
            "extensions",
            f"All {sum(len(registry) for registry in REGISTRIES)} kinds of sources, blocks and so on are loaded.",
        )
    for one in broken:
        says = f"{one.name} of the package {one.package} ({one.group}) could not be loaded: {one.reason}."
        yield error("extensions", says, str(one.do))
