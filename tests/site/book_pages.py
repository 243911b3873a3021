"""The pages that a browser visits."""

from pathlib import Path

from course_tools.publishing.project import Project

ROOT = Path(__file__).parents[2]
BOOK = Project(ROOT).pages()
CHAPTERS = [page for page in BOOK if page.startswith("notebooks/")]
PAGES = [*BOOK, "search", "genindex", "404"]

# A script that opens every fold, so that what it hides is looked at, too, when it has faded in.
UNFOLD = """async () => {
    document.querySelectorAll("details").forEach(fold => { fold.open = true; });
    await new Promise(requestAnimationFrame);
    await Promise.allSettled(document.getAnimations().map(motion => motion.finished));
}"""
