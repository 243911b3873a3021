"""The ``course`` command. Each verb imports what it needs when it is called, so that ``--help`` answers at once."""

import argparse
import sys
from typing import NoReturn

from course_lib.errors import CourseError
from course_lib.profiles import PROFILES


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 0 when it did its work, 1 when something must be mended, 2 for wrong words."""
    options = parser().parse_args(arguments)
    if "act" not in options:
        options.parser.print_help()
        return 2
    try:
        options.act(options)
    except CourseError as error:
        print(f"course: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read our output, such as head, has seen enough
        sys.stdout = None
    except KeyboardInterrupt:
        print("course: stopped; what was finished is kept.", file=sys.stderr)
        return 130
    return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without repeating the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"course: {message}; `{self.prog} --help` lists what it takes.\n")


def parser() -> argparse.ArgumentParser:
    """All words that the command knows."""
    top = _Parser(prog="course", description="Run, check and publish Convnets, Measured.")
    top.set_defaults(parser=top)
    verbs = top.add_subparsers(title="commands", metavar="COMMAND")

    def verb(name: str, act, summary: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        one.set_defaults(act=act, parser=one)
        return one

    def chapters(one: argparse.ArgumentParser) -> None:
        one.add_argument("chapters", nargs="*", metavar="CHAPTER", help="such as 01-mlp, 01 or mlp; default: all")

    def profile(one: argparse.ArgumentParser) -> None:
        one.add_argument(
            "--profile",
            choices=(*PROFILES, "auto"),
            default="auto",
            help="quick: embedded sample; cpu: full data; full: one GPU; auto: what fits this machine",
        )

    run = verb("run", _run, "run chapters through papermill, side by side")
    chapters(run)
    profile(run)
    run.add_argument("--jobs", type=_positive(int), help="how many chapters at a time (default: one a core)")
    run.add_argument("--minutes", type=_positive(float), help="time limit of a chapter")
    run.add_argument("--force", action="store_true", help="run also chapters whose last run is still fresh")

    book = verb("book", _book, "build the website from the runs of a profile, or from the published outputs")
    profile(book)
    book.add_argument("--published", action="store_true", help="show the committed outputs; run nothing")

    publish = verb("publish", _publish, "put the outputs of a completed run into notebooks/*.ipynb")
    chapters(publish)
    profile(publish)
    publish.add_argument("--replace-better", action="store_true", help="let a cpu run replace a published full run")

    verb("status", _status, "list chapters and studies, what is published of them, and whether that is fresh")

    pair = verb("pair", _pair, "bring each notebook in step with its .py source, which wins")
    chapters(pair)
    pair.add_argument("--check", action="store_true", help="only say which pairs differ")
    pair.add_argument("--take-notebook", action="store_true", help="carry a hand edit of the .ipynb into the .py")

    recipe = verb("recipe", _recipe, "train by the shortest recipe to a named accuracy, or list the recipes")
    recipe.add_argument("name", nargs="?", metavar="NAME", help="such as mnist-99; default: list them")
    recipe.add_argument("--seeds", type=_positive(int), default=1, help="how many runs, with seeds 0, 1 … (default: 1)")
    recipe.add_argument("--test", action="store_true", help="train on validation images too and open the test set")
    recipe.add_argument("--sample", action="store_true", help="use the small sample in the package: a look, no network")

    study = verb("study", _study, "run a grid of training runs, resumable, or list the studies")
    study.add_argument("name", nargs="?", metavar="NAME", help="such as mnist-six; default: list them")
    study.add_argument("--seeds", type=_positive(int), help="how many runs a network (default: the study's own number)")
    study.add_argument("--size", choices=(*PROFILES, "auto"), default="auto", help="as the profiles of chapters")
    study.add_argument("--jobs", type=_positive(int), help="how many runs at a time (default: one a core, or a GPU)")
    study.add_argument("--publish", action="store_true", help="then put the records into results/")
    study.add_argument("--replace-better", action="store_true", help="let cpu runs replace published full ones")

    claims = verb("claims", _claims, "hold every number of the book against the record that proves it")
    claims.add_argument("--update", action="store_true", help="rewrite numbers in prose, Scorecard and Errata")

    conformance = verb("conformance", _conformance, "write the page that compares our networks with torchvision's")
    conformance.add_argument("--check", action="store_true", help="only say what is out of date")

    repository = verb("set-repository", _set_repository, "write the repository's new address wherever the old stands")
    repository.add_argument("repository", metavar="OWNER/NAME", help="on GitHub; its whole address will do, too")
    repository.add_argument("--branch", default="main", help="its default branch (default: main)")

    data = verb("data", None, "fetch, verify or find data sets and pretrained weights")
    del data._defaults["act"]
    actions = data.add_subparsers(title="actions", metavar="ACTION")
    known = "mnist, cifar10, vgg16-features, alexnet-features, mobilenet-v2, efficientnet-lite0"
    for action, summary, default in (
        ("fetch", "bring them into the cache, or replace damaged ones", "mnist, cifar10 and mobilenet-v2"),
        ("verify", "check what is in the cache against its SHA-256", "what fetch brings, and whatever else is there"),
        ("where", "say where they are, or would be", "all"),
    ):
        one = actions.add_parser(action, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        one.add_argument("names", nargs="*", metavar="NAME", help=f"{known}; default: {default}")
        one.set_defaults(act=_data, action=action, parser=one)
    return top


def _positive(kind: type):
    def read(text: str):
        value = kind(text)
        if not value > 0:
            raise ValueError
        return value

    read.__name__ = f"number above 0, {kind.__name__},"
    return read


def _project():
    """The checkout around the current directory, with any interrupted publish finished first."""
    from course_lib.publishing import journal
    from course_lib.publishing.project import Project

    project = Project.here()
    journal.settle(project)
    return project


def _profile(options: argparse.Namespace) -> str:
    from course_lib.profiles import resolve_profile

    return resolve_profile(options.profile)


def _run(options: argparse.Namespace) -> None:
    from course_lib.publishing import outcomes, running

    project, profile = _project(), _profile(options)
    chapters = project.pick(options.chapters)
    done = running.run_chapters(
        project, chapters, profile, jobs=options.jobs, minutes=options.minutes, force=options.force
    )
    print(outcomes.summary(done, profile, project.run_folder(profile).relative_to(project.root)))
    outcomes.check(done)


def _book(options: argparse.Namespace) -> None:
    from course_lib.publishing import site, staging

    project = _project()
    pages = staging.stage(project, None if options.published else _profile(options))
    front = site.build_site(project)
    print(
        f"{len(pages)} pages are in {front.parent.relative_to(project.root)}: open {front.relative_to(project.root)}."
    )


def _publish(options: argparse.Namespace) -> None:
    from course_lib.publishing import promoting

    project = _project()
    chosen = project.pick(options.chapters)
    done = promoting.publish(project, chosen, _profile(options), options.replace_better)
    print(f"Published: {', '.join(chapter.name for chapter in done)}. Look at `git diff --stat`, then commit.")


def _status(options: argparse.Namespace) -> None:
    from course_lib import studies
    from course_lib.publishing import status
    from course_lib.studies import promoting

    project = _project()
    print(status.table(project))
    width = max(map(len, studies.NAMES))
    print("\n" + "\n".join(f"study {name:<{width}}  {promoting.state(project, name)}" for name in studies.NAMES))


def _pair(options: argparse.Namespace) -> None:
    from course_lib.publishing import pairs

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


def _claims(options: argparse.Namespace) -> None:
    from course_lib import claims

    project = _project()
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


def _conformance(options: argparse.Namespace) -> None:
    from course_lib.publishing.conformance import PAGE

    project = _project()
    if options.check:
        PAGE.check(project)
        print(f"{PAGE.file} says what the models are.")
        return
    changed = PAGE.write(project)
    print(f"Updated in {PAGE.file}: {', '.join(changed)}." if changed else f"{PAGE.file} is up to date.")


def _recipe(options: argparse.Namespace) -> None:
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


def _study(options: argparse.Namespace) -> None:
    from course_lib import studies

    if options.name is None:
        for name in studies.NAMES:
            print(f"{name:<14} {studies.take(name).__doc__.splitlines()[0]}")
        return
    from course_lib.profiles import resolve_profile
    from course_lib.studies import promoting, running

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


def _set_repository(options: argparse.Namespace) -> None:
    from course_lib.publishing import repository

    project = _project()
    owner, name = repository.parse(options.repository)
    changed = repository.set_address(project, owner, name, options.branch)
    print(f"The course lives at github.com/{owner}/{name}, branch {options.branch}.")
    if changed:
        files = ", ".join(str(file.relative_to(project.root)) for file in changed)
        print(f"Updated: {files}. Look at `git diff --stat`, then commit.")


def _data(options: argparse.Namespace) -> None:
    from course_lib import downloads

    act = {"fetch": downloads.fetch, "verify": downloads.verify, "where": downloads.where}[options.action]
    for line in act(options.names):
        print(line)


if __name__ == "__main__":
    sys.exit(main())
