"""clients.toml: each member is read, each fault is refused with its place and its remedy, and a call finds its client."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service import settings
from cds_service.dialects import DIALECTS
from cds_service.errors import SettingsError
from cds_service.protocol.response import Coding
from cds_service.trust.clients import SANDBOXES, UNKNOWN, Client, Clients, Ours, load, sandboxes

KEYS = ("patient", "conditions", "bloodCounts")
ORDERS = ("uba1", "b12")
TOPICS = {"toy-consider": "consider", "toy-test": "test"}
OURS = Ours(frozenset(KEYS), frozenset(ORDERS), TOPICS)
SERVER = "https://ehr.example.org/r4"


def loaded(folder: Path, text: str) -> Clients:
    """The clients of a clients.toml with a text."""
    path = folder / "clients.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, OURS)


def refusal(folder: Path, text: str) -> str:
    """What is said of a clients.toml, without its folder."""
    with pytest.raises(SettingsError) as caught:
        loaded(folder, text)
    return caught.value.public.replace(f"{folder}/", "")


def entry(*lines: str, name: str = "north", server: str = SERVER) -> str:
    """One [[client]] with more lines."""
    return "\n".join(["[[client]]", f'name = "{name}"', f'fhir_server = "{server}"', *lines, ""])


def test_has_no_client_without_a_file():
    """Nothing is registered unless somebody registers it."""
    assert () == load(None, OURS).registered


@pytest.mark.parametrize("text", ["", "# nobody yet\n", "client = []\n"])
def test_takes_a_file_without_clients(tmp_path, text):
    """An empty file registers nobody."""
    assert () == loaded(tmp_path, text).registered


def test_reads_the_least_that_a_client_needs(tmp_path):
    """Name and server are enough; everything else has a careful default."""
    found = loaded(tmp_path, entry())

    assert (Client(name="north", dialect=DIALECTS["spec"], server=SERVER),) == found.registered
    assert (False, True, 64, None, {}, {}) == tuple(
        getattr(found.registered[0], name) for name in ("open", "takes_token", "connections", "ca_file", "keys", "order_codes")
    )


def test_reads_every_member(tmp_path):
    """Dialect, open, connections, ca_file, prefetch and orders are the site's own."""
    authorities = tmp_path / "authorities.pem"
    authorities.write_text("", encoding="utf-8")

    found = loaded(
        tmp_path,
        f"""
        [[client]]
        name = "north-2"
        fhir_server = "HTTPS://EHR.example.org:443/r4/"
        dialect = "hapi"
        open = true
        connections = 8
        ca_file = "{authorities}"

        [client.prefetch]
        conditions = "problemList"
        bloodCounts = "labs"

        [client.orders]
        uba1 = {{system = "http://loinc.org", code = "1234-5", display = "UBA1"}}
        b12 = {{system = "urn:oid:1.2.3", code = "B12"}}
        """,
    )

    assert (
        Client(
            name="north-2",
            dialect=DIALECTS["hapi"],
            server=SERVER,
            open=True,
            connections=8,
            ca_file=str(authorities),
            keys={"problemList": "conditions", "labs": "bloodCounts"},
            order_codes={"uba1": Coding(system="http://loinc.org", code="1234-5", display="UBA1"), "b12": Coding(system="urn:oid:1.2.3", code="B12")},
        ),
    ) == found.registered


@pytest.mark.parametrize("dialect", DIALECTS)
def test_takes_every_dialect(tmp_path, dialect):
    """A client speaks any dialect that the service knows."""
    assert DIALECTS[dialect] == loaded(tmp_path, entry(f'dialect = "{dialect}"')).registered[0].dialect


@pytest.mark.parametrize("name", ["a", "0", "north-2", "x" * 40])
def test_takes_a_plain_name(tmp_path, name):
    """A name is 1 to 40 small letters, digits and hyphens, since it stands in the log."""
    assert name == loaded(tmp_path, entry(name=name)).registered[0].name


@pytest.mark.parametrize("connections", [1, 64])
def test_takes_1_to_64_connections(tmp_path, connections):
    """Both ends of the range count."""
    assert connections == loaded(tmp_path, entry(f"connections = {connections}")).registered[0].connections


