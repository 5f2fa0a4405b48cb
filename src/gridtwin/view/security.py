"""Who is let in: decided on the head of a request, before anything else sees it.

Any page that the user has open can send requests to 127.0.0.1, and a name of its own can be made to point there. So a
request must name this host (against DNS rebinding), come from this page if it says where it comes from, and carry the
cookie that only the printed address gives. What changes something must also carry the token of a form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from secrets import compare_digest
from types import MappingProxyType
from urllib.parse import parse_qs, parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridtwin.view.settings import Settings

__all__ = ["ALONE", "FORM", "MAX_BODY", "POLICY", "WITH_FORMS", "WITH_PLOTLY", "Guard", "Head", "refusal"]

MAX_BODY = 256 * 1024  # bytes; the largest form is a list of overrides
MAX_FIELDS = 50
FORM = "gridtwin.form"  # where the routes find the fields of a form, in the scope
POLICY = "Content-Security-Policy"
STRICT = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
WITH_PLOTLY = STRICT.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")  # it writes its own style elements
ALONE = (  # a page that brings its own scripts: shown apart from this one, which it cannot reach
    "sandbox allow-scripts allow-downloads allow-popups; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
WITH_FORMS = MappingProxyType({"Referrer-Policy": "same-origin"})  # no-referrer makes browsers send `Origin: null`
HEADERS = MappingProxyType(
    {
        POLICY: STRICT,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Cache-Control": "no-store",
    }
)


@dataclass(frozen=True, slots=True)
class Head:
    """What a request says before its body."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]  # names in lower case

    @classmethod
    def of(cls, scope: Scope) -> Head:
        """Read it from what the server passes on."""
        headers = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
        return cls(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), tuple(headers))

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for given, value in self.headers if given == name]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request gets no answer."""

    status: HTTPStatus
    reason: str

    def response(self) -> Response:
        """Return it as a page of plain text; the connection ends with it, so that no body is read any further."""
        told = f"{self.status.value} {self.status.phrase}: {self.reason}\n"
        return PlainTextResponse(told, self.status, {"Connection": "close"})


TOO_LARGE = Refusal(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request may have {MAX_BODY // 1024} KiB, a form needs no more"
)
NO_FORM = Refusal(
    HTTPStatus.FORBIDDEN, "this form was not sent from a page of this server, or from one before its start; reload it"
)


def refusal(head: Head, settings: Settings) -> Refusal | None:
    """Return why a request is refused, or None where it may go on. Looks at nothing but its head."""
    if any(not length.isdecimal() or int(length) > MAX_BODY for length in head.all("content-length")):
        return TOO_LARGE
    return _stranger(head, settings) or _method(head, settings)


def _stranger(head: Head, settings: Settings) -> Refusal | None:
    """Refuse who does not come from the page that the printed address gave."""
    host = head.all("host")
    if len(host) != 1 or host[0] not in settings.hosts:
        return Refusal(HTTPStatus.FORBIDDEN, f"this server answers to {' and '.join(settings.hosts)} only")
    if any(origin != f"http://{host[0]}" for origin in head.all("origin")):
        return Refusal(HTTPStatus.FORBIDDEN, "requests from other pages are not answered")
    if not (_known(head, settings) or token_fits(head, settings)):
        return Refusal(HTTPStatus.FORBIDDEN, "open the address that `gridtwin view` printed; it carries a token")
    return None


def _method(head: Head, settings: Settings) -> Refusal | None:
    """Refuse what changes something where nothing may be changed, or does not say where it comes from."""
    if head.method in {"GET", "HEAD"}:
        return None
    if head.method != "POST" or not settings.allow_run:
        told = "" if settings.allow_run else "; start `gridtwin view` with --allow-run to start runs here"
        return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"{head.method[:10]} is not answered here{told}")
    if not head.all("origin"):
        return Refusal(HTTPStatus.FORBIDDEN, "a form must say which page it comes from (Origin)")
    return None


def token_fits(head: Head, settings: Settings) -> bool:
    """Whether a request brings the token of the printed address."""
    if head.method != "GET" or head.path != "/":
        return False
    return any(_same(given, settings.token) for given in parse_qs(head.query).get("token", ()))


def _known(head: Head, settings: Settings) -> bool:
    """Whether a request brings the cookie."""
    pairs = (pair.strip().partition("=") for line in head.all("cookie") for pair in line.split(";"))
    return any(_same(value, settings.session) for name, _, value in pairs if name == settings.cookie)


def _same(given: str, secret: str) -> bool:
    """Compare in a time that tells nothing of where they differ."""
    return compare_digest(given.encode(), secret.encode())


def _fields(body: bytes) -> Mapping[str, str] | None:
    """Read a form, the last value of each field; None where it is none."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        return None


class Guard:
    """ASGI middleware that asks `refusal`, takes the token for a cookie, reads forms, and sets headers on every answer.

    Parameters
    ----------
    app : ASGI application
    settings : Settings
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            answer = await self._answer(scope, receive)
            await (answer or self._app)(scope, receive, _with_headers(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive) -> Response | None:
        """Return an answer where the application is not to be asked."""
        head = Head.of(scope)
        refused = refusal(head, self._settings)
        if refused is None and head.method == "POST":
            refused = await self._take_form(scope, receive)
        if refused is not None:
            return refused.response()
        return self._let_in() if token_fits(head, self._settings) else None

    async def _take_form(self, scope: Scope, receive: Receive) -> Refusal | None:
        """Read the fields of a form into the scope."""
        body = await _body(receive)
        if body is None:
            return TOO_LARGE
        fields = _fields(body)
        if fields is None or not _same(fields.get("form_token", ""), self._settings.form_token):
            return NO_FORM
        scope[FORM] = fields
        return None

    def _let_in(self) -> Response:
        """Give the cookie, and lead to an address without the token."""
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        answer.set_cookie(self._settings.cookie, self._settings.session, httponly=True, samesite="strict", path="/")
        return answer


async def _body(receive: Receive) -> bytes | None:
    """Read a body, whatever its length claims to be; None as soon as it is too long."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _with_headers(send: Send) -> Send:
    """Return a `send` that adds the headers of `HEADERS` which an answer does not set itself."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _unset(headers, HEADERS.items()):
                headers[name] = value
        await send(message)

    return wrapped


def _unset(headers: MutableHeaders, wanted: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return [(name, value) for name, value in wanted if name not in headers]
