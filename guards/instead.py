"""Words that stand instead of what may not be shown, so that the sentence stays readable."""

import re

_ARTICLE_BEFORE = re.compile(r"(?<![^\W_])(?:an?|the|un|una|unas|el|la|las|los|al|del)[ \u00a0]+[*_]*$")
_ARTICLE = re.compile(r"^(?:an?|unas?|un) ")
_BEGINS_SENTENCE = re.compile(r"(?:^|[.!?…]\s|\n)[\s*_>#-]*$")


def fitting(words: str, before: str) -> str:
    """The words as they read well behind this text: without their article behind one, with a capital in front."""
    if _ARTICLE_BEFORE.search(before.lower()) is not None:
        return _ARTICLE.sub("", words)
    return words[0].upper() + words[1:] if _BEGINS_SENTENCE.search(before) is not None else words
