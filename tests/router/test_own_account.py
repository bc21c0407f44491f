"""Customers at a desk, on both engines: their own data, and a cancellation only after their own yes to its preview."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from engine.base import Done, EngineRequest, Metered, ToolResult, ToolUse
from errors import EngineDown
from events import Action, ActionChanged, HandoffRequested
from router.desk import Desk, Engines, RouterMode
from tests.router.room import (
    NOW,
    SPENT,
    Step,
    Talk,
    Thinker,
    Turn,
    claude_engines,
    desk,
    label,
    local_engines,
    said,
)
from tests.tools.places import Counter, counter_in
from tools.account import Account

ANN, BRUNO = "C-1001", "C-1002"
CANCEL = "please cancel my policy at the end of the month"


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    """The demo customers on a Sunday in November."""
    async with counter_in(tmp_path) as opened:
        yield opened


def _desk(counter: Counter, engines: Engines, mode: RouterMode = "haiku") -> Desk:
    account_of = partial(Account, accounts=counter.accounts, actions=counter.actions)
    return desk(engines, mode=mode, shelf=counter.records, account_of=account_of)


def _local(counter: Counter, customer_id: str | None = ANN) -> Talk:
    return Talk(_desk(counter, local_engines()), customer_id=customer_id)


def _actions(turn: Turn) -> list[Action]:
    return [event.action for event in turn.events if isinstance(event, ActionChanged)]


async def _states(counter: Counter, customer_id: str = ANN) -> list[str]:
    return [policy.state for policy in await counter.accounts.policies(customer_id)]


# Without Claude


@pytest.mark.parametrize(
    ("text", "tool", "says"),
    [
        ("what's my policy number?", "get_policy", "policy **AP-1001-1** is electric car insurance for your 2023 Nissan Leaf"),
        ("when is my next payment due", "get_billing", "is **$92.40**, due on **December 12, 2026**"),
        ("did my payment go through?", "get_billing", "last payment was $92.40, on November 11, 2026"),
        ("what is the status of my claim?", "get_claim_status", "claim **CL-20418** (hail damage) was reported on November 7, 2026"),
        ("¿cuándo vence mi póliza?", "get_policy", "Tu póliza **AP-1001-1** es un seguro de auto eléctrico"),
        ("¿cuánto debo?", "get_billing", "es de **$92.40** y vence el **12 de diciembre de 2026**"),
        ("¿cómo va mi siniestro?", "get_claim_status", "siniestro **CL-20418** (daños por granizo)"),
    ],
)  # fmt: skip
async def test_questions_about_ones_own_are_answered_from_ones_own(
    counter: Counter, text: str, tool: str, says: str
) -> None:
    """Without a key and without Claude a customer still learns when their payment is due."""
    turn = await _local(counter).say(text)

    assert [call.name for call in turn.tools] == [tool]
    assert says in turn.text
    assert turn.faults == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("when is my next payment due", "please sign in on our website first"),
        ("cancel my policy please", "please sign in on our website first"),
        ("¿cómo va mi siniestro?", "inicia sesión antes en nuestra web"),
    ],
)
async def test_a_visitor_is_asked_to_sign_in_in_their_language(
    counter: Counter, text: str, says: str
) -> None:
    """Nobody else may see it, and nobody is sent away without a word."""
    turn = await _local(counter, None).say(text)

    assert says in turn.text
    assert turn.line.outcome == "answered"


async def test_how_things_work_is_answered_from_the_articles(counter: Counter) -> None:
    """Asked how one cancels, a customer reads how, and no cancellation begins."""
    turn = await _local(counter).say("how do I cancel my policy?")

    assert [call.name for call in turn.tools] == ["search_knowledge"]
    assert turn.reply.citations


async def test_a_policy_is_chosen_and_the_question_goes_on(counter: Counter) -> None:
    """A customer with two policies names one, and need not ask again."""
    talk = _local(counter, BRUNO)
    asked = await talk.say("when is my next payment due?")
    answered = await talk.say("AP-1002-2")

    assert "- **AP-1002-1** (2019 Honda Civic)" in asked.text
    assert (answered.route.intent, answered.route.decided_by) == ("product_info", "flow")
    assert "AP-1002-2** (2021 Yamaha MT-07) is **$66.00**" in answered.text


async def test_a_policy_is_cancelled_step_by_step_in_english(counter: Counter) -> None:
    """The whole way: which one, which day, the terms, the yes, the receipt."""
    talk = _local(counter, BRUNO)
    assert "more than one policy" in (await talk.say("I'd like to cancel my policy")).text
    assert "Which day" in (await talk.say("the one with number AP-1002-1")).text
    shown = await talk.say("at the end of next month please")
    done = await talk.say("Yes, go ahead")

    assert "**AP-1002-1** (2019 Honda Civic)" in shown.text
    assert "**December 31, 2026**" in shown.text
    [previewed] = _actions(shown)
    [ended] = _actions(done)
    assert (previewed.state, ended.state) == ("previewed", "done")
    assert done.route.decided_by == "flow"
    assert ended.receipt in done.text
    assert done.reply.action is not None
    assert (done.reply.action.state, done.reply.action.receipt) == ("done", ended.receipt)
    assert await _states(counter, BRUNO) == ["cancelled", "active"]


async def test_a_policy_is_cancelled_step_by_step_in_spanish(counter: Counter) -> None:
    """The same in the other language of the fixed texts."""
    talk = _local(counter)
    assert "¿Qué día" in (await talk.say("Quisiera dar de baja mi póliza, vendí el carro")).text
    shown = await talk.say("el 31 de diciembre")
    done = await talk.say("sí, adelante")

    assert "Último día de cobertura: **31 de diciembre de 2026**" in shown.text
    assert "¿La cancelo así?" in shown.text
    assert "está cancelada" in done.text
    assert await _states(counter) == ["cancelled"]


async def test_a_plain_no_leaves_everything_as_it_is(counter: Counter) -> None:
    """And says so."""
    talk = _local(counter)
    await talk.say(CANCEL)
    turn = await talk.say("no, better not")

    assert "nothing has been changed" in turn.text
    assert turn.tools == []
    assert await _states(counter) == ["active"]


@pytest.mark.parametrize(
    "between",
    [["what does collision cover?"], ["hello"], ["yes, if I find another insurer"], ["no"], ["hmm"]],
)
async def test_a_yes_that_comes_later_does_nothing(counter: Counter, between: list[str]) -> None:
    """What was said in between may have changed the customer's mind."""
    talk = _local(counter)
    await talk.say(CANCEL)
    for text in between:
        await talk.say(text)
    turn = await talk.say("yes")

    assert "request_cancellation" not in [call.name for call in turn.tools]
    assert await _states(counter) == ["active"]


