"""Answer one request: what is asked, what the rules say, what goes wrong, what the brain says.

Why apart from the server: everything here is plain computing from bytes to acts, without sockets and waits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.simulation import models, rules
from tests.simulation.acts import PACED, Acts, streamed, whole
from tests.simulation.cache import PromptCache, count
from tests.simulation.errors import invalid
from tests.simulation.faults.base import Fault
from tests.simulation.faults.timeline import Timeline
from tests.simulation.ids import Ids
from tests.simulation.limits import RateLimits
from tests.simulation.message import Answer
from tests.simulation.prompt import Prompt
from tests.simulation.recorded import Recorded
from tests.simulation.rendering import Rendered, Renderer
from tests.simulation.reply import Brain, Reply
from tests.simulation.request import MessageRequest, parse
from tests.simulation.rules.tool_results import check_declared
from tests.simulation.seals import Seals
from tests.simulation.timing import Timing

_KEEP_INVENTED = 10_000


@dataclass(frozen=True, slots=True)
class Staged:
    """An answer ready to be played: acts, headers, and what to do when its first byte goes out."""

    acts: Acts
    headers: Mapping[str, str] = field(default_factory=dict)
    on_begin: Callable[[], None] = lambda: None


class Answers:
    """The state of one simulated account, and the knobs a test may turn between requests."""

    def __init__(
        self, brain: Brain, timing: Timing, rate_limits: RateLimits, ids: Ids, clock: Callable[[], float]
    ) -> None:
        self.brain = brain
        self.timing = timing
        self.timings: dict[str, Timing] = {}
        self.timelines: dict[str, Timeline] = {}
        self.cache = PromptCache()
        self._rate_limits = rate_limits
        self._clock = clock
        self._seals = Seals()
        self._renderer = Renderer(self._seals, ids)
        self._invented: dict[str, None] = {}
        self._ids = ids

    def messages(self, key: str, recorded: Recorded) -> Staged:
        """The acts that answer POST /v1/messages.

        Raises:
            ApiError: The request is refused.
            Exception: Whatever the brain raises.
        """
        request = parse(recorded.raw, MessageRequest)
        recorded.parsed = request
        model = self._checked(key, request)
        now = self._clock()
        self._rate_limits.admit(model.name, now)
        recorded.faults = self._faults(request.model, now)
        staged = self._instead(recorded) or self._answered(key, request, model, recorded, now)
        acts = staged.acts
        for fault in recorded.faults:
            acts = fault.restage(acts)
        return Staged(acts, self._rate_limits.headers(model.name, now), staged.on_begin)

    def count_tokens(self, key: str, recorded: Recorded) -> Staged:
        """The acts that answer POST /v1/messages/count_tokens."""
        prompt = parse(recorded.raw, Prompt)
        self._checked(key, prompt)
        return Staged(whole({"input_tokens": count(prompt)}))

    def _checked(self, key: str, prompt: Prompt) -> models.Model:
        model = models.find(prompt.model)
        rules.check(prompt, model)
        check_declared(prompt, self._invented)
        self._seals.check(key, prompt)
        size = count(prompt)
        if size > model.context:
            raise invalid(f"prompt is too long: {size} tokens > {model.context} maximum")
        return model

    def _faults(self, model: str, now: float) -> tuple[Fault, ...]:
        timeline = self.timelines.get(model) or self.timelines.get("*")
        return timeline.next(now) if timeline is not None else ()

    def _instead(self, recorded: Recorded) -> Staged | None:
        """What a fault puts in the place of the answer."""
        for fault in recorded.faults:
            acts = fault.instead(len(recorded.raw), recorded.request_id)
            if acts is not None:
                return Staged(acts)
        return None

    def _answered(
        self, key: str, request: MessageRequest, model: models.Model, recorded: Recorded, now: float
    ) -> Staged:
        reply = self.brain(request) if request.max_tokens else Reply()
        for fault in recorded.faults:
            reply = fault.reshape(reply)
        timing = self.timings.get(request.model, self.timing)
        rendered = self._renderer.render(reply, request, model, key, timing.chunk_chars)
        self._remember_invented(request, rendered)
        visit = self.cache.visit(key, model, request, now)
        self._rate_limits.spend(model.name, now, visit.usage.fresh + visit.usage.written, rendered.tokens)
        answer = Answer(self._ids.next("msg"), request.model, reply, rendered, visit.usage)
        return Staged(_acts(answer, request, timing), on_begin=lambda: self.cache.commit(visit))

    def _remember_invented(self, request: MessageRequest, rendered: Rendered) -> None:
        """Calls of tools that do not exist must come back in the history without a refusal."""
        declared = {name.casefold() for name in request.tool_names}
        for call_id, name in rendered.calls.items():
            if name.casefold() not in declared:
                self._invented[call_id] = None
        while len(self._invented) > _KEEP_INVENTED:
            self._invented.pop(next(iter(self._invented)))


def _acts(answer: Answer, request: MessageRequest, timing: Timing) -> Acts:
    is_label = request.schema_wanted is not None
    if request.stream:
        return streamed(answer.rendered, answer.start(), answer.end(), timing, is_label=is_label)
    chunks = sum(delta["type"] in PACED for block in answer.rendered.blocks for delta in block.deltas)
    wait_ms = timing.label_ms if is_label else timing.first_text_ms + timing.chunk_ms * max(0, chunks - 1)
    return whole(answer.whole(), wait_ms / 1000)
