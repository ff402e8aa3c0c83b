"""Measures the product against a provider on this machine. Nothing here is used by the product itself."""