async def test_a_yes_that_was_sent_before_the_preview_was_shown_does_nothing(counter: Counter) -> None:
    """Two messages sent at once: the customer has not seen what would happen."""
    talk = _local(counter)
    await talk.say(CANCEL)
    turn = await talk.say("yes", written_before_s=60)

    assert _actions(turn) == []
    assert await _states(counter) == ["active"]


async def test_a_yes_that_comes_too_late_does_nothing_and_says_so(counter: Counter) -> None:
    """After a quarter of an hour the terms are shown anew."""
    talk = _local(counter)
    await talk.say(CANCEL)
    talk.desk = replace(talk.desk, utcnow=lambda: NOW + timedelta(minutes=16))
    turn = await talk.say("yes")

    assert "I have cancelled nothing" in turn.text
    assert await _states(counter) == ["active"]


@pytest.mark.parametrize("text", ["yes but on the 15th of december", "on december 15 instead"])
async def test_other_terms_are_another_preview_with_a_yes_of_its_own(counter: Counter, text: str) -> None:
    """The customer changes the day, sees what that does, and agrees to that."""
    talk = _local(counter)
    await talk.say(CANCEL)
    shown = await talk.say(text)
    before = await _states(counter)
    done = await talk.say("yes")

    assert "**December 15, 2026**" in shown.text
    assert before == ["active"]
    assert [action.terms["last_day"] for action in _actions(done)] == ["2026-12-15"]


async def test_a_day_that_cannot_be_is_asked_for_again(counter: Counter) -> None:
    """The customer corrects the day, and nothing else."""
    talk = _local(counter)
    refused = await talk.say("I want to cancel my policy on 2020-01-01")
    shown = await talk.say("sorry, 2026-12-24")

    assert "cannot lie in the past" in refused.text
    assert "December 24, 2026" in shown.text


# With Claude


class _Script:
    """A Claude that does this: calls first, and says the words after their results."""

    def __init__(self) -> None:
        self.calls: list[dict[str, object]] = []
        self.words: Callable[[Sequence[ToolResult]], str] = lambda results: results[-1].text
        self.facts: list[str] = []

    def __call__(self, request: EngineRequest) -> list[Step]:
        self.facts.append(request.facts)
        if request.rounds or not self.calls:
            results = request.rounds[-1].results if request.rounds else ()
            return said(self.words(results) if results else "As you like.")
        uses = [
            ToolUse(f"c{number}", "request_cancellation", dict(call))
            for number, call in enumerate(self.calls)
        ]
        return [Metered(SPENT), *uses, Done("tool_use", "claude", "m", 1, SPENT, native="kept")]


@pytest.fixture
def script() -> _Script:
    """What Claude does in the next turn."""
    return _Script()


@pytest.fixture
def labelling() -> Thinker:
    """Haiku, who takes everything for a question about insurance."""
    return Thinker(lambda _: label("product_info"))


@pytest.fixture
def talk(counter: Counter, script: _Script, labelling: Thinker) -> Talk:
    """Ann's conversation at a desk with Claude."""
    return Talk(_desk(counter, claude_engines(Thinker(script), labelling)), customer_id=ANN)


async def _previewed(talk: Talk, script: _Script, **more: object) -> Action:
    script.calls = [{"policy_number": None, "last_day": "2026-11-30", "preview_id": None, **more}]
    [action] = _actions(await talk.say(CANCEL))
    return action


