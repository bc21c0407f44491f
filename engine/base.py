"""One interface for all engines: the request they take and the pieces they yield.

Why: the specialist loop must not know who answers. The local engine asks for tools exactly as Claude does,
so tools, guards, log and tests are the same with and without a key (design.md, section 1).
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from events import EngineName, Flow, JsonObject, Purpose, Slots, Usage
from knowledge.details import Details
from knowledge.passages import Passage

Role = Literal["customer", "assistant"]
StopReason = Literal["end_turn", "max_tokens", "tool_use", "refusal", "empty", "cut", "failed"]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as an engine sees it: name, words for the model, JSON schema of the arguments.

    `lead` tells the local engine what to do with the tool: fill a form, look things up, hand over, or leave it be.
    `is_strict`: Claude can be held to the schema; somebody else's may hold what the API has no grammar for.
    """

    name: str
    description: str
    schema: JsonObject
    lead: Literal["form", "search", "handoff", "none"] = "none"
    is_strict: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """One earlier message of the conversation."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool returned: words for the model, or passages it may cite, and values for templates.

    `names_prices`: a price in `text` may be shown, because the tool is a source of prices.
    `own_data`: it is about the signed-in customer only, and comes from where the company keeps such data.
    `code`: why it failed, or which of several good ends it came to; "" for a tool that has only one.
    """

    call_id: str
    name: str
    text: str
    ok: bool
    passages: tuple[Passage, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    at_fault: str | None = None
    names_prices: bool = False
    own_data: bool = False


@dataclass(frozen=True, slots=True)
class ToolUse:
    """The engine asks for a tool. `invalid` is set when the arguments could not be read."""

    call_id: str
    name: str
    arguments: JsonObject
    invalid: str | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One finished exchange of this turn: what the engine asked for and what came back.

    `native` is the engine's own record of its message, to be sent back unchanged; other engines ignore it.
    `afterthought` is what the operator had said before this exchange, behind everything else.
    """

    text: str
    uses: tuple[ToolUse, ...]
    results: tuple[ToolResult, ...]
    native: Any = None
    afterthought: str = ""


@dataclass(frozen=True, slots=True)
class Replies:
    """The texts of one prompt file for the engine that runs without Claude: key -> language -> text.

    `triggers` are the concepts that choose a reply, in file order.
    """

    texts: Mapping[str, Mapping[str, str]]
    triggers: tuple[tuple[str, frozenset[str]], ...] = ()

    def text(self, key: str, language: str) -> str | None:
        """The reply in the customer's language, else in English, else None."""
        by_language = self.texts.get(key)
        if by_language is None:
            return None
        return by_language.get(language) or by_language.get("en") or next(iter(by_language.values()))

    @property
    def default(self) -> str | None:
        """Key of the last reply that no concept chooses."""
        triggered = {key for key, _ in self.triggers}
        return next((key for key in reversed(list(self.texts)) if key not in triggered), None)

    def chosen(self, concepts: frozenset[str]) -> str | None:
        """Key of the first reply that one of these concepts chooses."""
        return next((key for key, wanted in self.triggers if wanted & concepts), None)


@dataclass(frozen=True, slots=True)
class Call:
    """A tool's call that the customer's message completes."""

    tool: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class Brief:
    """What the local engine goes by where Claude reads a prompt.

    `read` are the details found in this very message; `about` is the question to look up when it is not the message
    itself; `open_question` is asked again after a side question; `quoted` are the values of the last price.
    `details` is what the message tells for tools' arguments; `call` is a call that it completes; `declined` is the tool
    whose preview it is a plain no to.
    """

    intent: str
    replies: Replies
    notices: Replies
    language: str
    concepts: frozenset[str] = frozenset()
    flow: Flow | None = None
    read: Slots = field(default_factory=dict)
    command: str | None = None
    asked_before: bool = False
    about: str = ""
    offer_person: bool = False
    open_question: str | None = None
    quoted: Mapping[str, str] = field(default_factory=dict)
    degraded: bool = False
    degraded_before: bool = False
    details: Details = field(default_factory=Details)
    call: Call | None = None
    declined: str | None = None


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """All that an engine needs for one call. Stable text first, so that it can be cached.

    `system` holds the cacheable blocks; `facts` is operator text for this turn only; `schema` asks for
    structured output; `first_piece_by` is a monotonic time after which a first piece is of no use any more.
    `afterthought` is operator text behind everything else, for this call and what follows from it.
    `is_optional`: the turn is as good without it, so it is not tried again at the cost of calls that count.
    """

    purpose: Purpose
    model: str
    max_tokens: int
    effort: str
    thinking: str
    system: tuple[str, ...]
    message: str
    tools: tuple[ToolSpec, ...] = ()
    history: tuple[Said, ...] = ()
    facts: str = ""
    rounds: tuple[Round, ...] = ()
    afterthought: str = ""
    schema: JsonObject | None = None
    final: bool = False
    customer_hash: str | None = None
    first_piece_by: float | None = None
    is_optional: bool = False
    brief: Brief | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Words of the answer, as they come. `is_fixed`: no model has written them, but the company."""

    text: str
    is_fixed: bool = False


@dataclass(frozen=True, slots=True)
class Cited:
    """Words of the answer lean on a source.

    Attributes:
        source: Of a passage that a tool returned, or of the excerpt that it begins.
        quote: The cited text.
        words: Those of the answer that lean on it.
        blocks: Which passages of the excerpt are cited, from and up to (exclusive); None: the passage of that source.
    """

    source: str
    quote: str
    words: str = ""
    blocks: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Metered:
    """Tokens so far of the running call (cumulative; the last one counts). Also a sign that the engine is at work."""

    usage: Usage
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault that was dealt with on the way: retried, or another engine took over.

    `dropped`: how many earlier messages are left out from here on, because the request was too long.
    """

    code: str
    retried: bool = False
    waited_ms: int = 0
    request_id: str | None = None
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The call ended. `native` is the engine's own record of its message (see Round).

    Stop reason "failed": this call brought nothing and another one follows, or an error. "cut": the words so far are
    all there is. In both cases it is told for the sake of what it cost.
    """

    stop_reason: StopReason
    engine: EngineName
    model: str
    took_ms: int
    usage: Usage = field(default_factory=Usage)
    request_id: str | None = None
    native: Any = None


Piece = Text | Cited | ToolUse | Metered | Trouble | Done


class Engine(Protocol):
    """Anything that turns a request into pieces; the last piece is always Done.

    Raises:
        EngineError: The call failed; nothing after the last piece yielded will come.
    """

    def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """Pieces of the answer, in order."""
        ...
