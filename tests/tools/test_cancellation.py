"""Cancelling in two phases: shown, agreed to, done once; and never without the customer's own yes to just that."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from errors import ToolError, ToolQuestion
from events import Action, ActionChanged, HandoffRequested
from remote import Service
from tests.company import Answer, Company, Exchange, Fault, plain
from tests.company.customers import CustomerService
from tests.company.faults import acts_and_hangs, drops, fails, halves, lies, never, says, trickles, twice
from tests.tools.places import NOW, Counter, counter_in
from tools.account import Account
from tools.account_service import RemoteAccounts
from tools.actions import HOLDS_FOR, UNCONFIRMED, key_of, unconfirmed
from tools.cancellation import request_cancellation
from tools.registry import ToolContext, ToolOutcome

DAY = "2026-11-30"
SOON_S = 1.0  # a deadline for services that never answer
LONG_S = 30.0  # a deadline that must not be needed
ANN = "C-1001"


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    """The demo customers on a Sunday in November."""
    async with counter_in(tmp_path) as opened:
        yield opened


async def _call(
    counter: Counter, customer: str | None = ANN, consent: str | None = None, **arguments: str | None
) -> ToolOutcome:
    context = counter.call(customer, key=repr(sorted(arguments.items())), consent=consent)
    return await request_cancellation.call(context, arguments)


async def _preview(counter: Counter, customer: str = ANN, **arguments: str | None) -> Action:
    outcome = await _call(counter, customer, **{"last_day": DAY, **arguments})
    [deed] = outcome.deeds
    assert isinstance(deed, ActionChanged)
    return deed.action


async def _refused(
    counter: Counter, customer: str = ANN, consent: str | None = None, **arguments: str | None
) -> ToolError:
    with pytest.raises(ToolError) as refused:
        await _call(counter, customer, consent, **arguments)
    return refused.value


async def _states(counter: Counter, customer: str = ANN) -> list[str]:
    return [policy.state for policy in await counter.accounts.policies(customer)]


# The preview


async def test_the_first_call_shows_and_changes_nothing(counter: Counter) -> None:
    """A misread sentence must not cost a policy."""
    outcome = await _call(counter, last_day=DAY)

    [deed] = outcome.deeds
    assert isinstance(deed, ActionChanged)
    assert deed.action.state == "previewed"
    assert deed.action.terms == {"policy_number": "AP-1001-1", "last_day": DAY, "refund_usd": "33.88"}
    assert deed.action.expires_at == NOW + HOLDS_FOR
    assert outcome.text.startswith(
        f"Preview {deed.action.preview_id}; nothing has changed yet. Policy AP-1001-1 ends;"
    )
    assert (outcome.values["last_day"], outcome.values["vehicle"]) == (
        "November 30, 2026",
        "2023 Nissan Leaf",
    )
    assert await _states(counter) == ["active"]


@pytest.mark.parametrize(
    ("customer", "arguments", "code", "field"),
    [
        (ANN, {}, "which_day", "last_day"),
        ("C-1002", {"last_day": DAY}, "which_policy", "policy_number"),
        (ANN, {"last_day": "2026-11-21"}, "last_day_past", "last_day"),
        (ANN, {"last_day": "2030-01-01"}, "last_day_late", "last_day"),
    ],
)
async def test_what_is_missing_or_cannot_be_is_asked_for(
    counter: Counter, customer: str, arguments: dict[str, str], code: str, field: str
) -> None:
    """The customer's next word is understood as the answer to it."""
    error = await _refused(counter, customer, **arguments)

    assert isinstance(error, ToolQuestion)
    assert (error.code, error.field) == (code, field)


@pytest.mark.parametrize(
    ("customer", "arguments", "code"),
    [
        ("C-1005", {"last_day": DAY}, "already_cancelled"),
        ("C-1009", {"policy_number": "AP-1009-1", "last_day": DAY}, "policy_ended"),
    ],
)
async def test_what_is_over_cannot_be_cancelled(
    counter: Counter, customer: str, arguments: dict[str, str], code: str
) -> None:
    """A second cancellation of the same policy helps nobody."""
    assert (await _refused(counter, customer, **arguments)).code == code


async def test_the_same_call_again_gives_the_same_preview(counter: Counter) -> None:
    """A turn that is run again after a crash would leave the customer with two."""
    assert await _preview(counter) == await _preview(counter)


