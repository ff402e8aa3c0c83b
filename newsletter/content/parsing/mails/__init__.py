"""Read mails from outside: the sender, the text, and the kind: reply, automatic reply, bounce or complaint."""
