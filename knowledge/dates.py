"""Write a date as people of a language write it."""

from datetime import date

_MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "es": [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
}
_FORMS = {"en": "{month} {day}, {year}", "es": "{day} de {month} de {year}"}


def long_date(day: date, language: str) -> str:
    """The date in words, "December 22, 2026"; in English where a language is not listed, as fixed texts are then."""
    listed = language if language in _FORMS else "en"
    return _FORMS[listed].format(month=_MONTHS[listed][day.month - 1], day=day.day, year=day.year)
