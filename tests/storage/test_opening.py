"""A database is made ready once, before the workers open it."""

import subprocess
import sys

import pytest

from cds_service.app import when_the_database_answers
from cds_service.errors import DatabaseUnreachable, SettingsError
from cds_service.storage import opening
from cds_service.storage.database import Database
from cds_service.storage.tables import NEWEST


def test_makes_a_file_with_its_folder_and_key(tmp_path):
    """The first start writes file, schema and key; the next one finds them."""
    url = f"sqlite:///{tmp_path}/deep/er/cds.db"

    first = opening.prepared(url, None)
    key = (tmp_path / "deep" / "er" / "cds.db.key").read_bytes()
    second = opening.prepared(url, None)

    database = opening.opened(url)
    assert url == first == second
    assert NEWEST == database.version()
    assert key == (tmp_path / "deep" / "er" / "cds.db.key").read_bytes()
    assert opening.pseudonyms(database, None).of("a", "b") == opening.pseudonyms(database, None).of("a", "b")
    database.close()


def test_needs_nothing_for_one_in_memory():
    """What ends with the process needs no file and no key; each opening has its tables."""
    code = "from cds_service.storage import opening as o; print(o.prepared('sqlite://', None), o.opened('sqlite://').version())"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # in tests such a database begins with tables

    assert f"sqlite:// {NEWEST}" == done.stdout.strip()


def test_needs_a_key_beside_a_server():
    """PostgreSQL has no file beside which a key could stand."""
    database = Database("postgresql://a:b@127.0.0.1:9/c")

    with pytest.raises(SettingsError, match="CDS_PSEUDONYM_KEY_FILE is not set"):
        opening.pseudonyms(database, None)

    database.close()


def test_refuses_a_folder_in_place_of_a_file(tmp_path):
    """What cannot be opened is named before a worker starts."""
    with pytest.raises(SettingsError, match="cannot be opened"):
        opening.prepared(f"sqlite:///{tmp_path}", None)


def test_starts_on_no_server_without_a_schema(url):
    """A server's schema is upgraded by those who run it; a SQLite file is by whoever opens it."""
    if url.startswith("sqlite"):
        opening.opened(url).close()
        return

    with pytest.raises(SettingsError, match="cds-service database upgrade"):
        opening.opened(url)


def test_is_upgraded_once_by_many_at_once(url):
    """Several processes that start on an empty database end with one schema and no error."""
    command = [sys.executable, "-c", f"from cds_service.storage.database import Database; Database({url!r}).upgrade()"]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]

    ended = [(process.communicate()[1].decode()[-500:], process.returncode) for process in started]

    assert [("", 0)] * 4 == ended
    database = Database(url)
    assert NEWEST == database.version()
    database.close()


def test_waits_in_a_service_that_runs_until_the_database_answers(log):
    """A process that begins while the database is away takes its place later, and says so once; any other fault ends it."""
    answers = iter([DatabaseUnreachable("away"), DatabaseUnreachable("away"), "the application"])

    def create():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert "the application" == when_the_database_answers(create, pause=0)
    assert 1 == len({line for line in log.lines if "database.awaited" in line})


def test_waits_for_no_other_fault():
    """A setting that is wrong stays wrong."""

    def create():
        raise SettingsError("wrong")

    with pytest.raises(SettingsError, match="wrong"):
        when_the_database_answers(create, pause=0)


def test_tells_a_server_that_is_away_from_one_that_is_not_ready():
    """Nobody listens there."""
    database = Database("postgresql://a:b@127.0.0.1:9/c")

    with pytest.raises(DatabaseUnreachable, match="cannot be opened"):
        database.version()

    database.close()


def test_waits_for_no_file_that_cannot_be_opened(tmp_path):
    """Waiting mends no path: the process ends and says so."""
    with pytest.raises(SettingsError, match="cannot be opened") as raised:
        opening.opened(f"sqlite:///{tmp_path}")

    assert not isinstance(raised.value, DatabaseUnreachable)
