"""So many messages of one caller in a while, and no more: one who floods the desk must not harm the others.

Each caller has an allowance that refills evenly: "60/minute" is up to 60 at once, and then one a second.
Why not a library: the in-memory store of `limits` 5.8 goes through all callers at every message (0.3 to 2 ms of CPU with
10,000 of them) and counts on the wall clock. This is one addition, and remembers nobody whose allowance is full again.
Kept in the memory of one process, for the callers seen last: with several servers each counts for itself.
"""

import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from errors import ConfigError

CALLERS_AT_MOST = 50_000
_RATE = re.compile(r"(?P<count>[1-9]\d{0,5})/(?P<unit>second|minute|hour)")
_UNIT_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` messages in `window_s` seconds."""

    count: int
    window_s: float

    @classmethod
    def read(cls, text: str, setting: str) -> Self | None:
        """The rate that an operator wrote; None for "off".

        Raises:
            ConfigError: It is neither; the text names the setting.
        """
        if text == "off":
            return None
        found = _RATE.fullmatch(text)
        if found is None:
            raise ConfigError(
                f'setting {setting}: "{text}" is no rate; write for example 60/minute, 5/second or off'
            )
        return cls(int(found["count"]), _UNIT_S[found["unit"]])


class Quota:
    """Everybody's allowance. `rate` None: nobody is limited. `clock` is monotonic seconds."""

    def __init__(self, rate: Rate | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, caller: str) -> int:
        """Take one message out of the caller's allowance; 0, or in how many whole seconds there is one again."""
        if self._rate is None:
            return 0
        now, one_s = self._clock(), self._rate.window_s / self._rate.count
        full_at = max(now, self._full_at.get(caller, now)) + one_s
        wait_s = full_at - now - self._rate.window_s
        if wait_s > one_s / 1000:  # below that it is only how sums of fractions come out
            return math.ceil(wait_s)
        self._full_at[caller] = full_at
        self._full_at.move_to_end(caller)
        self._forget(now)
        return 0

    def _forget(self, now: float) -> None:
        """Those seen longest ago, once they have nothing to answer for, or when there are too many."""
        while self._full_at:
            first = next(iter(self._full_at))
            if self._full_at[first] > now and len(self._full_at) <= CALLERS_AT_MOST:
                return
            del self._full_at[first]


@dataclass(frozen=True, slots=True)
class Quotas:
    """The allowances of each owner of conversations, and of each address that messages of visitors come from."""

    owners: Quota = field(default_factory=lambda: Quota(None))
    addresses: Quota = field(default_factory=lambda: Quota(None))

    def take(self, owner: str, address: str | None) -> int:
        """Take one message out of both; 0, or in how many whole seconds the owner may send the next one."""
        return self.owners.take(owner) or (0 if address is None else self.addresses.take(address))
