"""Charts and requests in files."""

from __future__ import annotations

import re
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cds_service.errors import CDSServiceError

Shape = TypeVar("Shape")
_ANY = msgspec.json.Decoder(Any)
_BYTE = re.compile(r"\(byte (\d+)\)")
_ESCAPED = re.compile(rb"\\.")
_ALIKE = bytes.maketrans(b"[]", b"{}")
_STEP = {ord("{"): 1, ord("}"): -1}
_OTHERS = bytes(set(range(256)) - set(b'[]{}"'))
_DEEPEST = 200  # FHIR needs no more than a few dozen levels
_USUAL = 12  # levels that nearly every chart is done with


def read_json(path: Path) -> Any:
    """The JSON of a file, with or without a byte order mark. Raises CDSServiceError with the file and the remedy."""
    return json_in(read_content(path), str(path))


def read_content(path: Path) -> bytes:
    """What a file holds. Raises CDSServiceError with the file and the remedy."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CDSServiceError(f"{path}: cannot be read ({error.strerror}). Name a JSON file.") from None


def json_in(content: bytes, name: str, error: type[CDSServiceError] = CDSServiceError) -> Any:
    """The JSON in the content of a file, with or without a byte order mark. Raises `error`, which says what to do with `name`."""
    value = decoded(content, _ANY, name, error)
    if is_deep(content):
        raise too_deep(name, error)
    return value


def decoded(content: bytes, decoder: msgspec.json.Decoder[Shape], name: str, error: type[CDSServiceError] = CDSServiceError) -> Shape:
    """The JSON of a file in the shape that is asked for. Raises `error`, and msgspec.ValidationError where it is JSON of another shape."""
    text = ""
    try:
        text = content.decode("utf-8-sig")
        return decoder.decode(text)
    except UnicodeDecodeError:
        raise error(f"{name}: not UTF-8. Save it as UTF-8.") from None
    except RecursionError:
        raise too_deep(name, error) from None
    except msgspec.ValidationError:
        raise
    except ValueError as fault:
        raise error(f"{name}: not JSON {_place(text, str(fault))} ({fault}; NaN and lone surrogates are not JSON). Correct it there.") from None


def _place(text: str, fault: str) -> str:
    """Where in a text a fault is, as an editor counts; at its end where no byte is named."""
    byte = _BYTE.search(fault)
    before = text.encode()[: int(byte[1])].decode(errors="ignore") if byte else text
    return f"at line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


def is_deep(content: bytes) -> bool:
    """Whether JSON is nested too deeply: of its brackets outside of strings the innermost are taken away, layer by layer, and the rest counted."""
    unescaped = _ESCAPED.sub(b"", content) if b"\\" in content else content
    brackets = b"".join(unescaped.translate(_ALIKE, _OTHERS).split(b'"')[::2])
    for _ in range(_USUAL):
        brackets = brackets.replace(b"{}", b"")
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > _DEEPEST - _USUAL


def too_deep(name: str, error: type[CDSServiceError] = CDSServiceError) -> CDSServiceError:
    """What is said of JSON that is nested too deeply."""
    return error(f"{name}: nested too deeply. FHIR needs no more than a few dozen levels.")
