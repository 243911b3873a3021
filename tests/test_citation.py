"""CITATION.cff is valid and says what the package says of itself."""

import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def test_the_file_follows_the_citation_file_format():
    checker = Path(sys.executable).parent / "check-jsonschema"
    words = [checker, "--builtin-schema", "vendor.citation-file-format", ROOT / "CITATION.cff"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_version_licences_and_addresses_are_those_of_the_package_and_the_site():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    site = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert citation["version"] == package["version"]
    assert " AND ".join(citation["license"]) == package["license"]
    assert citation["repository-code"] == package["urls"]["Repository"] == site["repository"]["url"]
    assert citation["url"] == site["html"]["baseurl"]
    assert citation["title"].startswith(site["title"])
