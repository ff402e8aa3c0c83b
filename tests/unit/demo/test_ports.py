"""Commands that serve check their options and port before they change anything."""

import socket
import subprocess
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from newsletter.demo.environment import DemoError, empty_folder, hold_folder, prepare_demo
from newsletter.management.commands.demo import Command as Demo
from newsletter.management.commands.serve import Command as Serve
from newsletter.management.commands.web import Command as Web
from newsletter.management.ports import CannotListen, check_port_free, port_number
from newsletter.management.server import Server
from newsletter.project import cli


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("text", ["0", "65536", "99999", "-1", "0099999", "²", "", "8000.5", "http"])
def test_an_invalid_port_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="such as 8001"):
        port_number(text)


@pytest.mark.parametrize("port", [1, 8000, 65535])
def test_every_valid_port_is_accepted(port: int) -> None:
    assert port_number(str(port)) == port


@pytest.mark.parametrize("command", [Serve(), Web(), Demo()])
def test_serve_web_and_demo_refuse_an_invalid_port_option(command: Serve | Web | Demo) -> None:
    with pytest.raises(CommandError, match="no port 99999"):
        command.create_parser("newsletter", "it").parse_args(["--port", "99999"])


@pytest.mark.parametrize("name", ["serve", "web"])
def test_serving_on_a_taken_port_ends_before_the_database_is_touched(name: str, taken: int) -> None:
    with pytest.raises(CommandError, match=f"Port {taken} is taken.*--port {taken + 1}"):
        call_command(name, port=taken)


def test_a_demo_on_a_taken_port_changes_no_folder_or_environment(taken: int, tmp_path) -> None:
    environment = {"NEWSLETTER_DATA_DIR": str(tmp_path)}
    with pytest.raises(CannotListen, match="is taken"):
        prepare_demo(port=taken, serves=True, environ=environment)
    assert environment == {"NEWSLETTER_DATA_DIR": str(tmp_path)}
    assert not list(tmp_path.iterdir())


def test_a_demo_that_serves_nothing_needs_no_free_port(taken: int, tmp_path: Path) -> None:
    environment = {"NEWSLETTER_DATA_DIR": str(tmp_path)}
    assert prepare_demo(port=taken, serves=False, environ=environment) == tmp_path / "demo"
    assert environment["NEWSLETTER_SITE_URL"] == f"http://127.0.0.1:{taken}"


@pytest.mark.parametrize(("options", "checked"), [([], True), (["--no-serve"], False), (["--subscribers", "9"], True)])
def test_only_a_demo_that_serves_checks_its_port(
    options: list[str], checked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def note(*, port: int, serves: bool, environ: object) -> None:
        asked.append(serves)
        raise CannotListen("enough")

    monkeypatch.setattr(cli, "prepare_demo", note)
    assert cli.main(["demo", *options]) == 1
    assert asked == [checked]


def test_a_demo_that_still_runs_is_not_emptied_by_another(tmp_path: Path) -> None:
    folder = prepare_demo(port=8000, serves=False, environ={"NEWSLETTER_DATA_DIR": str(tmp_path)})
    (folder / "newsletter.sqlite3").write_text("people")
    with pytest.raises(DemoError, match="still runs in"):
        prepare_demo(port=8000, serves=False, environ={"NEWSLETTER_DATA_DIR": str(tmp_path)})
    assert (folder / "newsletter.sqlite3").read_text() == "people"


def _read_line(started: "subprocess.Popen[str]") -> str:
    assert started.stdout is not None
    return started.stdout.readline()


def test_of_two_demos_that_start_together_one_runs(tmp_path: Path) -> None:
    program = (
        "import shutil, sys, time; from pathlib import Path; from newsletter.demo import environment\n"
        "remove = shutil.rmtree\n"
        "def remove_slowly(*given, **how): time.sleep(1); remove(*given, **how)\n"
        "environment.shutil.rmtree = remove_slowly\n"
        "try: folder = environment.prepare_demo(port=1, serves=False, environ={'NEWSLETTER_DATA_DIR': sys.argv[1]})\n"
        "except environment.DemoError as error: sys.exit(f'refused: {error}')\n"
        "(folder / 'newsletter.sqlite3').touch(); print('ready', flush=True); sys.stdin.read()\n"
    )
    pipe, command = subprocess.PIPE, [sys.executable, "-c", program, str(tmp_path)]
    starts = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(2)]
    with ThreadPoolExecutor() as threads:
        lines = list(threads.map(_read_line, starts))
        data = [found.name for found in (tmp_path / "demo").iterdir()]
        said = "".join(threads.map(lambda start: start.communicate(timeout=60)[1], starts))
    assert sorted(lines) == ["", "ready\n"]
    assert sorted(data) == [".newsletter-demo", "newsletter.sqlite3"]
    assert said.startswith("refused: A demonstration still runs in")


