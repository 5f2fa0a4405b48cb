"""Who is let in, and what no answer gives away."""

import json
import shutil
import socket
from pathlib import Path
from urllib.parse import quote

import pytest

from gridtwin.view.security import MAX_BODY, Head, refusal
from gridtwin.view.settings import HOST, Settings

MB = 1_000_000


def head(method="GET", path="/", query="", **headers):
    return Head(method, path, query, tuple((name.replace("_", "-"), value) for name, value in headers.items()))


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path, 8765)


def status(asked, settings):
    refused = refusal(asked, settings)
    return refused.status if refused else None


def known(settings, **headers):
    return {"host": f"{HOST}:8765", "cookie": f"{settings.cookie}={settings.session}", **headers}


def test_with_the_cookie_it_goes_on(settings):
    assert status(head(**known(settings)), settings) is None
    assert status(head(**known(settings, host="localhost:8765")), settings) is None
    assert status(head(**known(settings, origin=f"http://{HOST}:8765")), settings) is None
    assert status(head(**known(settings, cookie=f"a=b; {settings.cookie}={settings.session}; c")), settings) is None


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8766", "localhost", "127.0.0.1:8765.evil.example",
        "127.0.0.1:8765@evil.example", "evil.example:8765", "[::1]:8765", "0.0.0.0:8765",
        "127.1:8765", "2130706433:8765",
        "LOCALHOST:8765 ", "localhost.:8765", "127.0.0.1:08765",
    ],
)  # fmt: skip
def test_another_host_is_refused(settings, host):
    assert status(head(**known(settings, host=host)), settings) == 403


def test_two_hosts_are_refused(settings):
    asked = head(**known(settings))
    doubled = Head("GET", "/", "", (*asked.headers, ("host", f"{HOST}:8765")))
    assert status(doubled, settings) == 403
    assert status(Head("GET", "/", "", asked.headers[1:]), settings) == 403


@pytest.mark.parametrize(
    "origin",
    [
        "null", "http://evil.example", "https://127.0.0.1:8765", "http://127.0.0.1", "http://127.0.0.1:8766",
        "http://localhost:8765", "http://127.0.0.1:8765/", "http://127.0.0.1:8765.evil.example", "file://", "",
    ],
)  # fmt: skip
def test_another_origin_is_refused(settings, origin):
    assert status(head(**known(settings, origin=origin)), settings) == 403
    allowed = Settings(settings.runs_dir, settings.port, allow_run=True)
    assert status(head("POST", "/start", **known(allowed, origin=origin)), allowed) == 403


@pytest.mark.parametrize(
    "cookie", ["", "x", "gridtwin_8765=", "gridtwin_8765=wrong", "gridtwin_1={}", "gridtwin_8765={}x"]
)
def test_without_the_cookie_it_is_refused(settings, cookie):
    assert status(head(**known(settings, cookie=cookie.format(settings.session))), settings) == 403
    assert status(head(host=f"{HOST}:8765"), settings) == 403


def test_only_the_token_itself_lets_in(settings):
    asked = {"host": f"{HOST}:8765"}
    assert status(head(query=f"token={settings.token}", **asked), settings) is None
    for query in (
        "token=",
        "token=wrong",
        f"token={settings.token}x",
        f"token={settings.session}",
        f"t={settings.token}",
        "token=%ff",
    ):
        assert status(head(query=query, **asked), settings) == 403
    assert status(head(path="/start", query=f"token={settings.token}", **asked), settings) == 403
    assert status(head("POST", query=f"token={settings.token}", **asked), settings) == 403


def test_secrets_differ_and_are_not_shown(settings):
    other = Settings(settings.runs_dir, settings.port)
    assert (
        len({settings.token, settings.session, settings.form_token, other.token, other.session, other.form_token}) == 6
    )
    assert settings.token not in repr(settings)
    assert len(settings.token) >= 40


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "X" * 500])
def test_read_only_means_that_nothing_but_reading_is_answered(settings, method):
    assert status(head(method, **known(settings, origin=f"http://{HOST}:8765")), settings) == 405


