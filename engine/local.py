"""Answer without Claude: fixed texts of the prompt files, quoted passages, and a form filled slot by slot.

Why: the desk works on a fresh machine with no key and no network, and stays honest when the API is down. It asks for
tools exactly as Claude does, so everything after the engine is the same. What it does follows from the
specialist's first tool: fill its form, search with it, hand over with it, or (no tool) say a fixed text. Any further tool
is called when the message's concepts choose the reply that has its name, or when the message completes a call to it.
Its words all come from prompts/ and from passages; there is no company in here.
"""

import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import replace

from engine.base import Brief, Cited, Done, EngineRequest, Piece, Text, ToolResult, ToolSpec, ToolUse
from errors import EngineRefused
from knowledge.choice import best_passages
from knowledge.passages import Passage
from templates import render

MODEL = "local"
_SEARCHED = "answer"
_FORM_AT_ONCE = 3  # this many details missing are asked for in one message


class Local:
    """The local engine: the same words for the same request, no state, no waiting."""

    async def stream(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """Pieces of the local answer.

        Raises:
            EngineRefused: The request carries no brief (it is a label request, which only Claude can take).
        """
        started = time.monotonic()
        if request.brief is None:
            raise EngineRefused("the local engine takes no label requests", fault="no_brief")
        asked = False
        for piece in _answer(request, request.brief):
            asked = asked or isinstance(piece, ToolUse)
            yield replace(piece, is_fixed=True) if isinstance(piece, Text) else piece
        took_ms = round((time.monotonic() - started) * 1000)
        yield Done("tool_use" if asked else "end_turn", "local", MODEL, took_ms)


def _answer(request: EngineRequest, brief: Brief) -> Iterator[Piece]:
    speak = _Speaker(brief)
    lead = request.tools[0] if request.tools else None
    if request.rounds:
        results = request.rounds[-1].results
        yield from speak.opening()
        yield from _after_tools(request, speak, results)
        yield from speak.closing()
        return
    use = _called(request, brief) or (None if lead is None else _LEADS[lead.lead](lead, request, speak))
    if use is not None:
        yield use
        return
    yield from speak.opening()
    yield from _without_tool(lead, speak)
    yield from speak.closing()


class _Speaker:
    """The specialist's texts in the customer's language, or in English with a word of apology."""

    def __init__(self, brief: Brief) -> None:
        self.brief = brief

    def opening(self) -> Iterator[Text]:
        """A missing language is apologised for; basic mode is said once in a row of such answers."""
        brief = self.brief
        if not any(brief.language in by_language for by_language in brief.replies.texts.values()):
            sorry = brief.notices.texts.get("only_english", {})
            yield from self._paragraph(sorry.get(brief.language))
        if brief.degraded and not brief.degraded_before:
            yield from self._paragraph(brief.notices.text("basic_mode", brief.language))

    def closing(self) -> Iterator[Text]:
        """What goes below the answer: the question that is still open, or the offer of a person."""
        if self.brief.open_question:
            yield Text(f"\n\n{self.brief.open_question}")
        elif self.brief.offer_person:
            offer = self.text("offer_person", {})
            if offer:
                yield Text(f"\n\n{offer}")

    def say(self, key: str, values: Mapping[str, str]) -> Iterator[Text]:
        """The reply of this name; a missing one becomes the honest notice that this could not be answered."""
        text = self.text(key, values) or self.text("failed", values)
        if text:
            yield Text(text)

    def text(self, key: str, values: Mapping[str, str]) -> str | None:
        """The reply of this name from the specialist, else from the notices."""
        for replies in (self.brief.replies, self.brief.notices):
            template = replies.text(key, self.brief.language)
            if template is not None:
                return render(template, values)
        return None

    def has(self, key: str) -> bool:
        """Whether the specialist has a reply of this name."""
        return key in self.brief.replies.texts

    @staticmethod
    def _paragraph(text: str | None) -> Iterator[Text]:
        if text:
            yield Text(f"{text}\n\n")


def _called(request: EngineRequest, brief: Brief) -> ToolUse | None:
    """A call that the message completes, or of the tool whose reply its concepts choose."""
    wanted = brief.call.tool if brief.call is not None else brief.replies.chosen(brief.concepts)
    tool = next((tool for tool in request.tools if tool.name == wanted), None)
    if tool is None or brief.declined is not None:
        return None
    if brief.call is not None:
        return _use(tool, brief.call.arguments)
    told = {name: brief.details.argument(name, schema) for name, schema in tool.schema["properties"].items()}
    return _use(tool, told)


def _form(tool: ToolSpec, _request: EngineRequest, speak: _Speaker) -> ToolUse | None:
    """Call the tool when all details are known and something is new."""
    brief = speak.brief
    flow = brief.flow
    if flow is None or brief.command is not None or _missing(tool, brief):
        return None
    if flow.quoted and not brief.read:
        return None
    arguments = {name: flow.slots[name] for name in tool.schema["required"]}
    return _use(tool, arguments)


def _search(tool: ToolSpec, request: EngineRequest, speak: _Speaker) -> ToolUse | None:
    """Look the question up, unless a fixed text answers it; concepts may also choose the reply of a search."""
    brief = speak.brief
    if brief.declined is not None or brief.replies.chosen(brief.concepts) not in {None, _SEARCHED}:
        return None
    return _use(tool, {"query": (brief.about or request.message)[:400]})


def _handoff(tool: ToolSpec, request: EngineRequest, speak: _Speaker) -> ToolUse | None:
    """Store a ticket with the reason the message speaks of."""
    reasons: list[str] = tool.schema["properties"]["reason"]["enum"]
    reason = speak.brief.replies.chosen(speak.brief.concepts) or reasons[0]
    summary = f"The customer wrote (language: {speak.brief.language}): {request.message[:800]}"
    return _use(tool, {"reason": reason if reason in reasons else reasons[-1], "summary": summary})


_LEADS: Mapping[str, Callable[[ToolSpec, EngineRequest, _Speaker], ToolUse | None]] = {
    "form": _form,
    "search": _search,
    "handoff": _handoff,
    "none": lambda _tool, _request, _speak: None,
}


def _without_tool(lead: ToolSpec | None, speak: _Speaker) -> Iterator[Piece]:
    """Say a fixed text: the next question of a form, or the reply that the message's concepts choose."""
    if lead is not None and lead.lead == "form":
        yield from _ask(lead, speak)
        return
    replies = speak.brief.replies
    if speak.brief.declined is not None:
        yield from speak.say(f"{speak.brief.declined}_declined", {})
        return
    yield from speak.say(replies.chosen(speak.brief.concepts) or replies.default or "failed", {})


def _ask(tool: ToolSpec, speak: _Speaker) -> Iterator[Piece]:
    """The next thing to say in a form."""
    brief = speak.brief
    flow = brief.flow
    known = {name: str(value) for name, value in flow.slots.items()} if flow else {}
    missing = _missing(tool, brief)
    if flow is None:
        yield from speak.say("start_over", known)
    elif not missing:
        yield from speak.say("after_quote", brief.quoted)
    elif brief.command is not None and speak.has(f"help_{missing[0]}"):
        yield from speak.say(f"help_{missing[0]}", known)
    elif not brief.read and brief.asked_before:
        unknown = f"refused_unknown_{missing[0]}"  # a make or a model that was named, but is in no list
        question = speak.text(f"ask_{missing[0]}", known) or ""
        yield from speak.say(unknown if speak.has(unknown) else "unclear", {**known, "question": question})
    elif len(missing) >= _FORM_AT_ONCE and not brief.asked_before and speak.has("ask_many"):
        bullets = "\n".join(f"- {_question(speak.text(f'ask_{name}', known) or name)}" for name in missing)
        yield from speak.say("ask_many", {**known, "questions": bullets})
    else:
        yield from speak.say(f"ask_{missing[0]}", known)


def _question(text: str) -> str:
    """The line of the text that asks."""
    lines = text.splitlines()
    return next((line for line in lines if "?" in line), lines[-1])


def _missing(tool: ToolSpec, brief: Brief) -> list[str]:
    known = brief.flow.slots if brief.flow else {}
    return [name for name in tool.schema["required"] if name not in known]


def _after_tools(request: EngineRequest, speak: _Speaker, results: tuple[ToolResult, ...]) -> Iterator[Piece]:
    """Turn what the tools returned into words."""
    leads = {spec.name: spec.lead for spec in request.tools}
    for result in results:
        match leads.get(result.name, "none"):
            case "form":
                yield from _after_form(speak, result)
            case "search":
                yield from _after_search(speak, result, speak.brief.about or request.message)
            case "handoff":
                chosen = speak.brief.replies.chosen(speak.brief.concepts) or "handed_over"
                key = chosen if speak.has(chosen) else (speak.brief.replies.default or "handed_over")
                yield from speak.say(key if result.ok else "failed", result.values)
            case _:
                yield from _after_call(speak, result)


def _after_form(speak: _Speaker, result: ToolResult) -> Iterator[Piece]:
    yield from speak.say("price", result.values) if result.ok else _refusal(speak, result)


def _after_call(speak: _Speaker, result: ToolResult) -> Iterator[Piece]:
    """The reply for what the tool came to, else the one of its name, else its own words."""
    if not result.ok:
        yield from _refusal(speak, result)
        return
    key = next(filter(speak.has, (f"{result.name}_{result.code}", result.name)), None)
    yield from [Text(result.text)] if key is None else speak.say(key, result.values)


def _refusal(speak: _Speaker, result: ToolResult) -> Iterator[Piece]:
    """Why a tool could not do it: by its reason, by the detail at fault, or in general."""
    keys = (f"refused_{result.code}", f"ask_{result.at_fault or ''}")
    yield from speak.say(next(filter(speak.has, keys), "unavailable"), result.values)


def _after_search(speak: _Speaker, result: ToolResult, question: str) -> Iterator[Piece]:
    shown = best_passages(result.passages, question)
    if not shown:
        yield from speak.say("nothing_found", {})
        return
    template = speak.text(_SEARCHED, {"sentences": "\x00"}) or "\x00"
    before, _, after = template.partition("\x00")
    yield Text(before)
    for number, passage in enumerate(shown):
        yield Text("\n\n" if number else "")
        yield Text(passage.text)
        yield Cited(passage.source, passage.text, words=passage.text)
        last_of_article = number + 1 == len(shown) or shown[number + 1].url != passage.url
        yield Text(f"\n{_link(passage)}" if last_of_article else "")
    yield Text(after)


def _link(passage: Passage) -> str:
    """The article as a link; brackets in its title cannot close it and open another one."""
    title = passage.title.translate({ord("["): "(", ord("]"): ")"})
    return f"[{title}]({passage.url})"


def _use(tool: ToolSpec, arguments: Mapping[str, object]) -> ToolUse:
    return ToolUse(f"local_{secrets.token_hex(8)}", tool.name, dict(arguments))
