"""Days as customers name them, in English and Spanish."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.days import find_day
from knowledge.lexicon import fold

SUNDAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("language", "text", "day"),
    [
        ("en", "2026-12-31", (2026, 12, 31)),
        ("en", "12/31/2026", (2026, 12, 31)),
        ("en", "1/12/2027", (2027, 1, 12)),
        ("es", "1/12/2027", (2027, 12, 1)),
        ("es", "12/31/2026", (2026, 12, 31)),
        ("en", "31/12/26", (2026, 12, 31)),
        ("en", "12/31", (2026, 12, 31)),
        ("es", "3-1", (2027, 1, 3)),
        ("de", "31.12.2026", (2026, 12, 31)),
        ("en", "on December 31", (2026, 12, 31)),
        ("en", "Dec 31st, 2027", (2027, 12, 31)),
        ("en", "the 5th of january", (2027, 1, 5)),
        ("en", "the first of March", (2027, 3, 1)),
        ("es", "el 31 de diciembre", (2026, 12, 31)),
        ("es", "el primero de enero de 2027", (2027, 1, 1)),
        ("es", "el 1º de setiembre", (2027, 9, 1)),
        ("es", "22 nov", (2026, 11, 22)),
        ("en", "at the end of the month", (2026, 11, 30)),
        ("en", "end of this month", (2026, 11, 30)),
        ("en", "by the end of next month", (2026, 12, 31)),
        ("en", "end of january", (2027, 1, 31)),
        ("en", "the last day of the year", (2026, 12, 31)),
        ("es", "a fin de mes", (2026, 11, 30)),
        ("es", "a finales del mes que viene", (2026, 12, 31)),
        ("es", "al final del próximo mes", (2026, 12, 31)),
        ("es", "el último día del año", (2026, 12, 31)),
        ("es", "a fines de febrero", (2027, 2, 28)),
        ("en", "in two weeks", None),  # words become digits before (knowledge/details.py)
        ("en", "in 2 weeks", (2026, 12, 6)),
        ("en", "in a month", (2026, 12, 22)),
        ("es", "dentro de 10 días", (2026, 12, 2)),
        ("es", "en una semana", (2026, 11, 29)),
        ("en", "the day after tomorrow", (2026, 11, 24)),
        ("es", "pasado mañana", (2026, 11, 24)),
        ("en", "tomorrow", (2026, 11, 23)),
        ("es", "mañana", (2026, 11, 23)),
        ("es", "por la mañana", None),
        ("en", "right now", (2026, 11, 22)),
        ("es", "hoy mismo", (2026, 11, 22)),
        ("es", "cuanto antes", (2026, 11, 22)),
        ("en", "next friday", (2026, 11, 27)),
        ("en", "on sunday", (2026, 11, 29)),
        ("es", "el próximo lunes", (2026, 11, 23)),
        ("en", "the 15th", (2026, 12, 15)),
        ("en", "the 22nd", (2026, 11, 22)),
        ("en", "31st", (2026, 12, 31)),
        ("es", "el día 5", (2026, 12, 5)),
        ("en", "the 31st of february", None),
        ("en", "the 40th", None),
        ("en", "2026-13-01", None),
        ("en", "I may cancel", None),
        ("en", "3.5", None),
        ("en", "it costs 12", None),
    ],
)
def test_a_day_is_read_as_it_is_meant(language: str, text: str, day: tuple[int, int, int] | None) -> None:
    """A policy would end on another day than the customer said."""
    found = find_day(fold(text), SUNDAY, language)

    assert (found.day if found else None) == (date(*day) if day else None)


def test_the_place_of_the_day_is_known() -> None:
    """What stands around it tells whether the message is an answer."""
    found = find_day("cancel on december 31 please", SUNDAY, "en")

    assert found is not None
    assert "cancel on december 31 please"[found.start : found.end] == "december 31"


def test_the_end_of_a_short_month_is_its_last_day() -> None:
    """The 30th of February would be a crash, or March."""
    found = [find_day(text, date(2027, 1, 31), "en") for text in ("in 1 month", "end of next month")]

    assert [item.day for item in found if item] == [date(2027, 2, 28)] * 2


@given(st.text(max_size=60), st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.sampled_from(["en", "es"]))
def test_any_text_is_read_without_a_crash(text: str, today: date, language: str) -> None:
    """A customer's odd message must not end the turn."""
    found = find_day(fold(text), today, language)

    assert found is None or found.start < found.end
