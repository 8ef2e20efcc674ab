"""Patients under another name."""

import stat

import pytest

from cds_service.errors import SettingsError
from cds_service.storage.pseudonym import Pseudonyms, kept_key, read_key


def test_gives_each_patient_of_each_client_one_name():
    """The same patient has the same name with the same key, and another one with another key or client."""
    one, other = Pseudonyms(b"a" * 32), Pseudonyms(b"b" * 32)

    assert one.of("north", "p1") == one.of("north", "p1")
    assert 5 == len({one.of("north", "p1"), one.of("north", "p2"), one.of("south", "p1"), other.of("north", "p1"), one.of("north|p", "1")})


def test_counts_each_patient_under_a_name_of_its_own():
    """The name to count by is another for each patient, client and key, and no part of the name by which decisions are kept."""
    one, other = Pseudonyms(b"a" * 32), Pseudonyms(b"b" * 32)

    names = [one.to_count("north", "p1"), one.to_count("north", "p2"), one.to_count("south", "p1"), other.to_count("north", "p1")]

    assert names[0] == one.to_count("north", "p1")
    assert 4 == len(set(names))
    assert {16} == {len(name) for name in names}
    assert not any(name in one.of(client, patient) for name in names for client in ("north", "south") for patient in ("p1", "p2"))


def test_writes_a_key_once_for_its_owner_alone(tmp_path):
    """The first start writes a key that only its owner can read; the next finds it."""
    path = tmp_path / "cds.db.key"

    first, second = kept_key(path), kept_key(path)

    assert first == second
    assert 64 == len(first)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize(("content", "sentence"), [(b"short\n", "fewer than 32 bytes"), (None, "cannot be read")])
def test_refuses_a_key_that_is_none(tmp_path, content, sentence):
    """A short key could be guessed."""
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SettingsError, match=sentence):
        read_key(path)


def test_refuses_a_place_where_no_key_can_be_written(tmp_path):
    """A folder that is not there holds no key."""
    with pytest.raises(SettingsError, match="Name a file with CDS_PSEUDONYM_KEY_FILE"):
        kept_key(tmp_path / "nowhere" / "key")