def test_a_form_must_say_where_it_comes_from(settings):
    allowed = Settings(settings.runs_dir, settings.port, allow_run=True)
    assert status(head("POST", "/start", **known(allowed)), allowed) == 403
    assert status(head("POST", "/start", **known(allowed, origin=f"http://{HOST}:8765")), allowed) is None
    assert status(head("PUT", "/start", **known(allowed, origin=f"http://{HOST}:8765")), allowed) == 405


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), str(100 * MB), "-1", "x", "1e9", "9" * 40])
def test_a_body_that_says_it_is_too_long_is_refused_unread(settings, length):
    assert status(head("POST", **known(settings, content_length=length)), settings) == 413


# --- on the wire ------------------------------------------------------------------------------------------------------


def test_the_token_is_taken_for_a_cookie_and_leaves_the_address(serve, few_runs):
    page = serve(few_runs)
    answer = page.get(f"/?token={page.settings.token}")
    assert answer.status == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/"))
    assert page.settings.token not in answer.headers["set-cookie"]
    let_in = page.get("/", Cookie=answer.headers["set-cookie"].partition(";")[0])
    assert let_in.status == 200
    assert page.settings.token not in let_in.text


@pytest.mark.parametrize("path", ["/", "/static/view.css", "/static/plotly.js", "/nothing", "/runs/x", "/?token=wrong"])
def test_without_token_nothing_is_told(serve, few_runs, path):
    answer = serve(few_runs).get(path)
    assert answer.status == 403
    assert "gridtwin view" in answer.text
    assert "outputs" not in answer.text


def test_a_foreign_host_or_origin_is_refused_on_the_wire(page):
    assert page.ask("GET", "/", {"Host": "evil.example"}).status == 403
    assert page.ask("GET", "/", {"Host": f"evil.example:{page.settings.port}"}).status == 403
    assert page.get("/", Origin="http://evil.example").status == 403
    assert page.get("/").status == 200
    assert page.ask("GET", f"http://evil.example:{page.settings.port}/", {}).status == 404


def test_it_listens_on_this_machine_alone(page):
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", page.settings.port)) != 0  # this machine too, but another address of it


@pytest.mark.parametrize("path", ["/", "/nothing", "/runs/nothing", "/static/view.js", "/?page=x"])
def test_every_answer_carries_the_headers(page, path):
    headers = page.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "style-src 'self';" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == ("private, max-age=3600" if path.startswith("/static") else "no-store")


def test_a_page_with_forms_lets_the_browser_say_where_they_come_from(serve, few_runs):
    answer = serve(few_runs, allow_run=True).enter().get("/start")
    assert answer.headers["referrer-policy"] == "same-origin"  # with no-referrer browsers send `Origin: null`


def test_refusals_carry_them_too(serve, few_runs):
    assert serve(few_runs).get("/").headers["content-security-policy"].startswith("default-src 'self'")


def test_the_report_runs_apart_from_the_page(page, run_id):
    policy = page.get(f"/runs/{run_id}/report").headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy


def test_no_page_has_a_script_or_style_in_itself(page, run_id):
    for path in ("/", f"/runs/{run_id}", f"/runs/{run_id}/map", f"/runs/{run_id}/figures", f"/runs/{run_id}/sites/0"):
        text = page.get(path).text
        assert all('src="/static/' in part or 'type="application/json"' in part for part in text.split("<script")[1:])
        assert " style=" not in text
        assert "<style" not in text
        assert not any(f" on{event}=" in text for event in ("click", "load", "error", "input", "change"))


# --- large bodies -----------------------------------------------------------------------------------------------------


