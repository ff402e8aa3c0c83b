"""Read what Google publishes about a sender's domain in Postmaster Tools. It stores nothing."""
