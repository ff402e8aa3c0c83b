"""Turn a document into a mail: HTML and text with tokens for personal values, and the findings of its checks. Pure."""
