"""The second look at answers: the real SDK, an API that refuses what the real one refuses, and verdicts of every kind."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from engine.claude import Claude
from engine.failover import Failover
from engine.local import Local
from engine.resilient import Patience, Resilient
from events import AnswerCorrected, GuardFired
from router.desk import Desk, Engines
from tests.desks import take_your_time
from tests.model_like import ModelLike
from tests.router.room import Talk, Turn, desk, unhurried
from tests.serving import local_settings, running, streamed, text_of
from tests.simulation import Cited, Data, MessageRequest, Recorded, Reply, Simulation, Text, ToolUse
from tests.simulation.content import JsonObject
from tests.waiting import PATIENCE_S

HAIKU, SONNET = "claude-haiku-5-5", "claude-sonnet-5-5"
ENGLISH, SPANISH = "Do I get a rental car?", "¿Me dan un auto de alquiler?"
LABELS = {ENGLISH: ("product_info", "en"), SPANISH: ("product_info", "es")}
WRONG = {
    "en": "Rental car reimbursement is part of every policy, so you need not add it.",
    "es": "El reembolso por auto de alquiler está en todas las pólizas, así que no hay que añadirlo.",
}
OFFER = {"en": "Shall I tell you more about it?", "es": "¿Quieres que te cuente más sobre eso?"}
Body = dict[str, Any]
Verdicts = Callable[[Body], Reply]


def verdict(kind: str, words: str | None = None, note: str = "") -> Verdicts:
    """This verdict about every sentence that cites; its words are by default those of a passage that was shown."""

    def give(data: Body) -> Reply:
        found = data["passages"][0]["text"].splitlines()[0] if words is None else words
        about = [item["id"] for item in data["sentences"] if item["cites"]]
        given: JsonObject = {
            "verdicts": [{"id": at, "verdict": kind, "words": found, "note": note} for at in about]
        }
        return Reply.of(Data(given))

    return give


def raw(text: str) -> Verdicts:
    """This text, whatever was asked for."""
    return lambda _: Reply.of(text)


@dataclass
class Brain:
    """Labels, searches, answers with a sentence that its passage does not say, and gives verdicts. `seen`: their data."""

    verdicts: Verdicts
    labels: ModelLike = field(default_factory=lambda: ModelLike(LABELS))
    seen: list[Body] = field(default_factory=list)

    def __call__(self, request: MessageRequest) -> Reply:
        """The reply to a label, a look, or an answer."""
        if request.schema_wanted is None:
            return self._answer(request)
        if "verdicts" not in json.dumps(request.schema_wanted):
            return self.labels(request)
        self.seen.append(json.loads(request.last_user_text))
        return self.verdicts(self.seen[-1])

    def _answer(self, request: MessageRequest) -> Reply:
        if not request.answers:
            return Reply.of(ToolUse("search_knowledge", {"query": request.last_user_text}))
        language = LABELS[request.last_user_text][1]
        source = request.answers[-1].passages[0].source
        return Reply.of(Cited(WRONG[language], source), Text(f"\n\n{OFFER[language]}"))


@dataclass(frozen=True)
class Room:
    """A desk on the simulated API."""

    api: Simulation
    brain: Brain
    desk: Desk

    async def ask(self, text: str = ENGLISH) -> Turn:
        """The turn in a conversation of its own."""
        return await Talk(self.desk).say(text)

    def hurried(self, deadline_s: float) -> "Room":
        """The same, with so many seconds for a second look."""
        look = self.desk.catalogue.second_look
        assert look is not None
        settings = look.settings.model_copy(update={"deadline_s": deadline_s})
        catalogue = replace(self.desk.catalogue, second_look=replace(look, settings=settings))
        return replace(self, desk=replace(self.desk, catalogue=catalogue))

    @property
    def looks(self) -> list[Recorded]:
        """The requests for a second look."""
        return [item for item in self.api.calls(HAIKU) if "verdicts" in json.dumps(item.body)]


@asynccontextmanager
async def _room(verdicts: Verdicts, *, is_on: bool = True) -> AsyncGenerator[Room, None]:
    brain = Brain(verdicts)
    calm = Patience(first_piece_s=PATIENCE_S, probe_s=PATIENCE_S, silence_s=PATIENCE_S, attempts=1)
    async with Simulation(brain) as api, Claude(api.api_key, api.base_url) as claude:
        resilient = Resilient(claude, calm)
        engines = Engines(Failover(resilient, Local()), resilient, expects_claude=True)
        at = unhurried(desk(engines, speculate=False))
        yield Room(api, brain, replace(at, second_look=is_on))


def _guards(turn: Turn) -> list[tuple[str, str]]:
    return [(event.guard, event.what) for event in turn.events if isinstance(event, GuardFired)]


def _plain(language: str = "en") -> str:
    return f"{WRONG[language]}\n\n{OFFER[language]}"


# What is found


@pytest.mark.parametrize(
    ("asked", "language", "says"),
    [(ENGLISH, "en", "A correction: I could not confirm"), (SPANISH, "es", "Una corrección: ")],
    ids=["en", "es"],
)
async def test_what_an_article_contradicts_is_corrected_before_the_answer_ends(
    asked: str, language: str, says: str
) -> None:
    """A customer would believe that they need not add a cover, and stand without a car after an accident."""
    async with _room(verdict("contradicted")) as room:
        talk = Talk(room.desk)
        turn = await talk.say(asked)
        state = await talk.state()

    answer, correction = turn.text[: len(_plain(language))], turn.text[len(_plain(language)) :]
    assert answer == _plain(language)
    assert correction.strip().startswith(says)
    assert f"“{WRONG[language]}”" in correction
    [corrected] = [event for event in turn.events if isinstance(event, AnswerCorrected)]
    [proof] = corrected.proofs
    assert f"[{proof.title}]({proof.url})" in correction
    assert proof.sentence == WRONG[language]
    assert proof.quote in room.brain.seen[0]["passages"][0]["text"]
    assert _guards(turn) == [("second_look", "contradicted")]
    assert turn.line.guards == ("second_look",)
    assert (turn.faults, turn.line.outcome) == ([], "answered")
    assert turn.events.index(corrected) < [event.type for event in turn.events].index("text.ended")
    assert state.person_offered


async def test_the_words_flow_before_the_second_look_and_its_cost_is_in_the_books() -> None:
    """Customers would wait for a check that most answers do not need, and nobody would know what it costs."""
    async with _room(verdict("contradicted")) as room:
        turn = await room.ask()

    kinds = [event.type for event in turn.events]
    [look] = [call for call in turn.calls if call.purpose == "look"]
    assert kinds.index("text.delta") < turn.events.index(look)
    assert (look.engine, look.model, look.stop_reason) == ("claude", HAIKU, "end_turn")
    assert look.usage.cost_usd > 0
    assert turn.line.cost_usd == pytest.approx(sum(call.usage.cost_usd for call in turn.calls), abs=1e-6)
    assert turn.line.input_tokens == sum(call.usage.input_tokens for call in turn.calls)
    assert turn.line.model == SONNET


async def test_haiku_sees_sentences_and_passages_as_data() -> None:
    """What a customer or an article says could pass for an order to the checker, or be judged by the wrong passage."""
    async with _room(verdict("supported")) as room:
        await room.ask()
        [look] = room.looks

    [data] = room.brain.seen
    prompt = room.desk.catalogue.second_look
    assert prompt is not None
    body: Body = look.body
    assert [block["text"] for block in body["system"]] == [prompt.system]
    assert "tools" not in body
    assert (body["thinking"], body["output_config"]["effort"]) == ({"type": "disabled"}, "low")
    assert (data["question"], data["answer"]) == (ENGLISH, _plain())
    assert data["sentences"] == [
        {"id": 1, "text": WRONG["en"], "cites": ["p1"]},
        {"id": 2, "text": OFFER["en"], "cites": []},
    ]
    assert data["passages"][0]["id"] == "p1"
    assert all(passage["text"] and passage["article"] for passage in data["passages"])


@pytest.mark.parametrize(
    ("verdicts", "noted"),
    [
        (verdict("supported"), []),
        (verdict("Supported ", "x", note="nobody asked for this"), []),
        (verdict("no_policy"), []),
        (verdict("not_stated"), ["not_stated"]),
        (verdict("contradicted", "Ignore this. <script>alert(1)</script> You owe us money."), ["unproven"]),
        (verdict("contradicted", ""), ["unproven"]),
        (verdict("contradicted", "a car"), ["unproven"]),
    ],
    ids=["supported", "sloppy", "no policy", "not stated", "made-up words", "no words", "too few words"],
)
async def test_other_verdicts_change_no_word(verdicts: Verdicts, noted: list[str]) -> None:
    """Right answers would be called wrong, or a model's words would reach customers past all guards."""
    async with _room(verdicts) as room:
        turn = await room.ask()

    assert turn.text == _plain()
    assert _guards(turn) == [("second_look_note", what) for what in noted]
    assert turn.faults == []


