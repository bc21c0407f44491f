"""Tell in which language a short customer message is written.

Why: the specialist answers in the customer's language from the first word on. Large detectors are made for prose; on
chat lines of three words they guess among all languages they know, and cost start-up time and memory. Here every word
votes: listed words of languages.toml fully, unknown words by their letters. No clear vote means that the conversation
keeps the language it has (the hint).
"""

import math
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from knowledge.lexicon import fold

_LATIN = "latin"
# Script -> its characters, and for how many letters one of them stands.
_SCRIPTS = {
    _LATIN: ("A-Za-z\u00c0-\u024f\u1e00-\u1eff", 1),
    "cyrillic": ("\u0400-\u052f", 1),
    "greek": ("\u0370-\u03ff", 1),
    "hebrew": ("\u0590-\u05ff", 1),
    "arabic": ("\u0600-\u06ff", 1),
    "devanagari": ("\u0900-\u097f", 1),
    "bengali": ("\u0980-\u09ff", 1),
    "tamil": ("\u0b80-\u0bff", 1),
    "thai": ("\u0e00-\u0e7f", 1),
    "georgian": ("\u10a0-\u10ff", 1),
    "armenian": ("\u0530-\u058f", 1),
    "kana": ("\u3040-\u30ff", 12),  # a few kana among Han signs are enough: it is Japanese
    "han": ("\u3400-\u9fff", 3),
    "hangul": ("\uac00-\ud7af", 3),
}
_SIGNS = re.compile("|".join(f"(?P<{name}>[{signs}])" for name, (signs, _) in _SCRIPTS.items()))
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_TOKEN = re.compile(r"[^\W\d_]+(?:['·][^\W\d_]+)*(?![\w])")
_READ_CHARACTERS = 300
_READ_WORDS = 30
_LETTERS_A_WORD = 4

# Votes of one word. Set on the utterances in prompts/, checked on evals/cases/routing.jsonl (tests).
_LISTED = 1.0
_TYPED_IN_A_HURRY = 0.8
_ONE_LETTER = 0.4
_BY_LETTERS = 0.7
_PERHAPS_A_NAME = 0.3
_SHORTEST_BY_LETTERS, _LONGEST_BY_LETTERS = 3, 24
_SHARPNESS = 0.6
# Votes that a text needs to count at all, and votes given in advance.
_LEAST = 0.55
_HINT = 0.6
_PRIOR = {"en": 0.2, "es": 0.15, "fr": 0.05, "de": 0.05, "it": 0.05, "pt": 0.05, "ru": 0.3, "ar": 0.3}

_LIKELY = 0.1  # given in advance to languages that texts are in often
# Languages whose everyday words are much the same.
_ALIKE = tuple(
    frozenset(codes.split())
    for codes in ("es pt ca it fr ro", "da no sv", "de nl", "cs pl", "ru uk bg", "ar fa ur", "id tl")
)

_Votes = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Script:
    """What tells the languages of one script apart; all votes are in the order of `languages`."""

    languages: tuple[str, ...]
    listed: Mapping[str, _Votes]
    trigrams: Mapping[str, _Votes]
    unseen: _Votes


@dataclass(frozen=True, slots=True)
class _Tables:
    names: Mapping[str, str]
    called: Mapping[str, frozenset[str]]
    opens: Mapping[str, frozenset[str]]
    neutral: frozenset[str]
    scripts: Mapping[str, _Script]


def detect_language(text: str, hint: str | None = None) -> str:
    """ISO 639-1 code of the language that the text is written in.

    Args:
        text: One message; its first 300 characters are read.
        hint: Language so far, or the browser's. It stands when the text does not clearly say otherwise ("2019", "ok",
            "Nissan Leaf"); without a hint such texts are "en".
    """
    tables = _tables()
    name = _main_script(text[:_READ_CHARACTERS])
    if name is None:
        return hint or "en"
    script = tables.scripts[name]
    if len(script.languages) == 1:
        return script.languages[0]
    votes = _count_votes(text[:_READ_CHARACTERS], script, tables.neutral)
    if name == _LATIN and max(votes) < _LEAST:
        return hint or "en"
    ranked = {
        code: vote + _PRIOR.get(code, 0.0) + _HINT * (code == hint)
        for code, vote in zip(script.languages, votes, strict=True)
    }
    return max(ranked, key=ranked.__getitem__)


def language_votes(text: str) -> Mapping[str, float]:
    """How many words of the text speak for each language, some of them only in part; nothing for a text without letters.

    Of a script with one language only, four letters count as a word. Languages of other scripts are left out.

    Args:
        text: Its first 300 characters are read.
    """
    tables = _tables()
    found = _letters(text[:_READ_CHARACTERS])
    if not found:
        return {}
    name = max(found, key=found.__getitem__)
    script = tables.scripts[name]
    if len(script.languages) == 1:
        return {script.languages[0]: found[name] / _LETTERS_A_WORD}
    return dict(
        zip(script.languages, _count_votes(text[:_READ_CHARACTERS], script, tables.neutral), strict=True)
    )


def knows_language(code: str) -> bool:
    """Whether texts in this language are recognised."""
    return code in _tables().names


def languages_named(text: str) -> frozenset[str]:
    """The languages that the text calls by name, in the language itself or in those of customers who ask for it."""
    words = {fold(word) for word in _TOKEN.findall(text)}
    return frozenset(code for code, called in _tables().called.items() if not called.isdisjoint(words))


def language_name(code: str) -> str:
    """English name of a language, such as "Spanish"; an unknown code is its own name."""
    return _tables().names.get(code, code)