# The yes


async def test_after_the_yes_it_is_done_once_however_often_it_is_asked_for(counter: Counter) -> None:
    """Three retries are one cancellation with one receipt."""
    preview_id = (await _preview(counter)).preview_id
    outcomes = [await _call(counter, consent=preview_id, preview_id=preview_id) for _ in range(3)]

    assert {outcome.values["receipt"] for outcome in outcomes} == {outcomes[0].values["receipt"]}
    assert outcomes[0].values["receipt"].startswith("R-")
    assert all(outcome.code == "done" and outcome.text.startswith("Done, once.") for outcome in outcomes)
    assert [
        deed.action.state for outcome in outcomes for deed in outcome.deeds if isinstance(deed, ActionChanged)
    ] == ["done"] * 3
    assert await _states(counter) == ["cancelled"]


@pytest.mark.parametrize("consent", [None, "P-ANOTHER"])
async def test_without_a_yes_to_it_nothing_happens(counter: Counter, consent: str | None) -> None:
    """A model that claims the customer's yes has none to give."""
    preview_id = (await _preview(counter)).preview_id
    error = await _refused(counter, consent=consent, preview_id=preview_id)

    assert error.code == "not_agreed"
    assert str(error).startswith("nothing was done: ")
    assert await _states(counter) == ["active"]


async def test_a_yes_to_the_latest_is_none_to_an_older_one(counter: Counter) -> None:
    """The customer agreed to other terms than those that would be carried out."""
    older = await _preview(counter)
    latest = await _preview(counter, last_day="2026-12-15")
    error = await _refused(counter, consent=latest.preview_id, preview_id=older.preview_id)

    assert error.code == "not_agreed"
    assert await _states(counter) == ["active"]


@pytest.mark.parametrize(
    ("more", "is_fitting"),
    [
        ({"last_day": "2026-12-15"}, False),
        ({"policy_number": "AP-1002-1"}, False),
        ({"policy_number": "ap 1001 1", "last_day": DAY}, True),
    ],
)
async def test_terms_beside_the_preview_must_be_those_of_the_preview(
    counter: Counter, more: dict[str, str], is_fitting: bool
) -> None:
    """A yes to one day would end the policy on another."""
    preview_id = (await _preview(counter)).preview_id
    if is_fitting:
        assert (await _call(counter, consent=preview_id, preview_id=preview_id, **more)).code == "done"
    else:
        error = await _refused(counter, consent=preview_id, preview_id=preview_id, **more)
        assert error.code == "preview_changed"
    assert await _states(counter) == ["cancelled" if is_fitting else "active"]


async def test_a_preview_is_good_for_a_quarter_of_an_hour(counter: Counter) -> None:
    """A yes of the next morning may be to terms that hold no more."""
    preview_id = (await _preview(counter)).preview_id

    def at(now_in: timedelta) -> ToolContext:
        return replace(counter.call(ANN, consent=preview_id), now=NOW + now_in)

    with pytest.raises(ToolError) as refused:
        await request_cancellation.call(at(HOLDS_FOR + timedelta(seconds=1)), {"preview_id": preview_id})
    assert refused.value.code == "preview_expired"
    assert (await request_cancellation.call(at(HOLDS_FOR), {"preview_id": preview_id})).code == "done"


@pytest.mark.parametrize("customer", [ANN, "C-1002"])
async def test_an_unknown_or_foreign_preview_is_none(counter: Counter, customer: str) -> None:
    """An id that somebody has read over a shoulder opens nothing."""
    preview_id = (await _preview(counter)).preview_id if customer != ANN else "P-NEVERMADE"
    error = await _refused(counter, customer, consent=preview_id, preview_id=preview_id)

    assert error.code == "preview_unknown"


async def test_terms_that_changed_meanwhile_are_refused(counter: Counter) -> None:
    """Another window was faster; the customer sees how things stand now before anything else is done."""
    older = await _preview(counter)
    other = await _preview(counter, last_day="2026-12-15")
    await _call(counter, consent=other.preview_id, preview_id=other.preview_id)
    error = await _refused(counter, consent=older.preview_id, preview_id=older.preview_id)
    again = await _refused(counter, consent=older.preview_id, preview_id=older.preview_id)

    assert error.code == "already_cancelled"
    assert again.code == "preview_over"


