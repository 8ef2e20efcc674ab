"""What is shipped to run it: an image with the service alone and without rights, and a way to try it out that stays on one machine."""

from __future__ import annotations

import re

import yaml

from tests.docs import pages

DOCKERFILE = pages.text_of(pages.ROOT / "Dockerfile")
COMPOSE = yaml.safe_load(pages.text_of(pages.ROOT / "docker-compose.yml"))["services"]
CADDYFILE = pages.text_of(pages.ROOT / "Caddyfile")


def test_puts_nothing_but_the_service_into_the_image():
    """No history, no tests, no patients and no documents; what is copied is named one by one."""
    left_out = set(pages.text_of(pages.ROOT / ".dockerignore").split())
    copied = re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)

    assert {".git", ".venv", ".run", "tests", "fixtures", "docs"} <= left_out
    assert ["pyproject.toml requirements.lock README.md LICENSE ./", "cds_service cds_service"] == copied
    assert "--require-hashes -r requirements.lock" in DOCKERFILE


def test_runs_the_image_as_nobody():
    """The last user is a number without a home, and the command is the service itself, in no debug mode."""
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)[-1:] == ["10001"]
    assert "--home-dir /nonexistent" in DOCKERFILE
    assert 'ENTRYPOINT ["/venv/bin/cds-service", "serve"]' in DOCKERFILE
    assert "DEBUG" not in DOCKERFILE.upper()


def test_gives_the_service_no_rights():
    """It writes nothing but its data, has no capability, and can gain none."""
    service = COMPOSE["cds"]

    assert (True, ["ALL"], ["no-new-privileges:true"]) == (service["read_only"], service["cap_drop"], service["security_opt"])


def test_publishes_on_this_machine_alone():
    """Whoever tries it out opens nothing to the network."""
    ports = [port for service in COMPOSE.values() for port in service.get("ports", [])]

    assert ports
    assert [] == [port for port in ports if not port.startswith("127.0.0.1:")]


def test_tries_it_out_behind_a_proxy_that_has_no_door_of_its_own():
    """The shipped proxy takes no orders over the network, sends no one from HTTP to HTTPS, and shows nothing of itself but the service."""
    assert {"admin off", "auto_https disable_redirects"} <= {line.strip() for line in CADDYFILE.splitlines()}
    assert "file_server" not in CADDYFILE
    assert "browse" not in CADDYFILE
