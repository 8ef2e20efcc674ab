"""Every path, walked with marked words in a process of its own: `python -m tests.privacy.walk INPUTS EVIDENCE`.

What it prints and the files that it leaves in its working folder are evidence as well; INPUTS are files that the service is given.
"""

from __future__ import annotations

import io
import json
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from flask import Flask

from cds_service import telemetry
from cds_service.cli import main as cli
from cds_service.fhir.fallback import _REASONS as FALLBACK_REASONS
from cds_service.settings import Settings
from cds_service.storage.database import Database
from tests import build
from tests.fakes import BrokenClock, checked_app
from tests.faults.servers import answered, serving
from tests.fhir.asking import says
from tests.http.test_error_shape import FAILURES, send
from tests.privacy.canaries import ELSEWHERE, FEEDBACK, PERSON, SECRETS, WORDS, feedback, for_server, request
from tests.privacy.launches import Launches
from tests.privacy.liars import ENTRIES, WAYS, Liar
from tests.privacy.played import GOOD, ODD, REFUSED, Player, charts, pasted, servers, turned_away
from tests.privacy.played import feedback as pressed
from tests.privacy.walker import Walker
from tests.smart import ehr as ehrs
from tests.smart.ehr import EHR
from tests.smart.opening import toml
from tests.trust.minting import BASE, EC, ISSUER, NOW, OTHER_EC, SECRET, Clock, entry, header, key_set, mint, payload, pinned, registered

ANSWERS = f"{build.SERVICE}/feedback"
SOUTH, BROKEN, SLOW = (f"https://ehr.{name}.example" for name in ("south", "broken", "slow"))
MANY = 60_000  # calls a minute
CROWD = 12  # calls at once, to a service that answers one
CLOSED, OPEN, HURRIED, AWAY, FAILING = "closed", "open", "hurried", "away", "failing"
SMART, SMART_AWAY = "smart", "smart-away"


def main(inputs: Path, evidence: Path) -> None:
    """Walk, and write down what was seen."""
    telemetry.configure()
    walker, asked = Walker(), []
    with ExitStack() as stack:
        liar = Liar()
        liar.running = stack.enter_context(serving(liar.behave))
        keys = stack.enter_context(serving(says(answered(key_set(EC)))))
        ehr, clock = stack.enter_context(ehrs.running(ENTRIES)), Clock()
        apps = applications(inputs, liar.running.base, keys.base) | {name: smart_app(inputs, ehr, clock, name) for name in (SMART, SMART_AWAY)}
        for path in (pages, evidence_pages, simulator, calls, tokens, refusals, fallback, governance, database_away, crash):
            path(walker, apps, liar)
        Launches(walker, apps[SMART_AWAY], ehr, clock).database_away(f"sqlite:///{SMART_AWAY}.db")
        Launches(walker, apps[SMART], ehr, clock).walk()
        metrics = {name: app.test_client().get("/metrics").get_data(as_text=True) for name, app in apps.items()}
        asked = [[one.target, dict(one.headers)] for one in liar.running.asked]
        for app in apps.values():
            for name in ("counts", "accesses", "recorder"):
                app.extensions[name].close()
    commands(inputs)
    given = [path.read_text(encoding="utf-8") for path in inputs.rglob("*") if path.is_file()]
    seen = {
        "sent": [*walker.sent, *liar.told, *given],
        "tokens": walker.tokens,
        "came": [came._asdict() for came in walker.came],
        "routes": {name: [[str(rule), sorted(rule.methods or ())] for rule in app.url_map.iter_rules()] for name, app in apps.items()},
        "metrics": metrics,
        "asked": asked,
        "rows": dict(rows(Path("walk.db"))),
        "reasons": {reason: words for reason, (words, _) in FALLBACK_REASONS.items()},
    }
    evidence.write_text(json.dumps(seen), encoding="utf-8")