def test_a_demo_that_is_served_again_is_not_emptied(tmp_path: Path) -> None:
    empty_folder(tmp_path / "demo")
    hold_folder(tmp_path / "demo")
    with pytest.raises(DemoError, match="still runs in"):
        empty_folder(tmp_path / "demo")


def test_a_demo_that_ended_is_emptied(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from newsletter.demo.environment import empty_folder, hold_folder;"
        " folder = Path(sys.argv[1]); empty_folder(folder); hold_folder(folder)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "demo")], check=True, timeout=60)
    (tmp_path / "demo/newsletter.sqlite3").write_text("people")
    empty_folder(tmp_path / "demo")
    assert [found.name for found in (tmp_path / "demo").iterdir()] == [".newsletter-demo"]


def test_a_demo_ignores_the_settings_of_the_organisation(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    real = ("DATABASE_URL", "SECRET_KEY", "ADDRESS_KEY", "OLD_SECRET_KEYS", "ONLY_TO", "PULSE_URL", "TRUSTED_PROXIES")
    real += ("OIDC_ISSUER", "OIDC_PASSWORDS", "PROVIDER_URL_BACKUP")
    environment = {name if name == "DATABASE_URL" else f"NEWSLETTER_{name}": "real" for name in real}
    environment |= {"NEWSLETTER_PROVIDER_URL": "mailgun://real", "NEWSLETTER_PRODUCTION": "true", "TZ": "UTC"}
    prepared = {**environment, "NEWSLETTER_DATA_DIR": str(tmp_path)}
    prepare_demo(port=port, serves=True, environ=prepared)
    assert not [value for value in prepared.values() if "real" in value]
    assert (prepared["NEWSLETTER_PRODUCTION"], prepared["TZ"]) == ("false", "UTC")


def test_a_demo_in_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where the folder should be")
    with pytest.raises(DemoError, match=r"file/demo cannot be written to: .+ Change to a folder of your own"):
        prepare_demo(port=8000, serves=False, environ={"NEWSLETTER_DATA_DIR": str(tmp_path / "file")})


@pytest.mark.parametrize(
    ("host", "said"),
    [("192.0.2.1", "not an address of this machine"), ("no..such host", "not a host name")],
)
def test_a_host_that_is_not_ours_is_named_in_the_error(host: str, said: str) -> None:
    with pytest.raises(CannotListen, match=said):
        check_port_free(host=host, port=8000)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied"), "Only the system's administrator .* port 80"),
        (OSError(105, "No buffer space available"), "No buffer space available. Choose another port: --port 81"),
    ],
)
def test_an_error_of_the_system_is_explained(monkeypatch, error: OSError, said: str) -> None:
    def refuse(probe: socket.socket, address: object) -> None:
        raise error

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(CannotListen, match=said):
        check_port_free(host="127.0.0.1", port=80)


def test_checking_a_port_leaves_it_free(taken: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    check_port_free(host="127.0.0.1", port=free)
    with socket.create_server(("127.0.0.1", free)) as listening:
        assert listening.getsockname()[1] == free != taken


@pytest.mark.parametrize("text", ["0", "-5", "1000001", "00000001000", "many"])
def test_a_demo_refuses_no_subscribers_or_too_many(text: str) -> None:
    with pytest.raises(CommandError, match="from 1 to 1,000,000"):
        Demo().create_parser("newsletter", "demo").parse_args([f"--subscribers={text}"])


def test_a_demo_accepts_one_subscriber_and_a_million() -> None:
    parser = Demo().create_parser("newsletter", "demo")
    assert [parser.parse_args(["--subscribers", text]).subscribers for text in ("1", "1000000")] == [1, 1_000_000]


def test_the_web_server_opens_no_control_socket() -> None:
    server = Server(host="127.0.0.1", port=8000, started=lambda: None, stopping=lambda: None)
    assert server.cfg.control_socket_disable is True
