"""/openapi.json, made from the code, and /docs, the same as a page that needs nothing from elsewhere."""

from __future__ import annotations

import functools
import json
import re
from typing import Any, cast

from apiflask import APIBlueprint, APIFlask
from flask import Response, render_template_string, request
from markupsafe import Markup, escape

from api.schemas import Problem, Upload

_DESCRIPTION = (
    "Text out of pictures, scans and PDF. A document handed in becomes a job; its pages are read by a fleet of workers; "
    "the result is asked for by the job's id. Errors are problem documents (RFC 9457) in English and Chinese."
)
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "PNG, JPEG, BMP, TIFF, WebP, GIF or PDF."}
    },
}
_TAGS = ("Jobs", "Results", "Guide", "Health")
_OPTIONS = ("lang", "engine", "layout", "preprocess", "fold", "pictures", "pages", "priority")
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { margin: 0 0 .5rem; } h2 { margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; }
summary { padding: .5rem .75rem; cursor: pointer; overflow-wrap: anywhere; }
details > div { padding: 0 .75rem .75rem; overflow-x: auto; }
code, pre { font: 14px/1.45 ui-monospace, monospace; } pre { background: var(--soft); padding: .75rem; border-radius: .5rem; overflow-x: auto; }
.method { display: inline-block; min-width: 4.2rem; font-weight: 700; } .quiet { opacity: .75; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-top: 1px solid var(--line); }
"""
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{{ info.title }} API</title>
<link rel="stylesheet" href="/docs.css"></head><body>
<h1>{{ info.title }} API <small class="quiet">{{ info.version }}</small></h1><p>{{ info.description | words }}</p>
<p><a href="/openapi.json">/openapi.json</a> · <a href="/">the page</a></p>
<pre>curl -F file=@receipt.jpg {{ root }}v1/jobs
curl '{{ root }}v1/jobs/ID?wait=20'
curl '{{ root }}v1/jobs/ID/result?format=text'</pre>
{% for tag, operations in groups.items() %}<h2>{{ tag }}</h2>{% for one in operations %}
<details id="{{ one.id }}"><summary><span class="method">{{ one.method }}</span> <code>{{ one.path }}</code>
<span class="quiet">{{ one.summary }}</span></summary><div>
{% if one.description %}<p>{{ one.description | words }}</p>{% endif %}
{% if one.parameters %}<table><tr><th>parameter<th>in<th>type<th>meaning</tr>{% for row in one.parameters %}
<tr><td><code>{{ row.name }}</code>{% if row.required %} *{% endif %}<td>{{ row.place }}<td>{{ row.type }}<td>{{ row.meaning | words }}</tr>{% endfor %}</table>{% endif %}
{% if one.bodies %}<table><tr><th>body<th>shape</tr>{% for row in one.bodies %}<tr><td>{{ row.kind }}<td>{{ row.shape }}</tr>{% endfor %}</table>{% endif %}
<table><tr><th>answer<th>meaning<th>shape</tr>{% for row in one.answers %}
<tr><td>{{ row.status }}<td>{{ row.meaning | words }}<td>{{ row.shape }}</tr>{% endfor %}</table></div></details>{% endfor %}{% endfor %}
<h2>Shapes</h2>{% for name, shape in shapes.items() %}<details id="shape-{{ name }}"><summary><code>{{ name }}</code>
<span class="quiet">{{ shape.about | words }}</span></summary><div><pre>{{ shape.json }}</pre></div></details>{% endfor %}
</body></html>"""


