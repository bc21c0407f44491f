"""Find what pretends to be more than a customer's words: roles, tags of a prompt, tool results, commands to a database.

Why: these are known by their punctuation, which the word patterns do not see. No honest message has the marks that
are acted on; a lone "System:" at the beginning of a line is only noted.
"""

import re
from collections.abc import Iterator

from guards.screen_rules import Hit, Level

_STRONG = (
    r"system|assistant|developer|instructions?|sistema|asistente|instrucciones|tool_(?:result|use|call|output)s?"
    r"|(?:system|assistant)_\w{1,20}|function_(?:result|call)s?|search_results?|invoke|parameter|operator|thinking"
)
_WEAK = r"user|human|context|documents?|messages?|mensaje|prompt|input|query|conversation|(?:customer|user)_\w{1,20}"
_SHAPES: tuple[
    tuple[str, str, str], ...
] = (  # class, what must be there for the pattern to be worth a try, pattern
    ("forged_role", "<|", r"<\|\w{2,24}\|>"),
    ("forged_role", "inst]", r"\[/?inst\]"),
    ("forged_role", "<sys>>", r"<</?sys>>"),
    ("forged_role", "<", rf"<\s{{0,4}}/?\s{{0,4}}(?:{_STRONG})(?:\s[^<>]{{0,120}})?/?>"),
    ("forged_role", "role", r"[\"']role[\"']\s{0,4}:\s{0,4}[\"'](?:system|assistant|developer|tool)[\"']"),
    ("forged_role", "[", r"\[(?:system|assistant)\]\s?\("),
    ("forged_result", "<", rf"<\s{{0,4}}/\s{{0,4}}(?:{_WEAK})\s{{0,4}}>"),
    ("forged_result", "<", r"<(?:start|end|begin)_of_\w{2,20}>"),
    ("forged_result", "tool_", r"[\"']type[\"']\s{0,4}:\s{0,4}[\"']tool_(?:result|use)[\"']"),
    ("forged_result", "function_call", r"\bfunction_call\s{0,4}:\s{0,4}\{"),
    (
        "others_data",
        "select",
        r"\bselect\s[^;]{1,80}?\sfrom\s{1,4}\w{0,20}(?:customer|client|user|polic|account|quote|claim)",
    ),
    ("others_data", "table", r"\b(?:drop|dump|truncate|alter)\s{1,4}table\s{1,4}\w"),
    ("others_data", "union", r"\bunion\s{1,4}(?:all\s{1,4})?select\b"),
    ("others_data", "'", r"'\s{0,4}or\s{1,4}'?(\d)'?\s{0,4}=\s{0,4}'?\1"),
)
_ACT = tuple((kind, sign, re.compile(pattern)) for kind, sign, pattern in _SHAPES)
_LINE_ROLE = re.compile(
    r"^[ \t\[({<#*>=-]{0,12}(?:(?P<ours>assistant|asistente|ai|ia|bot|chatbot|model|gpt|a)|(?P<theirs>user|usuario|human|humano|q|p)"
    r"|(?P<above>system|sistema|developer|operator|tool|function))(?:[\s_]{1,4}(?:prompt|message|note|output|result|override|mensaje|nota))?"
    r"[ \t\])}>#*=-]{0,12}[:\]]",
    re.MULTILINE,
)
_TURNS = 2
_OPEN_END = re.compile(r"^[ \t]{0,4}(?:assistant|asistente|ai|a)[ \t]{0,4}:\s*\Z", re.MULTILINE)


def shapes(text: str) -> Iterator[Hit]:
    """The shapes in an undressed text (see screen_words)."""
    for kind, sign, pattern in _ACT:
        found = pattern.search(text) if sign in text else None
        if found is not None:
            yield Hit(kind, "act", "its shape", found[0])
    if ":" in text or "]" in text:
        yield from _dialogue(text)


def _dialogue(text: str) -> Iterator[Hit]:
    """Lines that begin with a role: a dialogue that never took place, or a note that nobody of ours wrote."""
    roles = list(_LINE_ROLE.finditer(text))
    if not roles:
        return
    answers = sum(match["ours"] is not None for match in roles)
    asked = any(match["theirs"] is not None for match in roles)
    is_made_up = asked and (answers >= _TURNS or _OPEN_END.search(text) is not None)
    level: Level = "act" if is_made_up else "note"
    if answers or level == "act" or any(match["above"] for match in roles):
        yield Hit("forged_role", level, "a line that begins with a role", roles[0][0].strip())
