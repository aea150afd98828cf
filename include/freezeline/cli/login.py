"""Whose account a command runs under."""

import getpass
import os


def login_name() -> str:
    """Return the account of this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        return f"uid {os.getuid()}"
