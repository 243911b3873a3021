"""What each command of ``course`` does. It imports what it needs when it is called."""

import argparse
from typing import Any

from course_lib.errors import CourseError
from course_lib.storage import user_path


def _project():
    """The checkout around the current directory."""
    from course_tools.publishing.project import Project

    return Project.here()


def _profile(options: argparse.Namespace) -> str:
    from course_lib.profiles import resolve_profile

    return resolve_profile(options.profile)


def run(options: argparse.Namespace) -> None:
    from course_tools.publishing.run import check, run_chapters, summary

    project, profile = _project(), _profile(options)
    chapters = project.pick(options.chapters)
    outcomes = run_chapters(project, chapters, profile, jobs=options.jobs, minutes=options.minutes, force=options.force)
    print(summary(outcomes, profile, project.run_folder(profile).relative_to(project.root)))
    check(outcomes)


def book(options: argparse.Namespace) -> None:
    from course_tools.publishing import unchanged

    project, profile = _project(), None if options.published else _profile(options)
    with project.alone("book"):
        state = unchanged.state(project, profile)
        if not unchanged.is_built(project, state):
            from course_tools.publishing.site import build_site
            from course_tools.publishing.stage import stage

            stage(project, profile)
            build_site(project)
            unchanged.keep(project, state)
    folder = project.html.relative_to(project.root)
    print(f"{len(project.pages())} pages are in {folder}: open {folder / 'index.html'}.")


def pdf(_options: argparse.Namespace) -> None:
    from course_tools.publishing.pdf import print_book

    project = _project()
    file = print_book(project)
    print(f"The book is in {file.relative_to(project.root)} ({file.stat().st_size / 1e6:.1f} MB).")


def live(options: argparse.Namespace) -> None:
    from course_tools.publishing.stills import make_stills

    project = _project()
    for page in make_stills(options.figures, project.build / "live"):
        print(f"{page.stem}: open {page.relative_to(project.root)}.")


def serve(options: argparse.Namespace) -> None:
    from course_tools.publishing.serve import serve

    serve(_project(), options.port)


def publish(options: argparse.Namespace) -> None:
    from course_tools.publishing.publish import publish

    project = _project()
    published = publish(project, project.pick(options.chapters), _profile(options), options.replace_better)
    print(f"Published: {', '.join(chapter.name for chapter in published)}. Look at `git diff --stat`, then commit.")


def stamp(options: argparse.Namespace) -> None:
    from course_tools.publishing.publish import stamp

    project = _project()
    stamped = stamp(project, project.pick(options.chapters))
    print(f"Stamped: {', '.join(chapter.name for chapter in stamped)}. Look at `git diff --stat`, then commit.")


def draw(_options: argparse.Namespace) -> None:
    from course_tools.publishing.publish import redraw

    changed = redraw(_project())
    print(f"Drawn again: {', '.join(changed)}." if changed else "All tables and figures show today's records.")


def status(options: argparse.Namespace) -> None:
    from course_tools.publishing.status import table
    from course_tools.studies.plan import names
    from course_tools.studies.publish import state

    project = _project()
    print(table(project))
    width = max(map(len, names()))
    print("\n" + "\n".join(f"study {name:<{width}}  {state(project, name)}" for name in names()))


def pair(options: argparse.Namespace) -> None:
    from course_tools.publishing import pairs

    project = _project()
    chapters = project.pick(options.chapters)
    if options.take_notebook:
        if not options.chapters:
            raise CourseError("--take-notebook needs the chapter's name.")
        for chapter in chapters:
            pairs.take_notebook(chapter)
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
            "`course claims --update` rewrites numbers; verdicts and sentences are yours to fix."
        )
    print("Every claim agrees with its evidence, and every number in the prose has a claim.")


def verify(options: argparse.Namespace) -> None:
    from course_tools.verification.train import train
    from course_tools.verification.verify import verifiable, verify

    project = _project()
    if options.name is None:
        if options.train:
            raise CourseError("--train needs the NAME of a claim or of runs.")
        for run, claims in verifiable(project).items():
            print(f"{run}: {', '.join(claims) or 'no claim'}")
        return
    for step in (train, verify) if options.train else (verify,):
        for line in step(project, options.name):
            print(line, flush=True)


