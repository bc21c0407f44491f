"""Rate limits of the account: the headers every answer carries, and the refusal when they are enforced.

Simplified: a window of one minute per model instead of a bucket that refills all the time. Cached reads do not count.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.simulation.errors import ApiError

WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one model may take in a minute. Not enforced unless asked for: the headers are sent all the same."""

    requests: int = 1_000
    input_tokens: int = 2_000_000
    output_tokens: int = 400_000
    is_enforced: bool = False


@dataclass(slots=True)
class _Window:
    started: float
    ends_at: str
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(slots=True)
class RateLimits:
    """The use of every model in its current minute. Times are seconds of one clock."""

    limits: Limits
    _windows: dict[str, _Window] = field(default_factory=dict)

    def admit(self, model: str, now: float) -> None:
        """Count one request.

        Raises:
            ApiError: 429 with retry-after, when limits are enforced and one is used up.
        """
        window = self._window(model, now)
        left = (
            self.limits.requests - window.requests,
            self.limits.input_tokens - window.input_tokens,
            self.limits.output_tokens - window.output_tokens,
        )
        if self.limits.is_enforced and min(left) <= 0:
            wait = max(1, round(window.started + WINDOW_S - now))
            message = "This request would exceed your organization's rate limit per minute."
            raise ApiError(429, message, headers={"retry-after": str(wait)})
        window.requests += 1

    def spend(self, model: str, now: float, input_tokens: int, output_tokens: int) -> None:
        """Count the tokens of one answer."""
        window = self._window(model, now)
        window.input_tokens += input_tokens
        window.output_tokens += output_tokens

    def headers(self, model: str, now: float) -> dict[str, str]:
        """The anthropic-ratelimit headers as they stand."""
        window, limits = self._window(model, now), self.limits
        rows = {
            "requests": (limits.requests, window.requests),
            "input-tokens": (limits.input_tokens, window.input_tokens),
            "output-tokens": (limits.output_tokens, window.output_tokens),
            "tokens": (
                limits.input_tokens + limits.output_tokens,
                window.input_tokens + window.output_tokens,
            ),
        }
        headers: dict[str, str] = {}
        for name, (limit, used) in rows.items():
            headers[f"anthropic-ratelimit-{name}-limit"] = str(limit)
            headers[f"anthropic-ratelimit-{name}-remaining"] = str(max(0, limit - used))
            headers[f"anthropic-ratelimit-{name}-reset"] = window.ends_at
        return headers

    def _window(self, model: str, now: float) -> _Window:
        window = self._windows.get(model)
        if window is None or now - window.started >= WINDOW_S:
            ends = datetime.now(UTC) + timedelta(seconds=WINDOW_S)
            window = _Window(now, ends.isoformat(timespec="seconds").replace("+00:00", "Z"))
            self._windows[model] = window
        return window