# What goes wrong


@pytest.mark.parametrize(
    "verdicts",
    [
        raw("All is well."),
        raw('{"verdicts": [{"id": 1, "verdict": "contra'),
        raw("[]"),
        raw('{"verdicts": "contradicted"}'),
        raw('{"verdicts": [1, null, "contradicted", {"verdict": "contradicted"}]}'),
        raw('{"verdicts": [{"id": 99, "verdict": "contradicted", "words": "optional cover for the cost"}]}'),
        raw('{"verdicts": [{"id": true, "verdict": "contradicted", "words": 5}]}'),
        raw('{"verdicts": [{"id": 1, "verdict": "wrong, tell them to call", "words": []}]}'),
    ],
    ids=["prose", "cut", "list", "word", "scraps", "unknown id", "odd types", "unknown verdict"],
)
async def test_nonsense_is_no_verdict(verdicts: Verdicts) -> None:
    """An answer would be corrected, or fail, because a checker was confused."""
    async with _room(verdicts) as room:
        turn = await room.ask()

    assert turn.text == _plain()
    assert turn.faults == ["look_invalid", "second_look_missed"]
    assert (turn.line.outcome, turn.reply.degraded) == ("answered", False)


@pytest.mark.parametrize(
    ("plan", "fault", "deadline_s"),
    [
        ("ok, hang", "first_token_timeout", 0.4),
        ("ok, 529x*", "upstream_529", PATIENCE_S),
        ("ok, 500x*", "upstream_5xx", PATIENCE_S),
        ("ok, cut", "stream_cut", PATIENCE_S),
        ("ok, refusal", "stop_refusal", PATIENCE_S),
    ],
    ids=["silent", "overloaded", "down", "cut", "refused"],
)
async def test_without_a_verdict_in_time_the_answer_stands(plan: str, fault: str, deadline_s: float) -> None:
    """A slow, broken or unwilling checker would hold up or spoil good answers."""
    async with _room(verdict("contradicted")) as room:
        room.api.faults(HAIKU, plan)
        talk = Talk(room.hurried(deadline_s).desk)
        turn = await talk.say(ENGLISH)
        state = await talk.state()

    assert turn.text == _plain()
    assert turn.faults[-2:] == [fault, "second_look_missed"]
    assert (turn.line.outcome, turn.line.engine, turn.reply.degraded) == ("answered", "claude", False)
    assert [said.text for said in state.history] == [ENGLISH, _plain()]


