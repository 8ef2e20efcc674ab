"""The SMART app, launched for the chart of the marked patient, and every way in which a launch ends before."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from cds_service.smart.configuration import FRESH, PAUSE
from cds_service.storage.database import Database
from tests.privacy.canaries import ELSEWHERE, PERSON, SECRETS, WORDS
from tests.privacy.played import ODD
from tests.privacy.walker import Walker
from tests.smart.ehr import EHR, path_of
from tests.smart.opening import led_on
from tests.trust.minting import Clock, mint
from tests.web.screen import browser

LAUNCH, CALLBACK = "/smart/launch", "/smart/callback/north"
ERROR = {"error_description": WORDS, "error_uri": f"https://{PERSON['family name']}.example"}


class Tab:
    """One browser at the app, which keeps its cookies."""

    def __init__(self, walker: Walker, app: Flask, ehr: EHR) -> None:
        self._walker = walker
        self._app = app
        self._ehr = ehr
        self._browser: FlaskClient = browser(app)

    def get(self, path: str, query: Any = None) -> Any:
        """Open an address."""
        return self._walker.ask(self._app, path, tab=self._browser, query_string=query, headers=ODD)

    def launch(self) -> Any:
        """The EHR launches the app. What it calls the launch is not marked: it belongs into the address of the sign-in."""
        return self.get(LAUNCH, {"iss": self._ehr.base, "launch": "xyz123"})

    def back(self, begun: Any, **said: Any) -> Any:
        """The sign-in leads back to the app, with these words instead of a marked code."""
        came = self._ehr.sign_in(begun.headers["Location"])
        self._ehr.codes[SECRETS["code of a sign-in"]] = self._ehr.codes.pop(came["code"])
        return self.get(CALLBACK, {**came, "code": SECRETS["code of a sign-in"], **said})

    def open(self) -> Any:
        """All of it, as far as it goes."""
        begun = self.launch()
        came = self.back(begun) if begun.status_code == 303 else begun
        return self.get(led_on(self.get(path_of(came.headers["Location"])))) if came.status_code == 303 else came


class Launches:
    """An app at an EHR; each launch starts with a browser of its own, at an EHR that does everything right but for what is said."""

    def __init__(self, walker: Walker, app: Flask, ehr: EHR, clock: Clock) -> None:
        self.walker = walker
        self.app = app
        self.ehr = ehr
        self.clock = clock

    def tab(self, **wrong: Any) -> Tab:
        """A browser; `wrong` is what the EHR does wrong meanwhile."""
        self._keep()
        self.ehr.start_again()
        token = SECRETS["FHIR access token"]
        self.ehr.tokens.add(token)
        self.ehr.grants.update({"access_token": token, **wrong.get("grants", {})})
        self.ehr.claims.update(
            {"sub": SECRETS["subject of a token"], "name": WORDS, "fhirUser": f"Practitioner/{PERSON['user']}", **wrong.get("claims", {})}
        )
        self.ehr.says.update(wrong.get("says", {}))
        self.ehr.answers.update(wrong.get("answers", {}))
        return Tab(self.walker, self.app, self.ehr)

    def _keep(self) -> None:
        """Remember what the EHR has told."""
        self.walker.sent += [json.dumps([self.ehr.given, self.ehr.bodies])]
        self.walker.tokens += [given["id_token"] for given in self.ehr.given if isinstance(given.get("id_token"), str)]

    def walk(self) -> None:
        """Every way: to a chart, and nowhere."""
        for way in (self.charts, self.launches, self.callbacks, self.token_answers, self.configurations):
            way()
        self._keep()

    def configurations(self) -> None:
        """An EHR whose smart-configuration cannot be used, with marked words in it."""
        place = "/r4/.well-known/smart-configuration"
        name = PERSON["family name"]
        for wrong in (
            {"answers": {place: (200, {}, WORDS.encode())}},
            {"answers": {place: (500, {"X-Patient": WORDS}, WORDS.encode())}},
            {"says": {"token_endpoint": f"http://{name}.example/token"}},
            {"says": {"code_challenge_methods_supported": [WORDS]}},
            {"says": {"token_endpoint": f"http://127.0.0.1:9/{name}"}},
        ):
            self.clock.go(FRESH + PAUSE)
            self.tab(**wrong).open()

    def charts(self) -> None:
        """From the EHR's launch and without one to the chart; that of another patient than was named; one with nothing granted; an address twice."""
        tab = self.tab()
        shown = tab.open()
        tab.get(shown.request.path)
        tab.get(f"/smart/chart/north/{PERSON['patient']}")
        tab.get(f"/smart/chart/{PERSON['family name']}/{PERSON['patient']}")
        tab.get(f"/smart/opening/north/{PERSON['patient']}")
        tab.get(f"/smart/opening/{PERSON['family name']}/{'a' * 22}")
        came = tab.back(tab.get(f"{LAUNCH}/north", {"patient": PERSON["patient"], "login_hint": WORDS}))
        tab.get(led_on(tab.get(path_of(came.headers["Location"]))))
        self.tab(grants={"patient": PERSON["another patient"]}).open()
        self.tab(grants={"scope": WORDS}).open()
        for path in ("/smart/keys/north", f"/smart/keys/{PERSON['family name']}"):
            tab.get(path, {ELSEWHERE["query"]: WORDS})

    def launches(self) -> None:
        """Launches of nobody who is registered, without what they need, or with too much."""
        iss, word = self.ehr.base, WORDS
        tab = self.tab()
        tab.get(LAUNCH)
        for query in (
            {"iss": word, "launch": word},
            {"iss": f"{iss}/{PERSON['patient']}", "launch": word},
            {"iss": iss},
            {"iss": iss, "launch": [word] * 2},
        ):
            tab.get(LAUNCH, query)
        tab.get(LAUNCH, {"iss": iss, "launch": word * 99})
        tab.get(f"{LAUNCH}/{PERSON['family name']}")

    def callbacks(self) -> None:
        """Answers of a sign-in that lead nowhere."""
        tab = self.tab()
        tab.get(CALLBACK, {"code": SECRETS["code of a sign-in"], "state": WORDS})
        tab.get(f"/smart/callback/{PERSON['family name']}", {"code": SECRETS["code of a sign-in"], "state": WORDS})
        tab.get(CALLBACK)
        for said in (
            {"error": "access_denied", **ERROR},
            {"error": WORDS, **ERROR},
            {"code": SECRETS["code of a sign-in"] * 200},
            {"iss": WORDS},
            {"state": WORDS},
            {"state": [WORDS, WORDS]},
        ):
            tab.back(tab.launch(), **said)

    def token_answers(self) -> None:
        """What a token endpoint says that opens no chart, in marked words."""
        refused = json.dumps({"error": WORDS, **ERROR}).encode()
        for answer in (
            (400, {}, refused),
            (401, {"WWW-Authenticate": WORDS}, refused),
            (500, {}, WORDS.encode()),
            (302, {"Location": f"http://127.0.0.1:9/{PERSON['family name']}"}, b""),
            (200, {}, WORDS.encode()),
            (200, {"Content-Type": "application/json"}, json.dumps({"access_token": SECRETS["FHIR access token"], "token_type": WORDS}).encode()),
        ):
            self.tab(answers={"/token": answer}).open()
            self.walker.sent.append(repr(answer))
        forged = mint(body={"sub": SECRETS["subject of a token"], "name": WORDS, "patient": PERSON["patient"]})
        for grants in ({"patient": WORDS}, {"patient": None}, {"access_token": WORDS}, {"scope": [WORDS]}, {"id_token": WORDS}, {"id_token": forged}):
            self.tab(grants=grants).open()
        self.tab(claims={"aud": WORDS}).open()
        self.tab(answers={f"/r4/Patient/{self.ehr.patient}": (500, {}, WORDS.encode())}).open()

    def database_away(self, url: str) -> None:
        """A sign-in that comes back when it cannot be looked up whether it did before."""
        tab = self.tab()
        begun = tab.launch()
        database = Database(url)
        database.downgrade()
        database.close()
        tab.back(begun)
