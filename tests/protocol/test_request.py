"""Reading the envelope of a request: bytes in, a checked envelope out, resources still raw."""

from __future__ import annotations

import msgspec
import pytest

from cds_service.errors import CDSServiceError, InvalidRequest, MalformedBody
from cds_service.hooks import HOOKS
from cds_service.protocol.request import CDSRequest, read_request
from tests import build

SCHEMAS = {name: hook.schema for name, hook in HOOKS.items()}


def read(**members: object) -> CDSRequest:
    """A request read from its members."""
    return read_request(build.body_of(build.request(**members)), SCHEMAS)


def test_keeps_resources_undecoded():
    """A prefetch value stays the bytes that were sent."""
    patient = build.patient()

    request = read_request(build.body_of(build.request({"patient": patient, "conditions": None})), SCHEMAS)

    assert {"patient", "conditions"} == set(request.prefetch)
    assert patient == msgspec.json.decode(request.prefetch["patient"])
    assert b"null" == bytes(request.prefetch["conditions"])


def test_reads_the_envelope():
    """Hook, instance and context are there as they were sent."""
    request = read()

    assert ("patient-view", build.CALL, {}) == (request.hook, request.hook_instance, dict(request.prefetch))
    assert build.PATIENT_ID == request.context["patientId"]
    assert () == request.issues


def test_forgets_the_access_token():
    """Nothing of fhirAuthorization is kept."""
    token = {"access_token": "secret-token", "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}

    request = read(fhirServer="https://ehr.example.org", fhirAuthorization=token)

    assert "secret-token" not in repr(request)


@pytest.mark.parametrize("instance", ["call-17", "", "  x  ", build.CALL[:-1], f"{build.CALL}0", build.CALL.replace("-", "")])
def test_takes_an_instance_that_is_no_uuid_with_an_issue(instance):
    """Some clients send other unique strings: that is an issue and no error; an empty one is an error."""
    if not instance.strip():
        with pytest.raises(InvalidRequest):
            read(hookInstance=instance)
        return

    request = read(hookInstance=instance)

    assert ["information"] == [issue.level for issue in request.issues]
    assert all(instance not in issue.what + issue.remedy for issue in request.issues)


@pytest.mark.parametrize("hook", ["order-sign", "com.example.any-hook"])
def test_reads_a_hook_that_it_does_not_know(hook):
    """A hook of others is read by the rules of every hook; whether it is answered is decided elsewhere."""
    assert hook == read(hook=hook, context={"x": 1}).hook


def test_reads_the_last_of_two_equal_members():
    """JSON with a member twice counts the last, as most readers do."""
    body = build.body_of(build.request())[:-1] + b', "hook": "order-sign"}'

    assert "order-sign" == read_request(body, SCHEMAS).hook


@pytest.mark.parametrize("body", [b"", b"x", b"{", b'{"a":NaN}', b'{"hook":"\xff"}', b'{"hook":"\\ud800"}', b"\xef\xbb\xbf{}", b"{}x"])
def test_refuses_what_is_not_json(body):
    """Bytes that are not JSON in UTF-8 are a malformed body."""
    with pytest.raises(MalformedBody):
        read_request(body, SCHEMAS)


@pytest.mark.parametrize("depth", [50, 200, 500])
def test_reads_what_is_nested_as_deep_as_a_chart_may_be(depth):
    """Nesting that is odd but harmless is read."""
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    body = build.body_of(build.request())[:-1] + b', "prefetch": {"x": ' + deep + b'}, "extension": ' + deep + b"}"

    assert ["x"] == list(read_request(body, SCHEMAS).prefetch)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"prefetch":{"x":{"a":', b'{"context":[', b'{"prefetch":{"x":{"a":' + b"[" * 3000])
def test_refuses_what_is_nested_without_end(opening):
    """A hundred thousand levels are an error of ours and never a crash."""
    with pytest.raises(CDSServiceError):
        read_request(opening * 100_000, SCHEMAS)


@pytest.mark.parametrize("value", [5, [], "x", True])
def test_refuses_a_prefetch_value_that_is_no_resource(value):
    """A prefetch value must be null or an object; the place is within the prefetch."""
    with pytest.raises(InvalidRequest) as caught:
        read(prefetch={"conditions": value})

    assert caught.value.place.startswith("/prefetch")
