"""A customer reads until when a price is valid, in their own language."""

from datetime import date

import pytest

from knowledge.dates import long_date


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "December 22, 2026"), ("es", "22 de diciembre de 2026"), ("fr", "December 22, 2026")],
)
def test_a_date_is_written_as_people_write_it(language: str, written: str) -> None:
    """2026-12-22 is a puzzle for some customers."""
    assert long_date(date(2026, 12, 22), language) == written
