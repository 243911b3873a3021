"""Publish a study's finished runs as records in ``results/study-NAME.jsonl``: each name whose seeds are complete."""

from pathlib import Path

from course_lib import records
from course_lib.errors import CourseError
from course_tools.publishing import fingerprints
from course_tools.publishing.project import Project
from course_tools.publishing.publish import RANK, check_records, write_together
from course_tools.studies.local import folder_of
from course_tools.studies.plan import PlannedRun, plan
from course_tools.studies.run import FINGERPRINT, fingerprint_of, finished


def publish(
    project: Project, study: str, size: str, planned: list[PlannedRun], replace_better: bool = False
) -> tuple[Path, int, list[str]]:
    """Put the records of ``planned`` into ``results/``, of every name whose seeds are complete.

    Runs of one name are replaced together, so that no mean is taken over two machines. Published runs of other names
    stay: a GPU can add the large networks to what two cores have run.

    ``replace_better`` lets ``cpu`` runs replace published ``full`` ones.

    Returns: the file, how many records are new in it, and the names that wait for some of their runs.
    Raises: CourseError for a ``quick`` study, where no name is complete, for a run that is damaged, a record that is
        not valid, and where ``full`` records would be replaced by ``cpu`` ones. Nothing is written then.
    """
    refuse_quick(size)
    waiting = list(dict.fromkeys(run.name for run in planned if finished(project, study, size, run) is None))
    complete = [run for run in planned if run.name not in waiting]
    if not complete:
        raise CourseError(
            f"No name of {study} has all of its seeds yet, such as {waiting[0]}: call `course study {study} --size "
            f"{size}` first."
        )
    lines = []  # name, seed and text of each record
    for run in complete:
        file = folder_of(project, study, size) / f"{run.key}.jsonl"
        check_records(file, size, f"study-{study}")
        lines.append((run.name, run.seed, file.read_text(encoding="utf-8").rstrip("\n")))
    names = {run.name for run in complete}
    target = _results_file(project, study)
    if target.exists():
        for line, record in zip(target.read_text(encoding="utf-8").splitlines(), records.read(target), strict=True):
            if record["name"] not in names:
                lines.append((record["name"], record["seed"], line))
            elif RANK[record["profile"]] > RANK[size] and not replace_better:
                raise CourseError(
                    f"{study}: {record['name']} is published from a {record['profile']} run, which is worth more than "
                    f"{size}: use --replace-better if you mean it."
                )
    order = [run.name for run in plan(study, "full", 1)]
    lines.sort(key=lambda line: (order.index(line[0]) if line[0] in order else len(order), line[1]))
    fingerprint = fingerprints.read(folder_of(project, study, size) / FINGERPRINT) or fingerprint_of(study)
    write_together(
        {
            target: "".join(f"{text}\n" for *_, text in lines),
            fingerprints.published_file(project, target.stem): fingerprints.to_text(fingerprint),
        }
    )
    return target, len(complete), waiting


def refuse_quick(size: str) -> None:
    """Raise CourseError for the quick size, whose results mean nothing: better before the runs than after them."""
    if size == "quick":
        raise CourseError("A quick study is not published: use --size cpu, or full on a machine with a GPU.")


def state(project: Project, study: str) -> str:
    """What is published of a study, in a few words, and whether its plan still contains those runs."""
    target = _results_file(project, study)
    if not target.exists():
        return "nothing published"
    published = records.read(target)
    seeds = 1 + max(record["seed"] for record in published)
    planned = {run.key for size in ("cpu", "full") for run in plan(study, size, seeds)}
    stale = sorted({record["name"] for record in published if record["study_key"] not in planned})
    profiles = ", ".join(sorted({record["profile"] for record in published}))
    summary = f"{len(published)} runs of {len({record['name'] for record in published})} networks, {profiles}"
    return f"{summary}; stale: {', '.join(stale)}" if stale else f"{summary}; fresh"


def _results_file(project: Project, study: str) -> Path:
    return project.results / f"study-{study}.jsonl"
