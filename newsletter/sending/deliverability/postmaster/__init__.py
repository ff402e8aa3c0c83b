"""What Google says about the domains of senders: asked once a day, stored, judged."""
