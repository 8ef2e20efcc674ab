"""The simulator, played with the chart of the marked patient: pasted, as a file and from an FHIR server that lies; good forms and broken ones."""

from __future__ import annotations

import io
import json
from typing import Any

from flask import Flask

from tests import build
from tests.privacy.canaries import ELSEWHERE, FEEDBACK, PERSON, SECRETS, WORDS, chart, person
from tests.privacy.liars import WAYS, Liar
from tests.privacy.walker import Walker
from tests.web.filled import SIMULATOR, Form

ODD = {"User-Agent": ELSEWHERE["header"], "Referer": f"https://{ELSEWHERE['header']}.example", "X-Patient": f"{ELSEWHERE['header']} {WORDS}"}
_FOUND = [inner["resource"] for value in chart(build.suspect()).values() for inner in value.get("entry", [{"resource": value}])]
BUNDLE = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in _FOUND]}
GOOD = json.dumps(BUNDLE)
REFUSED = (GOOD[:-5], json.dumps({**BUNDLE, "entry": [*BUNDLE["entry"], {"resource": person(PERSON["another patient"])}]}), WORDS, "")
SERVER_WAYS = [how for how in WAYS if how != "hangs"]  # which says nothing of anybody, and takes eight seconds a query


class Player:
    """Somebody at the simulator of an application, with a password where it is behind one."""

    def __init__(self, walker: Walker, app: Flask, auth: tuple[str, str] | None = None) -> None:
        self._walker = walker
        self._app = app
        self._auth = auth

    def look(self, **changed: Any) -> Any:
        """Open the page."""
        query = {ELSEWHERE["query"]: PERSON["patient"], "bundle": WORDS, "token": SECRETS["FHIR access token"]}
        return self._walker.ask(self._app, SIMULATOR, page=True, **{"query_string": query, "auth": self._auth, "headers": ODD, **changed})

    def press(self, act: str, fields: dict[str, Any], **changed: Any) -> Any:
        """Fill in the form and press a button."""
        sent = {"data": {**fields, "act": act}, "content_type": "multipart/form-data", "auth": self._auth, "headers": ODD}
        return self._walker.ask(self._app, SIMULATOR, "POST", page=True, **{**sent, **changed})


def turned_away(player: Player, wrong: tuple[str, str] | None) -> None:
    """Whoever may not come in: with a wrong password, from another page, under another name."""
    headers = [{**ODD, "Origin": f"https://{ELSEWHERE['header']}.example"}, {**ODD, "Host": f"{ELSEWHERE['header']}.example"}]
    for changed in ({"auth": wrong}, *({"headers": one} for one in headers)):
        player.look(**changed)
        player.press("fire", pasted(GOOD), **changed)


def pasted(text: str) -> dict[str, Any]:
    """A form with a pasted Bundle."""
    return {"source": "bundle", "bundle": text, "constructed": PERSON["family name"]}


def charts(player: Player) -> None:
    """Bundles good and broken: typed and as a file, called with, downloaded, lifted, reported on without a card."""
    for text in (GOOD, *REFUSED):
        for act in ("fire", "request", "lift", f"accept.{PERSON['record number']}", f"override.{PERSON['record number']}"):
            player.press(act, pasted(text))
        file = (io.BytesIO(text.encode()), f"{ELSEWHERE['file']}.json")
        player.press("fire", {"source": "bundle", "file": file})
        player.press("fire", {**pasted(text), "prefetch": "chosen", "key.patient": "on", f"key.{WORDS}": "on", "hook": WORDS, "instance": WORDS})
    player.press("fire", {"source": "constructed", "constructed": PERSON["family name"]})
    player.press("fire", {f"{WORDS}{number}": "x" for number in range(1100)})
    player.press(WORDS, {"source": WORDS, "prefetch": WORDS})


def feedback(player: Player) -> None:
    """A card is accepted and another dismissed in marked words, then what is silent is lifted."""
    form = Form(player.press("fire", pasted(GOOD)).text)
    for done in ("accept", "override"):
        act = next(one for one in form.buttons if one.startswith(f"{done}."))
        player.press(act, {**form.fields, f"comment.{act.partition('.')[2]}": f"{FEEDBACK['comment']} says {WORDS}"})
    player.press("fire", pasted(GOOD))
    player.press("lift", pasted(GOOD))


def servers(player: Player, liar: Liar) -> None:
    """Charts of a FHIR server that answers, fails and lies, by a token that was typed; and servers and patients that there are none of."""
    named = {"source": "server", "server": "north", "patient": PERSON["patient"], "token": SECRETS["FHIR access token"]}
    for liar.how in SERVER_WAYS:
        for mode in ("full", "none"):
            player.press("fire", {**named, "prefetch": mode})
    liar.how = "honest"
    wrong = (
        {"server": PERSON["family name"]},
        {"patient": WORDS},
        {"patient": ""},
        {"token": f"{SECRETS['FHIR access token']}\r\nX-Patient: {WORDS}"},
    )
    for changed in wrong:
        for act in ("fire", "request", "lift", f"accept.{build.CALL}"):
            player.press(act, {**named, **changed})
    player.press("request", named)
