"""The interface of a translation: the group ``newsletter.translations``."""

from newsletter.common.translation_kind import Translation

__all__ = ["Translation"]
