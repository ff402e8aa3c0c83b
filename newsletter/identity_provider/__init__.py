"""Sign-in with the organisation's own identity provider, by OpenID Connect: what is asked of it, and what its answers say.

Who may enter is decided in `newsletter.desk.sign_in`.
"""
