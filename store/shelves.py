"""Put the articles of a folder into the database, once for all servers that have the same folder.

Why: the folder stays the truth, and servers may differ in it for a while, when a new version is rolled out. So an
article stands there under the hash of its words, a folder as the list of its articles, and each server searches its
own folder. What no server has used for a day is taken away.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, Delete, delete, insert, select, update

from knowledge.corpus_files import Article
from knowledge.words import Words
from store.lexemes import article_key, lexemes_of_article, lexemes_of_passage
from store.schema import knowledge_articles, knowledge_folders, knowledge_passages, knowledge_shelves

UNUSED_AFTER_S = 86_400.0
_AT_ONCE = 500
_STORED_AT_ONCE = 50  # taking articles apart takes time, in which the database waits


def folder_key(articles: Mapping[str, Article]) -> str:
    """The name of a folder with these articles."""
    return hashlib.sha256("\n".join(sorted(articles)).encode()).hexdigest()


def by_key(articles: Sequence[Article]) -> dict[str, Article]:
    """The articles by their keys; of two that say the same, the first."""
    found: dict[str, Article] = {}
    for article in articles:
        found.setdefault(article_key(article), article)
    return found


def shelve(connection: Connection, folder: str, articles: Mapping[str, Article], now_s: float) -> int:
    """Store the folder and those of its articles that are not there yet; returns how many these were.

    No other server may be at it at the same time.
    """
    missing = set(articles) - set(_known(connection, list(articles)))
    for keys in _some(sorted(missing), _STORED_AT_ONCE):
        _store(connection, {key: articles[key] for key in keys})
    used = update(knowledge_folders).where(knowledge_folders.c.folder == folder).values(used_at_s=now_s)
    if not connection.execute(used).rowcount:
        connection.execute(insert(knowledge_folders), {"folder": folder, "used_at_s": now_s})
        for keys in _some(list(articles)):
            connection.execute(
                insert(knowledge_shelves), [{"folder": folder, "article": key} for key in keys]
            )
    for unused in _unused(now_s):
        connection.execute(unused)
    return len(missing)


def _known(connection: Connection, keys: list[str]) -> Iterator[str]:
    for some in _some(keys):
        query = select(knowledge_articles.c.article).where(knowledge_articles.c.article.in_(some))
        yield from connection.execute(query).scalars()


def _store(connection: Connection, articles: Mapping[str, Article]) -> None:
    words = {language: Words(language) for language in {article.language for article in articles.values()}}
    rows = [
        {"article": key, "language": own.language, "words": lexemes_of_article(own, words[own.language])}
        for key, own in articles.items()
    ]
    parts = [
        {
            "article": key,
            "number": number,
            "words": lexemes_of_passage(heading, passage.text, words[own.language]),
        }
        for key, own in articles.items()
        for number, (heading, passage) in enumerate(own.parts, start=1)
    ]
    connection.execute(insert(knowledge_articles), rows)
    if parts:
        connection.execute(insert(knowledge_passages), parts)


def _unused(now_s: float) -> Iterator[Delete]:
    """What takes away folders that nobody uses, and then all that is in no folder."""
    folders, shelves, articles, parts = (
        knowledge_folders,
        knowledge_shelves,
        knowledge_articles,
        knowledge_passages,
    )
    yield delete(folders).where(folders.c.used_at_s < now_s - UNUSED_AFTER_S)
    yield delete(shelves).where(~select(folders).where(folders.c.folder == shelves.c.folder).exists())
    yield delete(articles).where(~select(shelves).where(shelves.c.article == articles.c.article).exists())
    yield delete(parts).where(~select(articles).where(articles.c.article == parts.c.article).exists())


def _some(keys: Sequence[str], count: int = _AT_ONCE) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), count):
        yield keys[start : start + count]
