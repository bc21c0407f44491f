"""Call a person, once a minute: faults of the upstream that no waiting and no retry will mend.

Why: a wrong key or a spent budget hits every call of every model; one loud line is read, a thousand are not.
Life: one for each Resilient. `clock` is monotonic seconds.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import structlog

log = structlog.get_logger()
EVERY_S = 60.0
_LEVELS: Mapping[str, Literal["critical", "error"]] = {
    "upstream_auth": "critical",
    "upstream_spend_cap": "error",
}
_REMEDIES: Mapping[str, str] = {
    "upstream_auth": "check ANTHROPIC_API_KEY, what it may do, and the model names in the prompt files",
    "upstream_spend_cap": "raise the spend limit in the vendor's console; answers are local until then",
}


class Alarm:
    """Tells of such faults, each at most once a minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rang: dict[str, float] = {}

    def ring(self, fault: str, model: str, request_id: str | None) -> None:
        """A call failed with this fault; one that passes by itself is not told."""
        level, now = _LEVELS.get(fault), self._clock()
        if level is None or now - self._rang.get(fault, -EVERY_S) < EVERY_S:
            return
        self._rang[fault] = now
        getattr(log, level)(
            "upstream.refused", fault=fault, model=model, request_id=request_id, remedy=_REMEDIES[fault]
        )
