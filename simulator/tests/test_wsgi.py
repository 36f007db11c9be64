"""The program as a server runs it."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

from simulator.app import simulator_of
from simulator.tokens import throwaway_jwk


def test_the_environment_configures_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jwk = throwaway_jwk() | {"kid": "of-the-environment"}
    monkeypatch.setenv("SIMULATOR_STATE_FILE", str(tmp_path / "world.jsonl"))
    monkeypatch.setenv("SIMULATOR_SIGNING_JWK", json.dumps(jwk))
    monkeypatch.setenv("SIMULATOR_SERVICE_URL", "http://service.test/")
    monkeypatch.setenv("SIMULATOR_ISSUER", "http://issuer.test")
    monkeypatch.setenv("SIMULATOR_AUDIENCE", "somebody")
    monkeypatch.delitem(sys.modules, "simulator.wsgi", raising=False)
    simulator = simulator_of(importlib.import_module("simulator.wsgi").app)
    claims = simulator.tokens.claims_of(simulator.tokens.token_for("ada"))
    simulator.world.journal.close()
    assert (claims["iss"], claims["aud"]) == ("http://issuer.test", "somebody")
    published = json.loads(simulator.tokens.public_jwk_set())["keys"]
    assert [set(key) for key in published] == [{"kty", "n", "e", "kid", "use", "alg"}]
    assert published[0]["kid"] == "of-the-environment"
    assert simulator.service_url == "http://service.test"
    assert (tmp_path / "world.jsonl").exists()
