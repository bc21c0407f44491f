"""Asking a company's own service, over real HTTP: every way in which it can fail has its own, honest end."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs

from errors import RemoteError
from remote import MAX_ANSWER_BYTES, Service
from tests.company import Answer, Call, Company, Fault, plain
from tests.company.faults import (
    acts_and_hangs,
    drops,
    endless,
    fails,
    halves,
    held,
    late,
    lies,
    never,
    redirects,
    says,
    trickles,
    twice,
    twice_in_one,
)

TOKEN = "a token of the tests"
SOON_S = 1.0  # a deadline for services that never answer
LONG_S = 30.0  # a deadline that must not be needed


class Price(BaseModel):
    """What the tests ask for."""

    price: Decimal
    whose: str


def _work(call: Call) -> Answer:
    who = call.json["who"] if call.body else call.query.get("who", call.path)
    return Answer.of({"price": "84.50", "whose": who})


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    """A back end that works until a test says otherwise."""
    async with Company(_work, TOKEN) as company:
        yield company


async def _ask(
    company: Company, who: str = "ann", *, key: str | None = "k1", deadline_s: float = LONG_S
) -> Price:
    async with Service("quotes", company.url, TOKEN, deadline_s) as service:
        return await service.ask("POST", "prices", Price, body={"who": who}, key=key)


async def _fail(company: Company, *, key: str | None = "k1", deadline_s: float = LONG_S) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        await _ask(company, key=key, deadline_s=deadline_s)
    return caught.value


async def test_an_answer_is_read_into_its_model(company: Company) -> None:
    """No price and no policy would ever come from a company's own service."""
    price = await _ask(company)

    assert price == Price(price=Decimal("84.50"), whose="ann")
    (call,) = company.calls
    assert (call.method, call.path, call.json, call.key) == ("POST", "/prices", {"who": "ann"}, "k1")
    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert call.headers["content-type"] == "application/json"


async def test_a_question_without_effect_has_its_details_in_the_address(company: Company) -> None:
    """A policy would be looked up with the details of none."""
    async with Service("policies", f"{company.url}/v1/", TOKEN) as service:
        found = await service.ask("GET", "customers/a%2Fb", Price)
        asked = await service.ask("GET", "policies", Price, query={"who": "Zoë & co"})

    assert found.whose == "/v1/customers/a/b"
    assert asked.whose == "Zoë & co"
    assert company.calls[0].headers.get("content-type") is None
    assert company.keys == [None, None]


async def test_what_cannot_be_written_as_utf_8_can_be_asked(company: Company) -> None:
    """A customer whose keyboard sent half an emoji would get an internal error."""
    company.faults.append(lies(lambda body: {**body, "whose": "somebody"}))

    assert (await _ask(company, "\ud83d")).whose == "somebody"
    assert company.calls[0].json == {"who": "\ud83d"}


async def test_without_a_token_none_is_sent(company: Company) -> None:
    """A service without a door would be sent "Bearer None"."""
    async with Service("quotes", company.url, None) as service:
        with pytest.raises(RemoteError) as caught:
            await service.ask("GET", "prices", Price)

    assert "authorization" not in company.calls[0].headers
    assert (caught.value.kind, caught.value.reason) == ("refused", "unauthorized")


@pytest.mark.parametrize(
    "fault",
    [fails(500), fails(503), fails(429), drops(), drops("close"), halves(), halves("close")],
    ids=["500", "503", "429", "reset", "closed", "half-reset", "half-closed"],
)
async def test_what_fails_once_is_asked_again_under_the_same_key(company: Company, fault: Fault) -> None:
    """A hiccup would cost a customer the price; another key would order it twice."""
    company.faults.append(fault)
    retries: list[str] = []

    async with Service("quotes", company.url, TOKEN) as service:
        price = await service.ask(
            "POST", "prices", Price, body={"who": "ann"}, key="k1", on_retry=lambda: retries.append("again")
        )

    assert price.whose == "ann"
    assert company.keys == ["k1", "k1"]
    assert company.effects == {"k1": 1}
    assert company.calls[0].body == company.calls[1].body
    assert retries == ["again"]


@pytest.mark.parametrize(
    ("fault", "may_have_acted"),
    [(fails(500), True), (fails(429), False), (drops(), True), (drops(acts=False), True)],
)
async def test_what_fails_twice_is_not_asked_a_third_time(
    company: Company, fault: Fault, may_have_acted: bool
) -> None:
    """Everybody's retries would keep a struggling service down."""
    company.always = fault

    error = await _fail(company)

    assert len(company.calls) == 2
    assert (error.kind, error.reason, error.may_have_acted) == ("down", "", may_have_acted)


async def test_an_effect_without_a_key_is_not_tried_again(company: Company) -> None:
    """A cancellation whose answer got lost would be sent twice."""
    company.always = drops()

    error = await _fail(company, key=None)

    assert len(company.calls) == 1
    assert error.may_have_acted


