"""Read mails from outside: who wrote what, and whether it is a reply, an automatic reply, a bounce or a complaint."""
