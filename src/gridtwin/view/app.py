"""The application: routes, the guard before them, and error pages that tell nothing of the machine."""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gridtwin.errors import GridtwinError, ViewError
from gridtwin.view.routes import ROUTERS
from gridtwin.view.security import Guard
from gridtwin.view.settings import Settings
from gridtwin.view.workspace import Workspace

__all__ = ["create_app"]

LOG = logging.getLogger(__name__)
NOWHERE = "there is nothing at this address"


def create_app(settings: Settings) -> FastAPI:
    """Return the web application over one folder of runs.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    FastAPI
        With the workspace as `app.state.workspace`; whoever serves it closes that one's queue at the end.
    """
    app = FastAPI(title="gridtwin", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.workspace = Workspace(settings)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(Guard, settings=settings)
    app.add_exception_handler(HTTPException, _not_answered)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(GridtwinError, _refused)
    app.add_exception_handler(Exception, _broken)
    return app


def _not_answered(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    return _page(request, error.status_code, NOWHERE if error.detail == phrase else error.detail)


def _not_understood(request: Request, error: Exception) -> Response:
    """Answer an address or form whose parts are none of those expected; what was given is not repeated."""
    assert isinstance(error, RequestValidationError)
    if any(fault["loc"][0] == "path" for fault in error.errors()):
        return _page(request, HTTPStatus.NOT_FOUND, NOWHERE)
    fields = sorted({str(fault["loc"][-1]) for fault in error.errors()})
    return _page(request, HTTPStatus.BAD_REQUEST, f"not understood: {', '.join(fields)}")


def _refused(request: Request, error: Exception) -> Response:
    return _page(
        request, HTTPStatus.CONFLICT if isinstance(error, ViewError) else HTTPStatus.UNPROCESSABLE_ENTITY, error
    )


def _broken(request: Request, error: Exception) -> Response:
    LOG.error("%s %s", request.method, request.url.path, exc_info=error)
    return _page(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal error: this is a fault of gridtwin; the terminal says more, please report it with the lines there",
    )


def _page(request: Request, status: int, message: object) -> Response:
    workspace: Workspace = request.app.state.workspace
    status = HTTPStatus(status)
    return workspace.page(
        request, "error.html", status, title=f"{status.value} {status.phrase}", message=workspace.told(message)
    )