def send(page, head_lines, chunks=()):
    """Send a raw request; returns the first line of the answer and the bytes that were taken."""
    taken = 0
    with socket.create_connection((HOST, page.settings.port), timeout=30) as wire:
        cookie = f"{page.settings.cookie}={page.settings.session}"
        fixed = [
            "POST /start HTTP/1.1",
            f"Host: {HOST}:{page.settings.port}",
            f"Origin: {page.address}",
            f"Cookie: {cookie}",
        ]
        wire.sendall("\r\n".join([*fixed, *head_lines, "", ""]).encode())
        try:
            for chunk in chunks:
                wire.sendall(chunk)
                taken += len(chunk)
        except OSError:
            pass
        wire.settimeout(30)
        try:
            return wire.recv(200).split(b"\r\n")[0].decode(), taken
        except ConnectionResetError:
            return "reset", taken


def chunked(count, size=64 * 1024):
    return (b"%x\r\n" % size + b"a" * size + b"\r\n" for _ in range(count))


def test_a_hundred_megabytes_are_refused_unread(serve, few_runs):
    page = serve(few_runs, allow_run=True)
    first, _ = send(page, [f"Content-Length: {100 * MB}"])
    assert " 413 " in first
    assert page.enter().get("/").status == 200


def test_a_hundred_megabytes_in_chunks_are_not_read_either(serve, few_runs):
    page = serve(few_runs, allow_run=True)
    first, taken = send(page, ["Transfer-Encoding: chunked"], chunked(100 * MB // (64 * 1024)))
    assert " 413 " in first
    assert taken < 20 * MB
    first, _ = send(page, ["Transfer-Encoding: chunked"], chunked(5))
    assert " 413 " in first
    assert page.enter().get("/").status == 200


def test_a_hundred_megabytes_are_refused_where_nothing_may_be_changed(serve, few_runs):
    first, _ = send(serve(few_runs), [f"Content-Length: {100 * MB}"])
    assert " 413 " in first


# --- forms ------------------------------------------------------------------------------------------------------------


def test_a_form_needs_its_token(serve, few_runs):
    page = serve(few_runs, allow_run=True).enter()
    fields = {"scenario": "none such"}
    assert page.post("/start", **fields).status == 404
    assert page.post("/start", form_token="", **fields).status == 403
    assert page.post("/start", form_token="wrong", **fields).status == 403
    assert page.post("/start", origin=None, **fields).status == 403
    assert page.post("/start", origin="http://evil.example", **fields).status == 403
    assert page.ask("POST", "/start", {"Origin": page.address}, b"\xff\xfe=\x00").status == 403
    assert page.ask("POST", "/start", {"Origin": page.address}, b"a=1&" * 100).status == 403


def test_a_read_only_page_takes_no_form(page, run_id):
    for path in ("/start", f"/runs/{run_id}/resume", "/activity/1/stop"):
        answer = page.post(path)
        assert answer.status == 405
        assert "--allow-run" in answer.text
    assert page.get("/start").status == 404
    assert page.get("/activity").status == 404


# --- paths ------------------------------------------------------------------------------------------------------------

SECRET = "SECRET-7c1d"
ESCAPES = [
    "../secret", "..%2fsecret", "%2e%2e/secret", "%2e%2e%2fsecret", "%252e%252e%252fsecret", "..%252fsecret",
    "..%5csecret", "..\\secret", "%2e%2e%5csecret", "....//secret", "..;/secret", "./secret", "%2fetc%2fpasswd",
    "/etc/passwd", "//etc/passwd", "file:///etc/passwd", "%2e", "%2e%2e", "..", ".", "%00", "secret%00", "..%00/secret",
    "..%c0%afsecret", "%c0%ae%c0%ae/secret", "%u002e%u002e/secret", "\u2024\u2024/secret", "..\u2215secret",
    "\uff0e\uff0e\uff0fsecret", "~/secret", "~root", "C:%5cWindows", "secret", "leads_out", "leads_out/inputs",
    "a" * 5000,
    "%20", "*", "[a-z]*", "secret.txt", ".hidden", "%0d%0aSet-Cookie:%20a=b", "outputs", "{run_id}/../../secret",
    "{run_id}%2f..%2f..%2fsecret", "{run_id}/files/..%2f..%2f..%2fsecret%2fsummary.json",
    "{run_id}/files/%2e%2e/%2e%2e/secret", "{run_id}/files/inputs%2frun.json", "{run_id}/files//etc/passwd",
    "{run_id}/files/journal.jsonl", "{run_id}/figures/..%2f..", "{run_id}/steps/..%2f/0", "{run_id}/export/..%2f",
]  # fmt: skip


@pytest.fixture(scope="module")
def beside_secrets(tmp_path_factory, pocket_run):
    """A folder of runs with a run beside it that holds a secret, and links that lead there."""
    top = tmp_path_factory.mktemp("beside")
    outputs = top / "outputs"
    source = pocket_run("co_dispatch").path
    shutil.copytree(source, outputs / source.name)
    secret = top / "secret"
    shutil.copytree(source, secret)
    summary = json.loads((secret / "summary.json").read_text())
    (secret / "summary.json").write_text(json.dumps(summary | {"scenario": SECRET}))
    (outputs / "leads_out").symlink_to(secret, target_is_directory=True)
    inner = outputs / "linked_file_20200101T000000"
    shutil.copytree(source, inner)
    (inner / "results.nc").unlink()
    (inner / "results.nc").symlink_to(secret / "summary.json")
    (outputs / ".hidden").mkdir()
    return outputs


@pytest.fixture(scope="module")
def beside(serve, beside_secrets):
    return serve(beside_secrets).enter()


@pytest.mark.parametrize("spelling", ESCAPES)
def test_a_path_that_leads_out_leads_nowhere(beside, beside_secrets, spelling):
    page = beside
    run = next(path.name for path in beside_secrets.iterdir() if "co_dispatch" in path.name)
    given = quote(spelling.replace("{run_id}", run), safe="%/\\:;*[]~.")
    for path in (f"/runs/{given}", f"/runs/{given}/files/summary.json"):
        answer = page.get(path)
        assert answer.status in {400, 404}, path
        tells_nothing(answer, beside_secrets)


def test_links_are_named_and_not_entered(beside):
    page = beside
    listed = page.get("/").text
    assert SECRET not in listed
    assert "links may lead out of the folder: leads_out" in listed
    for part in ("", "/files/results.nc", "/map", "/export/netcdf"):
        answer = page.get(f"/runs/linked_file_20200101T000000{part}")
        assert SECRET not in answer.text
        assert answer.status in {200, 404, 409}
    assert "is a link" in page.get("/runs/linked_file_20200101T000000").text


def tells_nothing(answer, folder):
    text = answer.text
    assert SECRET not in text
    assert "root:" not in text
    assert "Traceback" not in text
    assert str(folder) not in text
    assert str(folder.parent) not in text
    assert f"{Path.home()}/" not in text


def test_a_fault_of_ours_shows_neither_traceback_nor_path(serve, few_runs, monkeypatch):
    page = serve(few_runs).enter()

    def broken():
        raise RuntimeError(f"secret of {few_runs}")

    monkeypatch.setattr(page.app.state.workspace.folder, "runs", broken)
    answer = page.get("/")
    assert answer.status == 500
    assert "internal error" in answer.text
    assert "RuntimeError" not in answer.text
    tells_nothing(answer, few_runs)


def test_an_altered_run_is_told_without_its_path(serve, few_runs, run_id, tmp_path):
    shutil.copytree(few_runs / run_id, tmp_path / "outputs" / run_id)
    (tmp_path / "outputs" / run_id / "results.nc").write_bytes(b"no netCDF")
    page = serve(tmp_path / "outputs").enter()
    answer = page.get(f"/runs/{run_id}/map")
    assert answer.status == 422
    assert "cannot be read as netCDF" in answer.text
    assert f"outputs/{run_id}/results.nc" in answer.text
    tells_nothing(answer, tmp_path)
