"""Patients under another name."""

import stat

import pytest

from cds_service.errors import SettingsError
from cds_service.storage.pseudonym import Pseudonyms, kept_key, read_key, read_keys


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


def test_finds_a_patient_under_a_retired_key():
    """The key in use names the patient, a retired one is still known; the first digits tell the two apart, and are not the patient's."""
    old, new = Pseudonyms(b"a" * 32), Pseudonyms(b"b" * 32, b"a" * 32)

    assert (new.of("north", "p1"), old.of("north", "p1")) == new.every("north", "p1")
    assert 2 == len({name[:8] for patient in ("p1", "p2") for name in new.every("north", patient)})
    assert {64} == {len(name) for name in new.every("north", "p1")}


def test_reads_one_key_a_line(tmp_path):
    """The first line is in use, the others are retired; a short line is named."""
    path = tmp_path / "keys"
    path.write_text(f"{'n' * 32}\n{'o' * 40}\n", encoding="utf-8")
    short = tmp_path / "short"
    short.write_text(f"{'n' * 32}\n{'o' * 31}\n", encoding="utf-8")

    assert [b"n" * 32, b"o" * 40] == read_keys(path)
    with pytest.raises(SettingsError, match="a line of fewer than 32 bytes"):
        read_keys(short)


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


def test_gives_keys_for_other_purposes():
    """Each purpose has its own, the same at every process, and none is a name or tells of the key."""
    pseudonyms, again = Pseudonyms(b"a" * 32), Pseudonyms(b"a" * 32)

    keys = {pseudonyms.other_key("smart"), pseudonyms.other_key("other"), b"a" * 32, pseudonyms.of("smart", "").encode()}

    assert 4 == len(keys)
    assert pseudonyms.other_key("smart") == again.other_key("smart")
    assert 32 == len(pseudonyms.other_key("smart"))
