"""The pages of mail templates, and the list of single mails that were sent from them."""
