import shutil

import pytest
from small_book import Checkout, build

from course_tools.publishing.project import Project


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("claims") / "checkout")


@pytest.fixture
def checkout(built, tmp_path):
    """A checkout of one's own."""
    root = tmp_path / "checkout"
    shutil.copytree(built.root, root)
    return Checkout(Project(root))
