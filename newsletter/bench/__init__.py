"""The measurements of `newsletter bench`, against a fake provider on this machine. The product itself uses none of it."""
