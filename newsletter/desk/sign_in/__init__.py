"""Staff sign in with the organisation's identity provider: the pages, who is admitted, and the step of the second factor."""