def applications(inputs: Path, fhir: str, keys: str) -> dict[str, Flask]:
    """A service that knows its clients by their tokens, one that is open, one whose database goes away, and one that fails."""
    token = inputs / "governance.token"
    token.write_text(SECRETS["password"], encoding="utf-8")
    folders = [inputs / name for name in (CLOSED, OPEN)]
    for folder in folders:
        folder.mkdir()
    known = entry("north", issuer=ISSUER, jku=f"{keys}/jwks.json", fhir_server=fhir, calls_per_minute=MANY)
    others = (
        entry("south", issuer=SOUTH, jwks_file=pinned(inputs), tenants=["t1"], subject="someone"),
        entry("broken", issuer=BROKEN, jku="http://127.0.0.1:9/jwks"),
        entry("slow", issuer=SLOW, jwks_file=pinned(inputs), calls_per_minute=1),
    )
    closed = registered(folders[0], known, *others)
    epic = fhir.removesuffix("/r4") + "/epic"
    open_ = registered(folders[1], entry("north", fhir_server=fhir), entry("epic-site", fhir_server=epic, dialect="epic"))
    settings = {
        CLOSED: Settings(clients=closed, database="sqlite:///walk.db", governance_token_file=token, fixtures=build.FIXTURES),
        OPEN: Settings(clients=open_, database="sqlite:///open.db", deadline=25.0, fixtures=build.FIXTURES),
        HURRIED: Settings(clients=open_, database="sqlite:///hurried.db", deadline=0.3, threads=1),
        AWAY: Settings(clients=closed, database="sqlite:///away.db", workers=2),
        "away and open": Settings(database="sqlite:///away-open.db"),
    }
    made = {name: checked_app(one, lambda: build.TODAY, Clock()) for name, one in settings.items()}
    made[FAILING] = checked_app(Settings(), BrokenClock(f"{WORDS} {SECRETS['FHIR access token']}"))
    for name, app in made.items():
        app.name = name
    return made


def smart_app(inputs: Path, ehr: EHR, clock: Clock, name: str) -> Flask:
    """A service with the SMART app, which knows the EHR's users and proves itself by a secret."""
    folder = inputs / name
    folder.mkdir()
    secret = folder / "app.secret"
    secret.write_text(SECRETS["secret of the app"], encoding="utf-8")
    ehr.secret = SECRETS["secret of the app"]
    known = registered(folder, toml(ehr, client_secret_file=str(secret), openid=True))
    app = checked_app(Settings(clients=known, database=f"sqlite:///{name}.db"), lambda: build.TODAY, clock)
    app.name = name
    return app


def signed(walker: Walker, path: str = build.SERVICE, *, key: Any = EC, head: Any = None, sign: str = "ES384", **claims: Any) -> dict[str, str]:
    """The header with a token that is remembered; what it says of a person is marked."""
    marked = {"patient": PERSON["patient"], "fhirUser": f"Practitioner/{PERSON['user']}", "name": PERSON["given name"]}
    token = mint(head, payload(**{"aud": f"{BASE}{path}", **marked, **claims}), key=key, sign=sign)
    walker.tokens.append(token)
    return {"Authorization": f"Bearer {token}"}