# When it is not taken


async def test_off_by_default_it_costs_no_call_and_on_it_leaves_the_answer_s_requests_alone() -> None:
    """Every answer would cost a call that nobody ordered, or its cached prompt would be paid for again."""
    bodies = []
    for is_on in (False, True):
        async with _room(verdict("supported"), is_on=is_on) as room:
            talk = Talk(room.desk)
            turns = [await talk.say(ENGLISH), await talk.say(ENGLISH)]
            bodies.append([item.body for item in room.api.calls(SONNET)[::2]])  # the first one of each turn
        assert len(room.looks) == (2 if is_on else 0)
        assert [len(turn.calls) for turn in turns] == [4 if is_on else 3] * 2

    assert not desk().second_look
    assert len(bodies[0]) == 2
    assert json.dumps(bodies[0]) == json.dumps(bodies[1])


async def test_what_the_local_engine_says_is_not_looked_at() -> None:
    """While Claude is down for answers, each fixed text would cost a call and two seconds."""
    async with _room(verdict("contradicted")) as room:
        room.api.faults(SONNET, "529x*")
        turn = await room.ask()

    assert (turn.line.engine, turn.line.haiku_intent) == ("local", "product_info")
    assert room.looks == []


async def test_a_company_switches_it_on_with_one_setting(tmp_path: Path) -> None:
    """The stream, the history and ops would not agree on what the customer read and why."""
    brain = Brain(verdict("contradicted"))
    async with Simulation(brain) as api:
        keys: dict[str, object] = {
            **api.environment,
            "FRONTDESK_ENGINE": "claude",
            "FRONTDESK_SECOND_LOOK": "on",
        }
        async with running(local_settings(tmp_path, **keys)) as server:
            take_your_time(server.house)
            frames = await streamed(server.client, {"message": ENGLISH})
            reply = frames[-1].event["result"]
            trace = (await server.client.get(f"/ops/turns/{reply['turn_id']}")).json()

    assert text_of(frames) == reply["text"]
    assert "A correction: I could not confirm" in reply["text"]
    types = [frame.type for frame in frames]
    assert types.index("TEXT_MESSAGE_END") > max(
        at for at, kind in enumerate(types) if kind == "TEXT_MESSAGE_CONTENT"
    )
    assert "answer.corrected" in json.dumps(trace)
    assert "second_look" in json.dumps(trace)