def conformance(options: argparse.Namespace) -> None:
    from course_tools.publishing.conformance import PAGE

    project = _project()
    if options.check:
        PAGE.check(project)
        print(f"{PAGE.file} is up to date.")
        return
    changed = PAGE.write(project)
    print(f"Updated in {PAGE.file}: {', '.join(changed)}." if changed else f"{PAGE.file} is up to date.")


def study(options: argparse.Namespace) -> None:
    from course_tools.studies.plan import names, plan, study_module

    if options.name is None:
        for name in names():
            print(f"{name:<14} {study_module(name).__doc__.splitlines()[0]}")
        return
    from course_lib.profiles import resolve_profile
    from course_tools.studies.publish import publish, refuse_quick
    from course_tools.studies.run import check, run_study

    project, size = _project(), resolve_profile(options.size)
    if options.publish:
        refuse_quick(size)
    if options.limit and not options.scheduler:
        raise CourseError("--limit belongs to --scheduler: runs on this machine have no limit.")
    if options.scheduler and options.processes > 1:
        raise CourseError("--processes is for runs on this machine: a worker of --scheduler trains in one process.")
    if options.seed is None:
        planned = plan(options.name, size, options.seeds)
    elif options.publish:
        raise CourseError("--seed leaves runs out, and --publish wants all: call it once more, without --seed.")
    else:
        planned = [run for run in plan(options.name, size, options.seed + 1) if run.seed == options.seed]
        if not planned:
            raise CourseError(f"{options.name} has no runs of seed {options.seed}: the first seed is 0.")
    how = {part: getattr(options, part) for part in ("jobs", "processes", "hours", "scheduler", "limit")}
    outcomes = run_study(project, options.name, size, planned, **how)
    done = sum(not outcome.problem and not outcome.left for outcome in outcomes)
    earlier = sum(outcome.skipped for outcome in outcomes)
    suffix = f", {earlier} of them earlier." if earlier else "."
    print(f"{options.name}, {size}: {done} of {len(outcomes)} runs are done{suffix}")
    moved = [f"{outcome.planned.name}, seed {outcome.planned.seed}" for outcome in outcomes if outcome.moved]
    if moved:
        print(f"Begun again on another worker, because their own was lost: {'; '.join(moved)}.")
    try:
        if options.publish:
            target, count, waiting = publish(project, options.name, size, planned, options.replace_better)
            file = target.relative_to(project.root)
            print(f"Published {count} records: {file}. Look at `git diff --stat`, then commit.")
            if waiting:
                print(f"Not published, for some of their seeds are missing: {', '.join(waiting)}.")
    finally:
        check(options.name, outcomes)


def set_repository(options: argparse.Namespace) -> None:
    from course_tools.publishing import repository

    project = _project()
    owner, name = repository.parse(options.repository)
    changed = repository.set_address(project, owner, name, options.branch)
    print(f"The course lives at github.com/{owner}/{name}, branch {options.branch}.")
    if changed:
        files = ", ".join(str(file.relative_to(project.root)) for file in changed)
        print(f"Updated: {files}. Look at `git diff --stat`, then commit.")


def release_assignment(options: argparse.Namespace) -> None:
    from course_tools.grading import release

    files = release.release(_project(), user_path(options.folder))
    print(f"{options.folder} is the students' repository: {len(files)} files, one commit, nothing secret in it.")


def grade_assignment(options: argparse.Namespace) -> None:
    from course_tools.grading import grade

    folders, roster = list(map(user_path, options.submissions)), options.roster and user_path(options.roster)
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
        "out": user_path(options.out),
        "rubric_file": options.rubric and user_path(options.rubric),
        "seed": options.seed,
        "jobs": options.jobs,
        "trusted": options.i_trust_this_code,
    }