@pytest.mark.parametrize(
    "server",
    ["http://127.0.0.1:8090/fhir", "http://127.8.9.1/fhir", "http://localhost:8090/fhir", "http://[::1]:8090/fhir", "https://198.51.100.7/r4"],
)
@pytest.mark.parametrize("more", ["", "open = true"])
def test_takes_tokens_where_nobody_listens(tmp_path, server, more):
    """HTTPS, and HTTP that does not leave this machine, are safe for access tokens."""
    assert loaded(tmp_path, entry(more, server=server)).registered[0].takes_token


@pytest.mark.parametrize(
    "server",
    [
        "http://ehr.example.org/r4",
        "http://10.0.0.5/r4",
        "http://localhost.example.org/r4",
        "http://127.0.0.1.example.org/r4",
        "http://127.1/r4",
        "http://2130706433/r4",
    ],
)
def test_takes_no_token_in_clear(tmp_path, server):
    """HTTP beyond this machine is only for servers that need no token, and then none is ever sent."""
    found = loaded(tmp_path, entry("open = true", server=server)).registered[0]

    assert (True, False) == (found.open, found.takes_token)


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("[[client]]\nname = north\n", "(at line 2, column 8)", "Correct the TOML there."),
        ("[[client]\n", "(at line 1, column 9)", "Correct the TOML there."),
        (entry('name = "twice"'), "Cannot overwrite a value (at line 4, column ", "Correct the TOML there."),
        ("clients = []\n", "unknown field `clients`", "docs/clients.md shows every member."),
        (entry("colour = 1"), "client[0]: Object contains unknown field `colour`", "docs/clients.md shows every member."),
        (entry('verify = "no"'), "client[0]: Object contains unknown field `verify`", "docs/clients.md shows every member."),
        (
            entry() + entry("x = 1", name="b", server="https://b.example/r4"),
            "client[1]: Object contains unknown field `x`",
            "docs/clients.md shows every member.",
        ),
        ('[client]\nname = "x"\n', "client: Expected `array`, got `object`", "docs/clients.md shows every member."),
        ("client = 1\n", "client: Expected `array`, got `int`", "docs/clients.md shows every member."),
        (entry('open = "yes"'), "client[0].open: Expected `bool`, got `str`", "docs/clients.md shows every member."),
        (entry("open = 1"), "client[0].open: Expected `bool`, got `int`", "docs/clients.md shows every member."),
        (entry('connections = "8"'), "client[0].connections: Expected `int`, got `str`", "docs/clients.md shows every member."),
        (entry("connections = 0"), "client[0].connections: Expected `int` >= 1", "docs/clients.md shows every member."),
        (entry("connections = 65"), "client[0].connections: Expected `int` <= 64", "docs/clients.md shows every member."),
        (entry("ca_file = true"), "client[0].ca_file: Expected `str | null`, got `bool`", "docs/clients.md shows every member."),
        (entry("prefetch = []"), "client[0].prefetch: Expected `object`, got `array`", "docs/clients.md shows every member."),
        (entry("prefetch = {conditions = 1}"), "client[0].prefetch[...]: Expected `str`, got `int`", "docs/clients.md shows every member."),
        (entry('orders = {uba1 = "1234-5"}'), "client[0].orders[...]: Expected `object`, got `str`", "docs/clients.md shows every member."),
        (
            entry('orders = {uba1 = {code = "x"}}'),
            "client[0].orders[...]: Object missing required field `system`",
            "docs/clients.md shows every member.",
        ),
        (
            entry('orders = {uba1 = {system = "x"}}'),
            "client[0].orders[...]: Object missing required field `code`",
            "docs/clients.md shows every member.",
        ),
        (
            entry('orders = {uba1 = {system = "x", code = "y", title = "z"}}'),
            "client[0].orders[...]: Object contains unknown field `title`",
            "docs/clients.md shows every member.",
        ),
        (f'[[client]]\nfhir_server = "{SERVER}"\n', "client[0]: Object missing required field `name`", "docs/clients.md shows every member."),
        (
            '[[client]]\nname = "north"\n',
            "client 'north': it has neither fhir_server nor issuer.",
            "Name the FHIR server by which its calls are known, or its issuer.",
        ),
        *(
            (entry(name=name), "client[0].name: Expected `str` matching regex", "docs/clients.md shows every member.")
            for name in ("", "North", "-north", "nor th", "n_1", "n\u00f6rd", "x" * 41, "north\\n", "a/b")
        ),
        (entry(name="open"), "client 'open': this name stands for callers who are not registered.", "Choose another."),
        (entry(name="simulator"), "client 'simulator': this name stands for the simulator of the start page.", "Choose another."),
        (entry('dialect = "epik"'), "client 'north': there is no dialect 'epik'.", f"Use one of {', '.join(DIALECTS)}."),
        (entry('dialect = "Epic"'), "client 'north': there is no dialect 'Epic'.", f"Use one of {', '.join(DIALECTS)}."),
        *(
            (entry(server=server), "client 'north': fhir_server ", "Write for example https://fhir.example.org/r4.")
            for server in (
                "",
                "ehr.example.org/r4",
                "ftp://ehr.example.org/r4",
                "https://user:word@ehr.example.org/r4",
                "https://ehr.example.org/r4?x=1",
                "https://ehr.example.org:port/r4",
                "https://ehr.example.org:99999/r4",
                "https://[::1",
                "https://ehr.example.org/%2e",
                " https://ehr.example.org/r4",
            )
        ),
        *(
            (
                entry(server=server),
                "client 'north': fhir_server is http, so access tokens would travel in clear.",
                "Use https, or open = true if it takes none.",
            )
            for server in (
                "http://ehr.example.org/r4",
                "http://10.0.0.5:8080/fhir",
                "http://localhost.example.org/r4",
                "http://127.0.0.1.example.org/r4",
            )
        ),
        (
            entry('ca_file = "no-such.pem"'),
            "client 'north': ca_file no-such.pem is no file.",
            "Name a PEM file with the authorities that the server is signed by.",
        ),
        (entry('ca_file = ""'), "client 'north': ca_file  is no file.", "Name a PEM file with the authorities that the server is signed by."),
        (entry('ca_file = "/"'), "client 'north': ca_file / is no file.", "Name a PEM file with the authorities that the server is signed by."),
        (
            entry('prefetch = {problems = "x"}'),
            "client 'north': prefetch names 'problems', which is no key of this service.",
            "Use bloodCounts, conditions, patient.",
        ),
        (
            entry('prefetch = {conditions = "x", bloodCounts = "x"}'),
            "client 'north': prefetch gives one name to two keys.",
            "Give each key a name of its own.",
        ),
        (
            entry('prefetch = {conditions = "bloodCounts"}'),
            "client 'north': prefetch gives one name to two keys.",
            "Give each key a name of its own.",
        ),
        (
            entry('orders = {crp = {system = "x", code = "y"}}'),
            "client 'north': orders names 'crp', which is no draft order of this service.",
            "Use b12, uba1.",
        ),
        (entry() + entry(server="https://b.example/r4"), "client 'north': its name is that of 'north'.", "Give each client its own."),
        (entry() + entry(name="south"), "client 'south': its fhir_server is that of 'north'.", "Give each client its own."),
        (
            entry() + entry(name="south", server="HTTPS://ehr.EXAMPLE.org:443/r4/"),
            "client 'south': its fhir_server is that of 'north'.",
            "Give each client its own.",
        ),
    ],
)
def test_refuses_a_fault_with_its_place_and_remedy(tmp_path, text, place, remedy):
    """What is wrong stops the start with the file, the place in it, and what to write instead."""
    said = refusal(tmp_path, text)

    assert said.startswith("clients.toml: ")
    assert place in said
    assert said.endswith(remedy)


