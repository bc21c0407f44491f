"""A new intent is one new file: dropped into the prompts folder it is listed, learned, routed to and answers.

This is an acceptance test: it runs the shipped prompts with all their utterances, real training and the real server.
"""

import shutil
from pathlib import Path

import pytest

from agents.specialist import Catalogue
from build import build_parts, cache_of, load_prompts, train
from router.classify import label_schema
from router.local import LocalClassifier
from settings import ROOT, Settings
from tests.serving import local_settings, serving

FRONT = """\
---
intent: claims
description: >-
  The customer asks how far a claim of theirs is: its status, its number, who handles it, what is still missing,
  when the decision or the money comes. Calm and without complaint.
  Not here: reporting something that has just happened, or anger about a claim (both escalate).
label: {en: the progress of my claim, es: cómo va mi reclamo}
model: claude-haiku-5-5
max_tokens: 600
effort: low
thinking: disabled
tools: [search_knowledge, handoff]
guards: [length]
extends: [_identity, _guardrails]
act_at: 0.4
---
# Role
Here you tell customers how they can follow a claim of theirs.

# Task
Look up with `search_knowledge` how a claim is followed, and say it in two sentences.
You cannot see the claim itself; say so and offer a colleague.

# Examples
<example>
<customer>how is my claim coming along</customer>
<reply>I can't see your file here, but a call with your claim number tells you where it stands.</reply>
</example>

# This turn
Answer in {{language}}.

# Local replies
## answer
### en
About following a claim:

{{sentences}}
### es
Sobre cómo seguir un reclamo:

{{sentences}}

# Utterances
"""
UTTERANCES = """\
how far is my claim
what is the status of my claim
can you check my claim status
where do I see how my claim is going
any news on my claim?
any update about the claim I filed
has my claim been approved yet
is there progress on claim 4711
my claim number is C-20381, how does it stand
who is handling my claim
who is the adviser for my claim
when will my claim be decided
when do I get the money from my claim
how long until my claim is paid
what is still missing for my claim
do you still need documents for my claim
did the photos for my claim arrive
track my claim
claim tracking
follow up on a claim
I'd like to follow my claim online
is there a page where I can see the progress of my claim
claim status please
I filed a claim last week, where does it stand
checking in on the claim from my fender bender
where can I find my claim number
has the estimate for my claim been looked at
is my claim closed
cómo va mi reclamo
cuál es el estado de mi reclamo
dónde veo el estado de mi siniestro
quién lleva mi reclamo
cuándo se decide mi reclamo
ya llegaron los documentos de mi reclamo
quiero saber cómo va mi siniestro
seguimiento de mi reclamo
où en est mon dossier de sinistre
wie weit ist mein Schadenfall
Stand meiner Schadenmeldung
a che punto è la mia pratica di sinistro
"""
NOT_LEARNED = (
    "where can I see how far my claim is",
    "could you tell me how my claim is getting on?",
    "is there any progress with the claim I filed last month",
    "claim status",
    "¿cómo sigue mi reclamo?",
    "wie ist der Stand bei meinem Schadenfall",
)
OTHERS = {
    "hello!": "greeting",
    "how much to insure a 2022 Nissan Leaf?": "quote",
    "what does collision cover?": "product_info",
    "I want to talk to a human": "escalate",
    "write me a poem about the sea": "off_topic",
}


def _settings(folder: Path) -> Settings:
    return local_settings(folder, FRONTDESK_PROMPTS=folder / "prompts")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shipped prompts and one file more."""
    folder = tmp_path_factory.mktemp("company")
    shutil.copytree(ROOT / "prompts", folder / "prompts")
    (folder / "prompts" / "claims.md").write_text(FRONT + UTTERANCES, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def catalogue(home: Path) -> Catalogue:
    """What the desk makes of the folder."""
    return load_prompts(_settings(home), build_parts(_settings(home)))


@pytest.fixture(scope="module")
def classifier(home: Path, catalogue: Catalogue) -> LocalClassifier:
    """The local classifier, trained once; the server finds it where it was kept."""
    return train(catalogue, cache_of(_settings(home)))


def test_the_catalogue_has_it(catalogue: Catalogue) -> None:
    """The ops page and the lists would not show the new intent."""
    claims = catalogue.specialists["claims"]

    assert catalogue.intents == ("claims", "escalate", "greeting", "off_topic", "product_info", "quote")
    assert claims.lead == "search"
    assert len(claims.utterances) == len(UTTERANCES.splitlines())


def test_haiku_may_choose_it(catalogue: Catalogue) -> None:
    """Claude would go on sending these customers elsewhere."""
    schema = label_schema(catalogue.intents)

    assert "claims" in schema["properties"]["intent"]["enum"]
    assert "claims" in schema["properties"]["also"]["items"]["enum"]
    assert "## claims\nThe customer asks how far a claim of theirs is" in catalogue.classifier.system


@pytest.mark.parametrize("message", NOT_LEARNED)
def test_the_local_classifier_sends_new_words_there(message: str, classifier: LocalClassifier) -> None:
    """Without Claude the new specialist would never be asked."""
    assert message not in UTTERANCES.splitlines()
    assert classifier.classify(message).intent == "claims"


@pytest.mark.parametrize(("message", "intent"), OTHERS.items())
def test_the_others_keep_what_is_theirs(message: str, intent: str, classifier: LocalClassifier) -> None:
    """A new file would take customers away from the old specialists."""
    assert classifier.classify(message).intent == intent


async def test_it_answers_through_the_server(home: Path, classifier: LocalClassifier) -> None:
    """All parts would know the intent, and the customer would still get another specialist."""
    async with serving(_settings(home)) as client:
        answers = [(await client.post("/chat", json={"message": text})).json() for text in NOT_LEARNED[:2]]
        spanish = (await client.post("/chat", json={"message": NOT_LEARNED[4]})).json()
        ready = (await client.get("/readyz")).json()

    assert [(answer["intent"], answer["agent"]) for answer in answers] == [("claims", "claims")] * 2
    assert answers[0]["text"].startswith("About following a claim:")
    assert answers[0]["citations"]
    assert spanish["agent"] == "claims"
    assert spanish["text"].startswith("Sobre cómo seguir un reclamo:")
    assert "claims" in ready["prompts"]["intents"]
