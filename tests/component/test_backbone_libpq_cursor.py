"""Statements of a green process end as they do by psycopg's own cursor, and what is prepared is bounded."""

from __future__ import annotations

import datetime as dt
import enum
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import INT4RANGE, JSONB, Range
from sqlalchemy.exc import DBAPIError, OperationalError

from backbone.storage import libpq_cursor
from backbone.storage.database import Database, is_outage
from deploy.local.parts import PostgreSQL
from tests.support.processes import create_database


class Colour(enum.StrEnum):
    RED = "red"


_metadata = MetaData()
ALL_TYPES = Table(
    "all_types",
    _metadata,
    Column("id", BigInteger, primary_key=True),
    Column("name", String(8)),
    Column("words", Text),
    Column("small", SmallInteger),
    Column("whole", Integer),
    Column("large", BigInteger),
    Column("real", Double),
    Column("exact", Numeric(10, 2)),
    Column("true", Boolean),
    Column("day", Date),
    Column("moment", DateTime(timezone=True)),
    Column("raw", LargeBinary),
    Column("key", Uuid),
    Column("json", JSONB),
    Column("json_or_null", JSONB(none_as_null=True)),
    Column("names", ARRAY(String)),
    Column("numbers", ARRAY(BigInteger)),
    Column("keys", ARRAY(Uuid)),
    Column("moments", ARRAY(DateTime(timezone=True))),
    Column("span", INT4RANGE),
)
"""Every type of a column in the services' models, and those that may come."""

words = st.one_of(st.text(max_size=12), st.just("a\0b"), st.sampled_from([Colour.RED, "%(x)s", "{}", "'"]))
whole = st.integers(-(2**40), 2**40) | st.sampled_from([2**15, 2**31, 2**63, -(2**15) - 1])
moments = st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30), timezones=st.just(dt.UTC))
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.none() | words,
        "words": st.none() | words,
        "small": st.none() | whole,
        "whole": st.none() | whole,
        "large": st.none() | whole,
        "real": st.none() | st.floats(allow_nan=False) | st.sampled_from([math.inf, 1]),
        "exact": st.none() | st.decimals(-(10**9), 10**9, places=3) | st.just(Decimal("NaN")),
        "true": st.none() | st.booleans(),
        "day": st.none() | st.dates(),
        "moment": st.none() | moments,
        "raw": st.none() | st.binary(max_size=20),
        "key": st.none() | st.uuids(),
        "json": documents,
        "json_or_null": documents,
        "names": st.none() | st.lists(st.none() | words, max_size=3),
        "numbers": st.none() | st.lists(st.none() | whole, max_size=3),
        "keys": st.none() | st.lists(st.uuids(), max_size=3),
        "moments": st.none() | st.lists(moments, max_size=3),
        "span": st.none() | st.builds(lambda low, size: Range(low, low + size), st.integers(-9, 9), st.integers(0, 9)),
    },
)

Act = Callable[[Connection], Any]


def outcome(database: Database, *acts: Act) -> list[Any]:
    """What each gives in one transaction that is rolled back: values with their types, or the error.

    In a failed transaction everything fails, of values before the server is asked or afterwards.
    """
    outcomes: list[Any] = []
    failed = False
    with database.engine.connect() as connection:
        transaction = connection.begin()
        for act in acts:
            try:
                given_back = act(connection)
            except (DBAPIError, psycopg.Error) as raised:
                error = raised.orig if isinstance(raised, DBAPIError) else raised
                assert isinstance(error, psycopg.Error)
                told = (type(error), error.sqlstate, error.diag.message_primary or str(error))
                outcomes.append("failed before" if failed else told)
                failed |= error.sqlstate is not None
            else:
                outcomes.append(repr(given_back))  # tells 1 from True, and a StrEnum from its text
        transaction.rollback()
    return outcomes


@pytest.fixture(scope="module")
def url(postgres: PostgreSQL) -> str:
    made = create_database(postgres.url, "libpq_cursor")
    database = Database(made, pool_size=1)
    with database.transaction() as connection:
        _metadata.create_all(connection)
        connection.execute(text("CREATE TYPE mood AS ENUM ('calm', 'angry')"))
    database.close()
    return made


