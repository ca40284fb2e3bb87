"""What happens to accounts of people."""

from aerocast_hub.events.happened import Happened


class AccountLocked(Happened, frozen=True, kw_only=True, tag="account_locked"):
    """So many wrong passwords or codes came for an account that nobody gets in with one now.

    Attributes
    ----------
    user_id
        The account's UUID: its name goes into no event.
    """

    user_id: str
    after_tries: int


class AccountUnlocked(Happened, frozen=True, kw_only=True, tag="account_unlocked"):
    """An administrator opened a locked account again."""

    user_id: str
