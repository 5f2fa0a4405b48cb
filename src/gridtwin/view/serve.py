"""The page on 127.0.0.1, until somebody stops it."""

from __future__ import annotations

import signal
import socket
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import uvicorn

from gridtwin.errors import ResultsError, StoppedError, ViewError
from gridtwin.view.app import create_app
from gridtwin.view.settings import HOST, Settings
from gridtwin.view.workspace import Workspace

__all__ = ["serve"]

Say = Callable[[str], None]
BROWSER_AFTER_S = 0.5


def serve(
    runs_dir: Path,
    port: int = 0,
    say: Say = print,
    *,
    allow_run: bool = False,
    scenarios_dir: Path | None = None,
    browser: bool = True,
) -> None:
    """Serve the page over a folder of runs until an interrupt.

    Parameters
    ----------
    runs_dir : Path
    port : int
        Of 127.0.0.1; 0 takes a free one.
    say : callable
        Told the address, and at the end what was interrupted.
    allow_run : bool
        Whether runs may be started; the folder is made if it is not there.
    scenarios_dir : Path, optional
        Of further scenarios to start.
    browser : bool
        Whether to open one, where there is one.

    Raises
    ------
    ResultsError
        If there is no such folder.
    ViewError
        If the port is taken.
    StoppedError
        If runs were going on; it says how to resume them.
    """
    _require_folders(runs_dir, scenarios_dir, allow_run=allow_run)
    with _listening(port) as listener:
        settings = Settings(runs_dir, listener.getsockname()[1], allow_run, scenarios_dir)
        app = create_app(settings)
        workspace: Workspace = app.state.workspace
        server = _Server(
            uvicorn.Config(
                app, log_level="warning", access_log=False, server_header=False, date_header=False, lifespan="off",
                ws="none", proxy_headers=False, timeout_graceful_shutdown=3,
            )
        )  # fmt: skip
        say(f"open {settings.address}")
        say(f"{'runs can be started here' if allow_run else 'read-only'}; stop with Ctrl-C")
        if browser:
            _open_later(settings.address)
        try:
            server.run(sockets=[listener])
        finally:
            interrupted = workspace.queue.close(say=say)
    if interrupted:
        places = [runs_dir / started.run_id for started in interrupted]
        raise StoppedError(
            "interrupted; what is done is kept; go on with: "
            + "; ".join(f"gridtwin resume {place}" for place in places)
        )


class _Server(uvicorn.Server):
    """A server that Ctrl-C and SIGTERM end in order; uvicorn's own is killed by SIGTERM before runs can be stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take both signals down while the server runs."""
        before = {kind: signal.signal(kind, self.handle_exit) for kind in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)


def _require_folders(runs_dir: Path, scenarios_dir: Path | None, *, allow_run: bool) -> None:
    if allow_run:
        runs_dir.mkdir(parents=True, exist_ok=True)
    for folder, what in ((runs_dir, "runs"), (scenarios_dir, "scenarios")):
        if folder is not None and not folder.is_dir():
            hint = "; make a run first: gridtwin run rts_gmlc_day" if what == "runs" else ""
            raise ResultsError(f"{folder}: expected a folder of {what}, there is none{hint}")


def _listening(port: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1 and nowhere else."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()  # from now on the address that is printed answers, if only when the server is up
    except OSError as error:
        listener.close()
        raise ViewError(
            f"port {port} of {HOST} cannot be used ({error.strerror}); take another with --port, or 0 for a free one"
        ) from error
    return listener


def _open_later(address: str) -> None:
    """Open a browser once the server answers; where there is none, the printed address is enough."""

    def show() -> None:
        try:
            webbrowser.open(address)
        except (webbrowser.Error, OSError):
            return

    timer = Timer(BROWSER_AFTER_S, show)
    timer.daemon = True
    timer.start()