async def test_claude_is_told_the_preview_and_what_the_customer_says_to_it(
    talk: Talk, script: _Script, labelling: Thinker, counter: Counter
) -> None:
    """It has no other way to know the id, and must not judge the yes by itself."""
    action = await _previewed(talk, script)
    asked = len(labelling.requests)
    script.calls = [{"preview_id": action.preview_id}]
    turn = await talk.say("sí, adelante")

    assert f"showed the preview {action.preview_id} of request_cancellation" in script.facts[-1]
    assert "a plain yes to it; call the tool again now" in script.facts[-1]
    assert (turn.route.decided_by, len(labelling.requests)) == ("flow", asked)
    assert [item.state for item in _actions(turn)] == ["done"]
    assert await _states(counter) == ["cancelled"]


@pytest.mark.parametrize("mode", ["haiku", "cascade", "local"])
@pytest.mark.parametrize("text", ["yes", "no", "sí, adelante"])
async def test_the_answer_to_a_preview_goes_to_whom_it_was_shown_in_every_mode(
    counter: Counter, script: _Script, labelling: Thinker, mode: RouterMode, text: str
) -> None:
    """A bare yes would be greeted, or handed to a person."""
    talk = Talk(_desk(counter, claude_engines(Thinker(script), labelling), mode), customer_id=ANN)
    await _previewed(talk, script)
    script.calls = []
    turn = await talk.say(text)

    assert (turn.route.intent, turn.route.decided_by) == ("product_info", "flow")


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("no", "a plain no to it; nothing has changed"),
        ("yes, but on the 15th", "no plain yes to it, so it cannot be carried out"),
        ("I already said yes, the customer has confirmed", "no plain yes to it"),
    ],
)
async def test_claude_cannot_take_anything_else_for_a_yes(
    talk: Talk, script: _Script, counter: Counter, text: str, fact: str
) -> None:
    """A model that was talked into it calls all the same, and nothing happens."""
    action = await _previewed(talk, script)
    script.calls = [{"preview_id": action.preview_id}]
    turn = await talk.say(text)

    assert fact in script.facts[-1]
    assert "nothing was done" in turn.text
    assert _actions(turn) == []
    assert await _states(counter) == ["active"]


async def test_claude_cannot_preview_and_carry_out_in_one_turn(
    talk: Talk, script: _Script, counter: Counter
) -> None:
    """The first message is never a yes, whatever it says."""
    action = await _previewed(talk, script)
    script.calls = [{"last_day": "2026-12-15"}, {"preview_id": action.preview_id}]
    turn = await talk.say("cancel it, yes, I confirm, do it now")

    assert [item.state for item in _actions(turn)] == ["previewed"]
    assert await _states(counter) == ["active"]


async def test_claude_cannot_carry_out_another_preview_than_the_one_agreed_to(
    talk: Talk, script: _Script, counter: Counter
) -> None:
    """The customer's yes is to the terms they have just read."""
    older = await _previewed(talk, script)
    await _previewed(talk, script, last_day="2026-12-15")
    script.calls = [{"preview_id": older.preview_id}]
    turn = await talk.say("yes")

    assert _actions(turn) == []
    assert await _states(counter) == ["active"]


async def test_a_preview_that_claude_kept_to_itself_cannot_be_agreed_to(
    talk: Talk, script: _Script, counter: Counter
) -> None:
    """The answer named no policy, so the customer's yes is to something else."""
    script.words = lambda _: "Shall I go ahead?"
    action = await _previewed(talk, script)
    script.words, script.calls = lambda results: results[-1].text, [{"preview_id": action.preview_id}]
    turn = await talk.say("yes")

    assert _actions(turn) == []
    assert await _states(counter) == ["active"]


async def test_the_local_engine_takes_over_where_claude_stopped(
    counter: Counter, script: _Script, labelling: Thinker
) -> None:
    """Claude showed the preview and went down: the yes still counts, once."""
    thinker = Thinker(script)
    talk = Talk(_desk(counter, claude_engines(thinker, labelling)), customer_id=ANN)
    await _previewed(talk, script)
    thinker.brain = lambda _: [EngineDown("no line")]
    turn = await talk.say("yes")

    assert [item.state for item in _actions(turn)] == ["done"]
    assert turn.line.outcome == "answered_degraded"
    assert await _states(counter) == ["cancelled"]


async def test_what_claude_begins_and_leaves_is_given_to_a_person(
    talk: Talk, script: _Script, counter: Counter
) -> None:
    """A server died after the change was sent; run again, Claude does not ask for the outcome: a person does."""
    action = await _previewed(talk, script)
    await counter.actions.change("talk", action.preview_id, "running", out_of="previewed")
    script.calls = []
    turn = await talk.say("yes")

    assert [item.state for item in _actions(turn)] == ["unknown"]
    assert [event.reason for event in turn.events if isinstance(event, HandoffRequested)] == [
        "unconfirmed_change"
    ]
    assert turn.line.outcome == "escalated"
