"""Names that are asked for: before a crawl, and by `scrapy places` and `scrapy taxa`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from crawling import PLACE, ROOT, crawl, finish, start

from standin.client import Standin

Start = Callable[..., Standin]
NOBODY = "http://127.0.0.1:1/v1"
QUICK = {"INAT_API_REQUESTS_PER_MINUTE": "0", "INAT_CONTACT": "tests@park.example", "INAT_BACKOFF_SECONDS": "0.01"}


def ask(command: str, *arguments: str, api_root: str) -> tuple[int, str, str]:
    """Exit status, what was printed, what was said besides."""
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", command, *arguments],
        cwd=ROOT,
        env={**os.environ, "INAT_API_ROOT": api_root, **QUICK},
        text=True,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def asked(park: Standin) -> list[str]:
    return [request["path"].partition("?")[0] for request in park.requests("api")]


def test_a_crawl_by_names_is_that_of_their_ids(standin: Start, output: Path, tmp_path: Path) -> None:
    park = standin(observations=12)
    url = "http://www.inaturalist.org/observations?view=species&page=2&d1=2000-01-01"
    shown = tmp_path / "shown.tsv"
    named = ("place=parque marinho luiz SALDANHÁ", f"url={url}", "images=none", f"-O{shown}")
    run = crawl(park, output, *named)
    assert run.status == 0, run.log
    assert run.said("INFO").count(
        'place "parque marinho luiz SALDANHÁ" is 128892: Parque Marinho Luiz Saldanha, Portugal'
    ) == 1  # fmt: skip
    assert "the url's view, page only choose what the page looks like: dropped" in run.said("INFO")
    assert asked(park)[0] == "/v1/places/autocomplete"
    params = {"place_id": "128892", "verifiable": "true", "spam": "false", "d1": "2000-01-01"}
    assert run.account["params"] == params
    assert len(run.table()) == len(park.ids(**params))
    assert shown.read_text(encoding="utf-8").count("\n") == len(park.ids(**params)) + 1

    same = crawl(park, output, PLACE, "verifiable=true", "spam=false", "d1=2000-01-01", "images=none",
                 "geo=any", "identified=any", "rank=any")  # fmt: skip
    assert same.status == 0, same.log
    assert same.account["observations"]["new"] == 0


REFUSED = [
    (("place=Santiago",), 1, "2 fit; name one by its id, as place_id=130001: 'Santiago'\n"),
    (("taxon=Octopuss",), 1, "error: spider argument `taxon`: iNaturalist knows none of this name: 'Octopuss'\n"),
]


@pytest.mark.parametrize(("arguments", "status", "said"), REFUSED)
def test_what_is_not_one_is_not_crawled(
    standin: Start, output: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    park = standin(observations=2)
    run = crawl(park, output, *arguments)
    assert run.status == status
    assert said in run.log
    assert set(asked(park)) <= {"/v1/places/autocomplete", "/v1/taxa/autocomplete", "/v1/places/Santiago"}
    assert not output.exists()
    if "Santiago" in said:
        assert run.log.splitlines()[-2:] == [
            "130001  Santiago  Santiago, CL  santiago",
            "130002  Santiago  Santiago, CV  santiago-cv",
        ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("place=Portugal", "plce=1"),
        ("place=Portugal", "place_id=1"),
        ("place=Portugal", "url=www.inaturalist.org/observations?place_id=1"),
        pytest.param(("url=www.inaturalist.org/observations?reviewed=true",), marks=pytest.mark.long),
        pytest.param(("url=www.inaturalist.org/taxa/3-Aves",), marks=pytest.mark.long),
    ],
)
def test_nothing_is_asked_for_a_slip(standin: Start, output: Path, arguments: tuple[str, ...]) -> None:
    park = standin(observations=2)
    run = crawl(park, output, *arguments)
    assert run.status == 1
    assert run.log.splitlines()[-1].startswith("error: spider argument `")
    assert park.requests("api") == []
    assert not output.exists()


def test_an_api_that_cannot_be_asked(standin: Start, output: Path) -> None:
    run = finish(start(NOBODY, output, "place=Portugal", "-sRETRY_TIMES=1"), output)
    assert run.status == 3
    assert run.log.splitlines()[-1].startswith("error: cannot reach the API: ")
    assert "; asked for http://127.0.0.1:1/v1/places/autocomplete" in run.log.splitlines()[-1]
    assert not output.exists()


@pytest.mark.long
@pytest.mark.parametrize(("status", "exit_status"), [(422, 1), (401, 1), (500, 3), (429, 3)])
def test_an_api_that_refuses(standin: Start, output: Path, status: int, exit_status: int) -> None:
    park = standin(observations=2)
    park.add_fault("api", "status", status=status)
    run = finish(start(park.api_root, output, "taxon=Aves", INAT_BACKOFF_SECONDS="0"), output)
    assert run.status == exit_status
    assert run.log.splitlines()[-1].startswith(f"error: the API answered {status}: ")
    assert not output.exists()


@pytest.mark.long
def test_interrupted_while_it_asks(standin: Start, output: Path) -> None:
    park = standin(observations=2, latency=2)
    process = start(park.api_root, output, "place=Portugal")
    end = time.monotonic() + 30
    while not park.requests("api") and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    run = finish(process, output)
    assert run.status == 3
    assert asked(park) == ["/v1/places/autocomplete"]
    assert not output.exists()


@pytest.mark.long
def test_interrupted_twice_while_it_asks(standin: Start, output: Path) -> None:
    park = standin(observations=2, latency=20)
    process = start(park.api_root, output, "place=Portugal")
    end = time.monotonic() + 30
    while not park.requests("api") and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    run = finish(process, output)
    assert run.status == 3
    assert "Traceback" not in run.log
    assert not output.exists()


@pytest.mark.long
def test_the_commands_list_what_there_is(standin: Start) -> None:
    park = standin(observations=2)
    assert ask("places", "ARRABIDA", api_root=park.api_root) == (
        0,
        "id      name                        display name                          slug\n"
        "129001  Parque Natural da Arrábida  Parque Natural da Arrábida, PT        parque-natural-da-arrabida\n"
        "129002  Parque Natural Arrábida     Parque Natural Arrábida, Setúbal, PT  parque-natural-arrabida\n",
        "",
    )
    status, printed, said = ask("taxa", "--json", "morus", api_root=park.api_root)
    assert (status, said) == (0, "")
    assert json.loads(printed) == {
        "total": 2,
        "results": [
            {"id": 4571, "name": "Morus", "rank": "genus", "common_name": "Gannets"}
            | {"group": "Aves", "observations": 5571},
            {"id": 53345, "name": "Morus", "rank": "genus", "common_name": "Mulberries"}
            | {"group": "Plantae", "observations": 9345},
        ],
    }
    status, _, said = ask("taxa", "no", "such", "thing", api_root=park.api_root)
    assert (status, said) == (1, "error: iNaturalist knows no taxon of this name: 'no such thing'\n")
    assert ask("places", api_root=park.api_root) == (
        1,
        "",
        "error: spider argument `place`: say a name, or an id\n",
    )


@pytest.mark.parametrize(("command", "name"), [("places", "praia"), ("taxa", "xanthium")])
def test_text_of_users_does_not_reach_the_terminal_raw(standin: Start, command: str, name: str) -> None:
    status, printed, said = ask(command, name, api_root=standin(observations=2).api_root)
    assert (status, said) == (0, "")
    assert all(line.isprintable() for line in printed.splitlines())
    assert len(printed.splitlines()) == 2


@pytest.mark.long
def test_the_commands_without_an_api() -> None:
    status, printed, said = ask("taxa", "-s", "RETRY_TIMES=0", "Aves", api_root=NOBODY)
    assert (status, printed) == (3, "")
    assert said.startswith("error: cannot reach the API: ")
    assert ask("taxa", "Aves", api_root="nonsense")[0] == 1


def test_the_crawl_of_a_login_by_its_own_page(standin: Start, output: Path) -> None:
    park = standin(observations=6)
    run = crawl(park, output, "user=MARIA", "project=tidepool weekend", "images=none")
    assert run.status == 0, run.log
    assert run.account["params"]["user_id"] == "1301"
    assert run.account["params"]["project_id"] == "13857"
    assert 'user "MARIA" is 1301: maria' in run.said("INFO")