def pages(walker: Walker, apps: dict[str, Flask], _liar: Liar) -> None:
    """Everything that is only read, with marked queries and headers."""
    for app in (apps[CLOSED], apps[OPEN]):
        plain = [str(rule) for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
        entries = [f"/about/red-flags/{next(iter(build.KNOWLEDGE.red_flags))}", f"/about/value-sets/{next(iter(build.KNOWLEDGE.value_sets))}"]
        missing = [
            f"/about/{ELSEWHERE['path']}/{PERSON['family name']}",
            f"/about/value-sets/{PERSON['family name']}",
            f"/{ELSEWHERE['path']}/{WORDS}",
        ]
        for path in (*(p for p in plain if p not in ("/governance", "/simulator")), *entries, *missing):
            query = {ELSEWHERE["query"]: PERSON["patient"], "name": WORDS, "access_token": SECRETS["FHIR access token"]}
            walker.ask(app, path, query_string=query, headers={**ODD, **signed(walker), "Accept": "application/json"})
            walker.ask(app, path, "OPTIONS", headers={**ODD, "Origin": f"https://{ELSEWHERE['header']}.example"})
        walker.ask(app, "/livez", headers={"Host": f"{ELSEWHERE['header']}..{PERSON['family name']}"})


def evidence_pages(walker: Walker, apps: dict[str, Flask], _liar: Liar) -> None:
    """The evidence of constructed patients, and of charts that are pasted or sent as a file, good and broken."""
    for app in (apps[CLOSED], apps[OPEN]):
        for name in ("test-sweet-macrocytosis", PERSON["family name"]):
            walker.ask(app, f"/evidence/{name}", page=True, query_string={ELSEWHERE["query"]: PERSON["patient"]}, headers=ODD)
        for text in (GOOD, *REFUSED):
            walker.ask(app, "/evidence", "POST", page=True, data=text, content_type="application/json", headers=ODD)
            walker.ask(app, "/evidence", "POST", page=True, data={"bundle": text}, headers=ODD)
            file = (io.BytesIO(text.encode()), f"{ELSEWHERE['file']}.json")
            walker.ask(app, "/evidence", "POST", page=True, data={"file": file}, content_type="multipart/form-data", headers=ODD)


def simulator(walker: Walker, apps: dict[str, Flask], liar: Liar) -> None:
    """The simulator, behind its password and open; what is stored is stored behind it."""
    user = SECRETS["user name of a page"]
    locked, open_ = Player(walker, apps[CLOSED], (user, SECRETS["password"])), Player(walker, apps[OPEN])
    turned_away(locked, (user, f"{SECRETS['password']}x"))
    turned_away(open_, None)
    for player in (locked, open_):
        player.look()
        charts(player)
        servers(player, liar)
    pressed(locked)


def calls(walker: Walker, apps: dict[str, Flask], liar: Liar) -> None:
    """Good calls with cards and without, and feedback on them, good and bad."""
    liar.how = "honest"
    named = for_server(liar.running.base)
    for prefetch in (build.suspect(), build.confirmed(), build.healthy()):
        walker.post(apps[OPEN], build.SERVICE, request(prefetch, **named), headers=ODD)
        walker.post(apps[CLOSED], build.SERVICE, request(prefetch, hookInstance=build.OTHER_CALL, **named), headers={**ODD, **signed(walker)})
    cards = walker.post(apps[CLOSED], build.SERVICE, request(build.suspect()), headers=signed(walker)).json["cards"]
    card, suggestion = cards[0]["uuid"], cards[0]["suggestions"][0]["uuid"]
    entries = [
        feedback(card),
        feedback(card, outcome="accepted", acceptedSuggestions=[{"id": suggestion}]),
        feedback(card, outcome=WORDS),
        feedback(card, outcomeTimestamp=PERSON["birth date"]),
        feedback(card, acceptedSuggestions=[{"id": PERSON["patient"]}]),
        feedback(card, overrideReason={"reason": FEEDBACK["words of a reason"]}),
        feedback(PERSON["record number"]),
        WORDS,
    ]
    for sent in ({"feedback": entries[:1]}, {"feedback": entries[1:]}, {"feedback": []}, {FEEDBACK["comment"]: WORDS}, [WORDS]):
        walker.post(apps[CLOSED], ANSWERS, sent, headers=signed(walker, ANSWERS))
    for body in (f'{{"feedback": "{WORDS}', f'{{"feedback": [{WORDS}]}}'):
        walker.ask(apps[CLOSED], ANSWERS, "POST", data=body, content_type="application/json", headers=signed(walker, ANSWERS))
    walker.post(apps[CLOSED], f"/cds-services/{ELSEWHERE['path']}/feedback", {"feedback": entries}, headers=signed(walker, ANSWERS))
    walker.post(apps[CLOSED], build.SERVICE, request(build.suspect(), fhirServer=f"https://{ELSEWHERE['path']}.example"), headers=signed(walker))


def tokens(walker: Walker, apps: dict[str, Flask], _liar: Liar) -> None:
    """A token for every reason to refuse one, and one token too many."""
    south = {"iss": SOUTH, "tenant": "t1"}
    used = signed(walker)
    bad = [
        {}, {"Authorization": f"Basic {SECRETS['FHIR access token']}"}, {"Authorization": f"Bearer {SECRETS['FHIR access token']} {WORDS}"},
        {"Authorization": f"Bearer {SECRETS['FHIR access token']}"}, signed(walker, head=header(typ=WORDS)), signed(walker, head=header(jwk=SECRET)),
        signed(walker, iat=WORDS), signed(walker, iss="https://evil.example"), signed(walker, **{**south, "tenant": "t2"}), signed(walker, head=header(alg="none")),
        signed(walker, head=header(jku=f"https://evil.example/{PERSON['family name']}")), signed(walker, iss=BROKEN), signed(walker, head=header(kid=WORDS)),
        signed(walker, head=header(kid="rsa"), **south), signed(walker, key=OTHER_EC), signed(walker, aud=f"{BASE}/{ELSEWHERE['path']}"),
        signed(walker, **south, sub=SECRETS["subject of a token"]), signed(walker, exp=NOW + 90_000), signed(walker, iat=1, exp=300),
        signed(walker, iat=2**33, exp=2**33 + 300), used, used,
    ]  # fmt: skip
    for headers in bad:
        for path in (build.SERVICE, ANSWERS):
            walker.post(apps[CLOSED], path, request(build.suspect()), headers={**ODD, **headers})
    for _ in range(2):
        walker.post(apps[CLOSED], build.SERVICE, request(build.suspect()), headers=signed(walker, iss=SLOW))


def refusals(walker: Walker, apps: dict[str, Flask], _liar: Liar) -> None:
    """Every way in which a call is refused; with other marked words, those of the failures themselves."""
    for failure in FAILURES:
        walker.failure(apps[OPEN], failure, send)


def fallback(walker: Walker, apps: dict[str, Flask], liar: Liar) -> None:
    """Calls that lack something, while the FHIR server answers, fails and lies."""
    some = {key: value for key, value in build.suspect().items() if key in ("patient", "conditions")}
    for liar.how in WAYS:
        for base in (liar.running.base, liar.running.base.removesuffix("/r4") + "/epic"):
            for prefetch in (some, None):
                walker.post(apps[HURRIED if liar.how == "hangs" else OPEN], build.SERVICE, request(prefetch, **for_server(base)))
    liar.how = "hangs"
    with ThreadPoolExecutor(CROWD) as crowd:
        list(crowd.map(lambda _: walker.post(apps[HURRIED], build.SERVICE, request(some, **for_server(liar.running.base))), range(CROWD)))
    liar.how = "honest"
    walker.post(apps[OPEN], build.SERVICE, request({"documents": build.bundle()}, fhirServer=liar.running.base))
    walker.post(apps[OPEN], build.SERVICE, request(some, **for_server(f"https://{ELSEWHERE['path']}.example/r4")))


def governance(walker: Walker, apps: dict[str, Flask], _liar: Liar) -> None:
    """The pages of the report: closed and open, with good and bad passwords, days and patients."""
    wrong, right = (SECRETS["user name of a page"], f"{SECRETS['password']}x"), (SECRETS["user name of a page"], SECRETS["password"])
    form = {"client": "north", "patient": PERSON["patient"]}
    queries = [{"format": kind, "client": client} for kind in ("html", "csv", "json", WORDS) for client in ("north", PERSON["family name"])]
    for app, auths in ((apps[CLOSED], (None, wrong, right)), (apps[OPEN], (None,))):
        for auth in auths:
            for query in (*queries, {"from": PERSON["birth date"], "to": WORDS}, {"from": WORDS}, {"client": f"\0{WORDS}"}):
                walker.ask(app, "/governance", page=True, query_string=query, auth=auth, headers=ODD)
            for sent in (form, {**form, "lift": "1"}, {**form, "client": PERSON["family name"]}, {**form, "patient": " "}, {"patient": WORDS * 9}):
                walker.ask(app, "/governance/snoozes", "POST", page=True, data=sent, auth=auth, headers=ODD)
            parts = {f"{WORDS}{number}": "x" for number in range(1100)}
            walker.ask(app, "/governance/snoozes", "POST", page=True, data=parts, content_type="multipart/form-data", auth=auth)
            walker.ask(
                app, "/governance/snoozes", "POST", page=True, data=form, auth=auth, headers={"Origin": f"https://{ELSEWHERE['header']}.example"}
            )
            walker.ask(app, "/governance", page=True, auth=auth, headers={"Host": f"{ELSEWHERE['header']}.example"})


def database_away(walker: Walker, apps: dict[str, Flask], _liar: Liar) -> None:
    """Calls and feedback while the database cannot be used, then what the process says of itself."""
    for name, url in ((AWAY, "sqlite:///away.db"), ("away and open", "sqlite:///away-open.db")):
        database = Database(url)
        database.downgrade()
        database.close()
        walker.post(apps[name], build.SERVICE, request(build.suspect()), headers=signed(walker))
        walker.post(apps[name], ANSWERS, {"feedback": [feedback(build.CALL)]}, headers=signed(walker, ANSWERS))
        Player(walker, apps[name]).press("lift", pasted(GOOD))
        walker.ask(apps[name], "/readyz")
        walker.ask(apps[name], "/metrics")


def crash(walker: Walker, apps: dict[str, Flask], _liar: Liar) -> None:
    """A call in which something fails that nobody foresaw, with marked words in its error."""
    walker.post(apps[FAILING], build.SERVICE, request(build.suspect()), headers=ODD)
    Player(walker, apps[FAILING]).press("fire", pasted(GOOD))


def commands(inputs: Path) -> None:
    """Commands with files and words that they cannot use; what they print is this process's own output."""
    whole = {"resourceType": "Bundle", "entry": [{"resource": build.patient(id=f"{PERSON['patient']} {WORDS}")}]}
    two = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Patient", "id": one}} for one in (PERSON["patient"], PERSON["another patient"])],
    }
    texts = [
        f"{ELSEWHERE['file']} {WORDS}",
        f'{{"resourceType": "Bundle", "entry": [{WORDS}',
        json.dumps(ELSEWHERE["file"]),
        json.dumps(whole),
        json.dumps(two),
    ]
    for number, text in enumerate(texts):
        path = inputs / f"bad-{number}.json"
        path.write_text(text, encoding="utf-8")
        for command in ("evaluate", "request"):
            refused(command, str(path))
    token, folder = inputs / "token.txt", inputs / "charts"
    folder.mkdir()
    (folder / "bad.json").write_text(texts[1], encoding="utf-8")
    refused("load-fixtures", "--fhir-server", "http://127.0.0.1:9/r4", "--from", str(folder))
    for text in (f"{SECRETS['FHIR access token']} {WORDS}", mint(header(typ="x"), {"patient": PERSON["patient"]})):
        token.write_text(text, encoding="utf-8")
        refused("client", "test", "--client", "north", str(token), settings={"CDS_CLIENTS": str(inputs / CLOSED / "clients.toml")})
    refused("snoozes", "--client", "nobody", "--patient", PERSON["patient"])
    refused("serve", settings={"CDS_DATABASE": f"{SECRETS['password']}://{WORDS}"})
    refused("serve", settings={"CDS_GOVERNANCE_TOKEN_FILE": str(_short(inputs))})
    refused("check", settings={"CDS_KNOWLEDGE": str(_unsound(inputs))})


def _short(inputs: Path) -> Path:
    path = inputs / "short.token"
    path.write_text(SECRETS["user name of a page"], encoding="utf-8")
    return path


def _unsound(inputs: Path) -> Path:
    folder = inputs / "knowledge"
    folder.mkdir()
    (folder / "module.yaml").write_text("id: [", encoding="utf-8")
    return folder


def refused(*words: str, settings: dict[str, str] | None = None) -> None:
    """Run a command that must fail."""
    import os

    before = dict(os.environ)
    os.environ.update({"CDS_DATABASE": "sqlite:///commands.db", **(settings or {})})
    try:
        cli(words)
    except SystemExit as end:
        print(f"{words[0]} ended with {end.code}", file=sys.stderr)
    else:
        raise AssertionError(f"{words} was taken")
    finally:
        os.environ.clear()
        os.environ.update(before)


def rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Everything that stands in a database, by table and column."""
    connection = sqlite3.connect(path)
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        found = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - names of our own tables
        names = [column[0] for column in found.description]
        cells = found.fetchall()
        for number, name in enumerate(names):
            yield f"{table}.{name}", [str(row[number]) for row in cells]
    connection.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
