"""When the UI is built and when not; Node itself is a stand-in here."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from csms.web import build as web
from csms.web.description import description


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small package whose tools write down what they were asked."""
    for name in (*web._LOCK_FILES, "tsconfig.json", "vite.config.ts", "biome.json", "index.html"):
        (tmp_path / name).write_text(name)
    (tmp_path / "src" / "api").mkdir(parents=True)
    (tmp_path / "src" / "main.ts").write_text("main")
    (tmp_path / "node_modules").mkdir()
    monkeypatch.setattr(web, "FOLDER", tmp_path)
    monkeypatch.setattr(web, "DIST", tmp_path / "dist")
    return tmp_path


@pytest.fixture
def ran(folder, monkeypatch):
    done: list[str] = []

    def run(*arguments: str) -> None:
        done.append(next(name for name in ("npm", "vite", "tsc", "biome") if name in arguments[0]))
        if "--outDir" in arguments:
            out = Path(arguments[arguments.index("--outDir") + 1])
            out.mkdir()
            (out / "index.html").write_text((folder / "src" / "main.ts").read_text())

    monkeypatch.setattr(web, "_run", run)
    return done


def test_it_is_built_once(folder, ran):
    assert web.build()
    assert not web.build()
    assert ran == ["npm", "vite"]
    assert (folder / "dist" / "index.html").read_text() == "main"


def test_a_changed_source_is_built_anew_without_installing(folder, ran):
    web.build()
    (folder / "src" / "main.ts").write_text("other")
    assert web.build()
    assert ran == ["npm", "vite", "vite"]
    assert (folder / "dist" / "index.html").read_text() == "other"
    assert not (folder / "dist.old").exists()


def test_a_changed_lock_is_installed(folder, ran):
    web.build()
    (folder / "package-lock.json").write_text("other")
    assert web.build()
    assert ran == ["npm", "vite", "npm", "vite"]


def test_tests_and_generated_types_build_nothing(folder, ran):
    web.build()
    (folder / "src" / "main.test.ts").write_text("a test")
    (folder / "src" / "api" / "schema.d.ts").write_text("types")
    assert not web.build()


def test_a_build_that_fails_leaves_the_old_one_in_its_place(folder, ran, monkeypatch):
    web.build()
    (folder / "src" / "main.ts").write_text("wrong")

    def fail(*arguments: str) -> None:
        raise web.BuildError("src/main.ts: unexpected token")

    monkeypatch.setattr(web, "_run", fail)
    with pytest.raises(web.BuildError, match="unexpected token"):
        web.build()
    assert (folder / "dist" / "index.html").read_text() == "main"


def test_the_command_says_what_failed(folder, monkeypatch, capsys):
    def fail(*arguments: str) -> None:
        raise web.BuildError("no such registry")

    monkeypatch.setattr(web, "_run", fail)
    assert web.main([]) == 1
    assert "no such registry" in capsys.readouterr().err
    assert web.main(["nonsense"]) == 2
    assert "usage" in capsys.readouterr().err


def test_what_the_node_says_is_in_the_error():
    with pytest.raises(web.BuildError, match="I am broken"):
        web._run("-e", "console.error('I am broken'); process.exit(3)")


def test_the_description_has_what_settings_may_switch_on():
    paths = orjson.loads(description())["paths"]
    assert {"/api/stations/{stationId}", "/api/quarantine", "/api/firmware", "/api/me"} <= set(
        paths
    )