@pytest.fixture(scope="module")
def plain(url: str) -> Iterator[Database]:
    """psycopg's own connections."""
    database = Database(url, pool_size=2)
    yield database
    database.close()


@pytest.fixture(scope="module")
def green(url: str) -> Iterator[Database]:
    database = Database(url, pool_size=2, green=True)
    yield database
    database.close()


@settings(max_examples=60)
@given(first=ROWS, second=ROWS)
def test_every_type_comes_and_goes_as_by_psycopg(
    plain: Database, green: Database, first: dict[str, Any], second: dict[str, Any]
) -> None:
    here = ALL_TYPES.c.id == bindparam("this")
    both = dict.fromkeys([*first, *second])
    stored = select(ALL_TYPES).order_by(ALL_TYPES.c.id)
    acts: list[Act] = [
        lambda c: c.execute(insert(ALL_TYPES), {"id": 1, **first}).rowcount,
        lambda c: c.execute(stored).all(),
        lambda c: c.execute(insert(ALL_TYPES).returning(ALL_TYPES), {"id": 2, **second}).all(),
        lambda c: c.execute(update(ALL_TYPES).where(here), {"this": 1, "small": 1, **second}).rowcount,
        lambda c: c.execute(stored).all(),
        lambda c: (
            c.execute(insert(ALL_TYPES), [{**both, **first, "id": 4}, {**both, **second, "id": 5}]).rowcount,
            c.execute(stored).all(),
        ),
    ]
    assert outcome(green, *acts) == outcome(plain, *acts)
    for act in acts[::2]:
        assert outcome(green, act) == outcome(plain, act)


def interleaved(connection: Connection) -> list[Any]:
    """The same statement while its first rows are not all fetched."""
    numbers = text("SELECT * FROM generate_series(1, :last) AS n")
    return [
        (number, connection.execute(numbers, {"last": number}).all())
        for (number,) in connection.execute(numbers, {"last": 4})
    ]


def savepoint(connection: Connection) -> Any:
    connection.execute(insert(ALL_TYPES), {"id": 1})
    try:
        with connection.begin_nested():
            connection.execute(insert(ALL_TYPES), {"id": 1})
    except DBAPIError as error:
        return type(error.orig), connection.execute(select(func.count()).select_from(ALL_TYPES)).scalar()
    return None


def copied(connection: Connection) -> Any:
    cursor = connection.connection.cursor()
    with cursor.copy("COPY all_types (id, words) FROM STDIN") as copy:
        for number in range(20_000):
            copy.write_row((number, "x" * 100))
    return connection.execute(text("SELECT count(*), sum(length(words)) FROM all_types")).one()


def streamed(connection: Connection) -> Any:
    numbers = connection.execution_options(stream_results=True, max_row_buffer=10)
    return sum(number for (number,) in numbers.execute(text("SELECT * FROM generate_series(1, 1000)")))


def sql(statement: str, **parameters: Any) -> Act:
    def act(connection: Connection) -> Any:
        result = connection.execute(text(statement), parameters)
        return (result.keys(), result.all()) if result.returns_rows else result.rowcount

    return act


def driver_sql(statement: str, parameters: Any = None) -> Act:
    return lambda connection: connection.exec_driver_sql(statement, parameters).all()


