"""Ids that never repeat, not even after the simulation was started again.

Why: a desk keeps conversations longer than a simulation lives, and the API refuses a history that holds one call id
twice.
"""

import itertools
import secrets


class Ids:
    """Ids of one simulation: kind, a random part, and a running number."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def next(self, kind: str) -> str:
        """The next id, for example req_5f2c9a1e000001."""
        return f"{kind}_{self._run}{next(self._numbers):06d}"
