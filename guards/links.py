"""Let an answer lead only where the company says: links to other places, images and HTML lose all but their words.

Why: a link is a promise about where it leads, and a client that renders Markdown would load an image from anywhere.
What stays: inline links and bare addresses that lead to the hosts of `brand.toml`. Of every other link and image the
words stay. Whatever is not plainly one of these is taken apart so that no reader of Markdown makes a link of it: a
blank comes between "]" and what would make it one. HTML goes first: what stood around a tag may be an address together.
"""

import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from urllib.parse import urlsplit

from guards.spot import Change, Lookout, Ruling, Spotter, View
from guards.stream import Guard, Scene, Segment

NOTICE = "removed_link"
LIMIT = 500
_OPENS = re.compile(
    r"[\[\]]|!(?:\[|\Z)|[hHfFwW](?<![^\W_].)(?:\Z|(?<=[hH])[tT](?:\Z|[tT](?:\Z|[pP]))"
    r"|(?<=[fF])[tT](?:\Z|[pP](?:\Z|:))|(?<=[wW])[wW](?:\Z|[wW](?:\Z|\.)))|\.(?<=[^\W_]\.)(?:\Z|[A-Za-z])"
)
_HTML_OPENS = re.compile("<")
_WORDS = re.compile(r"!?\[([^\[\]]*)")
_TARGET = re.compile(r"\(([^\s()<>\[\]]*)(?: +\"[^\"\[\]]*\")?\)")
_TARGET_SO_FAR = re.compile(r"\([^\s()<>\[\]]*(?: +(?:\"[^\"\[\]]*\"?)?)?")
_TAG = re.compile(r"<[A-Za-z/!?][^<>]*>")
_ADDRESS = re.compile(r"(?:https?|ftp)://[^\s<>\"'`()\[\]]*|www\.[^\s<>\"'`()\[\]]*", re.IGNORECASE)
_HEADS = ("http://", "https://", "ftp://", "www.")
_PUNCTUATION = ".,;:!?*_…"
_ENDING = re.compile(r"(?:\.[A-Za-z0-9-]+)*\.([A-Za-z]{2,24})(?![A-Za-z0-9-])(?:[/:?#][^\s<>\"'`()\[\]]*)?")
_REST_OF_ADDRESS = re.compile(r"[A-Za-z0-9:/.?#&=%_~+-]*")
_BEFORE_ENDING = re.compile(r"[A-Za-z0-9.-]*\Z")
_ADDRESSEE = re.compile(r"[^\s/@]@[A-Za-z0-9.-]*\Z")  # of e-mail; the guard `private` knows whose may be said
_EMAIL = re.compile(r"[\w.+-]+@[\w.-]+")
_TOP_LEVELS = frozenset(
    [
        "com",
        "net",
        "org",
        "info",
        "biz",
        "io",
        "ai",
        "app",
        "dev",
        "co",
        "us",
        "uk",
        "ca",
        "mx",
        "es",
        "fr",
        "de",
        "it",
        "pt",
        "br",
        "ar",
        "cl",
        "pe",
        "eu",
        "ru",
        "cn",
        "jp",
        "in",
        "tv",
        "me",
        "xyz",
        "top",
        "online",
        "site",
        "shop",
        "store",
        "club",
        "insurance",
        "insure",
        "example",
        "test",
        "gov",
        "edu",
    ]
)


def links_guard(hosts: Callable[[], Collection[str]]) -> Guard:
    """The guard that lets links lead to these hosts (exact names, in small letters); they are asked for once an answer."""

    def strip(_scene: Scene) -> _Html:
        return _Html(Lookout(_HTML_OPENS, partial(_tag, frozenset(hosts())), limit=LIMIT))

    def make(scene: Scene) -> _Links:
        decide = partial(_decide, frozenset(hosts()), scene.notice(NOTICE))
        return _Links(strip(scene), Spotter(Lookout(_OPENS, decide, limit=LIMIT)))

    return Guard(
        "links",
        "Links lead only to the company's hosts; no images, no HTML, no reference links.",
        make,
        _begins,
        drops=True,
        first=strip,
    )


def _begins(word: str, _following: str) -> bool:
    return word.startswith(("http", "ftp", "www"))


class _Html(Spotter):
    """One answer, without its HTML: all words pass that have no sign of it before them."""

    trims = False

    def unread(self, text: str) -> bool:
        """What has passed holds no HTML, so it may come again."""
        if len(text) > self._at:
            return False
        self._at -= len(text)
        self._text = self._text[: self._at]
        return True

    def begin(self) -> None:
        """Nothing is kept of words that pass."""

    def passing(self, words: Sequence[str], _coming: str) -> int | None:
        """All of the words; None when HTML may begin among them."""
        return None if "<" in "".join(words) else len(words)


class _Links:
    """One answer: first its HTML, then the links in what is left.

    What other guards have changed since the HTML went may hold some again.
    """

    def __init__(self, html: Spotter, links: Spotter) -> None:
        self._html = html
        self._links = links

    @property
    def held(self) -> str:
        """What is held back, of links and behind it of HTML."""
        return self._links.held + self._html.held

    @property
    def is_free(self) -> bool:
        """Whether nobody has been asked yet about what is held back."""
        return self._links.is_free and self._html.is_free

    def take_back(self) -> None:
        """Let go of what is held back."""
        self._links.take_back()
        self._html.take_back()

    def unread(self, _text: str) -> bool:
        """What has been decided stays so."""
        return False

    def skip(self, text: str) -> None:
        """Note text that is shown already."""
        self._html.skip(text)
        self._links.skip(text)

    def push(self, text: str) -> list[Segment]:
        """Take in text; give out all but what may still become a tag or a link."""
        return self._without_html(self._html.push(text))

    def end(self) -> list[Segment]:
        """Decide on what is left."""
        return [*self._without_html(self._html.end()), *self._links.end()]

    def _without_html(self, segments: list[Segment]) -> list[Segment]:
        out: list[Segment] = []
        for segment in segments:
            if segment.fired is not None:
                out.append(Segment("", segment.fired))
            if segment.text:
                out += self._links.push(segment.text)
        return out


