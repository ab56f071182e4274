"""Who decided on a lesion, and when."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import NamedTuple


class Signature(NamedTuple):
    """Who decided on a lesion, and when.

    Parameters
    ----------
    who : str
        Name of the user's account.
    when : str
        Local time with its offset, ISO 8601.
    """

    who: str
    when: str

    @classmethod
    def now(cls) -> Signature:
        """The signature of this user at this time."""
        return cls(_user(), datetime.now().astimezone().isoformat(timespec="seconds"))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name; Windows has no pwd
        return ""
