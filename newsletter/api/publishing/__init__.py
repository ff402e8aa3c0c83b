"""API calls about publications, issues, receipts and gifts."""