# The company's service


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    """The company's own service, by its contract."""
    async with Company(CustomerService(NOW.date()), "t") as company:
        yield company


@pytest.fixture
async def remote(company: Company, tmp_path: Path) -> AsyncIterator[Counter]:
    """A counter whose customers are the company's."""
    async with (
        Service("customers", company.url, "t", LONG_S) as service,
        counter_in(tmp_path, RemoteAccounts(service)) as counter,
    ):
        yield counter


@pytest.fixture
async def hasty(company: Company, remote: Counter) -> AsyncIterator[Counter]:
    """The same counter with little patience, for answers that never come."""
    async with Service("customers", company.url, "t", SOON_S) as service:
        yield replace(remote, accounts=RemoteAccounts(service))


def _reached(company: Company) -> CustomerService:
    work = company.work
    assert isinstance(work, CustomerService)
    return work


@pytest.mark.parametrize(
    "fault", [drops(), drops("close"), halves(), fails(503), fails(429, retry_after="0")]
)
async def test_an_answer_that_is_lost_is_asked_for_again_under_the_same_key(
    company: Company, remote: Counter, fault: Fault
) -> None:
    """The effect was there, nobody heard of it: one cancellation, one receipt."""
    preview_id = (await _preview(remote)).preview_id
    company.faults.append(fault)
    outcome = await _call(remote, consent=preview_id, preview_id=preview_id)

    assert outcome.code == "done"
    assert outcome.values["receipt"] == "RC-0001"
    assert [call.key for call in company.calls if call.key] == [key_of("conv", preview_id)] * 2
    assert company.effects == {key_of("conv", preview_id): 1}
    assert len(_reached(company).cancelled) == 1


def _other_customer(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "customer_id": "C-1002"}


def _other_terms(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "receipt": {**body["receipt"], "last_day": "2026-12-01"}}


LOST = {
    "acts and hangs": acts_and_hangs,
    "never answers": never,
    "trickles": trickles(),
    "speaks of another customer": lies(_other_customer),
    "speaks of other terms": lies(_other_terms),
    "answers in euros": lies(lambda body: {**body, "currency": "EUR"}),
    "answers garbage": says(Answer(200, b"OK, done")),
    "is moved away": says(Answer(307, b"", {"location": "/elsewhere"})),
}


@pytest.mark.fault("T5")
@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
async def test_an_outcome_that_nobody_knows_goes_to_a_person(
    company: Company, remote: Counter, hasty: Counter, fault: Fault
) -> None:
    """Said done it may be a lie, said not done as well: it is checked, loudly, and not tried again."""
    preview_id = (await _preview(remote)).preview_id
    company.always = fault
    with capture_logs() as logs:
        outcome = await _call(hasty, consent=preview_id, preview_id=preview_id)

    assert (outcome.code, outcome.fault) == ("unknown", "effect_ambiguous")
    changed, handed_over = outcome.deeds
    assert isinstance(changed, ActionChanged)
    assert isinstance(handed_over, HandoffRequested)
    assert (changed.action.state, handed_over.reason) == ("unknown", UNCONFIRMED)
    assert [line for line in logs if line["log_level"] == "error"] == [
        {
            "event": "action.unconfirmed",
            "code": "effect_ambiguous",
            "tool": "request_cancellation",
            "preview_id": preview_id,
            "log_level": "error",
        }
    ]
    company.always = None
    again = await _refused(remote, consent=preview_id, preview_id=preview_id)
    anew = await _refused(remote, last_day="2026-12-15")
    assert again.code == "being_checked"
    assert anew.code == ("already_cancelled" if company.effects else "being_checked")
    assert len({call.key for call in company.calls if call.key}) == 1
    assert max(company.effects.values(), default=0) <= 1


@pytest.mark.fault("T5")
async def test_a_service_that_acted_and_then_went_down_is_not_taken_for_one_that_did_nothing(
    company: Company, remote: Counter
) -> None:
    """The second try met a closed door; what the first one did nobody knows."""
    going_down: list[asyncio.Task[None]] = []

    async def acts_and_dies(exchange: Exchange) -> None:
        exchange.act()
        going_down.append(asyncio.create_task(company.down()))
        await asyncio.Event().wait()

    preview_id = (await _preview(remote)).preview_id
    company.faults.append(acts_and_dies)
    outcome = await _call(remote, consent=preview_id, preview_id=preview_id)

    assert outcome.code == "unknown"
    assert len(_reached(company).cancelled) == 1


