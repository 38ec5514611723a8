"""A request -> a document's bytes, its name and the options beside it, however it was sent.

Four ways: a form's file, the bytes themselves, base64 in JSON, or an address in JSON. Reading stops at `max_bytes`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import IO, Any, NamedTuple

import pydantic_core
from flask import Request

from api.pictures import sniff
from api.problems import too_many_bytes
from api.wording import because
from shared.errors import BadBase64, EmptyFile, MissingFile, RequestError, UnknownOption, UrlRefused
from shared.settings import MIB, Settings

_CHUNK = MIB
_FORM_EXTRA = MIB
"""Room for a form's other fields and for its boundaries, in bytes."""
_NAME_LENGTH = 200
_DATA_URL = re.compile(r"\s*data:[^,]{0,200};base64,", re.IGNORECASE)

Fetch = Callable[[str], tuple[bytes, str]]
"""An address -> its bytes and a name for them."""


class Received(NamedTuple):
    """A document as it came: its bytes, their SHA-256, its name ("" if it has none), and the request's other fields."""

    data: bytes
    sha256: str
    name: str
    fields: dict[str, str]


def receive(request: Request, settings: Settings, fetch: Fetch, file_field: str = "file") -> Received:
    """Read the request's document.

    Raises MissingFile, EmptyFile, TooManyBytes, BadBase64, UrlRefused or RequestError; Werkzeug's 413 where the body is
    longer than it may be.
    """
    fields = {name: value for name, value in request.args.items() if name != "wait"}
    kind = (request.mimetype or "").lower()
    if kind == "multipart/form-data":
        received = _form(request, settings, file_field)
    elif kind == "application/json" or kind.endswith("+json"):
        received = _json(request, settings, fetch)
    else:
        request.max_content_length = settings.max_bytes
        data, digest = _read(request.stream, settings)
        received = Received(data, digest, "", {})
        # `curl --data-binary @picture` calls its bytes a form; the bytes know better.
        form = kind == "application/x-www-form-urlencoded" and sniff(data) is None
        if form or not (data or request.content_length or kind):
            raise MissingFile(field=file_field, name=file_field)
    if not received.data:
        raise EmptyFile(field=file_field)
    fields |= received.fields
    name = received.name or fields.pop("name", "")
    # `api_key` stands in the form of those who cannot send a header, and was seen at the door.
    for known in ("name", "api_key"):
        fields.pop(known, None)
    return received._replace(name=clean_name(name), fields=fields)


def _form(request: Request, settings: Settings, file_field: str) -> Received:
    request.max_content_length = settings.max_bytes + _FORM_EXTRA
    files = request.files.getlist(file_field)
    others = [name for name in request.files if name != file_field]
    if not files:
        raise MissingFile(field=file_field, name=file_field)
    if len(files) > 1 or others:
        raise because(
            RequestError,
            f"send one document a request, as `{file_field}`",
            f"每次请求只能有一个文件，字段名为 `{file_field}`",
            file_field,
        )
    file = files[0]
    # Browsers send an empty file field as a part without a name.
    if not file.filename and not file.stream.read(1):
        raise MissingFile(field=file_field, name=file_field)
    file.stream.seek(0)
    data, digest = _read(file.stream, settings)
    return Received(data, digest, file.filename or "", request.form.to_dict())


def _json(request: Request, settings: Settings, fetch: Fetch) -> Received:
    most = settings.max_bytes * 4 // 3 + _FORM_EXTRA
    request.max_content_length = most
    text, _ = _read(request.stream, settings, most)
    try:
        body = pydantic_core.from_json(text)
    except ValueError:
        raise because(RequestError, "the body is not JSON", "请求体不是有效的 JSON") from None
    if not isinstance(body, dict):
        raise because(RequestError, "the JSON is not an object", "JSON 不是对象")
    encoded, address = body.pop("image_base64", None), body.pop("url", None)
    if encoded is None and address is None:
        raise MissingFile(field="image_base64", name="file")
    if encoded is not None and address is not None:
        raise because(
            RequestError, "send `image_base64` or `url`, not both", "`image_base64` 与 `url` 只能二选一", "url"
        )
    fields = {str(name): _scalar(name, value) for name, value in body.items()}
    if encoded is not None:
        data, name = decode_base64(encoded), ""
    elif isinstance(address, str):
        data, name = fetch(address)
    else:
        raise because(UrlRefused, "it is not a string", "不是字符串", "url")
    if len(data) > settings.max_bytes:
        raise too_many_bytes(settings)
    return Received(data, hashlib.sha256(data).hexdigest(), name, fields)


def _scalar(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise UnknownOption(field=name[:60], name=name[:60], value=str(value)[:60], known="a string")
    return str(value)


def decode_base64(encoded: object) -> bytes:
    """The bytes of base64 text; a `data:` URL is fine, so are line breaks and the URL-safe alphabet. Raises BadBase64."""
    if not isinstance(encoded, str):
        raise BadBase64(field="image_base64")
    head = _DATA_URL.match(encoded)
    text = encoded[head.end() :] if head else encoded
    try:
        raw = "".join(text.split()).encode("ascii")
        if b"-" in raw or b"_" in raw:
            raw = raw.replace(b"-", b"+").replace(b"_", b"/")
        return base64.b64decode(raw + b"=" * (-len(raw) % 4 if not raw.endswith(b"=") else 0), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise BadBase64(field="image_base64") from None


def _read(stream: IO[bytes], settings: Settings, most: int | None = None) -> tuple[bytes, str]:
    """A stream's bytes and their SHA-256, hashed as they come; stops at `most` bytes, `max_bytes` unless given.

    Piece by piece to the end: reading all at once would take what lies below the limit for the whole.
    """
    most = most or settings.max_bytes
    digest, parts, total = hashlib.sha256(), [], 0
    while chunk := stream.read(_CHUNK):
        total += len(chunk)
        if total > most:
            raise too_many_bytes(settings)
        digest.update(chunk)
        parts.append(chunk)
    return b"".join(parts), digest.hexdigest()


def clean_name(name: str) -> str:
    """A file's name without folders and control characters, 200 characters at most."""
    base = re.split(r"[/\\]", name)[-1]
    return "".join(char for char in base if char.isprintable()).strip()[:_NAME_LENGTH]
