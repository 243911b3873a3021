"""What the verbs of the ``course`` command do. Each imports what it needs when it is called."""

import argparse
from pathlib import Path
from typing import Any

from course_lib.errors import CourseError


def _project():
    """The checkout around the current directory, with any interrupted publish finished first."""
    from course_tools.publishing import journal
    from course_tools.publishing.project import Project

    project = Project.here()
    journal.settle(project)
    return project


def _profile(options: argparse.Namespace) -> str:
    from course_lib.profiles import resolve_profile

    return resolve_profile(options.profile)


def run(options: argparse.Namespace) -> None:
    from course_tools.publishing import outcomes, running

    project, profile = _project(), _profile(options)
    chapters = project.pick(options.chapters)
    done = running.run_chapters(
        project, chapters, profile, jobs=options.jobs, minutes=options.minutes, force=options.force
    )
    print(outcomes.summary(done, profile, project.run_folder(profile).relative_to(project.root)))
    outcomes.check(done)


def book(options: argparse.Namespace) -> None:
    from course_tools.publishing import site, staging

    project = _project()
    pages = staging.stage(project, None if options.published else _profile(options))
    front = site.build_site(project)
    print(
        f"{len(pages)} pages are in {front.parent.relative_to(project.root)}: open {front.relative_to(project.root)}."
    )


def publish(options: argparse.Namespace) -> None:
    from course_tools.publishing import promoting

    project = _project()
    chosen = project.pick(options.chapters)
    done = promoting.publish(project, chosen, _profile(options), options.replace_better)
    print(f"Published: {', '.join(chapter.name for chapter in done)}. Look at `git diff --stat`, then commit.")


def stamp(options: argparse.Namespace) -> None:
    from course_tools.publishing import promoting

    project = _project()
    done = promoting.stamp(project, project.pick(options.chapters))
    print(f"Stamped: {', '.join(chapter.name for chapter in done)}. Look at `git diff --stat`, then commit.")


def draw(_options: argparse.Namespace) -> None:
    from course_tools.publishing import promoting

    changed = promoting.redraw(_project())
    print(f"Drawn anew: {', '.join(changed)}." if changed else "All tables and figures show today's records.")


def status(options: argparse.Namespace) -> None:
    from course_tools import studies
    from course_tools.publishing import status
    from course_tools.studies import promoting

    project = _project()
    print(status.table(project))
    width = max(map(len, studies.NAMES))
    print("\n" + "\n".join(f"study {name:<{width}}  {promoting.state(project, name)}" for name in studies.NAMES))


def pair(options: argparse.Namespace) -> None:
    from course_tools.publishing import pairs

    project = _project()
    chapters = project.pick(options.chapters)
    if options.take_notebook:
        if not options.chapters:
            raise CourseError("--take-notebook needs the chapter's name.")
        for chapter in chapters:
            pairs.take_notebook(chapter, project.build)
            print(f"{chapter.source.name} now holds the cells of {chapter.notebook.name}.")
        return
    if options.check:
        reasons = [reason for reason in map(pairs.out_of_step, chapters) if reason]
        if reasons:
            raise CourseError(" ".join(reasons))
        print(f"{len(chapters)} pairs are in step.")
        return
    written = [chapter.notebook.name for chapter in chapters if pairs.pair(chapter)]
    print(f"Updated: {', '.join(written)}." if written else f"{len(chapters)} pairs are in step.")


def claims(options: argparse.Namespace) -> None:
    from course_tools import claims

    project = _project()
    if options.review:
        for missing, passages in claims.review(project).items():
            print(f"{missing} ({len(passages)})")
            for passage in passages:
                print(f"  {passage}")
        return
    if options.update:
        for line in claims.update(project):
            print(line)
    wrong = claims.check(project)
    for line in wrong:
        print(line)
    if wrong:
        raise CourseError(
            f"{len(wrong)} statement{'s do' if len(wrong) > 1 else ' does'} not agree with the evidence: see above. "
            "`course claims --update` rewrites numbers; a verdict and a sentence are yours to mend."
        )
    print("Every claim agrees with its evidence, and every number in the prose has a claim.")


