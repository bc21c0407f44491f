"""What customers see of their own: nothing without signing in, nothing of others, and what there is as it is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from errors import ToolError, ToolQuestion
from tests.tools.places import Counter, counter_in
from tools.account_tools import get_billing, get_claim_status, get_policy
from tools.cancellation import request_cancellation
from tools.registry import Tool

TOOLS = (get_policy, get_billing, get_claim_status, request_cancellation)


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    """The demo customers on a Sunday in November."""
    async with counter_in(tmp_path) as opened:
        yield opened


async def _refused(
    counter: Counter, tool: Tool, customer_id: str | None, **arguments: str | None
) -> ToolError:
    with pytest.raises(ToolError) as refused:
        await tool.call(counter.call(customer_id), arguments)
    return refused.value


def _all_of(error: ToolError) -> tuple[object, ...]:
    """Everything that anybody can learn from it."""
    return type(error), str(error), error.code, error.field, error.limit, dict(error.values)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
async def test_a_visitor_is_asked_to_sign_in(counter: Counter, tool: Tool) -> None:
    """Whoever sits at the keyboard would see the policy whose number they know."""
    error = await _refused(counter, tool, None)

    assert error.code == "sign_in"
    assert "kindly" in str(error)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_no_argument_can_name_a_customer(tool: Tool) -> None:
    """A model that is talked into it would act for somebody else."""
    assert set(tool.schema["properties"]) <= {"policy_number", "claim_number", "last_day", "preview_id"}
    assert tool.effect == ("write" if tool is request_cancellation else "read")
    assert tool.names_prices


@pytest.mark.parametrize("tool", [get_policy, get_billing, request_cancellation], ids=lambda tool: tool.name)
async def test_anothers_policy_is_answered_byte_for_byte_like_none(counter: Counter, tool: Tool) -> None:
    """The answer would tell who is a customer, and that the number is right."""
    theirs, nobodys = [
        await _refused(counter, tool, "C-1001", policy_number=number) for number in ("AP-1002-1", "AP-9999-9")
    ]

    assert theirs.code == "unknown_policy"
    assert _all_of(theirs) == _all_of(nobodys)
    assert "1002" not in repr(_all_of(theirs))


async def test_anothers_claim_is_answered_byte_for_byte_like_none(counter: Counter) -> None:
    """The same holds for claims."""
    theirs, nobodys = [
        await _refused(counter, get_claim_status, "C-1001", claim_number=number)
        for number in ("CL-20733", "CL-99999")
    ]

    assert theirs.code == "unknown_claim"
    assert _all_of(theirs) == _all_of(nobodys)


@pytest.mark.parametrize("tool", [get_policy, get_billing, request_cancellation], ids=lambda tool: tool.name)
async def test_with_several_policies_the_customer_is_asked_which(counter: Counter, tool: Tool) -> None:
    """The wrong policy would be cancelled."""
    error = await _refused(counter, tool, "C-1002")

    assert isinstance(error, ToolQuestion)
    assert (error.code, error.field) == ("which_policy", "policy_number")
    assert (
        error.values["policies"] == "- **AP-1002-1** (2019 Honda Civic)\n- **AP-1002-2** (2021 Yamaha MT-07)"
    )


async def test_with_several_claims_the_customer_is_asked_which(counter: Counter) -> None:
    """One claim's good news would be told of the other."""
    error = await _refused(counter, get_claim_status, "C-1006")

    assert (error.code, error.field) == ("which_claim", "claim_number")
    assert error.values["claims"] == "- **CL-20733**\n- **CL-20991**"


@pytest.mark.parametrize("number", ["AP-1002-2", "ap-1002-2", "AP 1002 2", " ap10022", "1002-2"])
async def test_a_number_is_understood_as_people_write_it(counter: Counter, number: str) -> None:
    """A customer would read that their own policy is unknown."""
    outcome = await get_policy.call(counter.call("C-1002"), {"policy_number": number})

    assert outcome.values["policy_number"] == "AP-1002-2"


@pytest.mark.parametrize(
    ("tool", "customer_id", "code"),
    [
        (get_policy, "C-1011", "no_policies"),
        (get_billing, "C-9999", "no_policies"),
        (request_cancellation, "C-1011", "no_policies"),
        (get_claim_status, "C-1003", "no_claims"),
    ],
)
async def test_who_has_nothing_is_told_so(counter: Counter, tool: Tool, customer_id: str, code: str) -> None:
    """An empty answer would be filled by a guess."""
    assert (await _refused(counter, tool, customer_id)).code == code


