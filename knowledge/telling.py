"""Which words of a question say what it is about: not "please", and not what the company's articles say everywhere.

Why: two questions mean much the same when they share such words. "Insure" and "policy" tell nothing apart where every
article speaks of them; which words these are follows from the articles, so no company's words stand in here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from knowledge.corpus_files import Article
from knowledge.language import detect_language, everyday_words
from knowledge.words import Words

_EVERYWHERE = 0.2  # a word in more than this share of the articles tells nothing


@dataclass(frozen=True, slots=True)
class TellingWords:
    """`common`: by language, the stems of the words that tell nothing."""

    common: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, articles: Iterable[Article]) -> Self:
        """As these articles use their words."""
        stems: defaultdict[str, list[set[str]]] = defaultdict(list)
        for article in articles:
            texts = (article.title, *article.asked, *(passage.text for _, passage in article.parts))
            stems[article.language].append(set(Words(article.language).stems(" ".join(texts))))
        return cls({language: _everywhere(own) for language, own in stems.items()})

    def of_question(self, text: str, language: str) -> frozenset[str]:
        """The stems of the telling words; when there is none, of everyday words too, and in the end of all.

        Args:
            text: What was asked or looked up.
            language: The customer's; words are taken as those of the language they are written in.
        """
        written = detect_language(text, hint=language)
        words = Words(written)
        rare = " ".join(word for word in words.of(text) if word not in everyday_words(written))
        common, stems = self.common.get(written, frozenset()), frozenset(words.stems(text))
        return frozenset(words.stems(rare)) - common or stems - common or stems


def _everywhere(articles: list[set[str]]) -> frozenset[str]:
    counts = Counter(stem for stems in articles for stem in stems)
    return frozenset(stem for stem, count in counts.items() if count > _EVERYWHERE * len(articles))
