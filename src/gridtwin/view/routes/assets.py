"""Scripts and styles: files of the package, found by name in a fixed list."""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

__all__ = ["cached", "router"]

router = APIRouter(prefix="/static")
HOUR = "private, max-age=3600"
TYPES = MappingProxyType({".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"})
COMPRESSED_FROM = 10_000  # bytes


@router.get("/{name}")
def asset(request: Request, name: str) -> Response:
    """Give one of the files of the page."""
    places = _places()
    if name not in places:
        raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such file")
    content, tag = _content(places[name])
    return cached(request, content, TYPES[Path(name).suffix], tag)


def cached(request: Request, content: bytes, media_type: str, tag: str) -> Response:
    """Return bytes that the browser may keep: it asks again after an hour, and gets 304 while `tag` is the same."""
    headers = {"ETag": f'"{tag}"', "Cache-Control": HOUR, "Vary": "Accept-Encoding"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if len(content) >= COMPRESSED_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["Content-Encoding"] = gzip.compress(content, 3), "gzip"
    return Response(content, media_type=media_type, headers=headers)


@cache
def _places() -> dict[str, Path]:
    """Return the path of each file by its name."""
    own = Path(str(files("gridtwin.view"))) / "static"
    plotly = Path(str(files("plotly"))) / "package_data" / "plotly.min.js"
    drawing = Path(str(files("gridtwin.report"))) / "assets" / "figures.js"
    shared = {"plotly.js": plotly, "figures.js": drawing}
    return {path.name: path for path in own.iterdir() if path.suffix in TYPES} | shared


@cache
def _content(path: Path) -> tuple[bytes, str]:
    content = path.read_bytes()
    return content, sha256(content).hexdigest()[:20]