def conformance(options: argparse.Namespace) -> None:
    from course_tools.publishing.conformance import PAGE

    project = _project()
    if options.check:
        PAGE.check(project)
        print(f"{PAGE.file} says what the models are.")
        return
    changed = PAGE.write(project)
    print(f"Updated in {PAGE.file}: {', '.join(changed)}." if changed else f"{PAGE.file} is up to date.")


def recipe(options: argparse.Namespace) -> None:
    from course_lib import recipes

    if options.name is None:
        for name in recipes.NAMES:
            print(f"{name:<11} {recipes.take(name).__doc__.splitlines()[0]}")
        return
    recipes.take(options.name)
    for seed in range(options.seeds):
        size = "sample" if options.sample else "full"
        made = recipes.run(options.name, seed=seed, test=options.test, size=size)
        views = "" if made.views == "one" else f" ({made.views}; {made.alone:.2%} without)"
        print(
            f"{made.recipe}, seed {seed}: {made.accuracy:.2%} on {made.judged_on} images{views}, {made.seconds:.1f} s"
        )


def study(options: argparse.Namespace) -> None:
    from course_tools import studies

    if options.name is None:
        for name in studies.NAMES:
            print(f"{name:<14} {studies.take(name).__doc__.splitlines()[0]}")
        return
    from course_lib.profiles import resolve_profile
    from course_tools.studies import promoting, running

    project, size = _project(), resolve_profile(options.size)
    if options.publish:
        promoting.refuse_quick(size)
    planned = studies.plan(options.name, size, options.seeds)
    ended = running.run_study(project, options.name, size, planned, jobs=options.jobs)
    again = sum(one.skipped for one in ended)
    print(f"{options.name}, {size}: {sum(not one.problem for one in ended)} of {len(ended)} runs are done", end="")
    print(f", {again} of them earlier." if again else ".")
    running.check(options.name, ended)
    if options.publish:
        target, count = promoting.publish(project, options.name, size, planned, options.replace_better)
        print(f"Published {count} records: {target.relative_to(project.root)}. Look at `git diff --stat`, then commit.")


def set_repository(options: argparse.Namespace) -> None:
    from course_tools.publishing import repository

    project = _project()
    owner, name = repository.parse(options.repository)
    changed = repository.set_address(project, owner, name, options.branch)
    print(f"The course lives at github.com/{owner}/{name}, branch {options.branch}.")
    if changed:
        files = ", ".join(str(file.relative_to(project.root)) for file in changed)
        print(f"Updated: {files}. Look at `git diff --stat`, then commit.")


def data(options: argparse.Namespace) -> None:
    from course_lib import downloads

    act = {"fetch": downloads.fetch, "verify": downloads.verify, "where": downloads.where}[options.action]
    for line in act(options.names):
        print(line)


def release_assignment(options: argparse.Namespace) -> None:
    from course_tools.grading import release

    files = release.release(_project(), Path(options.folder))
    print(f"{options.folder} is the students' repository: {len(files)} files, one commit, nothing secret in it.")


def grade_assignment(options: argparse.Namespace) -> None:
    from course_tools.grading import grade

    folders, roster = [Path(folder) for folder in options.submissions], options.roster and Path(options.roster)
    outcome = grade.grade(_project(), folders, **_grading(options), roster_file=roster, deadline=options.deadline)
    print(outcome)
    outcome.check()


def regrade_assignment(options: argparse.Namespace) -> None:
    from course_tools.grading import grade

    outcome = grade.regrade(_project(), options.submissions, **_grading(options))
    print(outcome)
    outcome.check()


def _grading(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "out": Path(options.out),
        "rubric_file": options.rubric and Path(options.rubric),
        "seed": options.seed,
        "jobs": options.jobs,
        "trusted": options.i_trust_this_code,
    }