def test_lets_two_keys_change_their_names(tmp_path):
    """A client may send ours under each other's names, as long as each name means one key."""
    found = loaded(tmp_path, entry('prefetch = {conditions = "bloodCounts", bloodCounts = "conditions"}'))

    assert {"bloodCounts": "conditions", "conditions": "bloodCounts"} == found.registered[0].keys


def test_refuses_a_file_that_is_not_there(tmp_path):
    """A path that leads nowhere stops the start, and the setting is named."""
    path = tmp_path / "clients.toml"

    with pytest.raises(SettingsError) as caught:
        load(path, OURS)

    assert f"{path}: cannot be read: No such file or directory. Name a clients.toml with CDS_CLIENTS." == caught.value.public


def test_refuses_a_folder(tmp_path):
    """A folder is no file."""
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, OURS)

    assert f"{tmp_path}: cannot be read: Is a directory. Name a clients.toml with CDS_CLIENTS." == caught.value.public


@pytest.mark.parametrize("text", [b"\xff\xfe", entry().encode("utf-16"), b"# caf\xe9\n"])
def test_refuses_what_is_not_utf_8(tmp_path, text):
    """TOML is UTF-8."""
    path = tmp_path / "clients.toml"
    path.write_bytes(text)

    with pytest.raises(SettingsError) as caught:
        load(path, OURS)

    assert f"{path}: cannot be read: it is not UTF-8. Name a clients.toml with CDS_CLIENTS." == caught.value.public


