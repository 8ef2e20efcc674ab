"""JSON in files: what is read, and what is refused with its place."""

from __future__ import annotations

import json

import pytest

from cds_service.ehr.files import json_in
from cds_service.errors import CDSServiceError

DEEPEST = 200


def nested(levels: int) -> bytes:
    """Lists and objects in turn, so many levels deep."""
    opening = [b'{"a":' if n % 2 else b"[" for n in range(levels - 1)]
    closing = [b"}" if n % 2 else b"]" for n in range(levels - 1)]
    return b"".join(opening) + b"[]" + b"".join(reversed(closing))


@pytest.mark.parametrize("shape", [b"%s", b"[%s, %s, 1]", b'{"a": "{[", "b": %s}', b'["\\"[[", %s, "\\\\", {}]', b'\xef\xbb\xbf["]}", %s]'])
@pytest.mark.parametrize("levels", [DEEPEST, DEEPEST + 1])
def test_reads_what_is_no_deeper_than_the_limit(levels, shape):
    """One level more is refused, whatever stands beside it; brackets in strings are no levels."""
    outer = shape != b"%s"
    content = shape.replace(b"%s", nested(levels - outer))

    if levels > DEEPEST:
        with pytest.raises(CDSServiceError, match="The file: nested too deeply"):
            json_in(content, "The file")
    else:
        assert json.loads(content.decode("utf-8-sig")) == json_in(content, "The file")


def test_reads_what_is_wide():
    """Many levels beside each other are none inside each other."""
    content = json.dumps([{"a": [{"b": []}]}] * 1000).encode()

    assert 1000 == len(json_in(content, "The file"))
