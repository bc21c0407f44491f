"""Product questions get true answers with their sources: ten in each language, on both engines, over the whole server."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.answers import rates, read_cases
from knowledge.corpus_files import Article, read_corpus
from knowledge.index import KnowledgeIndex
from settings import ROOT
from tests.model_like import ModelLike
from tests.serving import Running, local_settings, running
from tests.simulation import Simulation

FOLDER = ROOT / "knowledge" / "corpus"
ARTICLES = {(article.language, article.article_id): article for article in read_corpus(FOLDER).articles}
URLS = {article.url for article in ARTICLES.values()}


@dataclass(frozen=True)
class Asked:
    """A question, the fact that must be told (as the article words it; `|` between wordings), and the right articles."""

    says: str
    fact: str
    articles: tuple[str, ...]

    @property
    def facts(self) -> list[str]:
        """The wordings, one of which must be told."""
        return self.fact.split("|")


ENGLISH = (
    Asked("Is the battery included in your electric car insurance?", "included in every Acme electric car policy", ("battery-cover", "electric-car-insurance", "charging-equipment")),
    Asked("When do you cover battery degradation?", "less than 70% of its original capacity", ("battery-cover", "battery-health-and-resale")),
    Asked("What is the limit for the charger at my home?", "$3,000 per claim for the home charger", ("charging-equipment",)),
    Asked("How much does the cover pay per day for a rental car?", "$40 a day", ("rental-reimbursement",)),
    Asked("Which deductibles can I choose for collision?", "$250, $500", ("deductibles", "collision")),
    Asked("How many miles of towing does electric roadside assistance include?", "50 miles", ("electric-roadside-assistance", "electric-trips")),
    Asked("How soon must I report a claim?", "30 days after the event", ("claims",)),
    Asked("Does my car insurance apply in Mexico?", "does not apply in Mexico|not cover accidents, theft or breakdowns in Mexico", ("mexico-and-canada", "electric-trips")),
    Asked("Are my motorcycle helmet and jacket insured?", "applies to the helmet, jacket", ("rider-equipment-and-passenger",)),
    Asked("Can I pay my bill by credit card?", "accepts credit cards", ("payment-and-billing",)),
)  # fmt: skip
SPANISH = (
    Asked("¿La batería está incluida en el seguro de auto eléctrico?", "incluida en todas las pólizas de auto eléctrico", ("battery-cover", "electric-car-insurance", "charging-equipment")),
    Asked("¿Cuándo cubren la degradación de la batería?", "menos del 70% de su capacidad original", ("battery-cover", "battery-health-and-resale")),
    Asked("¿Cuál es el límite para el cargador de mi casa?", "$3,000 por reclamo para el cargador doméstico", ("charging-equipment",)),
    Asked("¿Cuánto paga la cobertura por día para un auto de alquiler?", "$40 por día", ("rental-reimbursement",)),
    Asked("¿Qué deducibles puedo elegir para colisión?", "$250, $500", ("deductibles", "collision")),
    Asked("¿Cuántas millas de remolque incluye la asistencia en carretera para autos eléctricos?", "50 millas", ("electric-roadside-assistance", "electric-trips")),
    Asked("¿En cuánto tiempo hay que reportar un reclamo?", "30 días después del hecho", ("claims",)),
    Asked("¿Mi seguro de auto vale en México?", "no se aplica en México|no cubre accidentes, robos ni averías en México", ("mexico-and-canada", "electric-trips")),
    Asked("¿Mi casco y mi chaqueta de moto están asegurados?", "casco", ("rider-equipment-and-passenger",)),
    Asked("¿Puedo pagar mi factura con tarjeta de crédito?", "acepta tarjetas de crédito", ("payment-and-billing",)),
)  # fmt: skip
LANGUAGES = pytest.mark.parametrize(
    ("asked", "language"), [(ENGLISH, "en"), (SPANISH, "es")], ids=["en", "es"]
)


def _article(language: str, name: str) -> Article:
    return ARTICLES[language, name]


@LANGUAGES
def test_the_facts_stand_in_the_articles(asked: tuple[Asked, ...], language: str) -> None:
    """The tests below would demand what the company never said."""
    for item in asked:
        texts = [p.text for name in item.articles for _, p in _article(language, name).parts]
        assert all(any(fact in text for text in texts) for fact in item.facts), item


async def _check(server: Running, asked: tuple[Asked, ...], language: str, engine: str) -> None:
    """Each question in a conversation of its own; everything that is wrong is told at once."""
    wrong = []
    for item in asked:
        response = await server.client.post("/chat", json={"message": item.says, "locale": language})
        assert response.status_code == 200, response.text
        reply: dict[str, Any] = response.json()
        cited = {citation["url"] for citation in reply["citations"]}
        right = {_article(language, name).url for name in item.articles}
        good = (
            (reply["intent"], reply["engine"], reply["degraded"]) == ("product_info", engine, False)
            and any(fact in reply["text"] for fact in item.facts)
            and cited & right
            and cited <= URLS
            and all(citation["quote"] in reply["text"] for citation in reply["citations"])
            and _links(reply["text"]) <= URLS
        )
        if not good:
            wrong.append((item.says, reply["intent"], reply["text"], sorted(cited)))
    assert wrong == []


def _links(text: str) -> set[str]:
    """The addresses of the Markdown links."""
    return {part.partition(")")[0] for part in text.split("](")[1:]}


@LANGUAGES
async def test_without_claude_the_answers_are_true(
    asked: tuple[Asked, ...], language: str, tmp_path: Path
) -> None:
    """A customer would be told half a fact, or sent to the wrong page, whenever Claude cannot be reached."""
    async with running(local_settings(tmp_path)) as server:
        await _check(server, asked, language, "local")


@LANGUAGES
async def test_with_claude_the_answers_are_true(
    asked: tuple[Asked, ...], language: str, tmp_path: Path
) -> None:
    """What a model finds and cites would reach the customer without its source, or with a wrong one."""
    brain = ModelLike({item.says: ("product_info", language) for item in asked})
    async with Simulation(brain) as simulation:
        keys: dict[str, object] = {**simulation.environment, "FRONTDESK_ENGINE": "claude"}
        async with running(local_settings(tmp_path, **keys)) as server:
            await _check(server, asked, language, "claude")


def test_most_answers_begin_with_the_fact() -> None:
    """A change of the search or of the choice among passages would make answers worse, and nobody would notice."""
    for rate in rates(KnowledgeIndex.load(FOLDER), read_cases()).values():
        assert (rate.cases, rate.told >= 33, rate.told_first >= 30, rate.right_article >= 36) == (
            40,
            True,
            True,
            True,
        )
