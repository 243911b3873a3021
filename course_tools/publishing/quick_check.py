"""A pytest plugin: nbval's one quick run of all chapters, in an imitation of Colab, serves as many checks as possible.

* Each cell runs, and outputs tagged ``nbval-check-output`` are the committed ones: that is nbval itself.
* The library is the one that the chapter's first cell installed, and no publishing tool can be imported.
* A chapter leaves nothing behind in its folder.
* The library computes what it computed when the chapter was published: its fingerprint is compared with the published
  one, and kept for ``course status``.

Use: ``pytest -p course_tools.publishing.quick_check --nbval-lax --nbval-kernel-name course-colab notebooks``.
"""

import json
import os
from pathlib import Path

import pytest
from nbval.plugin import IPyNbFile

from course_lib import storage
from course_tools.publishing import colab, fingerprints
from course_tools.publishing.computation import YOUR_TURN, has_tag
from course_tools.publishing.project import Project

_ENVIRONMENT = (
    "import importlib.util, json, pathlib, course_lib; pathlib.Path({file!r}).write_text(json.dumps("
    "[course_lib.__file__, [name for name in {names!r} if importlib.util.find_spec(name)]]), encoding='utf-8')"
)


class Mismatch(Exception):
    """A failure that is shown without a traceback."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the environment once, before the workers of xdist start; they inherit where it is."""
    if not hasattr(config, "workerinput"):
        os.environ["JUPYTER_PATH"] = str(colab.prepare(Project(config.rootpath)))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    """Leave out what the reader is to write, and add a last item to each notebook."""
    report = yield
    if isinstance(collector, IPyNbFile) and report.passed:
        report.result = [item for item in report.result if not has_tag(item.cell, YOUR_TURN)]
        report.result.append(LastItem.from_parent(collector, name="the library"))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Set the environment before a notebook's kernel starts."""
    if isinstance(item.parent, IPyNbFile) and item.parent.kernel is None:
        for name in ("PYTHONPATH", "VIRTUAL_ENV"):
            os.environ.pop(name, None)
        records, log = _kept(item)
        records.parent.mkdir(parents=True, exist_ok=True)
        for file in (records, log):
            file.unlink(missing_ok=True)
        item.parent.folder_before = _names_in_its_folder(item)
        os.environ |= {
            "COURSE_HOME": str(storage.home()),  # it may be relative, and the kernel starts in another folder
            "COURSE_PROFILE": "quick",
            "COURSE_CHAPTER": item.path.stem,
            "COURSE_RECORDS": str(records),
            "COURSE_RUNLOG": str(log),
        }


def _kept(item: pytest.Item) -> tuple[Path, Path]:
    folder = Project(item.config.rootpath).build / "quick-check"
    return folder / f"{item.path.stem}.jsonl", folder / f"{item.path.stem}.log"


def _names_in_its_folder(item: pytest.Item) -> set[str]:
    return {file.name for file in item.path.parent.iterdir()}


class LastItem(pytest.Item):
    """Checks after the last cell: where the library came from, and whether it computes the same."""

    def runtest(self) -> None:
        project = Project(self.config.rootpath)
        records, log = _kept(self)
        self._check_environment(project, log.with_suffix(".json"))
        (chapter,) = project.pick([self.path.stem])
        fingerprint = fingerprints.of_run(self.parent.nb, log, records) | {"library": fingerprints.library_digest()}
        fingerprints.write(fingerprint, fingerprints.current_file(project, chapter))
        published = fingerprints.read(fingerprints.published_file(project, chapter.name))
        if published is None:
            raise Mismatch(f"{chapter.name} is published without a fingerprint: run and publish it, or `course stamp`.")
        if published["weights"] != fingerprint["weights"]:
            missing = " ".join(sorted({*published["weights"]} - {*fingerprint["weights"]}))
            pytest.skip(f"not compared, for weights are missing: `python -m course_lib.data fetch {missing}`")
        changed = fingerprints.differences(published, fingerprint)
        if changed:
            raise Mismatch(
                f"{chapter.name}: the library no longer computes what the published page shows:\n  "
                + "\n  ".join(changed)
                + f"\nIf that is meant: `course run {chapter.name} --profile cpu`, `course publish {chapter.name}`."
            )

    def _check_environment(self, project: Project, answer: Path) -> None:
        answer.unlink(missing_ok=True)
        code = _ENVIRONMENT.format(file=str(answer), names=colab.PUBLISHING)
        self.parent.kernel.kc.execute_interactive(code, store_history=False, silent=True, timeout=60)
        library, tools = json.loads(answer.read_text(encoding="utf-8"))
        if not Path(library).is_relative_to(project.build / "colab"):
            raise Mismatch(f"the library of {library} ran, not the one that the first cell installed")
        if tools:
            raise Mismatch(f"a chapter has to run without {', '.join(tools)}")
        left = sorted(_names_in_its_folder(self) - self.parent.folder_before)
        if left:
            raise Mismatch(f"a chapter, this one or one that ran beside it, left {', '.join(left)} in its folder")

    def repr_failure(self, excinfo: pytest.ExceptionInfo) -> str:
        if isinstance(excinfo.value, Mismatch):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.stem}: the library"
