"""A code for an access token, at the token endpoint of the client's authorization server. The one door to OAuth."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import requests

from cds_service.record.secret import Secret
from cds_service.smart.configuration import Configuration
from cds_service.smart.pending import Pending
from cds_service.smart.reasons import failed
from cds_service.transport import Unanswered, WholeAdapter
from cds_service.trust.app import App

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

SECONDS = 5.0
LARGEST_ANSWER = 64 * 1024
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close", "Content-Type": "application/x-www-form-urlencoded"}
_TOKEN = re.compile(r"[!-~]{1,16000}")
_PATIENT = re.compile(r"[A-Za-z0-9.-]{1,64}")
_PLAIN = (200, 400, 401)


class Access(NamedTuple):
    """Whose chart may be read, by which token, and how far; whether the page has to say who the patient is."""

    patient_id: str
    token: Secret
    scopes: str
    banner: bool
    id_token: str | None


def address_of(app: App, where: Configuration, redirect_uri: str, login: Pending, scopes: str, **more: str) -> str:
    """Where the browser goes to sign in."""
    with _session(app, redirect_uri) as session:
        asked = {**more, **({"nonce": login.nonce} if app.openid else {})}
        url, _ = session.create_authorization_url(where.authorization_endpoint, login.state, login.verifier, scope=scopes, **asked)
    return str(url)


def exchanged(app: App, where: Configuration, redirect_uri: str, login: Pending, ca_file: str | None, asked: str) -> Access:
    """What the code of a login is good for; `asked` are the scopes, which hold where the answer names none. Raises LoginFailed."""
    from authlib.integrations.base_client import OAuthError

    with _session(app, redirect_uri) as session:
        try:
            answer = session.fetch_token(
                where.token_endpoint,
                grant_type="authorization_code",
                code=login.code,
                code_verifier=login.verifier,
                headers=_HEADERS,
                allow_redirects=False,
                verify=ca_file or True,
            )
        except OAuthError:
            raise failed("exchange") from None
        except (Unanswered, requests.RequestException):
            raise failed("away") from None
        except (ValueError, TypeError, RecursionError):
            raise failed("token") from None
    return _access(answer, asked)


def _session(app: App, redirect_uri: str) -> OAuth2Session:
    from authlib.integrations.requests_client import OAuth2Session  # takes a while to load, and calls need none
    from authlib.oauth2.rfc7523 import PrivateKeyJWT

    from cds_service.trust.app_key import read_key

    key = read_key(app.key_file.read_bytes()) if app.key_file else None
    how = "private_key_jwt" if key else "client_secret_basic" if app.secret else "none"
    secret = key.key if key else app.secret.reveal() if app.secret else None
    session = OAuth2Session(app.client_id, secret, how, redirect_uri=redirect_uri, code_challenge_method="S256")
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, WholeAdapter(SECONDS, LARGEST_ANSWER))
    session.register_compliance_hook("access_token_response", _plain)
    if key:
        session.register_client_auth_method(PrivateKeyJWT(headers={"kid": key.name, "typ": "JWT"}, alg=key.algorithm))
    return session


def _plain(response: requests.Response) -> requests.Response:
    """An answer of a token endpoint, as it may be. Raises LoginFailed for a redirect and the like."""
    if response.status_code not in _PLAIN or response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise failed("away")
    return response


def _access(answer: dict[str, Any], asked: str) -> Access:
    """Raises LoginFailed for an answer that opens no chart."""
    token, kind, patient, scopes = answer.get("access_token"), answer.get("token_type"), answer.get("patient"), answer.get("scope", asked)
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or str(kind).lower() != "bearer" or not isinstance(scopes, str):
        raise failed("token")
    patient = patient.removeprefix("Patient/") if isinstance(patient, str) else ""  # some have the reference where SMART has the id
    if not _PATIENT.fullmatch(patient):
        raise failed("patient")
    proof = answer.get("id_token")
    return Access(patient, Secret(token), scopes, answer.get("need_patient_banner") is not False, proof if isinstance(proof, str) else None)
