"""What a chapter computes in one profile: its code cells, reduced to what can change the outputs of a run.

A cell's code is its syntax tree, so layout and comments are no part of it. Values of other profiles are folded away,
``{"quick": 2, "cpu": 8}[profile]`` to ``8`` and ``if profile == "quick"`` to the branch that runs. Import lines and the
install cell are left out, and what the reader is to write. So is what is drawn when the page is staged: see
:mod:`course_tools.publishing.draw`.
"""

import ast
import threading
from functools import cache

from nbformat import NotebookNode

INSTALL, DRAWN = "install", "drawn"
YOUR_TURN = "your-turn"  # the reader's to write: it is for a notebook of one's own, and no run executes it
_PARSING = threading.Lock()


def has_tag(cell: NotebookNode, *tags: str) -> bool:
    """Whether a cell has one of these tags."""
    return bool(set(tags) & set(cell.metadata.get("tags", [])))


def computing_cells(notebook: NotebookNode, profile: str) -> list[tuple[NotebookNode, str]]:
    """The cells that compute something in ``profile``, each with what it computes."""
    cells = [
        (cell, folded("".join(cell.source), profile))
        for cell in notebook.cells
        if cell.cell_type == "code" and not has_tag(cell, INSTALL, DRAWN, YOUR_TURN, "injected-parameters")
    ]
    return [(cell, code) for cell, code in cells if code]


def computation(notebook: NotebookNode, profile: str) -> list[str]:
    """What a run in ``profile`` computes, a text a cell. Outputs belong to a source as long as this is equal."""
    return [code for _, code in computing_cells(notebook, profile)]


def parsed(code: str) -> ast.Module:
    """The syntax tree of some code. Raises SyntaxError.

    One thread at a time: Python 3.11 counts the depth of all trees together, and raises SystemError where two meet.
    """
    with _PARSING:
        return ast.parse(code)


@cache
def folded(code: str, profile: str) -> str:
    """The syntax tree of some code as ``profile`` runs it; empty where only imports are left."""
    try:
        tree = _Fold(profile).visit(parsed(code))
    except SyntaxError:  # an IPython magic, or a mistake that the run will show
        return code
    return canonical(tree) if tree.body else ""


def canonical(node: object) -> str:
    """A syntax tree as text, the same in all versions of Python: ``ast.dump`` shows empty fields in some of them."""
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
        return f"{type(node).__name__}({', '.join(f'{name}={canonical(value)}' for name, value in fields)})"
    return f"[{', '.join(map(canonical, node))}]" if isinstance(node, list) else repr(node)


class _Fold(ast.NodeTransformer):
    """Replace expressions over ``profile`` by their value, and drop import lines."""

    def __init__(self, profile: str):
        self.profile = profile

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        return None

    visit_ImportFrom = visit_Import

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        value = self._choice(node.value) if _is_profile(node.slice) else None
        return value or node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """``{"quick": 1}.get(profile, 2)``."""
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Dict() as table, attr="get"), args=[key, default]) if (
                _is_profile(key)
            ):
                return self._choice(table) or default
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        if len(node.ops) != 1 or not _is_profile(node.left):
            return node
        try:
            value = ast.literal_eval(node.comparators[0])
        except ValueError:
            return node
        match node.ops[0]:
            case ast.Eq():
                return ast.Constant(self.profile == value)
            case ast.NotEq():
                return ast.Constant(self.profile != value)
        return node

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        node.body = node.body or [ast.Pass()]
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if not isinstance(node, ast.Module) and getattr(node, "body", None) == []:
            node.body = [ast.Pass()]  # all that was in it is folded away
        return node

    def _choice(self, table: ast.expr) -> ast.expr | None:
        """The value of ``{"quick": …, "cpu": …}`` in this profile; None for another expression."""
        if isinstance(table, ast.Dict):
            for key, value in zip(table.keys, table.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == self.profile:
                    return value
        return None


def _is_profile(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "profile"
