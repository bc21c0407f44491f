"""What a second look is shown, which verdicts count, and that no guess costs one; over HTTP: tests/test_second_look.py."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from agents.claims import Claims, claims_of
from agents.promptfile import PromptError
from agents.run import Look
from agents.sources import Sources
from agents.verdicts import read_verdicts
from engine.base import Cited, Piece, StopReason, Text
from engine.resilient import Resilient
from errors import EngineDown
from events import FaultSeen
from knowledge.passages import Passage
from tests.agents.folders import edit, load, shipped
from tests.agents.scripts import DOWN, Scripted, Stage, done, echo, specialist, use
from tests.waiting import PATIENCE_S
from tools.registry import Toolbox, ToolContext, ToolOutcome, tool

RENTAL = Passage(
    "https://x/rental#2",
    "Rental cars",
    "https://x/rental",
    "en",
    "The limit is $40 a day. It is an optional cover.",
    before="Rental car cover.",
)
HAIL = Passage("https://x/hail#1", "Hail", "https://x/hail", "en", "Hail is covered by comprehensive.")
SAID = "Rental cars are always included. **Hail** is covered, less the deductible.\n\n- 30 days at the most, and so on."


def _claims(text: str, *passages: Passage, cites: tuple[Cited, ...] = ()) -> Claims:
    sources = Sources()
    sources.learn(passages)
    assert all(sources.cite(cited) for cited in cites)
    return claims_of(text, sources)


CITED = Cited(HAIL.source, HAIL.text, "**Hail** is covered, less the deductible.")


def test_each_sentence_is_shown_with_what_it_cites_and_cited_passages_come_first() -> None:
    """A sentence would be judged by a passage that it never leaned on."""
    claims = _claims(SAID, RENTAL, HAIL, cites=(CITED,))
    data = json.loads(claims.data("q" * 2000))

    assert [(passage["id"], passage["article"]) for passage in data["passages"]] == [
        ("p1", "Hail"),
        ("p2", "Rental cars"),
    ]
    assert (
        data["passages"][1]["text"] == "Rental car cover.\nThe limit is $40 a day. It is an optional cover."
    )
    assert data["sentences"] == [
        {"id": 1, "text": "Rental cars are always included.", "cites": []},
        {"id": 2, "text": "Hail is covered, less the deductible.", "cites": ["p1"]},
        {"id": 3, "text": "30 days at the most, and so on.", "cites": []},
    ]
    assert len(data["question"]) == 1000


@pytest.mark.parametrize(
    ("text", "passages"),
    [
        (SAID, ()),
        ("Hail is covered by comprehensive.", (HAIL,)),
        ("* **Hail** is covered by comprehensive.\nHail is covered by comprehensive!", (HAIL,)),
        ("Of course. Yes!", (HAIL,)),
        ("", (HAIL,)),
    ],
    ids=["nothing found", "word for word", "in other marks", "too short", "silence"],
)
def test_what_needs_no_second_look_gets_none(text: str, passages: tuple[Passage, ...]) -> None:
    """Greetings and quotations would cost a call, and an article's own words could be called wrong."""
    assert not _claims(text, *passages)


def test_long_answers_and_many_passages_are_shown_in_part() -> None:
    """One odd answer would cost as much as a hundred others, and never be judged in time."""
    many = [
        replace(HAIL, source=f"https://x/{n}#1", url=f"https://x/{n}", text=f"{n} " * 2000) for n in range(9)
    ]
    text = " ".join(f"Sentence number {n} says something." for n in range(100))
    claims = _claims(text, *many, many[0])

    assert (len(claims.sentences), len(claims.excerpts)) == (40, 6)


def test_a_passage_that_two_searches_found_is_shown_once() -> None:
    """The same words would be paid for twice."""
    sources = Sources()
    sources.learn([HAIL])
    sources.learn([replace(HAIL, score=2.0)])

    assert list(claims_of(SAID, sources).excerpts) == ["p1"]


def _verdicts(*given: tuple[int, str, str]) -> str:
    return json.dumps(
        {"verdicts": [{"id": at, "verdict": kind, "words": words} for at, kind, words in given]}
    )


def test_a_contradiction_counts_with_the_words_of_a_passage() -> None:
    """A right answer would be called wrong on a model's word alone."""
    claims = _claims(SAID, RENTAL, HAIL)
    text = _verdicts(
        (1, "contradicted", "“it is an OPTIONAL cover”"), (2, "contradicted", "Hail is never paid")
    )
    found = read_verdicts(text, claims)

    [proof] = found.contradicted
    assert (proof.sentence, proof.source) == ("Rental cars are always included.", RENTAL.source)
    assert (proof.quote, proof.url) == (RENTAL.text, RENTAL.url)
    assert found.notes == ("unproven",)