async def test_a_policy_is_told_as_it_is(counter: Counter) -> None:
    """Cover, term and premium are what the customer relies on."""
    outcome = await get_policy.call(counter.call("C-1001"), {})

    assert outcome.code == "active"
    assert outcome.text == (
        "Policy AP-1001-1: electric car insurance, 2023 Nissan Leaf. Covers: liability, collision, comprehensive, "
        "medical payments, uninsured and underinsured motorist, battery, charging equipment, technology package, "
        "cyber protection, electric roadside assistance. Premium 92.40 US dollars per month. "
        "Term from 2026-05-16 to 2027-05-15, then renews by itself; active."
    )
    assert outcome.values["ends_on"] == "May 15, 2027"
    assert outcome.values["premium_usd_month"] == "92.40"


async def test_a_policy_is_told_in_the_customers_language(counter: Counter) -> None:
    """A Spanish answer would list English covers."""
    outcome = await get_policy.call(counter.call("C-1002", language="es"), {"policy_number": "AP-1002-2"})

    assert outcome.values["product"] == "seguro de dos ruedas"
    assert outcome.values["covers"].endswith("equipo del motociclista")
    assert outcome.values["begins_on"] == "3 de septiembre de 2026"


@pytest.mark.parametrize(
    ("customer_id", "number", "code", "says"),
    [
        ("C-1005", None, "cancelled", "no longer renews; cancelled, last day of cover 2026-12-04."),
        ("C-1009", "AP-1009-1", "ended", "no longer renews; ended."),
        ("C-1004", None, "active", "and does not renew by itself; active."),
    ],
)
async def test_what_is_over_is_told_as_over(
    counter: Counter, customer_id: str, number: str | None, code: str, says: str
) -> None:
    """Nobody drives on without cover because a chat said all is well."""
    outcome = await get_policy.call(counter.call(customer_id), {"policy_number": number})

    assert outcome.code == code
    assert outcome.text.endswith(says)


async def test_the_next_bill_and_the_last_payment_are_told(counter: Counter) -> None:
    """What the customer asked, and that their money arrived."""
    outcome = await get_billing.call(counter.call("C-1001"), {})

    assert outcome.code == "due"
    assert outcome.values["amount_usd"] == "92.40"
    assert outcome.values["due_on"] == "December 12, 2026"
    assert outcome.values["paid_on"] == "November 11, 2026"
    assert outcome.text == (
        "Policy AP-1001-1 (2023 Nissan Leaf). "
        "Bill B-1001-03: 92.40 US dollars, due on 2026-12-12, not paid yet. "
        "Bill B-1001-01: 92.40 US dollars, due on 2026-10-13, paid on 2026-10-12. "
        "Bill B-1001-02: 92.40 US dollars, due on 2026-11-12, paid on 2026-11-11."
    )


@pytest.mark.parametrize(
    ("customer_id", "number", "code", "values"),
    [
        ("C-1003", None, "overdue", {"amount_usd": "84.10", "due_on": "November 15, 2026"}),
        ("C-1004", None, "settled", {"paid_usd": "1248.00", "paid_on": "August 11, 2026"}),
        ("C-1010", None, "due", {"amount_usd": "54.00", "due_on": "November 22, 2026"}),
        ("C-1009", "AP-1009-1", "settled", {}),
        ("C-1009", "AP-1009-2", "due", {"amount_usd": "97.60"}),
    ],
)
async def test_what_is_owed_is_told_as_it_is(
    counter: Counter, customer_id: str, number: str | None, code: str, values: dict[str, str]
) -> None:
    """An overdue bill may end a policy, and a bill due today is not overdue."""
    outcome = await get_billing.call(counter.call(customer_id), {"policy_number": number})

    assert outcome.code == code
    assert values.items() <= dict(outcome.values).items()
    if not values:
        assert outcome.text.endswith("No bill is on record.")


@pytest.mark.parametrize(
    ("customer_id", "number", "code", "says"),
    [
        ("C-1001", None, "in_review", "Claim CL-20418 (hail damage) of 2026-11-06, reported on 2026-11-07: in review since 2026-11-13."),
        ("C-1006", "20733", "paid", "paid since 2026-10-05. Paid out: 412.50 US dollars."),
        ("C-1006", "cl20991", "documents_needed", "documents needed since 2026-11-16."),
    ],
)  # fmt: skip
async def test_a_claim_is_told_as_far_as_it_is(
    counter: Counter, customer_id: str, number: str | None, code: str, says: str
) -> None:
    """No more than the record says, and no promise."""
    outcome = await get_claim_status.call(counter.call(customer_id), {"claim_number": number})

    assert outcome.code == code
    assert outcome.text.endswith(says)


@pytest.mark.parametrize("number", ["", "-", "AP", "1002", "AP-1002"])
async def test_half_a_number_is_none(counter: Counter, number: str) -> None:
    """The first policy of that beginning would be cancelled."""
    assert (await _refused(counter, get_policy, "C-1002", policy_number=number)).code == "unknown_policy"
