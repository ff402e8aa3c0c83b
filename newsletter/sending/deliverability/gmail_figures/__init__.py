"""Ask Google once a day about the domains of senders, store the figures, and judge them."""
