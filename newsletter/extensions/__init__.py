"""The interfaces for extensions. A package of extensions imports from here and from `newsletter.testing` only."""