def test_finds_a_client_by_its_server(tmp_path):
    """A call's fhirServer, in any plain spelling, means the client that registered it."""
    found = loaded(tmp_path, entry() + entry(name="south", server="https://south.example/fhir"))

    assert ["north", "north", "south", "open", "open", "open"] == [
        found.of(text).name
        for text in (
            SERVER,
            "HTTPS://EHR.example.org:443/r4/",
            "https://south.example/fhir",
            "https://ehr.example.org@south.example/fhir",
            "https://ehr.example.org/r4/..",
            "https://elsewhere.example/r4",
        )
    ]


def test_knows_nobody_without_a_server(tmp_path):
    """A call that names no FHIR server is one of those that are not registered."""
    found = loaded(tmp_path, entry())

    assert UNKNOWN is found.of(None)
    assert UNKNOWN is Clients().of(SERVER)


def test_asks_nothing_for_those_it_does_not_know():
    """Who is not registered has no server, needs no dialect and renames nothing."""
    assert ("open", None, DIALECTS["spec"], {}, {}) == (UNKNOWN.name, UNKNOWN.server, UNKNOWN.dialect, UNKNOWN.keys, UNKNOWN.order_codes)


def test_ships_the_public_sandboxes():
    """The public servers have short names, and their addresses are in their one form."""
    assert {"smart": "https://r4.smarthealthit.org", "hapi": "https://hapi.fhir.org/baseR4"} == sandboxes()
    assert list(settings.SANDBOXES) == list(sandboxes())


@pytest.mark.parametrize(("name", "dialect"), [("smart", "smart_sandbox"), ("hapi", "hapi")])
def test_registers_one_sandbox_and_no_other(name, dialect):
    """CDS_SANDBOX registers one public server, which is open, and asks no other."""
    found = load(None, OURS, sandbox=name).registered

    assert [(name, DIALECTS[dialect], sandboxes()[name], True, True)] == [(c.name, c.dialect, c.server, c.open, c.takes_token) for c in found]


def test_ships_a_file_of_sandboxes_that_is_itself_sound():
    """The shipped sandboxes.toml passes every check of a clients.toml."""
    assert list(sandboxes()) == [c.name for c in load(SANDBOXES, OURS).registered]


@pytest.mark.parametrize(
    ("said", "silent"),
    [("", set()), ("silent = false", set()), ("silent = true", {"consider", "test"}), ('silent = ["toy-test"]', {"test"}), ("silent = []", set())],
)
def test_withholds_every_topic_or_some(tmp_path, said, silent):
    """A client is silent for all topics, or for those whose codes are listed."""
    (client,) = loaded(tmp_path, f'[[client]]\nname = "north"\nfhir_server = "{SERVER}"\n{said}\n').registered

    assert silent == client.silent_topics


def test_refuses_a_topic_that_is_none(tmp_path):
    """A misspelt topic would be shown although nobody wants it."""
    said = refusal(tmp_path, f'[[client]]\nname = "north"\nfhir_server = "{SERVER}"\nsilent = ["toy-tests"]\n')

    assert "client 'north': silent names 'toy-tests', which is no topic. Use true, or some of toy-consider, toy-test." in said


def test_refuses_a_rate_of_somebody_unknown(tmp_path):
    """Without tokens nobody knows whose calls they are, so none can be counted for a client."""
    said = refusal(tmp_path, entry("calls_per_minute = 10"))

    assert said.startswith("clients.toml: client 'north': it has calls_per_minute and no issuer")