def blueprint(app: APIFlask) -> APIBlueprint:
    """The routes; the document is made on the first request for it."""
    app.config |= {
        "OPENAPI_VERSION": "3.1.0",
        "AUTO_SERVERS": False,
        "AUTO_404_RESPONSE": False,
        "AUTO_OPERATION_ID": True,
    }
    app.config |= {"AUTO_VALIDATION_ERROR_RESPONSE": False, "AUTO_AUTH_ERROR_RESPONSE": False}
    app.description = _DESCRIPTION
    app.license = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    app.security_schemes = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    app.spec_processor(_complete)
    bp = APIBlueprint("docs", __name__, enable_openapi=False)

    @functools.cache
    def document() -> str:
        return json.dumps(specification(app), ensure_ascii=False)

    @functools.cache
    def values() -> dict[str, Any]:
        return _page_values(json.loads(document()))

    app.add_template_filter(_words, "words")

    @bp.get("/openapi.json")
    def openapi() -> Response:
        return Response(document(), content_type="application/json", headers={"Cache-Control": "no-cache"})

    @bp.get("/docs")
    def shown() -> Response:
        page = render_template_string(_PAGE, **values(), root=request.url_root)
        return Response(page, content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"})

    @bp.get("/docs.css")
    def style() -> Response:
        return Response(_STYLE, content_type="text/css", headers={"Cache-Control": "no-cache"})

    return bp


def specification(app: APIFlask) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    return cast("dict[str, Any]", app.spec)


def _complete(spec: dict[str, Any] | str) -> dict[str, Any]:
    """What the decorators cannot say: the bodies that a document may come in, and that a key may be needed."""
    assert isinstance(spec, dict)
    shapes = spec["components"]["schemas"]
    shapes |= {"Upload": Upload.model_json_schema(), "Problem": Problem.model_json_schema()}
    options = {name: shapes["Upload"]["properties"][name] for name in _OPTIONS}
    form = {**_FORM, "properties": {**_FORM["properties"], **options}}  # type: ignore[dict-item]
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": {"$ref": "#/components/schemas/Upload"}},
        "application/octet-stream": binary,
        "image/*": binary,
        "application/pdf": binary,
    }
    for path in ("/v1/jobs", "/api/ocr"):
        spec["paths"][path]["post"]["requestBody"] = {"required": True, "content": content}
    accept = spec["paths"]["/v1/jobs"]["post"]
    accept["parameters"] = [
        *accept.get("parameters", []),
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "maxLength": 255},
            "description": "The same key with the same document answers the same job.",
        },
    ]
    for path, operations in spec["paths"].items():
        if path.startswith(("/v1/", "/api/")):
            for operation in operations.values():
                operation["security"] = [{}, {"bearer": []}, {"key": []}]
    return spec


def _page_values(spec: dict[str, Any]) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {tag: [] for tag in _TAGS}
    for path, operations in sorted(spec["paths"].items(), key=lambda item: (item[0].count("/"), item[0])):
        for method, operation in sorted(operations.items(), reverse=True):
            row = {
                "id": operation["operationId"],
                "method": method.upper(),
                "path": path,
                "summary": operation.get("summary", ""),
                "description": operation.get("description", ""),
                "parameters": [_parameter(one) for one in operation.get("parameters", [])],
                "bodies": [
                    {"kind": kind, "shape": _shape(one["schema"])}
                    for kind, one in operation.get("requestBody", {}).get("content", {}).items()
                ],
                "answers": [_answer(status, one) for status, one in sorted(operation["responses"].items())],
            }
            groups.setdefault(operation["tags"][0], []).append(row)
    shapes = {
        name: {
            "about": shape.get("description", ""),
            "json": json.dumps(shape, ensure_ascii=False, indent=2),
        }
        for name, shape in sorted(spec["components"]["schemas"].items())
    }
    return {"info": spec["info"], "groups": groups, "shapes": shapes}


def _words(text: str) -> Markup:
    """A sentence with its `names` set as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _parameter(one: dict[str, Any]) -> dict[str, Any]:
    schema = one.get("schema", {})
    meaning = one.get("description") or schema.get("description", "")
    return {
        "name": one["name"],
        "place": one["in"],
        "required": one.get("required"),
        "type": _shape(schema),
        "meaning": meaning,
    }


def _answer(status: str, one: dict[str, Any]) -> dict[str, str]:
    shapes = [_shape(content.get("schema", {})) for content in one.get("content", {}).values()]
    return {"status": status, "meaning": one.get("description", ""), "shape": ", ".join(filter(None, shapes))}


def _shape(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(_shape(one) for one in schema["anyOf"])
    if schema.get("type") == "object" and schema.get("properties"):
        return "form: " + ", ".join(schema["properties"])
    return str(schema.get("format") or schema.get("type", ""))