def test_verdicts_that_disagree_are_none() -> None:
    """A confused checker would decide by the order in which it speaks."""
    claims = _claims(SAID, RENTAL)
    text = _verdicts((1, "contradicted", RENTAL.text), (1, "supported", ""), (2, "not_stated", ""))
    found = read_verdicts(text, claims)

    assert (found.contradicted, found.notes) == ((), ("not_stated",))


def test_a_look_without_a_usable_verdict_is_told() -> None:
    """Nobody would notice that the prompt no longer works."""
    with pytest.raises(EngineDown) as caught:
        read_verdicts(_verdicts((9, "supported", "")), _claims(SAID, RENTAL))

    assert caught.value.fault == "look_invalid"


def test_a_prompt_without_words_for_customers_is_refused(folder: Path) -> None:
    """A wrong answer would be found, and nobody told."""
    edit(folder / "_notices.md", "## second_look", "## second_glance")

    with pytest.raises(
        PromptError, match=r'second_look\.md:2: what customers read is missing; put a text "## '
    ):
        load(folder)


# In a run


@tool(effect="read", lead="search")
async def look_up(context: ToolContext, query: str) -> ToolOutcome:
    """Find passages."""
    return ToolOutcome("found", passages=(RENTAL,))


@dataclass
class _Run:
    """A run whose answer contradicts its passage; the checker says so."""

    stop: StopReason = "end_turn"
    said: str = "Rental cars are always included."
    checker: Scripted = field(
        default_factory=lambda: Scripted(
            [[Text(_verdicts((1, "contradicted", "It is an optional cover."))), done()]]
        )
    )

    def stage(self) -> Stage:
        answer: list[Piece | Exception] = [Text(self.said), done(self.stop)]
        engine = Scripted([[use("look_up", query="rental"), done("tool_use")], answer])
        prompt = shipped().second_look
        assert prompt is not None
        stage = Stage(engine, Toolbox.of(echo, look_up), specialist("look_up"), notices=shipped().notices)
        stage.second_look = Look(self.checker, prompt)
        return stage


@pytest.mark.parametrize("said", ["The limit is $40 a day.", ""], ids=["word for word", "silence"])
async def test_an_answer_without_a_claim_of_its_own_costs_no_call(said: str) -> None:
    """Quotations are right by themselves, and silence is."""
    run = _Run(said=said)
    stage = run.stage()
    await stage.play()

    assert stage.text == said
    assert run.checker.requests == []


async def test_it_is_tried_once() -> None:
    """In a trouble of the API, checks would use up the retries that answers need."""
    run = _Run(checker=Scripted([[DOWN], [DOWN]]))
    stage = run.stage()
    assert stage.second_look is not None
    stage.second_look = replace(stage.second_look, engine=Resilient(run.checker))
    await stage.play()

    assert len(run.checker.requests) == 1
    assert [fault.code for fault in stage.events if isinstance(fault, FaultSeen)] == [
        "upstream_5xx",
        "second_look_missed",
    ]


async def test_an_answer_that_ran_out_of_tokens_is_looked_at_as_it_was_shown() -> None:
    """Long answers would never be checked."""
    run = _Run(stop="max_tokens", said="Rental cars are always included. And so")
    stage = run.stage()
    await stage.play()

    assert stage.text.startswith("Rental cars are always included. And so…\n\nUna corrección: ")
    assert json.loads(run.checker.requests[0].message)["answer"].endswith("And so…")


async def test_an_answer_that_broke_off_is_not_looked_at() -> None:
    """The customer is told to ask again; a second notice below it would only confuse."""
    run = _Run(stop="cut")
    stage = run.stage()
    await stage.play()

    assert run.checker.requests == []
    assert "correcci" not in stage.text


async def test_a_guess_is_looked_at_only_when_it_is_none_any_more() -> None:
    """Every wrong guess would cost a call more."""
    run = _Run()
    stage = run.stage()
    waits, confirmed = asyncio.Event(), asyncio.Event()

    async def until_confirmed() -> None:
        waits.set()
        await confirmed.wait()

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        playing = group.create_task(stage.play(until_confirmed))
        await waits.wait()
        assert stage.text == run.said
        assert run.checker.requests == []
        confirmed.set()
        await playing

    assert len(run.checker.requests) == 1
    assert "Una corrección" in stage.text


async def test_a_discarded_guess_is_never_looked_at() -> None:
    """Every wrong guess would cost a call more."""
    run = _Run()
    stage = run.stage()
    waits = asyncio.Event()

    async def for_ever() -> None:
        waits.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        playing = group.create_task(stage.play(for_ever))
        await waits.wait()
        playing.cancel()

    assert run.checker.requests == []
    assert "text.ended" not in stage.types
