"""Keep the vectors of passages in PostgreSQL with pgvector, so that one server asks and all have them.

The extension must be there (`CREATE EXTENSION vector`, which the owner of the database may do); its table is made when
it is first needed, because a database without it must work too. Vectors that no server has wanted for a week are
taken away.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from errors import RemoteError, Unavailable
from knowledge.meaning import Alike, Wanted
from knowledge.voyage import Vectors
from store.database import Database

UNUSED_AFTER_S = 7 * 86_400.0
_LONGEST_INDEXED = 2_000
_LOOKED_AT = (
    200  # so many neighbours the index looks at: some are of other languages, or of articles that changed
)
_AT_ONCE = 1_000
_REMEDY = "let the owner of the database run CREATE EXTENSION vector"
_TABLE = """
    CREATE TABLE IF NOT EXISTS knowledge_vectors (
        model text, passage bytea, language text NOT NULL, used_at_s float8 NOT NULL, vector vector NOT NULL,
        PRIMARY KEY (model, passage)
    )
"""
_USED = text("""
    UPDATE knowledge_vectors SET used_at_s = :now_s
    WHERE model = :model AND passage = ANY(:keys) RETURNING passage, language, vector_dims(vector) AS size
""")
_UNUSED = text("DELETE FROM knowledge_vectors WHERE used_at_s < :before_s")
_OTHER_SIZE = text("DELETE FROM knowledge_vectors WHERE model = :model AND vector_dims(vector) <> :size")
_ADD = text("""
    INSERT INTO knowledge_vectors (model, passage, language, used_at_s, vector)
    VALUES (:model, :passage, :language, :now_s, CAST(:vector AS vector)) ON CONFLICT DO NOTHING
""")
_LOOK_FAR = text("SELECT set_config('hnsw.ef_search', :count, true)")


class StoredVectors:
    """The shelf of all servers (see Shelf in knowledge/meaning.py). `clock` gives seconds since 1970."""

    def __init__(self, database: Database, model: str, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._model = model
        self._clock = clock
        self._wanted: Mapping[bytes, Wanted] = {}
        self._known: dict[bytes, str] = {}
        self._size = 0

    @property
    def languages(self) -> Collection[str]:
        """Languages in which some passage is known."""
        return frozenset(self._known.values())

    async def arrange(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """These are wanted from now on; those that are not known come back.

        Raises:
            Unavailable: The database does not answer, or has no pgvector.
        """
        by_key = {each.key: each for each in wanted}
        keys, now_s = list(by_key), self._clock()

        def work(connection: Connection) -> list[tuple[bytes, str, int]]:
            self._database.backend.hold(connection, "vectors")
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
            connection.execute(text(_TABLE))
            found: list[tuple[bytes, str, int]] = []
            for start in range(0, len(keys), _AT_ONCE):
                some = {"model": self._model, "keys": keys[start : start + _AT_ONCE], "now_s": now_s}
                found += [
                    (bytes(row.passage), row.language, row.size) for row in connection.execute(_USED, some)
                ]
            connection.execute(_UNUSED, {"before_s": now_s - UNUSED_AFTER_S})
            return found

        try:
            found = await self._database.apart(work)
        except DBAPIError as exc:
            raise Unavailable(f"vectors: {type(exc.orig).__name__}; {_REMEDY}", code="db_error") from exc
        self._size = found[0][2] if found else 0
        self._wanted, self._known = by_key, {key: language for key, language, _ in found}
        return [each for each in by_key.values() if each.key not in self._known]

    async def add(self, wanted: Sequence[Wanted], vectors: Vectors) -> None:
        """These are known now; older ones of another size are of no use any more.

        Raises:
            Unavailable: The database does not answer.
        """
        size = int(vectors.shape[1])
        rows = [
            {
                "model": self._model,
                "passage": each.key,
                "language": each.passage.language,
                "now_s": self._clock(),
                "vector": _literal(row),
            }
            for each, row in zip(wanted, vectors, strict=True)
        ]

        def work(connection: Connection) -> None:
            self._database.backend.hold(connection, "vectors")
            connection.execute(_OTHER_SIZE, {"model": self._model, "size": size})
            connection.execute(_ADD, rows)
            if size <= _LONGEST_INDEXED:
                connection.execute(text(_index(size)))

        await self._database.apart(work)
        if self._size != size:
            self._size, self._known = size, {}
        self._known |= {each.key: each.passage.language for each in wanted}

    async def keep(self) -> int:
        """Everything is kept already; returns how many wanted ones are not known."""
        return sum(key not in self._known for key in self._wanted)

    async def nearest(self, asked: Vectors, language: str, limit: int) -> list[Alike]:
        """The passages of this language most like what is asked, best first.

        Raises:
            RemoteError: The vector is of another size than theirs.
            Unavailable: The database does not answer.
        """
        size = int(asked.size)
        if size != self._size:
            raise RemoteError(f"embeddings: {size} numbers instead of {self._size}", kind="invalid")
        place = {"model": self._model, "language": language, "asked": _literal(asked), "limit": _LOOKED_AT}

        def work(connection: Connection) -> list[tuple[bytes, float]]:
            connection.execute(_LOOK_FAR, {"count": str(_LOOKED_AT)})
            rows = connection.execute(text(_nearest(size)), place)
            return [(bytes(row.passage), row.cosine) for row in rows]

        found = await self._database.read(work)
        return [Alike(self._wanted[key], cosine) for key, cosine in found if key in self._wanted][:limit]


def _literal(vector: Vectors) -> str:
    """A vector as pgvector reads it."""
    return f"[{','.join(f'{number:.7g}' for number in vector.tolist())}]"


def _index(size: int) -> str:
    return (
        f"CREATE INDEX IF NOT EXISTS ix_knowledge_vectors_{size} ON knowledge_vectors "
        f"USING hnsw ((vector::vector({size})) vector_cosine_ops) WHERE vector_dims(vector) = {size}"
    )


def _nearest(size: int) -> str:
    near = f"vector::vector({size}) <=> CAST(:asked AS vector({size}))"
    return (
        f"SELECT passage, 1 - ({near}) AS cosine FROM knowledge_vectors "  # noqa: S608 - the size is a number of ours
        f"WHERE model = :model AND language = :language AND vector_dims(vector) = {size} ORDER BY {near} LIMIT :limit"
    )
