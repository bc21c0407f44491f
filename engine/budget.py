"""Retries are paid for from one purse: each first try puts a little in, each retry takes one out.

Why: when a part of all calls fails, no breaker opens, and everybody's retries together would double the load on an API that
is short of breath already, or fall upon it in the moment it is back. With the purse, all tries together stay below
1.2 times the calls, whatever happens; a short trouble on a quiet day is still repaired.
Life: one for each Resilient, shared by all models, so one for the process.
"""

SHARE = 0.2
"""Retries for each first try, in the long run."""
SAVED_AT_MOST = 10.0


class RetryBudget:
    """The purse; it begins full. `left` is how many retries it pays for."""

    def __init__(self) -> None:
        self.left = SAVED_AT_MOST

    def earn(self) -> None:
        """A first try was made."""
        self.left = min(SAVED_AT_MOST, self.left + SHARE)

    def pay(self) -> bool:
        """Whether a retry may be made; it is paid for then."""
        if self.left < 1:
            return False
        self.left -= 1
        return True
