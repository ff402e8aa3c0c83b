"""The checks of an issue before its approval, for the desk and the API: problems, their places, and the versions with them."""
