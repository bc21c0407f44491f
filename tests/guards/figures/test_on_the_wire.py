"""Planted figures from a simulated Claude, through the whole desk, as a stream and as JSON: none reaches the client.

The tariff of these tests prices every car at 84.50 dollars a month, so that right figures can be written down.
"""

import random
import re
import shutil
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any, TypeVar

import pytest
import pytest_asyncio

from events import GuardFired
from settings import ROOT
from tests.guards.figures.conversations import MESSAGE, Said, benign, right, wrong
from tests.serving import Running, local_settings, running, streamed, text_of
from tests.simulation import Classifier, MessageRequest, Reply, Simulation, Text, ToolUse, brains
from tests.simulation.content import JsonObject

pytestmark = pytest.mark.asyncio(loop_scope="module")
SEARCHES = (
    "rental car reimbursement limit a day",
    "deductible for collision cover",
    "theft must be reported to the police within 24 hours",
    "claims adviser written decision",
    "battery cover degradation capacity",
)
AT_ONCE = 6
_Case = TypeVar("_Case", bound=Said)
DETAILS: JsonObject = {"make": "Nissan", "model": "Leaf", "year": 2022, "mileage": 30_000, "driver_age": 34}


@dataclass
class Speaker:
    """A model that prices the car, looks everything up, and then says what it is told to, in pieces of any size."""

    says: str = ""
    said: str = ""
    chance: random.Random = field(default_factory=lambda: random.Random(84))

    def __call__(self, request: MessageRequest) -> Reply:
        """Tools first, then the words."""
        if not request.answers:
            searches = [ToolUse("search_knowledge", {"query": query}) for query in SEARCHES]
            return Reply.of(ToolUse("get_quote", DETAILS), *searches)
        until = re.search(r"valid until (\d{4}-\d\d-\d\d)", request.answers[0].text)
        assert until is not None
        says = self.said = Said(language="", says=self.says).filled(date.fromisoformat(until[1]))
        cuts = sorted(self.chance.sample(range(1, len(says)), len(says) // 9))
        return Reply.of(*(Text(says[start:end]) for start, end in pairwise([0, *cuts, len(says)])))


@dataclass(frozen=True)
class Desk:
    """The running desk, and what the model on the other side says."""

    running: Running
    simulation: Simulation
    speaker: Speaker
    language: dict[str, str]

    async def answered(
        self, cases: Sequence[str], language: str, number: int
    ) -> tuple[str, list[GuardFired]]:
        """What a client reads as a stream, and what fired; the JSON is made sure to say the same."""
        self.speaker.said = ""
        self.speaker.says, self.language["language"] = "\n\n".join(cases), language
        self.simulation.pace("*", chunk_chars=self.speaker.chance.randint(1, 30))
        message = {"message": MESSAGE, "message_id": f"{language}-{number}"}
        frames = await streamed(self.running.client, message)
        text = text_of(frames)
        reply: dict[str, Any] = (await self.running.client.post("/chat", json=message)).json()
        assert reply["text"] == text
        assert frames[-1].event["result"]["text"] == text
        (turn,) = await self.running.house.event_log.read_turns(reply["conversation_id"], 5)
        return text, [item.event for item in turn[1] if isinstance(item.event, GuardFired)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Desk, None]:
    """The whole desk before a simulated API."""
    folder = tmp_path_factory.mktemp("figures")
    shutil.copytree(ROOT / "knowledge" / "corpus", folder / "corpus")
    tariff = (ROOT / "knowledge" / "tariff.toml").read_text(encoding="utf-8")
    tariff = re.sub(r"(?m)^minimum_premium = .*$", "minimum_premium = 84.50", tariff)
    before, head, bases = tariff.partition("[base]")
    rows, bracket, rest = bases.partition("\n[")
    rows = re.sub(r"(?m)= [\d.]+", "= 0.01", rows)
    (folder / "tariff.toml").write_text(before + head + rows + bracket + rest, encoding="utf-8")
    speaker, language = Speaker(), {"language": "en"}
    label = Classifier(lambda _text: {"intent": "quote", "confidence": 0.97, "also": [], **language})
    async with Simulation(brains.by_kind(classifier=label, otherwise=speaker)) as simulation:
        keys: dict[str, object] = {**simulation.environment, "FRONTDESK_ENGINE": "auto"}
        settings = local_settings(folder, **keys, FRONTDESK_KNOWLEDGE=folder / "corpus")
        async with running(settings) as server:
            yield Desk(server, simulation, speaker, language)


@pytest.mark.parametrize("language", ["en", "es"])
async def test_no_planted_figure_reaches_the_client(desk: Desk, language: str) -> None:
    """A customer would read a price, a deadline or a phone number that nobody said."""
    cases = [case for case in wrong() if case.language == language]
    for number, group in enumerate(_groups(cases)):
        text, fired = await desk.answered([case.says for case in group], language, number)
        for case, paragraph in zip(group, text.split("\n\n"), strict=False):
            assert not [figure for figure in case.figures if figure in paragraph], paragraph
        assert {event.what for event in fired} == {case.what for case in group}
        assert {event.guard for event in fired if event.what != "phone"} <= {"figures"}
        assert desk.speaker.said


@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_right_figure_reaches_the_client(desk: Desk, language: str) -> None:
    """A customer would not read the price that was worked out, or what the articles say."""
    cases = [case for case in right() if case.language == language]
    for number, group in enumerate(_groups(cases), start=1_000):
        text, fired = await desk.answered([case.says for case in group], language, number)
        assert (text, fired) == (desk.speaker.said, [])


async def test_what_is_no_figure_reaches_the_client_as_it_is(desk: Desk) -> None:
    """Honest answers would be full of holes."""
    says = [line for line in benign() if "{" not in line]
    for number, start in enumerate(range(0, len(says), 20), start=2_000):
        text, fired = await desk.answered(
            ["This is what you asked.", *says[start : start + 20]], "en", number
        )
        assert (text, fired) == (desk.speaker.said, [])


def _groups(cases: Sequence[_Case]) -> list[Sequence[_Case]]:
    return [cases[start : start + AT_ONCE] for start in range(0, len(cases), AT_ONCE)]
