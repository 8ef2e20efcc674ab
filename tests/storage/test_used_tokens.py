"""A token is used once, at whichever process it arrives; if nobody can tell, nobody is let in."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.errors import SettingsError, TokensUnchecked
from cds_service.settings import Settings
from cds_service.storage.database import Database
from cds_service.trust.replay import SWEPT_EVERY, InDatabase, InMemory, used_tokens
from tests import build
from tests.fakes import checked_app
from tests.storage.samples import rows
from tests.trust.minting import ISSUER, NOW, Clock, bearer, entry, mint, payload, pinned, registered

JTI = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"


@pytest.fixture(params=["memory", "database"])
def used(request, database):
    """The tokens that were used, in memory or in a database."""
    return InMemory() if request.param == "memory" else InDatabase(database, start=lambda sweep: sweep())


def test_takes_a_token_once(used):
    """The second use is refused, to the last second of its life."""
    assert [True, False, False] == [used.use("north", JTI, NOW + 360, now) for now in (NOW, NOW, NOW + 360)]


def test_tells_clients_apart(used):
    """Two clients may happen to use the same jti; and a jti is its letters, case and all."""
    assert [True, True, True] == [used.use(client, jti, NOW + 360, NOW) for client, jti in (("north", "a"), ("south", "a"), ("north", "A"))]


def test_takes_what_expired_long_ago_again(used):
    """What could not be used twice need not be remembered."""
    assert [True, True, False] == [used.use("north", JTI, now + 360, now) for now in (NOW, NOW + 361, NOW + 362)]


def test_refuses_a_jti_that_comes_with_another_life(used):
    """A token of the same jti that lives longer is refused as well."""
    assert [True, False] == [used.use("north", JTI, until, NOW) for until in (NOW + 360, NOW + 3660)]


@pytest.mark.parametrize("jti", ["\0", "\ud800", "x" * 8000, "'; DROP TABLE used_token; --", "Jane Doe"])
def test_takes_any_text_for_a_jti(used, jti):
    """Whatever a client takes for a jti fits."""
    assert [True, False] == [used.use("north", jti, NOW + 360, NOW) for _ in range(2)]


def test_keeps_no_jti(database):
    """The database has a hash, the client, and until when."""
    InDatabase(database).use("north", JTI, NOW + 360, NOW)

    (row,) = rows(database, "used_token")
    assert ("north", 64) == (row["client"], len(row["token"]))
    assert JTI not in str(row)


def test_forgets_in_memory_what_has_expired():
    """Memory holds the tokens that could still come again, and no others."""
    used = InMemory()
    for number in range(1000):
        used.use("north", str(number), NOW + number + 60, NOW + number)

    assert 61 == len(used._used) == len(used._ends)


def test_removes_what_has_expired_now_and_then(database):
    """Ten minutes after the last time what has expired leaves the database."""
    used = InDatabase(database, start=lambda sweep: sweep())
    kept = []
    for second in (0, SWEPT_EVERY - 1, SWEPT_EVERY):
        used.use("north", str(second), NOW + second + 60, NOW + second)
        kept.append(len(rows(database, "used_token")))

    assert [1, 2, 2] == kept  # the first of them is gone by the third


@pytest.mark.parametrize("workers", [1, 4])
def test_keeps_them_where_every_process_looks(url, workers):
    """In memory only if one process has the database for itself."""
    database = Database(url)
    database.upgrade()

    alone = workers == 1 and url.startswith("sqlite")
    assert (InMemory if alone else InDatabase) is type(used_tokens(database, workers))
    database.close()


def test_refuses_several_processes_without_a_common_database():
    """Each process would take a token once, so the start is refused with the remedy."""
    database = Database("sqlite://")

    with pytest.raises(SettingsError, match="Name a file or a PostgreSQL server, or use one worker"):
        used_tokens(database, 2)

    assert isinstance(used_tokens(database, 1), InMemory)
    database.close()


@pytest.fixture
def start(url, tmp_path):
    """Starts processes on one database, which know one client by its tokens."""
    key = tmp_path / "pseudonym.key"
    key.write_text("k" * 64, encoding="utf-8")
    clients = registered(tmp_path, entry("north", issuer=ISSUER, jwks_file=pinned(tmp_path)))
    apps = []

    def started():
        settings = Settings(database=url, pseudonym_key_file=key, clients=clients, workers=2)
        apps.append(checked_app(settings, lambda: build.TODAY, Clock()))
        return apps[-1].test_client()

    yield started
    for app in apps:
        app.extensions["counts"].close()
        app.extensions["recorder"].close()


def ask(client, token):
    """A call with a token."""
    return client.post(build.SERVICE, json=build.request(build.healthy()), headers=bearer(token))


def test_takes_a_token_at_one_process_only(database, start):
    """Two processes on one database take a token once between them."""
    one, other = start(), start()
    tokens = [mint(body=payload()) for _ in range(2)]

    assert [200, 401] == [ask(client, tokens[0]).status_code for client in (one, other)]
    assert [200, 401] == [ask(client, tokens[1]).status_code for client in (other, one)]


def test_lets_nobody_in_when_nobody_can_tell(database, start):
    """If the database does not answer, a good token gets 503 with the time to wait, and nothing is evaluated."""
    client = start()
    database.downgrade()

    good, bad = ask(client, mint(body=payload())), ask(client, "nonsense")

    assert (503, "5", "tokens-unchecked") == (good.status_code, good.headers["Retry-After"], good.json["issue"][0]["details"]["text"])
    assert 401 == bad.status_code


def test_raises_what_the_database_cannot_tell(database):
    """The error names itself, so that nobody takes it for a yes."""
    database.downgrade()

    with pytest.raises(TokensUnchecked):
        InDatabase(database).use("north", JTI, NOW + 360, NOW)


def test_keeps_the_end_of_a_life_as_it_is(database):
    """The end of a life is kept to the fraction of a second, in UTC."""
    InDatabase(database).use("north", JTI, NOW + 0.5, NOW)

    (row,) = rows(database, "used_token")
    until = row["until"] if isinstance(row["until"], dt.datetime) else dt.datetime.fromisoformat(row["until"]).replace(tzinfo=dt.UTC)
    assert NOW + 0.5 == until.timestamp()
