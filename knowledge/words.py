"""Take text apart into words, and words into stems, as one language needs it; the same for articles and questions."""

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

_STEMMERS = {
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "de": "german",
    "it": "italian",
    "pt": "portuguese",
    "nl": "dutch",
}
_LONGEST_LETTERS = 40


class Words:
    """How one language's text is taken apart. A language without a stemmer keeps its words whole."""

    def __init__(self, language: str) -> None:
        """For this language (ISO 639 code)."""
        self.language = language
        name = _STEMMERS.get(language)
        stem = (
            [Filter.stopword(name), Filter.ascii_fold(), Filter.stemmer(name)]
            if name
            else [Filter.ascii_fold()]
        )
        self.stemmed = _analyzer(*stem)
        self._plain = _analyzer()
        self._folded = _analyzer(Filter.ascii_fold())

    def of(self, text: str) -> list[str]:
        """The words in order, in lower case."""
        return list(self._plain.analyze(text))

    def fold(self, word: str) -> str:
        """The word without accents."""
        return "".join(self._folded.analyze(word))

    def stems(self, text: str) -> list[str]:
        """What is looked up for this text, in order; nothing for a word that says nothing, such as "the"."""
        return list(self.stemmed.analyze(text))


def _analyzer(*filters: Filter) -> TextAnalyzer:
    builder = TextAnalyzerBuilder(Tokenizer.simple())
    for step in (Filter.lowercase(), Filter.remove_long(_LONGEST_LETTERS), *filters):
        builder = builder.filter(step)
    return builder.build()