async def test_a_question_without_effect_needs_no_key_to_be_asked_again(company: Company) -> None:
    """A hiccup would hide a customer's policy."""
    company.faults.append(fails(502))

    async with Service("policies", company.url, TOKEN) as service:
        assert (await service.ask("GET", "policies", Price)).whose == "/policies"


async def test_a_service_that_is_not_there_cannot_have_acted(company: Company) -> None:
    """A customer would be told that a cancellation is being checked, although nobody heard of it."""
    await company.down()

    error = await _fail(company)

    assert (error.kind, error.may_have_acted) == ("down", False)


async def test_a_first_try_that_may_have_acted_is_remembered(company: Company) -> None:
    """The effect of the first try would be denied because the second one found nobody."""

    async def act_and_go(exchange_fault: asyncio.Event) -> None:
        await exchange_fault.wait()
        await company.down()

    gone = asyncio.Event()
    company.faults.append(drops())
    async with Service("quotes", company.url, TOKEN) as service, asyncio.TaskGroup() as group:
        group.create_task(act_and_go(gone))
        with pytest.raises(RemoteError) as caught:
            await service.ask("POST", "prices", Price, body={"who": "ann"}, key="k1", on_retry=gone.set)

    assert (caught.value.kind, caught.value.may_have_acted) == ("down", True)


@pytest.mark.parametrize(
    "fault", [never, acts_and_hangs, trickles(0.2), late(60)], ids=["never", "acts", "trickles", "late"]
)
async def test_the_deadline_holds_however_slow_the_answer_is(company: Company, fault: Fault) -> None:
    """A service that sends a letter now and then would keep a customer waiting for ever."""
    company.always = fault

    error = await _fail(company, deadline_s=SOON_S)

    assert (error.kind, error.may_have_acted) == ("timeout", True)
    assert str(error) == "quotes: no answer within 1 s"
    assert len(company.calls) <= 1
    await company.until(lambda: company.open_calls == 0)


async def test_the_second_try_is_within_the_same_deadline(company: Company) -> None:
    """Two tries would take twice as long as a customer was promised to wait."""
    company.faults += [fails(500), never]

    started = time.monotonic()
    error = await _fail(company, deadline_s=3.0)

    assert error.kind == "timeout"
    assert company.calls[1].at - started < 3.0
    assert len(company.calls) == 2


async def test_a_late_answer_within_the_deadline_is_taken(company: Company) -> None:
    """A service that takes five seconds on a bad day would sell nothing on that day."""
    company.faults.append(late(0.5))

    assert (await _ask(company)).whose == "ann"


async def test_a_service_that_is_too_busy_says_when_to_come_again(company: Company) -> None:
    """The second try would come too early and be refused as well."""
    company.faults.append(fails(429, retry_after="1"))

    assert (await _ask(company)).whose == "ann"
    assert company.calls[1].at - company.calls[0].at >= 0.9


@pytest.mark.parametrize("status", [429, 503])
async def test_nobody_waits_longer_than_the_deadline_for_a_busy_service(
    company: Company, status: int
) -> None:
    """A customer would wait eight seconds for a second try that cannot come in time."""
    company.always = fails(status, retry_after="60")

    error = await _fail(company, deadline_s=LONG_S)

    assert (error.kind, len(company.calls)) == ("down", 1)


async def test_a_busy_service_that_names_a_date_is_asked_after_a_moment(company: Company) -> None:
    """A header that we do not read would be taken for a number."""
    company.faults.append(fails(503, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"))

    assert (await _ask(company)).whose == "ann"


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (Answer.refusal("vehicle_too_old", field="year", limit=1990), ("vehicle_too_old", "year", "1990")),
        (
            Answer.refusal("unknown_model", field="model", limit="Leaf or Ariya"),
            ("unknown_model", "model", "Leaf or Ariya"),
        ),
        (Answer.refusal("no", 400, field=["x"], limit={"a": 1}), ("no", None, "")),
        (Answer.refusal("bad code\n", field="a b", limit="$5 \x1b[31m"), ("", None, "")),
        (Answer.of({"error": "vehicle_too_old"}, 422), ("", None, "")),
        (Answer.of([1], 409), ("", None, "")),
        (Answer(404, b""), ("not_found", None, "")),
        (Answer(404, b"[" * 100_000), ("not_found", None, "")),
        (Answer(403, b"<html>"), ("", None, "")),
    ],
)
async def test_a_refusal_is_an_answer(
    company: Company, refusal: Answer, told: tuple[str, str | None, str]
) -> None:
    """A car that is too old would be asked about twice, or called a failure of the service."""
    company.always = says(refusal)

    error = await _fail(company)

    assert len(company.calls) == 1
    assert (error.kind, error.may_have_acted) == ("refused", False)
    assert (error.reason, error.field, error.limit) == told


