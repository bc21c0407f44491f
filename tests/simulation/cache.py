"""The prompt cache: which part of a prompt was read from it, which was written, which cost the full price.

Rules: a prefix is found again only byte for byte, per key, per model and per settings that change the prompt.
Written at marks only; read at a mark or up to 20 units before it; below the model's minimum nothing happens. An
entry lives for its time from the start of the request, again from every hit, and can be read from the first byte of
the reply on.
"""

import hashlib
from dataclasses import dataclass, field

from tests.simulation.models import Model
from tests.simulation.prompt import Prompt
from tests.simulation.units import Unit, tokens, units_of

LOOK_BACK_UNITS = 20
TTL_S = {"5m": 300.0, "1h": 3600.0}
_KEEP_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class InputUsage:
    """Input tokens of one request, split by price. Their sum is the whole prompt."""

    fresh: int
    read: int = 0
    written_5m: int = 0
    written_1h: int = 0

    @property
    def written(self) -> int:
        """Tokens written to the cache, of either lifetime."""
        return self.written_5m + self.written_1h

    @property
    def total(self) -> int:
        """All input tokens."""
        return self.fresh + self.read + self.written


@dataclass(slots=True)
class CacheVisit:
    """The usage of one request and the entries it will write when its reply begins."""

    usage: InputUsage
    writes: dict[bytes, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Point:
    """A border between two units: the digest and the tokens of everything before it."""

    digest: bytes
    tokens: int
    ttl: str | None


class PromptCache:
    """The entries of one account; times are seconds of one clock, given with each call."""

    def __init__(self) -> None:
        self._expires: dict[bytes, float] = {}

    def visit(self, key: str, model: Model, prompt: Prompt, now: float) -> CacheVisit:
        """What this prompt reads and writes. Nothing is written before `commit`; a hit renews its entry."""
        points = _points(key, model, prompt)
        if not points:
            return CacheVisit(InputUsage(0))
        marks = [at for at, point in enumerate(points) if point.ttl and point.tokens >= model.min_cacheable]
        hit = self._longest_hit(points, marks, now)
        read = points[hit].tokens if hit >= 0 else 0
        written = {"5m": 0, "1h": 0}
        writes: dict[bytes, float] = {}
        reached = read
        for at in marks:
            ttl = points[at].ttl or "5m"
            writes[points[at].digest] = now + TTL_S[ttl]
            if points[at].tokens > reached:
                written[ttl] += points[at].tokens - reached
                reached = points[at].tokens
        usage = InputUsage(points[-1].tokens - reached, read, written["5m"], written["1h"])
        return CacheVisit(usage, writes)

    def commit(self, visit: CacheVisit) -> None:
        """Make the entries of this request readable: its reply begins now."""
        self._expires.update(visit.writes)
        while len(self._expires) > _KEEP_ENTRIES:
            self._expires.pop(next(iter(self._expires)))

    def clear(self) -> None:
        """Forget everything."""
        self._expires.clear()

    def _longest_hit(self, points: list[_Point], marks: list[int], now: float) -> int:
        for mark in reversed(marks):
            for at in range(mark, max(-1, mark - LOOK_BACK_UNITS), -1):
                if self._expires.get(points[at].digest, 0.0) > now:
                    self._renew(points[at], points[mark].ttl or "5m", now)
                    return at
        return -1

    def _renew(self, point: _Point, ttl: str, now: float) -> None:
        expires = self._expires[point.digest]
        self._expires[point.digest] = max(expires, now + TTL_S[ttl])


def count(prompt: Prompt) -> int:
    """Input tokens of the whole prompt, at least 1."""
    return max(1, tokens(sum(len(unit.data) for unit in units_of(prompt))))


def _points(key: str, model: Model, prompt: Prompt) -> list[_Point]:
    digest = hashlib.blake2b(_settings(key, model, prompt).encode(), digest_size=16)
    size = 0
    section = ""
    points: list[_Point] = []
    for unit in units_of(prompt):
        if unit.section != section:
            section = unit.section
            digest.update(_section_settings(section, prompt).encode())
        digest.update(_framed(unit))
        size += len(unit.data)
        points.append(_Point(digest.copy().digest(), tokens(size), unit.mark.ttl if unit.mark else None))
    return points


def _framed(unit: Unit) -> bytes:
    return f"\0{unit.kind}:{len(unit.data)}:".encode() + unit.data


def _settings(key: str, model: Model, prompt: Prompt) -> str:
    """What changes the whole prompt: thinking, effort and the output schema. A default equals leaving it out."""
    thinking = prompt.thinking.type if prompt.thinking is not None else model.default_thinking
    return f"{key}|{model.name}|{thinking}|{prompt.effort or model.default_effort}|{prompt.speed}|{prompt.schema_wanted}"


def _section_settings(section: str, prompt: Prompt) -> str:
    """What changes the prompt from this section on: citations from system, tool_choice from the messages."""
    if section == "tools":
        return ""
    cites = any(passage.is_citable for passage in prompt.passages)
    return f"|cite:{cites}|choice:{prompt.tool_choice if section == 'messages' else None}"
