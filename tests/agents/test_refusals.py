"""Every mistake that a prompt engineer can make in a shipped file is refused with file, line, value and remedy."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.promptfile import MAX_FILE_BYTES
from agents.specialist import PromptError
from tests.agents.folders import edit, load


@dataclass(frozen=True)
class Fault:
    """A slip: `old` becomes `new` in a file.

    The refusal names the line where `old` stood, `below` lines further down, or else `line`.
    """

    name: str
    file: str
    old: str
    new: str
    says: str
    below: int = 0
    line: int = 0


FRONT = (
    Fault("unknown key", "quote.md", "effort: low", "efort: low", 'unknown key "efort"; known: intent, description'),
    Fault("missing key", "quote.md", "max_tokens: 1000\n", "", 'key "max_tokens" is missing; needed: intent', line=1),
    Fault("key twice", "quote.md", "effort: low", "effort: low\neffort: high", 'key "effort" stands twice', 1),
    Fault("language twice", "quote.md", "label: {en:", "label: {en: a, en:", 'key "en" stands twice'),
    Fault("unknown tool", "quote.md", "tools: [get_quote", "tools: [get_qoute", 'tool "get_qoute" is unknown; known: get_billing, get_claim_status, get_policy, get_quote, handoff, '),
    Fault("tool twice", "quote.md", "tools: [get_quote", "tools: [handoff, get_quote", 'tool "handoff" stands twice in "tools"'),
    Fault("unknown guard", "quote.md", "[length, language", "[lenght, language", 'guard "lenght" is unknown; known: '),
    Fault("unknown kind of own data", "quote.md", "says_back: [email", "says_back: [emial", 'kind of personal data "emial" is unknown; known: account, card, document, email, phone'),
    Fault("unknown shared part", "quote.md", "extends: [_identity", "extends: [_idnetity", 'shared part "_idnetity" is unknown; known: _guardrails, _identity'),
    Fault("notices are no prompt", "quote.md", "extends: [_identity", "extends: [_notices", 'shared part "_notices" is unknown'),
    Fault("unknown concept", "quote.md", "act_at: 0.5", "triggers: [[humann]]", 'concept "humann" is unknown; known: accident'),
    Fault("empty trigger", "quote.md", "act_at: 0.5", "triggers: [[]]", 'key "triggers": List should have at least 1 item'),
    Fault("intent is not the name", "quote.md", "intent: quote", "intent: quotes", 'intent "quotes" must be the file\'s name, "quote"'),
    Fault("intent is no name", "quote.md", "intent: quote", "intent: Quote Me", 'key "intent": String should match'),
    Fault("unknown model", "quote.md", "model: claude-sonnet-5-5", "model: claude-3-haiku", 'model "claude-3-haiku" is unknown; known: claude-haiku-5-5'),
    Fault("impossible thinking", "quote.md", "thinking: between_tools", "thinking: disabled", 'thinking "disabled" is not possible on claude-sonnet-5-5; possible: adaptive, between_tools'),
    Fault("thinking by default", "quote.md", "thinking: between_tools\n", "", 'thinking "disabled" is not possible on claude-sonnet-5-5', -1),
    Fault("impossible effort", "quote.md", "effort: low", "effort: max", 'not possible at effort "max"', 1),
    Fault("unknown effort", "quote.md", "effort: low", "effort: hihg", "key \"effort\": Input should be 'low', 'medium', 'high', 'xhigh' or 'max', not 'hihg'"),
    Fault("too many tokens", "quote.md", "max_tokens: 1000", "max_tokens: 1000000", 'key "max_tokens": Input should be less than or equal to 20000, not 1000000'),
    Fault("share above one", "quote.md", "act_at: 0.5", "act_at: 5", 'key "act_at": Input should be less than or equal to 1, not 5'),
    Fault("no number", "quote.md", "act_at: 0.5", "act_at: .nan", 'key "act_at"'),
    Fault("no English label", "quote.md", "label: {en:", "label: {de:", 'key "label" needs at least an English text'),
    Fault("label for no language", "quote.md", "label: {en:", "label: {english:", 'key "label": String should match'),
    Fault("empty label", "greeting.md", 'label: {en: "opening hours, phone or who we are"', 'label: {en: ""', 'key "label": String should have at least 1 character'),
    Fault("short description", "quote.md", "description: >-\n  The customer", "description: short\nx: >-\n  The customer", 'unknown key "x"', 1),
    Fault("variable in description", "quote.md", "The customer wants a price", "The {{customer_name}} wants a price", 'key "description": variables are not filled in', -1),
    Fault("long value", "quote.md", "max_tokens: 1000", f"max_tokens: {'x' * 300}", "xxx..."),
    Fault("bad YAML", "quote.md", "description: >-\n  The", "description: The: ", "the front matter is not YAML: mapping values are not allowed here; text with a colon goes in quotes"),
    Fault("alias", "quote.md", "act_at: 0.5", "act_at: *half", 'the front matter is not YAML: an alias ("*name") is not understood'),
    Fault("classifier: unknown safest", "classifier.md", "safest: product_info", "safest: products", 'intent "products" is unknown; known: escalate'),
    Fault("classifier: unknown screened", "classifier.md", "screened: off_topic", "screened: offtopic", 'intent "offtopic" must be one without tools; known: greeting, off_topic'),
    Fault("classifier: screened with tools", "classifier.md", "screened: off_topic", "screened: quote", 'intent "quote" must be one without tools; known: greeting, off_topic'),
    Fault("classifier: unknown key", "classifier.md", "deadline_s: 2.0", "deadline: 2.0", 'unknown key "deadline"; known: kind, model'),
    Fault("classifier: deadline", "classifier.md", "deadline_s: 2.0", "deadline_s: 0", 'key "deadline_s": Input should be greater than 0'),
    Fault("classifier: thinking", "classifier.md", "thinking: disabled", "thinking: between_tools", 'thinking "between_tools" is not possible on claude-haiku-5-5'),
    Fault("second look: unknown key", "second_look.md", "deadline_s: 2.0", "safest: quote", 'unknown key "safest"; known: kind, model, max_tokens, effort, thinking, deadline_s'),
    Fault("second look: deadline", "second_look.md", "deadline_s: 2.0", "deadline_s: 60", 'key "deadline_s": Input should be less than or equal to 10'),
    Fault("second look: model", "second_look.md", "model: claude-haiku-5-5", "model: haiku", 'model "haiku" is unknown; known: claude-haiku-5-5'),
    Fault("second look: variable", "second_look.md", "# Task\n", "# Task\n{{passages}}\n", "variable {{passages}} is not declared", 1),
    Fault("second look: section", "second_look.md", "# Task", "# Tasks", 'unknown section "# Tasks"; known: # Role, # Task, # Examples'),
    Fault("shared: unknown key", "_identity.md", "kind: shared", "kind: shared\nmodel: x", 'unknown key "model"; known: kind', 1),
    Fault("shared: another kind", "_identity.md", "kind: shared", "kind: prompt", "key \"kind\": Input should be 'shared', not 'prompt'"),
    Fault("lexicon: another kind", "_lexicon.md", "kind: lexicon", "kind: words", "key \"kind\": Input should be 'lexicon', not 'words'"),
)  # fmt: skip
SECTIONS = (
    Fault("unknown section", "quote.md", "# Task", "# Tasks", 'unknown section "# Tasks"; known: # Role, # Task, # Examples, # Utterances, # This turn, # Local replies'),
    Fault("section twice", "quote.md", "# Examples", "# Task", 'section "# Task" stands twice; it began in line'),
    Fault("text before the first section", "quote.md", "---\n\n# Role", "---\n\nHello\n# Role", "text before the first section; begin with a heading such as `# Role`", 2),
    Fault("open fence", "quote.md", "# Examples", "```text\n# Examples", "the code fence that begins here is not closed"),
    Fault("variable in Role", "quote.md", "# Role\n", "# Role\nIt is {{today}}.\n", "variable {{today}} is not declared; known here: none; variables belong in `# This turn`", 1),
    Fault("variable in Task", "quote.md", "# Task\n", "# Task\nHello {{customer_name}}.\n", "variable {{customer_name}} is not declared", 1),
    Fault("variable in Examples", "quote.md", "# Examples\n", "# Examples\nHello { {{x}} }.\n", "variable {{x}} is not declared", 1),
    Fault("variable in a shared part", "_identity.md", "# Role\n", "# Role\nToday is {{today}}.\n", "variable {{today}} is not declared", 1),
    Fault("variable in the classifier", "classifier.md", "# Task\n", "# Task\n{{message}}\n", "variable {{message}} is not declared", 1),
    Fault("unknown fact", "quote.md", "Today is {{today}}.", "Today is {{date}}.", "variable {{date}} is not declared; known here: also, customer_name, language, offer_person, open_quote, preview, quotes, today"),
    Fault("badly written fact", "quote.md", "Today is {{today}}.", "Today is {{to-day}}.", "variable {{to-day}} is not declared"),
    Fault("half a variable", "quote.md", "Today is {{today}}.", "Today is {{today.", "variable {{ is not declared"),
    Fault("replies in a shared part", "_identity.md", "# Role\n", "# Local replies\n# Role\n", 'unknown section "# Local replies"; known: # Role, # Task, # Examples'),
    Fault("a role for the notices", "_notices.md", "# Local replies", "# Role\nx\n# Local replies", 'unknown section "# Role"; known: # Local replies'),
    Fault("unknown slot", "quote.md", "awaiting=year |", "awaiting=yaer |", 'slot "yaer" is unknown; known: driver_age, make, mileage, model, person, year'),
    Fault("slot without a bar", "quote.md", "awaiting=year |", "awaiting=year ", "an answer inside a quote is `awaiting=year | 2019`"),
    Fault("slot in capitals", "quote.md", "awaiting=year |", "Awaiting = year |", "an answer inside a quote is `awaiting=year | 2019`"),
    Fault("lexicon: another section", "_lexicon.md", "# Lexicon", "# Words", 'unknown section "# Words"; known: # Lexicon'),
)  # fmt: skip
REPLIES = (
    Fault("unknown concept", "quote.md", "## start_over [start_over]", "## start_over [stop_it]", 'concept "stop_it" is not in _lexicon.md; known: accident'),
    Fault("reply twice", "quote.md", "## ask_model", "## ask_make", 'reply "ask_make" stands twice; it began in line'),
    Fault("language twice", "quote.md", "## ask_make\n### en", "## ask_make\n### es\nx\n### en", 'reply "ask_make" has "### es" twice', 5),
    Fault("unknown value", "quote.md", "Got it, {{make}}.", "Got it, {{maker}}.", "variable {{maker}} is not declared; known here: about, amount_usd, "),
    Fault("no English", "quote.md", "## ask_make\n### en", "## ask_make\n### fr", 'reply "ask_make" has no English text; add `### en`'),
    Fault("empty text", "quote.md", "## ask_make\n### en", "## ask_make\n### de\n### en", 'reply "ask_make" has no text below "### de"'),
    Fault("no text at all", "quote.md", "## ask_make\n", "## nothing\n## ask_make\n", 'reply "nothing" has no English text'),
    Fault("language before the key", "quote.md", "## start_over [start_over]\n### en", "### en\n## start_over [start_over]", "cannot read '### en'; a reply is `## key`"),
    Fault("text before the language", "quote.md", "## ask_make\n", "## ask_make\nWhich make?\n", "cannot read 'Which make?'; a reply is `## key`", 1),
    Fault("badly written key", "quote.md", "## ask_make", "## Ask make", "cannot read '## Ask make'; a reply is `## key`"),
    Fault("empty brackets", "quote.md", "## ask_make", "## ask_make []", "cannot read '## ask_make []'"),
    Fault("in the notices", "_notices.md", "## clarify", "## clarify [unheard_of]", 'concept "unheard_of" is not in _lexicon.md'),
)  # fmt: skip
LEXICON = (
    Fault("concept twice", "_lexicon.md", "## talk", "## human", 'concept "human" stands twice; it began in line'),
    Fault("concept in capitals", "_lexicon.md", "## talk", "## Talk", "cannot read '## Talk'; a concept is `## name`"),
    Fault("no words", "_lexicon.md", "## talk\n", "## silence\n## talk\n", 'concept "silence" has no words; add a line `en: ...`'),
    Fault("line without a language", "_lexicon.md", "## talk\n", "## talk\nspeak to\n", "cannot read 'speak to'", 1),
    Fault("words before a concept", "_lexicon.md", "# Lexicon\n", "# Lexicon\nen: word\n", "cannot read 'en: word'", 1),
    Fault("phrase without a word", "_lexicon.md", "en: speak to,", "en: speak to, !?,", 'phrase "!?" holds no word; take it out'),
)  # fmt: skip


@pytest.mark.parametrize(
    "fault", [*FRONT, *SECTIONS, *REPLIES, *LEXICON], ids=lambda fault: f"{fault.file} {fault.name}"
)
def test_a_slip_is_refused_with_its_place(fault: Fault, folder: Path) -> None:
    """A prompt engineer would have to ask a programmer what is wrong."""
    at = edit(folder / fault.file, fault.old, fault.new) + fault.below
    line = fault.line or at

    with pytest.raises(PromptError) as refused:
        load(folder)

    assert str(refused.value).startswith(f"prompts/{fault.file}:{line}: "), str(refused.value)
    assert fault.says in str(refused.value)
    assert (refused.value.file, refused.value.line) == (f"prompts/{fault.file}", line)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "1: the file is empty"),
        (b" \n\n", "1: the file is empty"),
        (b"# Role\nHello\n", '1: the file must begin with front matter between two "---" lines'),
        (b"---\nintent: quote\n", '1: the front matter is not closed; put a line "---" after it'),
        (b"---\n---\n# Role\nx\n", "2: the front matter must be lines of the form `key: value`"),
        (b"---\n- intent\n---\n", "2: the front matter must be lines of the form `key: value`"),
        (b"---\nintent: [quote\n---\n", "the front matter is not YAML"),
        (b"---\nintent: quo\x07te\n---\n", "2: the front matter is not YAML: unacceptable character"),
        (b"---\nn: !!int nine\n---\n", "2: the front matter is not YAML: invalid literal"),
        (b"---\n" + b"[" * 3000 + b"\n---\n", "2: the front matter is not YAML"),
        (b"---\nintent: quote\n---\n# Role\n\xe9 caf\n", "5: this is not UTF-8; save the file as UTF-8"),
        (b"---\nintent: quote\n---\n# Role\nab\0\0\0", "5: a zero byte stands here; the file was not saved whole"),
        (b"x" * (MAX_FILE_BYTES + 1), f"1: {MAX_FILE_BYTES + 1} bytes is too large; at most {MAX_FILE_BYTES}"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_prompt_is_refused(content: bytes, says: str, folder: Path) -> None:
    """A file that was saved half, or by the wrong program, would be served or crash the desk."""
    (folder / "quote.md").write_bytes(content)

    with pytest.raises(PromptError) as refused:
        load(folder)

    assert str(refused.value).startswith("prompts/quote.md:")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("section", ["Role", "Task", "Examples", "Utterances"])
def test_a_missing_section_is_refused(section: str, folder: Path) -> None:
    """A specialist without a task, or a class without examples, would go live."""
    path = folder / "greeting.md"
    before, _, after = path.read_text(encoding="utf-8").partition(f"\n# {section}\n")
    _, found, rest = after.partition("\n# ")
    path.write_text(f"{before}{found}{rest}\n", encoding="utf-8")

    with pytest.raises(
        PromptError, match=f'greeting.md:1: section "# {section}" is missing or empty; needed: # Role'
    ):
        load(folder)


def test_an_empty_section_is_refused_where_it_stands(folder: Path) -> None:
    """A heading whose text was deleted by mistake would be served without it."""
    path = folder / "greeting.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("# Utterances")] + "# Utterances\n\n", encoding="utf-8")
    line = text[: text.index("# Utterances")].count("\n") + 1

    with pytest.raises(PromptError, match=f'greeting.md:{line}: section "# Utterances" is missing or empty'):
        load(folder)


@pytest.mark.parametrize("share", [number / 10 for number in range(1, 10)])
def test_a_specialist_that_was_cut_before_its_utterances_is_refused(share: float, folder: Path) -> None:
    """Half of a prompt would be served as if it were the whole."""
    path = folder / "quote.md"
    raw = path.read_bytes()
    path.write_bytes(raw[: int(raw.index(b"# Utterances") * share)])

    with pytest.raises(PromptError, match=r"prompts/quote\.md:"):
        load(folder)