@pytest.mark.parametrize(
    ("fault", "says_why"),
    [
        (says(Answer(200, b"all is well")), "answer: json_invalid"),
        (says(Answer(200, b"")), "answer: json_invalid"),
        (says(Answer(204, b"")), "answer: json_invalid"),
        (says(Answer(200, b"[]")), "answer: model_type"),
        (says(Answer(200, b"\xff\xfe{}")), "answer: json_invalid"),
        (says(Answer(200, b"[" * 100_000)), "answer: json_invalid"),
        (says(Answer(200, b'{"price": ' + b"9" * 5000 + b', "whose": "a"}')), "answer: json_invalid"),
        (lies(lambda body: {**body, "price": float("nan")}), "price: finite_number"),
        (lies(lambda body: {**body, "price": "a lot"}), "price: decimal_parsing"),
        (lies(lambda body: {"price": body["price"]}), "whose: missing"),
        (twice_in_one, "answer: json_invalid"),
        (redirects("http://127.0.0.1:1/elsewhere"), "status 307; redirects are not followed"),
    ],
)
async def test_what_does_not_fit_is_no_answer(company: Company, fault: Fault, says_why: str) -> None:
    """A service that talks nonsense would put its nonsense before a customer."""
    company.always = fault

    error = await _fail(company)

    assert (error.kind, error.may_have_acted) == ("invalid", True)
    assert str(error).startswith(f"quotes: {says_why}")
    assert len(company.calls) == 1


@pytest.mark.parametrize("fault", [endless, says(Answer(200, b" " * (MAX_ANSWER_BYTES + 1)))])
async def test_an_answer_without_end_is_not_read_to_its_end(company: Company, fault: Fault) -> None:
    """One bad answer would fill the memory of the server."""
    company.always = fault

    error = await _fail(company)

    assert error.kind == "invalid"
    await company.until(lambda: company.open_calls == 0)


async def test_a_small_answer_cannot_unfold_into_a_huge_one(company: Company) -> None:
    """A compressed answer would fill the memory although it is short on the wire."""
    company.always = says(Answer(200, b"\x1f\x8b\x08", {"content-encoding": "gzip"}))

    error = await _fail(company)

    assert error.kind == "invalid"
    assert company.calls[0].headers["accept-encoding"] == "identity"


async def test_a_second_answer_is_not_taken_for_another_customers(company: Company) -> None:
    """A customer would see what the service had to say about somebody else."""
    company.faults.append(twice)

    async with Service("quotes", company.url, TOKEN) as service:
        first = await service.ask("POST", "prices", Price, body={"who": "ann"}, key="k1")
        second = await service.ask("POST", "prices", Price, body={"who": "bob"}, key="k2")

    assert (first.whose, second.whose) == ("ann", "bob")


async def test_many_ask_at_once_and_each_gets_its_own_answer(company: Company) -> None:
    """Answers would be mixed up as soon as two customers ask at the same time."""
    names = [f"customer {number}" for number in range(40)]

    async with Service("quotes", company.url, TOKEN) as service, asyncio.TaskGroup() as group:
        asked = [
            group.create_task(service.ask("POST", "prices", Price, body={"who": name}, key=name))
            for name in names
        ]

    assert [task.result().whose for task in asked] == names
    assert set(company.effects.values()) == {1}


async def test_who_leaves_stops_asking(company: Company) -> None:
    """A guess that was dropped would go on using the company's service."""
    company.always = held(asyncio.Event())

    task = asyncio.create_task(_ask(company))
    await company.until(lambda: company.open_calls == 1)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await company.until(lambda: company.open_calls == 0)
    assert len(company.calls) == 1


async def test_operators_read_why_a_service_failed_and_customers_data_is_not_in_it(company: Company) -> None:
    """A wrong token would be found by guessing; or the log would hold what customers said."""
    company.faults += [
        lies(lambda body: {**body, "price": "Ann Smith, 12 Elm Street"}),
        says(Answer.refusal("unknown_model")),
    ]

    with capture_logs() as lines:
        await _fail(company)
        await _fail(company)

    assert lines == [
        {
            "event": "remote.failed",
            "log_level": "warning",
            "service": "quotes",
            "kind": "invalid",
            "why": "quotes: price: decimal_parsing",
        }
    ]


async def test_a_plain_answer_after_a_fault_is_plain_again(company: Company) -> None:
    """The tests above would not show what they say if faults stayed."""
    company.faults += [plain, fails(400)]

    assert (await _ask(company)).whose == "ann"
    assert (await _fail(company)).kind == "refused"
    assert (await _ask(company)).whose == "ann"
    assert json.loads(company.calls[-1].body) == {"who": "ann"}