def _decide(allowed: frozenset[str], removed: str, view: View) -> Ruling | None:
    match view.text[view.start]:
        case "[":
            return _link(allowed, view, view.start)
        case "!":
            return _image(allowed, view)
        case "]":
            return _stray(view)
        case ".":
            return _host(allowed, view)
        case _:
            return _address(allowed, removed, view)


def _image(allowed: frozenset[str], view: View) -> Ruling | None:
    following = view.text[view.start + 1 : view.start + 2]
    if following == "[":
        return _link(allowed, view, view.start + 1)
    return Ruling(view.start + 1) if following or view.is_over else None


def _link(allowed: frozenset[str], view: View, bracket: int) -> Ruling | None:
    """An inline link to an allowed host stays; of any other link and of an image the words stay."""
    text, start = view.text, view.start
    words = _WORDS.match(text, start)
    end = words.end() if words is not None else bracket
    is_image = bracket > start
    let_be = Ruling(bracket + 1, (Change(start, bracket, "", "image"),) if is_image else ())
    if end == len(text):
        return let_be if view.is_over or "\n\n" in text[bracket:] else None
    if words is None or text[end] != "]":
        return let_be
    target = _TARGET.match(text, end + 1)
    if target is None:
        so_far = _TARGET_SO_FAR.match(text, end + 1)
        is_coming = end + 1 == len(text) or (so_far is not None and so_far.end() == len(text))
        return None if is_coming and not view.is_over else let_be
    if not is_image and _is_allowed(allowed, target[1]):
        return Ruling(target.end())
    shown = _ADDRESS.sub("", words[1]).replace("<", "").strip()
    return Ruling(target.end(), (Change(start, target.end(), shown, "image" if is_image else "link"),))


def _stray(view: View) -> Ruling | None:
    """A "]" that ends no link that was let through must not end any: neither "](" nor, as definitions do, "]:"."""
    text, after = view.text, view.start + 1
    if after == len(text) and not view.is_over:
        return None
    makes_link = text.startswith(("(", ":"), after)
    return Ruling(after, (Change(after, after, " ", "link"),) if makes_link else ())


def _tag(allowed: frozenset[str], view: View) -> Ruling | None:
    """HTML goes; of an autolink to an allowed host, or of e-mail, the address stays; a "<" before a blank or a figure stays."""
    text, start = view.text, view.start
    following = text[start + 1 : start + 2]
    if not following and not view.is_over:
        return None
    if following in {
        "<",
        "[",
    }:  # what follows may lose its sign or its link, and its words would stand behind this one
        return Ruling(start + 1, (Change(start, start + 1, "", "html"),))
    if not (following.isascii() and following.isalpha()) and following not in {"/", "!", "?"}:
        return Ruling(start + 1)
    found = _TAG.match(text, start)
    if found is None:
        is_broken = view.is_over or "<" in text[start + 1 :]
        return Ruling(start + 1, (Change(start, start + 1, "", "html"),)) if is_broken else None
    address = found.group()[1:-1]
    is_shown = _is_allowed(allowed, address) or _EMAIL.fullmatch(address) is not None
    return Ruling(found.end(), (Change(start, found.end(), address if is_shown else "", "html"),))


def _address(allowed: frozenset[str], removed: str, view: View) -> Ruling | None:
    """A bare address to an allowed host stays; any other goes."""
    text, start = view.text, view.start
    found = _ADDRESS.match(text, start)
    if found is None:
        low = text[start:].lower()
        is_coming = not view.is_over and any(head.startswith(low) for head in _HEADS)
        return None if is_coming else Ruling(start + 1)
    if found.end() == len(text) and not view.is_over:
        return None
    address = found.group().rstrip(_PUNCTUATION)
    end = start + len(address)
    if _is_allowed(allowed, address if "://" in address else f"https://{address}"):
        return Ruling(end)
    return Ruling(end, (Change(start, end, removed, "link"),))


def _host(allowed: frozenset[str], view: View) -> Ruling | None:
    """The ending of a host without a scheme ("evil.com"): what is not allowed loses it, so no client makes a link."""
    text, start = view.text, view.start
    rest = _REST_OF_ADDRESS.match(text, start)
    last = rest.end() if rest is not None else start + 1
    if last == len(text) and not view.is_over:
        return None
    found = _ENDING.match(text, start)
    if found is None or found[1].lower() not in _TOP_LEVELS:
        return Ruling(last)
    if _ADDRESSEE.search(text, max(0, start - 80), start) is not None:
        return Ruling(found.end())
    before = _BEFORE_ENDING.search(text, max(0, start - 80), start)
    host = ((before.group() if before is not None else "") + text[start : found.end(1)]).lower()
    if host in allowed or f"www.{host}" in allowed:
        return Ruling(found.end())
    end = start + len(found.group().rstrip(_PUNCTUATION))
    return Ruling(end, (Change(start, end, "", "link"),))


def _is_allowed(allowed: frozenset[str], address: str) -> bool:
    """Whether this is a plain web address on one of the hosts; nothing that browsers read in two ways."""
    if not address.isascii() or "\\" in address or not address.isprintable():
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc.lower() in allowed