ACTS: dict[str, Act] = {
    "no rows": sql("SELECT 1 AS a WHERE false"),
    "no columns": sql("SELECT"),
    "columns of one name": lambda c: c.execute(text("SELECT 1 AS a, 2 AS a")).all(),
    "a percent sign": sql("SELECT 7 % 4, 'a%b' LIKE '%b'"),
    "a doubled percent sign without parameters": driver_sql("SELECT '%%'"),
    "percent signs without any parameters": lambda c: c.connection.cursor().execute("SELECT '%%', '%'").fetchall(),
    "a percent sign with parameters": driver_sql("SELECT '%%', %(a)s::int", {"a": 1}),
    "parameters by position": driver_sql("SELECT %s::int + %s::int", (1, 2)),
    "one parameter twice": sql("SELECT :a + :a + :b", a=1, b=2),
    "a syntax error": sql("SELECT FROM WHERE"),
    "no such table": sql("SELECT * FROM nowhere"),
    "a parameter of no type": sql("SELECT :a", a=None),
    "a parameter that is missing": lambda c: c.exec_driver_sql("SELECT %(a)s, %(b)s", {"a": 1}).all(),
    "a parameter that cannot be adapted": sql("SELECT :a", a=object()),
    "division by zero": sql("SELECT 1 / :a", a=0),
    "a duplicate key": lambda c: c.execute(insert(ALL_TYPES), [{"id": 1}, {"id": 2}, {"id": 1}]),
    "an enumeration of the database": sql("SELECT CAST(:a AS mood), CAST(:b AS mood)", a="calm", b="happy"),
    "an enumeration": sql("SELECT CAST(:a AS text), CAST(:b AS mood)", a=Colour.RED, b="angry"),
    "several statements at once": sql("CREATE TABLE twice (a int); INSERT INTO twice VALUES (1); SELECT * FROM twice"),
    "several queries at once": sql("SELECT 1 AS a; SELECT 2 AS b"),
    "DDL, and its table at once": lambda c: (
        c.execute(text("CREATE TEMP TABLE short (a int)")),
        c.execute(text("INSERT INTO short VALUES (1), (2)")).rowcount,
        c.execute(text("SELECT * FROM short")).all(),
    )[1:],
    "a setting of the transaction": lambda c: (
        c.execute(text("SET LOCAL lock_timeout = '1s'")).rowcount,
        c.execute(text("SHOW lock_timeout")).all(),
    ),
    "a statement that writes and reads": sql(
        "WITH made AS (INSERT INTO all_types (id) VALUES (1), (2) RETURNING id) SELECT id FROM made ORDER BY id"
    ),
    "lower case after white space": sql("\n  select 1"),
    "a comment": sql("/* why */ SELECT 1"),
    "a savepoint": savepoint,
    "COPY": copied,
    "a server-side cursor": streamed,
    "rows fetched while the statement runs again": interleaved,
    "lists of all lengths": lambda c: [
        c.execute(select(literal(3).in_(list(range(length))))).scalar() for length in (0, 1, 5, 300)
    ],
    "many rows in one INSERT": lambda c: c.execute(
        insert(ALL_TYPES).returning(ALL_TYPES.c.id, sort_by_parameter_order=True),
        [{"id": number, "words": "x" if number % 3 else None} for number in range(2_500)],
    ).all(),
    "fetched in parts": lambda c: [
        part.all() for part in [c.execute(text("SELECT * FROM generate_series(1, 10)"))] for _ in [part.fetchmany(4)]
    ],
    "ten megabytes each way": lambda c: len(c.execute(text("SELECT :a || :a"), {"a": "x" * 10_000_000}).scalar_one()),
    "many rows that answer while they are sent": lambda c: (
        c.exec_driver_sql("SELECT %(a)s::text", [{"a": "x" * 3_000} for _ in range(5_000)]).rowcount
    ),
    "NUL": sql("SELECT :a", a="\0"),
}


@pytest.mark.parametrize("name", ACTS)
def test_every_kind_of_statement_ends_as_by_psycopg(plain: Database, green: Database, name: str) -> None:
    after = sql("SELECT count(*) FROM all_types")
    before = sql("SELECT 1 AS before")
    for acts in ([ACTS[name]], [before, ACTS[name], after], [ACTS[name], ACTS[name]]):
        assert outcome(green, *acts) == outcome(plain, *acts)
    assert outcome(green, after) == ["(RMKeyView(['count']), [(0,)])"]


@pytest.mark.parametrize("name", ["division by zero", "no such table", "lists of all lengths", "a percent sign"])
def test_without_a_transaction_too(plain: Database, green: Database, name: str) -> None:
    outcomes = []
    for database in (plain, green):
        with database.read() as connection:
            try:
                outcomes.append(repr(ACTS[name](connection)))
            except DBAPIError as error:
                outcomes.append(str(error.orig))
            assert connection.execute(text("SELECT 1")).scalar() == 1
    assert outcomes[0] == outcomes[1]


