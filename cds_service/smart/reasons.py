"""Why the app could not be opened: a closed list, each with what a clinician reads and what its administrator does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cds_service.errors import LoginFailed, LoginUnavailable


class Said(NamedTuple):
    """What happened, for whoever sits before the page, and what mends it."""

    what: str
    remedy: str
    theirs: bool = False  # the EHR's authorization server does not do its part


REASONS: Mapping[str, Said] = {
    "issuer": Said("This EHR is not registered here.", "Register its FHIR server and smart in clients.toml; iss must be that address."),
    "launch": Said("The EHR opened this page without naming the chart.", "Let the EHR launch with iss and launch, each once."),
    "configuration": Said(
        "The EHR's sign-in could not be found.",
        "Look whether .well-known/smart-configuration answers under fhir_server within 2 seconds, without a redirect.",
        theirs=True,
    ),
    "endpoint": Said(
        "The EHR's sign-in has no safe address.", "Its authorization_endpoint, token_endpoint and jwks_uri must be plain https URLs.", theirs=True
    ),
    "pkce": Said("The EHR's sign-in is not safe enough.", "It must list S256 in code_challenge_methods_supported.", theirs=True),
    "state": Said(
        "This sign-in was not begun here, is more than ten minutes old, or is over.",
        "Let the browser keep cookies of this service; for pages inside the EHR's, register framed_by.",
    ),
    "mixed": Said("The answer came from another sign-in than was asked.", "Compare the iss of the answer with issuer in smart-configuration."),
    "denied": Said("Access was not given.", "Whoever signs in must allow it; scopes in clients.toml must be among those that the EHR registered."),
    "refused": Said("The EHR refused the sign-in.", "Compare client_id, redirect URI, launch URL and scopes with what the EHR registered."),
    "code": Said("The EHR's sign-in brought nothing to go on with.", "It must answer with one code of at most 2500 characters.", theirs=True),
    "exchange": Said(
        "The EHR did not accept the sign-in.", "Compare client_id and secret or key with what the EHR registered; a code is good once, for a minute."
    ),
    "away": Said("The EHR's sign-in does not answer.", "Look whether token_endpoint answers within 5 seconds, without a redirect.", theirs=True),
    "token": Said("The EHR's sign-in brought no access to a chart.", "The token response needs access_token and token_type Bearer.", theirs=True),
    "patient": Said(
        "The EHR named no patient.", "Open it from a chart; the token response needs patient, for the scope launch or launch/patient.", theirs=True
    ),
    "identity": Said(
        "The EHR did not prove who signed in.", "Its ID token must be for this app and this sign-in, signed by a key of jwks_uri.", theirs=True
    ),
}


def failed(reason: str) -> LoginFailed:
    """The error of a reason."""
    said = REASONS[reason]
    return (LoginUnavailable if said.theirs else LoginFailed)(reason, said.what)
