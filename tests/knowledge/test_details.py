"""What a message tells for a tool's arguments, without Claude."""

from datetime import date

import pytest

from knowledge.details import Details, read_details

TODAY = date(2026, 11, 22)
NUMBER = {"anyOf": [{"type": "string"}, {"type": "null"}]}
DAY = {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}


@pytest.mark.parametrize(
    ("text", "number", "is_whole"),
    [
        ("AP-1001-1", "ap-1001-1", True),
        ("my policy number is AP-1001-1, thanks", "ap-1001-1", True),
        ("la póliza es la AP-1001-1 por favor", "ap-1001-1", True),
        ("#20418", "20418", True),
        ("claim 20418", "20418", True),
        ("how is my claim 20418 getting on", "20418", False),
        ("AP-1001-1?", "ap-1001-1", False),
        ("my 2022 Nissan Leaf", None, False),
        ("I pay $1200 a month", None, False),
        ("it was 1,200.50", None, False),
        ("100% sure", None, False),
        ("12", None, False),
        ("", None, False),
    ],
)
def test_a_number_is_found_where_one_is(text: str, number: str | None, is_whole: bool) -> None:
    """The customer would be asked again for what they have just written; or a price would pass for a policy."""
    details = read_details(text, TODAY, "en")

    assert (details.number, details.is_whole) == (number, is_whole)


@pytest.mark.parametrize(
    ("text", "day", "is_whole"),
    [
        ("at the end of the month", date(2026, 11, 30), True),
        ("in two weeks please", date(2026, 12, 6), True),
        ("no, the 31st", date(2026, 12, 31), True),
        ("hasta el quince de enero", date(2027, 1, 15), True),
        ("does it cover hail on the 31st", date(2026, 12, 31), False),
    ],
)
def test_a_day_is_found_and_whether_that_is_all(text: str, day: date, is_whole: bool) -> None:
    """An answer to "which day?" goes on with the cancellation; a question of its own does not."""
    details = read_details(text, TODAY, "es" if "hasta" in text else "en")

    assert (details.day, details.is_whole) == (day, is_whole)


def test_a_day_and_a_number_may_come_together() -> None:
    """Who says everything at once is not asked for it again."""
    assert read_details("AP-1001-1, hasta el 31 de diciembre", TODAY, "es") == Details(
        "ap-1001-1", date(2026, 12, 31), is_whole=True
    )


def test_an_argument_gets_what_its_schema_asks_for() -> None:
    """A new tool with a date and a number needs no code to be filled."""
    details = Details("ap-1", date(2026, 12, 31))

    assert details.argument("policy_number", NUMBER) == "ap-1"
    assert details.argument("last_day", DAY) == "2026-12-31"
    assert details.argument("last_day", {"type": "string", "format": "date"}) == "2026-12-31"
    assert details.argument("preview_id", NUMBER) is None
    assert Details().argument("last_day", DAY) is None