async def test_a_service_that_cannot_be_reached_has_done_nothing(company: Company, remote: Counter) -> None:
    """The customer hears that nothing was cancelled, and may try again: another preview, another key."""
    first = await _preview(remote)
    await company.down()
    error = await _refused(remote, consent=first.preview_id, preview_id=first.preview_id)
    await company.up()
    second = await _preview(remote, last_day="2026-12-01")
    outcome = await _call(remote, consent=second.preview_id, preview_id=second.preview_id)

    assert error.code == "not_done"
    assert outcome.code == "done"
    assert len(_reached(company).cancelled) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer.refusal("terms_changed", 409), "terms_changed"),
        (Answer.refusal("already_cancelled", 409), "already_cancelled"),
        (Answer.refusal("not_found", 404), "not_found"),
        (Answer.refusal("last_day_past"), "last_day_past"),
        (Answer.refusal("key_reused", 409), "not_done"),
        (Answer.refusal("unauthorized", 401), "not_done"),
    ],
)
async def test_a_refusal_is_told_with_its_reason_and_nothing_is_open(
    company: Company, remote: Counter, answer: Answer, code: str
) -> None:
    """A company's no is an answer: nothing was done, and the customer may go on."""
    preview_id = (await _preview(remote)).preview_id
    company.faults.append(says(answer))
    error = await _refused(remote, consent=preview_id, preview_id=preview_id)

    assert error.code == code
    assert (await _preview(remote, last_day="2026-12-01")).state == "previewed"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (says(Answer.refusal("last_day_late")), "last_day_late"),
        (says(Answer.refusal("odd")), "not_done"),
        (fails(500), "not_done"),
        (lies(_other_customer), "not_done"),
        (lies(lambda body: {**body, "terms": {**body["terms"], "policy_number": "AP-1002-1"}}), "not_done"),
        (lies(lambda body: {**body, "terms": {**body["terms"], "refund_usd": "-1.00"}}), "not_done"),
    ],
)
async def test_terms_that_cannot_be_had_are_not_made_up(
    company: Company, remote: Counter, fault: Fault, code: str
) -> None:
    """No preview is shown, so nothing can be agreed to."""

    async def terms_only(exchange: Exchange) -> None:
        await (fault if exchange.call.path == "/cancellation-terms" else plain)(exchange)

    company.always = terms_only
    assert (await _refused(remote, last_day=DAY)).code == code


async def test_two_answers_to_one_question_are_one_cancellation(company: Company, remote: Counter) -> None:
    """A service that stutters must not be heard twice."""
    preview_id = (await _preview(remote)).preview_id
    company.faults.append(twice)
    outcome = await _call(remote, consent=preview_id, preview_id=preview_id)

    assert (outcome.code, len(_reached(company).cancelled)) == ("done", 1)


# What is left running


async def test_a_call_that_was_begun_and_not_ended_is_gone_on_with_under_its_key(
    company: Company, remote: Counter
) -> None:
    """The server died between the effect and its record: the same key, the same receipt."""
    preview_id = (await _preview(remote)).preview_id
    await remote.actions.change("conv", preview_id, "running", out_of="previewed")
    terms = await remote.accounts.cancellation_terms(ANN, "AP-1001-1", date.fromisoformat(DAY))
    await remote.accounts.cancel(ANN, terms, key_of("conv", preview_id))
    without = await _refused(remote, preview_id=preview_id)
    outcome = await _call(remote, consent=preview_id, preview_id=preview_id)

    assert without.code == "being_checked"
    assert outcome.values["receipt"] == "RC-0001"
    assert company.effects == {key_of("conv", preview_id): 1}


async def test_only_what_runs_is_given_to_a_person(counter: Counter) -> None:
    """A ticket for every finished cancellation would bury the one that matters."""
    action = await _preview(counter)
    account = Account(ANN, counter.accounts, counter.actions)

    async def left(preview_id: str) -> int:
        return len(await unconfirmed(account, counter.records, "conv", "turn", preview_id))

    assert await left("P-NEVERMADE") == 0
    assert await left(action.preview_id) == 0
    await counter.actions.change("conv", action.preview_id, "running", out_of="previewed")
    assert await left(action.preview_id) == 2
    assert await left(action.preview_id) == 0
