"""Tell turns of dead servers from those whose server could not renew their leases, because the database was away.

Why: after an outage every lease has run out. Whoever is served first would find all the others dead, and take answers
away that they are still giving. So a lease counts as a dead server's only when it is seen unchanged for SURE_S, at every
look: as long as the living need to renew theirs once the database can be asked again.
Life: one Suspects per server, for as long as it looks.
"""

import time
from collections.abc import Callable, Mapping

from store.leases import GIVEN_UP_S
from store.log import LEASE_S

RENEW_S = LEASE_S / 3
SURE_S = RENEW_S + 0.5
_APART_S = 1.5  # looks that are further apart: the database may have been away in between


class Suspects:
    """Leases that had run out at the last look, and since when they are known to. `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looked_s = clock()
        self._since: dict[tuple[str, float], float] = {}

    def sure(self, lapsed: Mapping[str, float]) -> dict[str, float]:
        """Those of the leases that nobody holds any more; what was given up at a stop needs no second look.

        Args:
            lapsed: Turn ids, each with the second (since 1970) until which its lease held.
        """
        now = self._clock()
        if now - self._looked_s > _APART_S:
            self._since = {}
        self._looked_s = now
        self._since = {lease: self._since.get(lease, now) for lease in lapsed.items()}
        return {
            turn_id: until_s
            for (turn_id, until_s), since in self._since.items()
            if until_s == GIVEN_UP_S or now - since >= SURE_S
        }