def test_rows_are_there_after_the_commit_and_gone_after_the_rollback(green: Database, plain: Database) -> None:
    with green.transaction() as connection:
        connection.execute(insert(ALL_TYPES), {"id": 77})
    with green.engine.connect() as connection:
        connection.execute(insert(ALL_TYPES), {"id": 78})
        connection.rollback()
    with plain.transaction() as connection:
        mine = ALL_TYPES.delete().where(ALL_TYPES.c.id.in_((77, 78))).returning(ALL_TYPES.c.id)
        assert connection.execute(mine).scalars().all() == [77]


def test_a_statement_that_takes_too_long_ends_and_its_connection_stays(url: str) -> None:
    database = Database(url, pool_size=1, statement_timeout_ms=50, green=True)
    with database.engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with pytest.raises(OperationalError) as caught:
            connection.execute(text("SELECT pg_sleep(60)"))
        assert isinstance(caught.value.orig, psycopg.errors.QueryCanceled)
        assert not is_outage(caught.value)
        connection.rollback()
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar() == pid
    database.close()


def test_thousands_of_statements_leave_a_bounded_number_behind(green: Database) -> None:
    prepared = text("SELECT count(*) FROM pg_prepared_statements")
    green.engine.dispose()
    with green.read() as connection:
        for number in range(3_000):
            assert connection.execute(text(f"SELECT {number} AS a_{number}")).scalar() == number
        for length in range(400):
            connection.execute(select(literal(1).in_(list(range(length)))))
        with pytest.raises(DBAPIError):
            connection.execute(text("SELECT 1 / 0"))
        counted = connection.execute(prepared).scalar_one()
        assert libpq_cursor.PREPARED_MAX / 2 < counted <= libpq_cursor.PREPARED_MAX + 1
        driver: Any = connection.connection.driver_connection
        assert len(driver._statements) <= libpq_cursor.PREPARED_MAX
        assert len(driver._unneeded) <= 2


def test_a_statement_that_depends_on_its_values_is_planned_for_them_each_time(green: Database) -> None:
    """One value fits all rows but one: a plan that is kept reads the whole for the other, too."""
    plans = []
    with green.transaction() as connection:
        connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE skewed AS SELECT least(g, 2) AS v FROM generate_series(1, 5000) g"
        )
        connection.exec_driver_sql("CREATE INDEX ON skewed (v)")
        connection.exec_driver_sql("ANALYZE skewed")
        for value in [2] * 8 + [1]:
            rows = connection.exec_driver_sql(
                f"{libpq_cursor.UNPREPARED}SELECT count(*) AS skewed_rows FROM skewed WHERE v = %(v)s", {"v": value}
            )
            assert rows.scalar_one() == (4999 if value == 2 else 1)
            lines = connection.exec_driver_sql(
                f"{libpq_cursor.UNPREPARED}EXPLAIN SELECT count(*) FROM skewed WHERE v = %(v)s", {"v": value}
            )
            plans.append("\n".join(line for (line,) in lines))
        kept = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%skewed\\_rows%%'", {}
        )
        assert kept.scalar_one() <= 1  # this question itself
    assert "Seq Scan" in plans[7]
    assert "Index" in plans[8]


def test_failures_leave_no_prepared_statements_behind(green: Database) -> None:
    green.engine.dispose()
    with green.engine.connect() as connection:
        for number in range(300):
            with pytest.raises(DBAPIError):
                connection.execute(text(f"SELECT {number} / :zero AS a_{number}"), {"zero": 0})
            connection.rollback()
        assert connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one() < 10


def test_a_column_that_changes_its_type_fails_a_statement_once(green: Database, plain: Database) -> None:
    with plain.transaction() as migration:
        migration.execute(text("CREATE TABLE changing (a int)"))
    asked = text("SELECT a FROM changing")
    with green.read() as connection:
        connection.execute(asked)
        with plain.transaction() as migration:
            migration.execute(text("ALTER TABLE changing ALTER a TYPE text"))
        with pytest.raises(DBAPIError, match="cached plan must not change result type"):
            connection.execute(asked)
        assert connection.execute(asked).all() == []
    with plain.transaction() as migration:
        migration.execute(text("DROP TABLE changing"))
