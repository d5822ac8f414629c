"""Faults at the level of the socket, and what the log and the count of connections say afterwards."""

from __future__ import annotations

import http.client
import io
import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from PIL import Image

from standin.client import Standin


@pytest.fixture(scope="module")
def shared() -> Iterator[Standin]:
    with Standin(observations=40, original_pixels=600) as running:
        yield running


@pytest.fixture
def faulty(shared: Standin) -> Iterator[Standin]:
    shared.reset_log()
    yield shared
    shared.clear_faults()
    shared.latency(0)


def photo_url(running: Standin, extension: str = "jpg", size: str = "medium") -> str:
    number = running.ids(photos="true")[0]
    url = str(running.record(number)["photos"][0]["url"])
    base, _, _ = url.partition("?")
    return base.replace("/square.", f"/{size}.")


def ask(url: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    """Status, headers, body; raises what `http.client` raises."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers or {})
        with connection.getresponse() as response:
            return response.status, dict(response.headers.items()), response.read()
    finally:
        connection.close()


def page(running: Standin) -> str:
    return f"{running.api_root}/observations?id_above=0&order_by=id&per_page=10"


def test_status_with_retry_after(faulty: Standin) -> None:
    faulty.add_fault("api", "status", status=503, retry_after="3", times=1)
    faulty.add_fault("api", "status", status=429, retry_after="http-date", times=1)
    faulty.add_fault("api", "status", status=500, times=1)
    answers = [ask(page(faulty)) for _ in range(4)]
    assert [answer[0] for answer in answers] == [503, 429, 500, 200]
    assert answers[0][1]["Retry-After"] == "3"
    assert answers[1][1]["Retry-After"].endswith(" GMT")
    assert "Retry-After" not in answers[2][1]
    assert [request["status"] for request in faulty.requests("api")] == [503, 429, 500, 200]


def test_reset(faulty: Standin) -> None:
    faulty.add_fault("api", "reset", times=1)
    with pytest.raises(ConnectionResetError):
        ask(page(faulty))
    assert ask(page(faulty))[0] == 200
    assert [request["status"] for request in faulty.requests()] == [0, 200]


def test_truncated_transfer(faulty: Standin) -> None:
    whole = ask(photo_url(faulty))[2]
    faulty.add_fault("photos", "truncate", times=1)
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(photo_url(faulty))
    assert caught.value.partial == whole[: len(whole) // 2]
    assert caught.value.expected == len(whole) - len(caught.value.partial)
    faulty.add_fault("api", "truncate", times=1)
    with pytest.raises(http.client.IncompleteRead):
        ask(page(faulty), {"Accept-Encoding": "gzip"})


def test_short_file_with_matching_length(faulty: Standin) -> None:
    whole = ask(photo_url(faulty))[2]
    faulty.add_fault("photos", "short", times=1)
    status, headers, body = ask(photo_url(faulty))
    assert (status, body) == (200, whole[: len(whole) // 2])
    assert headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_pages_that_are_none(faulty: Standin, encoding: str) -> None:
    for kind in ("html200", "empty", "invalid_json"):
        faulty.add_fault("api", kind, times=1)
    answers = [ask(page(faulty), {"Accept-Encoding": encoding}) for _ in range(3)]
    assert [answer[0] for answer in answers] == [200, 200, 200]
    assert answers[0][1]["Content-Type"].startswith("text/html")
    assert answers[1][2] == b""
    assert answers[2][2].startswith(b'{"total_results":')
    with pytest.raises(json.JSONDecodeError):
        json.loads(answers[2][2])


def test_bombs_and_wrong_formats(faulty: Standin) -> None:
    faulty.add_fault("photos", "bomb", times=1)
    bomb = ask(photo_url(faulty))[2]
    assert len(bomb) < 2000
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(bomb))
    faulty.add_fault("photos", "wrong_format", times=1)
    with Image.open(io.BytesIO(ask(photo_url(faulty))[2])) as picture:
        picture.load()
        assert picture.format == "PNG"


def test_slow_and_latency(faulty: Standin) -> None:
    faulty.add_fault("api", "slow", seconds=0.2, times=1)
    faulty.latency(0.1)
    begin = time.monotonic()
    ask(page(faulty))
    assert time.monotonic() - begin >= 0.3


def test_which_requests_are_struck(faulty: Standin) -> None:
    url = photo_url(faulty)
    number = int(urlsplit(url).path.split("/")[2])
    faulty.add_fault("photos", "status", status=500, ids=[number], sizes=["medium"], after=1, times=1)
    small = url.replace("/medium.", "/small.")
    assert [ask(u)[0] for u in (url, small, url, url)] == [200, 200, 500, 200]
    faulty.add_fault(r"per_page=10\b", "status", status=418)
    assert ask(page(faulty))[0] == 418
    assert ask(page(faulty) + "0")[0] == 200
    assert faulty.faults()[-1]["struck"] == 1
    faulty.clear_faults()
    observation = faulty.ids()[0]
    faulty.add_fault("api", "status", ids=[observation])
    assert ask(f"{faulty.api_root}/observations/{observation}")[0] == 503
    assert ask(page(faulty))[0] == 200


def test_probabilities_are_seeded() -> None:
    runs = []
    for _ in range(2):
        with Standin(observations=1) as running:
            running.add_fault("api", "status", probability=0.5)
            runs.append([ask(page(running))[0] for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 503}


def test_the_log(faulty: Standin) -> None:
    ask(page(faulty), {"User-Agent": "test (mail@example.org)"})
    ask(photo_url(faulty))
    first, second = faulty.requests()
    assert (first["role"], first["method"], first["status"]) == ("api", "GET", 200)
    assert first["path"] == "/v1/observations?id_above=0&order_by=id&per_page=10"
    assert first["headers"]["User-Agent"] == "test (mail@example.org)"
    assert second["role"] in ("open", "static")
    assert first["time"] <= second["time"]
    assert faulty.requests("api") == [first]


def test_connections_are_counted(faulty: Standin) -> None:
    for _ in range(3):
        ask(page(faulty))
    assert faulty.connections()["most"]["api"] == 1
    parts = urlsplit(page(faulty))
    held = [http.client.HTTPConnection(parts.netloc, timeout=10) for _ in range(4)]
    for connection in held:
        connection.request("GET", f"{parts.path}?{parts.query}")
        connection.getresponse().read()
    assert faulty.connections() == {
        "most": {"api": 4, "open": 0, "static": 0}, "open": {"api": 4, "open": 0, "static": 0},
    }  # fmt: skip
    assert [request["connections"] for request in faulty.requests("api")] == [1, 1, 1, 1, 2, 3, 4]
    for connection in held:
        connection.close()


def test_the_process_ends_with_the_block() -> None:
    with Standin(observations=1) as running:
        port = running.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_redirect(faulty: Standin) -> None:
    faulty.add_fault("api", "status", status=302, location="http://127.0.0.1:1/elsewhere", times=1)
    status, headers, _ = ask(page(faulty))
    assert (status, headers["Location"]) == (302, "http://127.0.0.1:1/elsewhere")


def test_an_echo(faulty: Standin) -> None:
    faulty.add_fault("api", "echo", status=500, times=1)
    status, _, body = ask(page(faulty), {"Authorization": "token"})
    assert (status, json.loads(body)["plain"]["headers"]["Authorization"]) == (500, "token")
    assert json.loads(body)["escaped"] == json.loads(body)["plain"]
