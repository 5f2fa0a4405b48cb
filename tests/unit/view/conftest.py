"""Servers over copies of small runs, and a client that sends exactly what it is told to."""

import http.client
import shutil
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
import uvicorn

from gridtwin.view.app import create_app
from gridtwin.view.settings import HOST, Settings


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Page:
    """One server and its cookie."""

    settings: Settings
    app: object
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.settings.port}"

    @property
    def queue(self):
        return self.app.state.workspace.queue

    def enter(self) -> "Page":
        cookie = f"{self.settings.cookie}={self.settings.session}"
        return Page(self.settings, self.app, {"Cookie": cookie})

    def ask(self, method: str, path: str, headers: dict[str, str | None] | None = None, body: bytes | None = None):
        """Send a request with the path as it is written here; a header of None is left out."""
        sent = {"Host": f"{HOST}:{self.settings.port}", **self.headers, **(headers or {})}
        connection = http.client.HTTPConnection(HOST, self.settings.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            if body is not None and "Content-Length" not in sent:
                sent["Content-Length"] = str(len(body))
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers)

    def post(self, path: str, origin: str | None = "own", **fields: str) -> Answer:
        form = {"form_token": self.settings.form_token, **fields}
        return self.ask("POST", path, {"Origin": self.address if origin == "own" else origin}, urlencode(form).encode())


@pytest.fixture(scope="module")
def serve():
    """Return a function that serves the page over a folder, until the tests of a module end."""
    ends = []

    def start(runs_dir, **options) -> Page:
        listener = socket.socket()
        listener.bind((HOST, 0))
        settings = Settings(runs_dir, listener.getsockname()[1], **options)
        app = create_app(settings)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
        server.capture_signals = quiet
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        ends.append((server, thread, app, listener))
        while not server.started:
            thread.join(0.01)
        return Page(settings, app)

    yield start
    for server, thread, app, listener in ends:
        server.should_exit = True
        thread.join(20)
        listener.close()
        app.state.workspace.queue.close(patience_s=0.5)


@contextmanager
def quiet():
    yield


@pytest.fixture(scope="session")
def few_runs(pocket_run, tmp_path_factory):
    """A folder with two finished runs; nobody writes into it."""
    folder = tmp_path_factory.mktemp("view") / "outputs"
    for policy in ("asap", "co_dispatch"):
        path = pocket_run(policy).path
        shutil.copytree(path, folder / path.name)
    return folder


@pytest.fixture(scope="module")
def page(serve, few_runs) -> Page:
    """The page over `few_runs`, read-only, let in."""
    return serve(few_runs).enter()


@pytest.fixture(scope="session")
def run_id(few_runs) -> str:
    """Name of the finished run under `co_dispatch`."""
    return next(path.name for path in few_runs.iterdir() if "co_dispatch" in path.name)