@cache
def everyday_words(code: str) -> frozenset[str]:
    """The language's words that languages.toml lists, in small letters, with accents and without."""
    return frozenset(
        word
        for script in _tables().scripts.values()
        for at, language in enumerate(script.languages)
        for word, votes in script.listed.items()
        if language == code and votes[at] > 0
    )


def are_alike(one: str, other: str) -> bool:
    """Whether the two languages share so many words that one or two of them tell nothing."""
    return any({one, other} <= alike for alike in _ALIKE)


@cache
def telling_beginnings(code: str) -> frozenset[str]:
    """First letters by which a text in this language gives itself away, in small letters; a blank ends a whole word.

    Letters tell when no listed word begins with them in a language that texts are in at times, and no name either. A
    whole word tells when no language has it that texts are in often.
    """
    words, tables = everyday_words(code), _tables()
    often = {other for other, given in _PRIOR.items() if given >= _LIKELY and other != code}
    at_times = often | {other for other in _PRIOR if not are_alike(code, other)}
    others = tables.neutral.union(*map(everyday_words, at_times - {code}))
    whole = (words - frozenset().union(*map(everyday_words, often))) | tables.opens.get(code, frozenset())
    return (_beginnings(words) - _beginnings(others)) | {f"{word} " for word in whole}


def _beginnings(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word[:end] for word in words for end in range(1, len(word) + 1))


def _main_script(text: str) -> str | None:
    """Script that most letters belong to; None for a text without letters."""
    found = _letters(text)
    return max(found, key=found.__getitem__) if found else None


def _letters(text: str) -> Mapping[str, int]:
    """How many letters of each script there are."""
    found: Counter[str] = Counter()
    for sign in _SIGNS.finditer(text):
        name = sign.lastgroup or _LATIN
        found[name] += _SCRIPTS[name][1]
    return found


def _count_votes(text: str, script: _Script, neutral: frozenset[str]) -> _Votes:
    votes = [0.0] * len(script.languages)
    read = _STRETCHED.sub(r"\1", text.replace("’", "'"))
    for word in islice(_TOKEN.findall(read), _READ_WORDS):
        for at, vote in enumerate(_word_votes(word, script, neutral)):
            votes[at] += vote
    return tuple(votes)


def _word_votes(word: str, script: _Script, neutral: frozenset[str]) -> _Votes:
    low = word.casefold()
    if low in neutral:
        return ()
    if (listed := script.listed.get(low)) is not None:
        return listed
    if not _SHORTEST_BY_LETTERS <= len(low) <= _LONGEST_BY_LETTERS:
        return ()
    is_perhaps_a_name = word[0].isupper() and not word.isupper()
    share = _PERHAPS_A_NAME if is_perhaps_a_name else _BY_LETTERS
    logs = script.unseen
    columns = zip(*(script.trigrams.get(trigram, logs) for trigram in _trigrams(low)), strict=True)
    sums = [sum(column) * _SHARPNESS for column in columns]
    highest = max(sums)
    odds = [math.exp(value - highest) for value in sums]
    scale = share / sum(odds)
    return tuple(value * scale for value in odds)


@cache
def _tables() -> _Tables:
    """Everything made from languages.toml, once a process (some 20 ms)."""
    raw = tomllib.loads(Path(__file__).with_name("languages.toml").read_text(encoding="utf-8"))
    neutral = frozenset(str(raw.pop("neutral")).split())
    languages: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
    for code, entry in raw.items():
        languages[entry.get("script", _LATIN)][code] = entry.get("words", "").split()
    return _Tables(
        names={code: entry["name"] for code, entry in raw.items()},
        called={
            code: frozenset(fold(word) for word in f"{entry['name']} {entry.get('called', '')}".split())
            for code, entry in raw.items()
        },
        opens={code: frozenset(entry.get("opens", "").split()) for code, entry in raw.items()},
        neutral=neutral,
        scripts={
            name: _script(listed) if len(listed) > 1 else _Script(tuple(listed), {}, {}, ())
            for name, listed in languages.items()
        },
    )


def _script(words: Mapping[str, list[str]]) -> _Script:
    languages = tuple(words)
    listed: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * len(languages))
    trigrams: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(languages))
    for at, code in enumerate(languages):
        for word in dict.fromkeys(words[code]):
            for form, vote in _forms(word):
                listed[form][at] = max(vote, listed[form][at])
                for trigram in _trigrams(form):
                    trigrams[trigram][at] += 1
    totals = [0.5 * len(trigrams) + sum(column) for column in zip(*trigrams.values(), strict=True)]
    return _Script(
        languages=languages,
        listed={word: tuple(votes) for word, votes in listed.items()},
        trigrams={trigram: _logs(counts, totals) for trigram, counts in trigrams.items()},
        unseen=_logs([0] * len(languages), totals),
    )


def _forms(word: str) -> Iterator[tuple[str, float]]:
    """A listed word as it is written, and as it is typed in a hurry, each with its vote."""
    vote = _LISTED if len(word) > 1 else _ONE_LETTER
    written = word.casefold()
    yield written, vote
    for hasty in (fold(word), written.replace("'", "")):
        if hasty != written:
            yield hasty, vote * _TYPED_IN_A_HURRY


def _logs(counts: Iterable[int], totals: Iterable[float]) -> _Votes:
    return tuple(math.log((count + 0.5) / total) for count, total in zip(counts, totals, strict=True))


def _trigrams(word: str) -> list[str]:
    bordered = f" {word} "
    return [bordered[at : at + 3] for at in range(len(bordered) - 2)]
