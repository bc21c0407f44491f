"""Find the passages that answer a question, in memory.

Why: an answer about the company may only lean on what the company published. Each language has its own index. A
question about something else, or whose words the best articles hardly contain, has found nothing, and says so.
Made at start; replaced as a whole when the folder changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from knowledge.corpus_files import Article, Corpus, read_corpus
from knowledge.language import detect_language
from knowledge.language_index import LanguageIndex
from knowledge.passages import Passage

_DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class KnowledgeIndex:
    """All passages of the company, searchable by language. `rejected`: the articles that were left out, and why."""

    languages: Mapping[str, LanguageIndex]
    articles: tuple[Article, ...]
    rejected: tuple[str, ...] = ()

    @classmethod
    def load(cls, folder: Path, before: Self | None = None) -> Self:
        """Index the articles below `folder`; an empty folder gives an index that finds nothing.

        Args:
            folder: Where the articles are.
            before: The index until now; what did not change since is taken from it.
        """
        return cls.of(read_corpus(folder), before)

    @classmethod
    def of(cls, corpus: Corpus, before: Self | None = None) -> Self:
        """Index these articles; what did not change since `before` is taken from there."""
        by_language: dict[str, list[Article]] = {}
        for article in corpus.articles:
            by_language.setdefault(article.language, []).append(article)
        known = before.languages if before is not None else {}
        languages = {
            language: LanguageIndex.of(language, found, known[language].said if language in known else {})
            for language, found in by_language.items()
        }
        return cls(languages, corpus.articles, corpus.rejected)

    @property
    def passages(self) -> int:
        """How many passages there are."""
        return sum(len(article.parts) for article in self.articles)

    def search(self, query: str, language: str, limit: int) -> tuple[Passage, ...]:
        """The best passages for the question, best first; empty when nothing fits.

        Args:
            query: What the customer asks, or key words of it.
            language: The customer's; the question is looked up in the language it is written in, if there are
                articles in it, else in the customer's, else in English.
            limit: How many passages at most.
        """
        spoken = detect_language(query, hint=language)
        for candidate in dict.fromkeys((spoken, language, _DEFAULT_LANGUAGE)):
            index = self.languages.get(candidate)
            found = index.search(query, spoken, limit) if index is not None else ()
            if found:
                return found
        return ()
