"""The pages of canary mailboxes, for administrators."""
