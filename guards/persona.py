"""Stay who the company says one is: no word about the model behind, its maker, or the names of its tools.

Why: a customer talks with the company's assistant. "As a language model", the name of a model and `get_quote` are words
from the machine room; where they would be said, the company's own words stand instead. That the assistant is an AI it
says freely. A person called Claude is a person: such names count only where they name the assistant or a model.
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import product

from guards.instead import fitting
from guards.spot import Change, Lookout, Ruling, Spotter, View, opening
from guards.stream import Guard, Scene
from knowledge.lexicon import fold

_MODELS = "claude|chatgpt|chat gpt|gpt|gemini|copilot|llama|mistral|deepseek|grok|haiku|sonnet|opus"
_LANGUAGE_MODEL = "language model|large language model|ai language model|large ai language model|llm"
_MODELO = "modelo de lenguaje|gran modelo de lenguaje|modelo de lenguaje de ia"
_I_AM = "i am|i'm|my name is|my real name is|my true name is|soy|me llamo|mi nombre es|mi verdadero nombre es"
_REALLY = "|actually|really|just|in fact|en realidad|realmente"
# Kinds of phrases: their parts in order (each with its alternatives; an empty one may be missing), and the notice that
# stands instead. A part "#" is a version, such as "4o", "5.5" or "Haiku"; one or more of them.
_PHRASES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("as|being", "a|an", _LANGUAGE_MODEL), "as_who_i_am"),
    (("como", "|un", _MODELO), "as_who_i_am"),
    ((_I_AM, _REALLY, "|a|an", _LANGUAGE_MODEL), "i_am"),
    ((_I_AM, _REALLY, "|un", _MODELO), "i_am"),
    ((_I_AM, _REALLY, _MODELS, "|#"), "i_am"),
    (("claude|gpt|chatgpt|chat gpt", "#"), "the_technology"),
    (
        ("chatgpt|chat gpt|anthropic|openai|open ai|deepmind|google deepmind|mistral ai", "|#"),
        "the_technology",
    ),
    (("system prompt|prompt de sistema|prompt del sistema",), "the_setup"),
)
_VERSION = re.compile(r"\d[\w.]*|haiku|sonnet|opus|fable|instant|mini|turbo|pro|ultra|flash")
_WORD = re.compile(r"[^\W_]+(?:[_'’./:][^\W_]+)*")
_GAP = re.compile(r"[\s\-*_\"“”`]{1,3}")
_MAY_GROW = ("", "'", "’", "_", ".", ":", "/")  # behind a word at the end of the text: it may go on
_LIMIT = 90
_NO_NOTICE = "…"


class _Node(dict[str, "_Node"]):
    """What may follow a row of words; `notice` stands instead when they are a phrase already."""

    notice: str | None = None


def persona_guard(tools: Iterable[str]) -> Guard:
    """The guard; `tools` are the names that stay in the machine room."""
    tree = _Node()
    for parts, notice in _PHRASES:
        for words in _spelled_out(parts):
            _add(tree, words, notice)
    for name in tools:
        if "_" in name:
            _add(tree, [name.casefold()], "our_system")
    opens = opening("\x00", sorted(tree))

    def make(scene: Scene) -> Spotter:
        return Spotter(Lookout(opens, partial(_decide, tree, scene), limit=_LIMIT))

    def begins(word: str, following: str) -> bool:
        node = _follow(tree, word)
        return node is not None and (
            not following or node.notice is not None or _follow(node, following) is not None
        )

    return Guard(
        "persona", "The assistant stays who it is: no model, maker, tool or prompt is named.", make, begins
    )


def _spelled_out(parts: tuple[str, ...]) -> Iterator[list[str]]:
    for chosen in product(*(part.split("|") for part in parts)):
        yield [word for part in chosen for word in part.split()]


def _add(tree: _Node, words: Iterable[str], notice: str) -> None:
    node = tree
    for word in words:
        node = node.setdefault(word, _Node())
        if word == "#":
            node["#"] = node
    node.notice = notice


def _decide(tree: _Node, scene: Scene, view: View) -> Ruling | None:
    """Follow the words as far as they go; the longest phrase that is whole is replaced."""
    text, at, node = view.text, view.start, tree
    first_end, best = view.start + 1, None
    while (word := _WORD.match(text, at)) is not None:
        if text[word.end() :] in _MAY_GROW and not view.is_over:
            return None
        following = _follow(node, word.group())
        if at == view.start:
            first_end = word.end()
        if following is None:
            break
        node = following
        if node.notice is not None:
            best = (word.end(), node.notice)
        gap = _GAP.match(text, word.end())
        if gap is None or not node:
            break
        at = gap.end()
        if at == len(text) and not view.is_over:
            return None
    if best is None:
        return Ruling(first_end)
    end, notice = best
    instead = fitting(scene.notice(notice) or _NO_NOTICE, text[: view.start])
    return Ruling(end, (Change(view.start, end, instead, "persona"),))


def _follow(node: _Node, word: str) -> _Node | None:
    folded = fold(word)
    if folded in node:
        return node[folded]
    return node.get("#") if _VERSION.fullmatch(folded) else None
