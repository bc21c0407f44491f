"""Characters that nobody sees: which ones carry hidden words, and a text without them.

Why: what a person cannot see, a model can read. Zero-width letters, tag characters and the like are honest in places
(Persian, emoji, Hebrew beside English), so those uses are kept and everything else is left out of what a model or
an index is given. The customer's own text is stored and shown as it was written.
"""

import re

# Unicode 16, general category Cf and the blank letters, without what `_VARIANTS` and `_TAGS` hold.
_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_ZERO_WIDTH = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U0001d173-\U0001d17a"
)
_VARIANTS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_TAGS = "\U000e0000-\U000e007f"
_OVERRIDES = re.compile("[\u202d\u202e]")
_INVISIBLE = re.compile(f"[{_CONTROLS}{_ZERO_WIDTH}{_VARIANTS}{_TAGS}]")

# The flags of England, Scotland and Wales are spelt in tag characters, behind a black flag that is seen.
_FLAG = "\U0001f3f4(?:{})\U000e007f".format(
    "|".join("".join(chr(0xE0000 + ord(letter)) for letter in name) for name in ("gbeng", "gbsct", "gbwls"))
)
_JOINING = "\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc"
_PICTURE = "\u2190-\u2bff\U0001f000-\U0001faff"
_HONEST = (
    f"{_FLAG}"
    f"|(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])"
    f"|(?<=[{_PICTURE}\ufe0f])\u200d(?=[{_PICTURE}])"
    f"|(?<![{_VARIANTS}])[\ufe0e\ufe0f](?![{_VARIANTS}]{{2}})"
)
_LEFT_OUT = re.compile(f"({_HONEST})|{_INVISIBLE.pattern}+")
_FLAGS = re.compile(_FLAG)
_TAG, _VARIANT_RUN = re.compile(f"[{_TAGS}]"), re.compile(f"[{_VARIANTS}]{{4}}")
_ZERO_WIDTH_RUN = re.compile(f"[{_ZERO_WIDTH}]{{16,}}")


def readable(text: str) -> str:
    """The text as models and indexes are given it: without characters that nobody sees, but for honest ones.

    Kept are joiners between letters of scripts that need them and between emoji, one variation selector, and the
    flags that are spelt in tags. Doing it twice changes nothing.
    """
    if _INVISIBLE.search(text) is None:
        return text
    return "".join(filter(None, _LEFT_OUT.split(text)))


def carriers(text: str) -> tuple[str, ...]:
    """In which ways the text carries words that nobody sees: "tags", "variants", "zero_width"; mostly none.

    A tag character outside a flag, four variation selectors in a row, or sixteen zero-width characters in a row of
    more than one kind: nobody's keyboard writes these, and each is a known code for hidden letters.
    """
    if _INVISIBLE.search(text) is None:
        return ()
    found = {
        "tags": _TAG.search(_FLAGS.sub("", text)) is not None,
        "variants": _VARIANT_RUN.search(text) is not None,
        "zero_width": any(len(set(run)) > 1 for run in _ZERO_WIDTH_RUN.findall(text)),
    }
    return tuple(name for name, is_there in found.items() if is_there)


def is_reordered(text: str) -> bool:
    """Whether the text is made to look other than it is stored, by a direction override."""
    return _OVERRIDES.search(text) is not None
