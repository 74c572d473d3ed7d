"""A wheel brings its models, clip, icons and words along, and finds them wherever it is unpacked."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.house import ROOT

builders = pytest.importorskip("hatchling.builders.wheel")

_FINDS = """
import seg_viewer
from seg_viewer.core.assets import asset_path, shipped_models
from seg_viewer.sources.demo import SOURCE
print(seg_viewer.__file__)
for path in [*shipped_models(), asset_path("demo", "street.mp4"), asset_path("demo", "street_truth.mkv"),
             asset_path("models", "golden_frame.png"), asset_path("icons", "seg-viewer.svg"),
             asset_path("i18n", "de.toml")]:
    print(path)
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = builders.WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder / "site")
    return folder / "site"


def test_assets_are_found_from_anywhere(unpacked: Path, tmp_path: Path) -> None:
    (unpacked / "assets" / "models").mkdir(parents=True)  # of some other package
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"PYTHONPATH": str(unpacked)}
    done = subprocess.run([sys.executable, "-c", _FINDS], cwd=tmp_path, env=environ, capture_output=True, text=True)
    places = [Path(line) for line in done.stdout.splitlines()]
    assert len(places) == 8, done.stderr
    assert all(place.is_file() and place.is_relative_to(unpacked / "seg_viewer") for place in places)


def test_all_that_is_no_code_comes_along(unpacked: Path) -> None:
    for top in ("seg_viewer", "trainer"):
        files = {p.relative_to(ROOT) for p in (ROOT / top).rglob("*") if p.is_file() and "__pycache__" not in p.parts}
        assert {file for file in files if not (unpacked / file).is_file()} == set()
    assert not (unpacked / "tests").exists()


def test_its_versions_of_python_are_those_that_it_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    prefix = "Programming Language :: Python :: 3."
    minors = sorted(int(line.removeprefix(prefix)) for line in project["classifiers"] if line.startswith(prefix))
    assert project["requires-python"] == f">=3.{minors[0]},<3.{minors[-1] + 1}"
    assert minors == list(range(minors[0], minors[-1] + 1))


def test_package_indexes_get_no_link_that_leads_nowhere(unpacked: Path) -> None:
    (metadata,) = unpacked.glob("*.dist-info/METADATA")
    head, _, text = metadata.read_text(encoding="utf-8").partition("\n\n")
    assert "Description-Content-Type: text/markdown" in head
    assert "Segments driving video in real time" in text and "Open a video." in text and "user guide" in text
    assert re.findall(r"\]\((?!https?:)[^)]*\)", text) == []


@pytest.mark.parametrize(
    ("repository", "wanted"),
    [
        (None, "a\n\nguide, [site](https://e.org) [up](#top)\n"),
        (
            "https://e.org/r/",
            "a\n\n![p](https://e.org/r/raw/HEAD/docs/p.png)\n\n"
            "[guide](https://e.org/r/blob/HEAD/docs/g.md#x), [site](https://e.org) [up](#top)\n",
        ),
    ],
)
def test_links_are_absolute_where_the_repository_is_known(repository: str | None, wanted: str) -> None:
    from assets.packaging.long_description import long_description

    readme = "a\n\n![p](docs/p.png)\n\n[guide](docs/g.md#x), [site](https://e.org) [up](#top)\n"
    assert long_description(readme, repository) == wanted
