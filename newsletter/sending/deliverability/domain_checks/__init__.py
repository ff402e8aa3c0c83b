"""Check what DNS says about a sender's domain, one kind of record in each module."""
