"""Write words and senses the way PostgreSQL's text search reads them.

Why here and not there: the same stems, without accents, then stand in the database and in the vocabulary that reads
the questions (knowledge/vocabulary.py), whatever dictionaries the server has.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal

from knowledge.corpus_files import Article
from knowledge.vocabulary import signs_of
from knowledge.words import Words

Label = Literal["A", "B", "C", "D"]
_FORM = "1"
"""Changes when the same article is to be written in another way than before."""
_LAST_POSITION = 16_383


def article_key(article: Article) -> str:
    """The name of all that is searched in an article: the same for the same words, wherever they stand."""
    parts = [text for heading, passage in article.parts for text in (heading, passage.text)]
    said = "\0".join((_FORM, article.language, article.title, *article.asked, "", *parts))
    return hashlib.sha256(said.encode()).hexdigest()


def lexemes_of_article(article: Article, words: Words) -> str:
    """The article's title (A), headings and senses (B), customers' questions (C) and text (D)."""
    headings = dict.fromkeys(heading for heading, _ in article.parts if heading)
    lines = (article.title, *headings, *article.asked)
    senses = [sign for line in lines for sign in signs_of(line, words) - set(words.stems(line))]
    text = " ".join(passage.text for _, passage in article.parts)
    return _lexemes(
        ("A", words.stems(article.title)),
        ("B", [*words.stems("\n".join(headings)), *senses]),
        ("C", words.stems("\n".join(article.asked))),
        ("D", words.stems(text)),
    )


def lexemes_of_passage(heading: str, text: str, words: Words) -> str:
    """The passage's heading (B) and text (D)."""
    return _lexemes(("B", words.stems(heading)), ("D", words.stems(text)))


def quoted(sign: str) -> str:
    """One word or sense as a query."""
    plain = sign.replace("\\", "\\\\").replace("'", "''")
    return f"'{plain}'"


def _lexemes(*fields: tuple[Label, Sequence[str]]) -> str:
    """Each word with its places and their labels."""
    places: dict[str, list[str]] = {}
    for place, (label, sign) in enumerate(_labelled(fields), start=1):
        places.setdefault(sign, []).append(f"{min(place, _LAST_POSITION)}{label}")
    return " ".join(f"{quoted(sign)}:{','.join(where)}" for sign, where in places.items())


def _labelled(fields: Iterable[tuple[Label, Sequence[str]]]) -> Iterable[tuple[Label, str]]:
    return ((label, sign) for label, signs in fields for sign in signs)
