"""One database behind one door: opened, brought up to date, and left alone for a moment when it does not answer."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, exc, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from cds_service.errors import DatabaseUnreachable, SettingsError, StorageUnavailable
from cds_service.storage.records import Records
from cds_service.storage.tables import NEWEST

RETRY_AFTER = 5  # seconds for which a database that failed is not asked again
_LONGEST = 4.0  # seconds for feedback, committed and all
_REPORT = 60  # seconds for a statement of a report
_AT_ONCE = 8
_PATIENCE = 1  # seconds for a connection, a lock or a statement
_AWAY = ("08", "53", "57", "58")  # classes of SQLSTATE: connection, resources, shut down or cancelled, system
_ONE_STATEMENT = "57014"  # it took too long, which says nothing of the next
_DIALECTS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}

T = TypeVar("T")


class Database:
    """Where decisions and feedback are kept.

    A server that is away closes the door for some seconds, so that calls do not wait for it one after the other.
    """

    def __init__(self, url: str) -> None:
        self.url = _url(url)
        self.engine = _engine(self.url)
        self._closed_until = 0.0
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="database")
        self._asking = threading.BoundedSemaphore(4 * _AT_ONCE)

    def soon(self, what: Callable[[Records], T], *, durable: bool = False) -> T:
        """As `work`, for at most a few seconds: a server that takes what it is asked and never answers is away, too."""
        if not self._asking.acquire(blocking=False):
            raise StorageUnavailable(RETRY_AFTER)

        def asked() -> T:
            try:
                return self.work(what, durable=durable)
            finally:
                self._asking.release()

        future = self._pool.submit(asked)
        if not wait([future], timeout=_LONGEST).done:
            self._closed_until = time.monotonic() + RETRY_AFTER
            raise StorageUnavailable(RETRY_AFTER)
        return future.result()

    def work(self, what: Callable[[Records], T], *, durable: bool = False) -> T:
        """What a function answers in a transaction of its own; with `durable` it has reached the disk. Raises StorageUnavailable."""
        if time.monotonic() < self._closed_until:
            raise StorageUnavailable(RETRY_AFTER)
        try:
            with self._connected(durable=durable) as connection, connection.begin():
                return what(Records(connection))
        except (exc.DBAPIError, exc.TimeoutError) as error:
            if self.url.get_backend_name() != "sqlite" and _is_away(error):
                self._closed_until = time.monotonic() + RETRY_AFTER
            raise StorageUnavailable(RETRY_AFTER) from error

    def read(self, what: Callable[[Connection], T]) -> T:
        """What a function reads for a report, which may take longer than an answer. Raises StorageUnavailable."""
        try:
            sqlite = self.url.get_backend_name() == "sqlite"
            engine = self.engine if sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
            with engine.connect() as connection:  # all of a report is about one moment
                connection.exec_driver_sql("BEGIN" if sqlite else f"SET LOCAL statement_timeout = {_REPORT * 1000}")
                return what(connection)
        except (exc.DBAPIError, exc.TimeoutError) as error:
            raise StorageUnavailable(RETRY_AFTER) from error

    def purge(self, before: dt.date) -> dict[str, int]:
        """Delete what is older than a day, so that it is not in the file either; how many rows of each table. Raises StorageUnavailable."""
        try:
            with self.engine.begin() as connection:
                if self.url.get_backend_name() != "sqlite":
                    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                found = Records(connection).purge(before)
            if self.url.get_backend_name() == "sqlite":
                with self.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                    connection.exec_driver_sql("VACUUM")
        except exc.DBAPIError as error:
            raise StorageUnavailable(RETRY_AFTER) from error
        return found

    def answers(self) -> bool:
        """Whether the database answers now."""
        try:
            return self.soon(Records.answers)
        except StorageUnavailable:
            return False

    @contextmanager
    def _connected(self, *, durable: bool) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            if durable and self.url.get_backend_name() == "sqlite":
                connection.exec_driver_sql("PRAGMA synchronous = FULL")
                connection.rollback()
            try:
                yield connection
            finally:
                if durable and self.url.get_backend_name() == "sqlite" and not connection.closed:
                    connection.exec_driver_sql("PRAGMA synchronous = NORMAL")

    @property
    def in_memory(self) -> bool:
        """Whether what is stored ends with the process."""
        return _is_in_memory(self.url)

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database."""
        sqlite = self.url.get_backend_name() == "sqlite"
        return Path(str(self.url.database)) if sqlite and not self.in_memory else None

    def version(self) -> str | None:
        """The newest migration; None for an empty database. Raises SettingsError, DatabaseUnreachable for a server that does not answer."""
        try:
            with self.engine.connect() as connection:
                if not inspect(connection).has_table("alembic_version"):
                    return None
                found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
                return str(found) if found else None
        except SQLAlchemyError as error:
            away = self.url.get_backend_name() != "sqlite" and isinstance(error, exc.DBAPIError | exc.TimeoutError) and _is_away(error)
            kind = DatabaseUnreachable if away else SettingsError  # what waiting does not mend is no server that is away
            raise kind(f"CDS_DATABASE: {self.shown} cannot be opened ({_reason(error)}). Start it, or correct the URL.") from None

    def require_newest(self) -> None:
        """Raises SettingsError unless the database has every migration and no newer one."""
        found = self.version()
        if found != NEWEST:
            remedy = "Run cds-service database upgrade." if found is None or found < NEWEST else "Use a newer version of the service."
            raise SettingsError(f"CDS_DATABASE: {self.shown} has schema {found or 'none'}, and this version needs {NEWEST}. {remedy}")

    def upgrade(self, to: str = "head") -> None:
        """Run the migrations that are missing. Raises SettingsError if the database cannot be opened."""
        if (self.version() or "") < NEWEST:
            self._migrate("upgrade", to)

    def downgrade(self, to: str = "base") -> None:
        """Undo migrations; what only they could hold is lost."""
        self._migrate("downgrade", to)

    def _migrate(self, step: str, to: str) -> None:
        from alembic import command  # half a second that only a migration needs
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
        with self.engine.begin() as connection:
            # One process at a time; the others find nothing left to do.
            if self.url.get_backend_name() == "sqlite":
                connection.exec_driver_sql("BEGIN EXCLUSIVE")
            else:
                for limit in ("statement_timeout", "lock_timeout"):  # a migration takes as long as it takes
                    connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(820160)")
            config.attributes["connection"] = connection
            getattr(command, step)(config, to)

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Give every connection back."""
        self._pool.shutdown(wait=False)
        self.engine.dispose()


def _url(text_: str) -> URL:
    try:
        url = make_url(text_)
    except ArgumentError:
        raise SettingsError("CDS_DATABASE is no URL. Write sqlite:///path/file.db or postgresql://user:password@host/name.") from None
    driver = _DIALECTS.get(url.get_backend_name())
    if driver is None:
        raise SettingsError(f"CDS_DATABASE: {url.get_backend_name()} is not supported. Use sqlite or postgresql.")
    return url.set(drivername=driver)


def _is_away(error: exc.DBAPIError | exc.TimeoutError) -> bool:
    """Whether a server does not answer, and not only one statement failed."""
    if isinstance(error, exc.TimeoutError):
        return True
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, exc.OperationalError | exc.InterfaceError) and (state is None or (state[:2] in _AWAY and state != _ONE_STATEMENT))


def _is_in_memory(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def _engine(url: URL) -> Engine:
    options: dict[str, Any]
    if url.get_backend_name() == "sqlite":
        options = {"connect_args": {"timeout": _PATIENCE, "check_same_thread": False}, "poolclass": QueuePool}
        if _is_in_memory(url):  # it lives as long as its one connection
            options |= {"pool_size": 1, "max_overflow": 0, "pool_timeout": _PATIENCE}
    else:
        # A network that swallows packets is noticed by the kernel: libpq's own timeouts end with the connection's start.
        limits = f"-c statement_timeout={_PATIENCE * 1000} -c lock_timeout={_PATIENCE * 1000} -c TimeZone=UTC"
        alive = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2}
        options = {
            "connect_args": {"connect_timeout": 2, "tcp_user_timeout": _PATIENCE * 2000, "options": limits, "client_encoding": "utf8", **alive},
            "pool_timeout": _PATIENCE,
            "pool_size": 8,
            "max_overflow": 8,
        }
    try:
        engine = create_engine(url, json_serializer=_json, **options)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise SettingsError("CDS_DATABASE names PostgreSQL, and its driver is not installed. Run pip install 'psycopg[binary]'.") from None
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Readers do not wait for the writer; foreign keys hold."""
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _reason(error: SQLAlchemyError) -> str:
    """The kind of an error: its text may hold a password."""
    return type(getattr(error, "orig", None) or error).__name__
