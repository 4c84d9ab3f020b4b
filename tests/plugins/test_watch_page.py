"""`ganzoo watch`: the page of a run, served while it trains; to whom, and nothing else."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import threading
from contextlib import contextmanager

import pytest
from support.browser import Watched as Opened
from support.browser import chromium
from support.command_line import cli, refusal

import ganzoo
from ganzoo.api import UsageError

pytest.importorskip("plotly", reason="the extra report is not installed")


@contextmanager
def serving(path, host="127.0.0.1"):
    """A server of a run's page, which looks at the run each time; its port."""
    from ganzoo_report.watch import Watched, server

    served = server(Watched(path, rest=0), host, 0)
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served.server_address[1]
    finally:
        served.shutdown()
        thread.join()
        served.server_close()


@pytest.fixture
def run(finished, tmp_path):
    shutil.copytree(finished.path, tmp_path / "run")
    return ganzoo.Run.open(tmp_path / "run")


def ask(port: int, path: str, host: str | None = None, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"127.0.0.1:{port}")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_only_the_page_is_served(run):
    (run.path / "secret.txt").write_text("secret")
    with serving(run.path) as port:
        assert ask(port, "/")[0] == 200
        files = ("secret.txt", "run.json", "samples/epoch-0001.png", "../run.json", "%2e%2e/run.json", "..%2frun.json")
        for path in (
            *(f"/{file}" for file in files),
            *(f"/picture/{file}" for file in files),
            "//etc/passwd",
            "/picture/",
        ):
            assert ask(port, path) == (404, b"There is nothing here."), path
        assert ask(port, "/", method="POST")[0] == 501
        assert ask(port, "/", method="HEAD") == (200, b"")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1"]
)
def test_foreign_hosts_are_refused(run, host):
    with serving(run.path) as port:
        for path in ("/", "/version", "/charts.js"):
            assert ask(port, path, host)[0] == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:9000", "127.0.0.1:1", "[::1]:8731"])
def test_names_of_this_machine_are_served(run, host):
    """Whatever the port: ssh forwards one to another."""
    with serving(run.path) as port:
        assert ask(port, "/version", host)[0] == 200


def test_listening_elsewhere_serves_addresses_and_no_foreign_names(run):
    with serving(run.path, "0.0.0.0") as port:
        assert ask(port, "/version", "192.168.0.7:8731")[0] == 200
        assert ask(port, "/version", "evil.example")[0] == 403


def test_it_listens_to_this_machine_alone_unless_told(run):
    from ganzoo_report.commands import watch

    assert next(each for each in watch.params if each.name == "host").default == "127.0.0.1"


def test_the_version_changes_when_the_run_goes_on(run):
    with serving(run.path) as port:
        before = ask(port, "/version")[1]
        assert ask(port, "/version")[1] == before
        with (run.path / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"step": 7, "epoch": 2, "images": 112, "loss/D": 0.5}) + "\n")
        assert ask(port, "/version")[1] != before
        assert b'"images":[' in ask(port, "/")[1]
        shutil.rmtree(run.path)
        status, said = ask(port, "/")
        assert status == 503
        assert b"is not a run folder" in said


def test_a_port_that_is_taken(run, monkeypatch):
    from ganzoo_report import watch

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(watch.Watched, "page", lambda watched: pytest.fail("the page was made before the refusal"))
        assert f"Port {port} is taken by another program; leave --port out" in refusal(
            cli("watch", run.path, "--port", port)
        )
        monkeypatch.setattr(watch, "PORT", port)
        monkeypatch.setattr(watch, "TRIED", 1)
        with pytest.raises(UsageError, match="are all taken; say a free one, such as --port 0"):
            watch.serve(run, "127.0.0.1", None, print)
        monkeypatch.setattr(watch, "TRIED", 20)
        with watch._listening(None, "127.0.0.1", None) as served:
            assert port < served.server_address[1] < port + 20


def test_an_address_of_no_machine_here(run):
    assert "--host 203.0.113.7 is no address of this machine" in refusal(
        cli("watch", run.path, "--host", "203.0.113.7")
    )


def test_the_newest_run_is_taken(train):
    from ganzoo_report.watch import newest

    with pytest.raises(UsageError, match="There are no runs in runs"):
        newest()
    train(out="runs/b")
    last = train(out="runs/a")
    assert newest().path == last.path


def test_a_run_that_is_gone_is_said_on_the_page(run):
    with chromium() as browser, serving(run.path) as port:
        page = Opened(browser, f"http://127.0.0.1:{port}/").page
        assert "the run is finished" in page.inner_text("footer")
        shutil.rmtree(run.path)
        page.wait_for_selector("footer:has-text('is not a run folder')", timeout=30_000)
        page.wait_for_selector("footer:has-text('the page stays as it was.')")
        page.close()


def test_the_page_refreshes_itself(run):
    with chromium() as browser, serving(run.path) as port:
        from ganzoo_report import watch

        assert watch.EVERY == 5
        opened = Opened(browser, f"http://127.0.0.1:{port}/")
        page = opened.page
        page.focus("#at")
        page.keyboard.press("Home")
        page.click("summary >> nth=0")
        with (run.path / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"step": 7, "epoch": 2, "images": 112, "loss/D": 0.5, "loss/G": 0.25}) + "\n")
        shutil.copy(run.path / "samples" / "epoch-0001.png", run.path / "samples" / "epoch-0003.png")
        page.wait_for_selector("main:has-text('112 images in 7 steps')", timeout=30_000)
        ends = page.evaluate("[...document.querySelectorAll('.plot')].map(p => p.data.map(t => t.y[t.y.length - 1]))")
        assert ends[:2] == [[0.5], [0.25]], "the losses of D and of G"
        assert page.input_value("#at") == "0"  # the view stays
        assert page.evaluate("document.querySelector('details').open")
        assert page.evaluate("location.hash") == "#at=48"
        page.wait_for_selector("footer:has-text('the run is finished; if it goes on, so does this page.')")
        assert opened.complaints == []
        assert opened.outside == []
        page.close()
