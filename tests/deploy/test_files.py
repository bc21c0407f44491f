"""The files that set the desk up elsewhere say nothing that the program does not know."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from api.stopping import BREAK_AFTER_S
from settings import ROOT, Settings

_SERVERS_OWN = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PATH"}
_KNOWN = {str(field.validation_alias or field.alias) for field in Settings.model_fields.values()}


def _yaml(path: str) -> list[Any]:
    return list(yaml.safe_load_all((ROOT / path).read_text(encoding="utf-8")))


def _kind(name: str) -> Any:  # noqa: ANN401 - any YAML
    (found,) = [item for item in _yaml("deploy/kubernetes.yaml") if item["kind"] == name]
    return found


def test_every_setting_that_is_given_is_known() -> None:
    """An operator would set a key that nobody reads, and wonder."""
    (compose,) = _yaml("compose.yaml")
    image = re.findall(r"\b([A-Z]+)=", (ROOT / "Dockerfile").read_text(encoding="utf-8").split("ENV", 1)[1])
    given = {
        *compose["services"]["server-1"]["environment"],
        *_kind("Secret")["stringData"],
        *(set(image) - _SERVERS_OWN),
    }
    assert given >= {"FRONTDESK_DATABASE_URL", "FRONTDESK_SECRET", "HOST", "PORT"}
    assert given <= _KNOWN


def test_a_key_that_is_empty_is_none() -> None:
    """Whoever leaves the key in the compose file empty would get a desk that asks Claude in vain."""
    assert not Settings.read(ANTHROPIC_API_KEY="", FRONTDESK_ENGINE="auto").uses_claude


def test_a_server_gets_the_time_that_it_needs_to_stop() -> None:
    """Answers under way would be cut off by whoever stops the server."""
    (compose,) = _yaml("compose.yaml")
    pod = _kind("Deployment")["spec"]["template"]["spec"]
    (server,) = pod["containers"]
    before_s = server["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert int(compose["services"]["server-2"]["stop_grace_period"].removesuffix("s")) > BREAK_AFTER_S
    assert pod["terminationGracePeriodSeconds"] - before_s > BREAK_AFTER_S


def test_probes_ask_what_they_are_for() -> None:
    """A restart of the database would restart all servers; a server that drains would get new customers."""
    server = _kind("Deployment")["spec"]["template"]["spec"]["containers"][0]
    asked = {name: probe["httpGet"]["path"] for name, probe in server.items() if name.endswith("Probe")}
    assert asked == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    assert _kind("PodDisruptionBudget")["spec"]["minAvailable"] < _kind("Deployment")["spec"]["replicas"]


def test_the_image_holds_all_that_a_server_needs(tmp_path: Path) -> None:
    """An image would be built, and end with an import error where it is to serve."""
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split():
        source = ROOT / line.removeprefix("!")
        if line.startswith("!") and source.is_dir():
            shutil.copytree(source, tmp_path / source.name)
        elif line.startswith("!"):
            shutil.copy(source, tmp_path)
    script = "import cli, server\nfrom settings import ROOT\nprint(ROOT)\ncli.app(['lint'])"
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))


def test_the_servers_packages_are_those_that_are_tested() -> None:
    """Customers would meet other versions than the tests did."""
    tested, served = (
        set(re.findall(r"^(\S+==\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in ("requirements.lock", "requirements-server.lock")
    )
    assert served < tested
    assert not [package for package in served if package.startswith(("pytest", "ruff", "mypy", "playwright"))]
