"""A table of things for tests of the database itself, and somebody else who locks it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from store.database import Database


async def make_table(database: Database) -> None:
    """The table, empty."""
    create = text("CREATE TABLE things (number INTEGER PRIMARY KEY, body TEXT)")
    await database.write(lambda connection: connection.execute(create))


async def put(database: Database, number: int, body: str = "") -> int:
    """Store a thing; returns its number after the commit."""

    def work(connection: Connection) -> int:
        row = {"number": number, "body": body}
        connection.execute(text("INSERT INTO things VALUES (:number, :body)"), row)
        return number

    return await database.write(work)


async def numbers(database: Database) -> list[int]:
    """The numbers of the things that are stored."""
    query = text("SELECT number FROM things ORDER BY number")
    return await database.read(lambda connection: list(connection.execute(query).scalars()))


@contextmanager
def busy_elsewhere(database: Database) -> Iterator[Connection]:
    """Another server is in the middle of a write while the context is open; on SQLite it has the whole file."""
    engine = database.backend.writer()
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@contextmanager
def locked(database: Database, table: str = "things") -> Iterator[None]:
    """Somebody else keeps the table from being written to while the context is open."""
    with busy_elsewhere(database) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
        yield
