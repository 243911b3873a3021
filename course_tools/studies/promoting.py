"""A study's finished runs become published records in ``results/study-NAME.jsonl``. All of it, or nothing."""

from pathlib import Path

from course_lib import records
from course_lib.errors import CourseError
from course_tools.publishing import fingerprints, journal
from course_tools.publishing.project import Project
from course_tools.publishing.promoting import RANK, check_records
from course_tools.studies import plan
from course_tools.studies.planned import Run
from course_tools.studies.running import FINGERPRINT, fingerprint_of, finished, folder_of


def results_of(project: Project, study: str) -> Path:
    """The file of a study's published records."""
    return project.results / f"study-{study}.jsonl"


def publish(
    project: Project, study: str, size: str, planned: list[Run], replace_better: bool = False
) -> tuple[Path, int]:
    """Put the records of ``planned`` into ``results/``. Returns the file, and how many records are new in it.

    Runs of one name are replaced together, so that no mean is taken over two machines. Published runs of other names
    stay: a GPU can add the large networks to what two cores have run.

    ``replace_better`` lets ``cpu`` runs replace published ``full`` ones.

    Raises: CourseError for a ``quick`` study, a run that is missing or damaged, a record that is not valid, and where
        ``full`` records would be replaced by ``cpu`` ones. Nothing is written then.
    """
    refuse_quick(size)
    missing = [one for one in planned if finished(project, study, size, one) is None]
    if missing:
        raise CourseError(
            f"{len(missing)} of {len(planned)} runs of {study} are missing, such as {missing[0].name}, seed "
            f"{missing[0].seed}: call `course study {study} --size {size}` first."
        )
    fresh = [folder_of(project, study, size) / f"{one.key}.jsonl" for one in planned]
    for file in fresh:
        check_records(file, size, f"study-{study}")
    names = {one.name for one in planned}
    kept, target = [], results_of(project, study)
    if target.exists():
        for line, record in zip(target.read_text(encoding="utf-8").splitlines(), records.read(target), strict=True):
            if record["name"] not in names:
                kept.append((record["name"], record["seed"], line))
            elif RANK[record["profile"]] > RANK[size] and not replace_better:
                raise CourseError(
                    f"{study}: {record['name']} is published from a {record['profile']} run, which is worth more than "
                    f"{size}: use --replace-better if you mean it."
                )
    order = [one.name for one in plan(study, "full", 1)]
    lines = kept + [
        (one.name, one.seed, file.read_text(encoding="utf-8").rstrip("\n"))
        for one, file in zip(planned, fresh, strict=True)
    ]
    lines.sort(key=lambda one: (order.index(one[0]) if one[0] in order else len(order), one[1]))
    stamped = fingerprints.published_file(project, target.stem)
    computed = fingerprints.read(folder_of(project, study, size) / FINGERPRINT) or fingerprint_of(study)
    contents = {target: "".join(f"{line}\n" for *_, line in lines), stamped: fingerprints.to_text(computed)}
    journal.replace_all(project, contents)
    return target, len(fresh)


def refuse_quick(size: str) -> None:
    """Raise CourseError for a size whose results say nothing: better before the runs than after them."""
    if size == "quick":
        raise CourseError("A quick study is not published: use --size cpu, or full on a machine with a GPU.")


def state(project: Project, study: str) -> str:
    """In a few words, for ``course status``: what is published, and whether the study's plan still says so."""
    target = results_of(project, study)
    if not target.exists():
        return "nothing published"
    published = records.read(target)
    seeds = 1 + max(record["seed"] for record in published)
    wanted = {one.key for size in ("cpu", "full") for one in plan(study, size, seeds)}
    stale = sorted({record["name"] for record in published if record["study_key"] not in wanted})
    profiles = ", ".join(sorted({record["profile"] for record in published}))
    said = f"{len(published)} runs of {len({record['name'] for record in published})} networks, {profiles}"
    return f"{said}; stale: {', '.join(stale)}" if stale else f"{said}; fresh"
