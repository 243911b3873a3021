"""A checkout with one short run of LeNet-5 on the sample: its record, those of two more seeds, and its weights."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from course_lib import records
from course_tools.claims import ledger
from course_tools.claims.ledger import Claim, Fact
from course_tools.claims.measurements import difference, mean
from course_tools.publishing.project import Project
from course_tools.studies.plan import plan
from course_tools.verification.train import train

RUN = "study-lenet-fair/LeNet-5, modern"
OTHER = "study-lenet-fair/LeNet-5, 1998"


@dataclass(frozen=True)
class Checkout:
    """The checkout, and short ways to change it."""

    project: Project

    @property
    def file(self) -> Path:
        return self.project.results / "study-lenet-fair.jsonl"

    @property
    def weights(self) -> Path:
        return self.project.results / "weights" / "study-lenet-fair.lenet-5-modern.safetensors"

    @property
    def record(self) -> dict:
        return records.read(self.file)[0]

    def change(self, **changes) -> None:
        """Change the record of seed 0, and give it the SHA-256 that fits."""
        first, *others = records.read(self.file)
        self.file.unlink()
        for record in (first | changes, *others):
            records.append(self.file, record)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Trained twice: once for the record, once for the weights. Two more seeds, another network: records only."""
    root = tmp_path_factory.mktemp("verification") / "checkout"
    (root / "notebooks").mkdir(parents=True)
    (root / "results").mkdir()
    (root / "book" / "claims").mkdir(parents=True)
    (root / "_toc.yml").write_text("root: index\n")
    checkout = Checkout(Project(root))
    planned = next(run for run in plan("lenet-fair", "quick", 1) if run.name == "LeNet-5, modern")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CHAPTER", "study-lenet-fair")
        patch.setenv("COURSE_PROFILE", "quick")
        first = planned.train() | {"study_key": planned.key}
    for seed, accuracy in enumerate((first["final"]["accuracy"], 0.7, 0.8)):
        for name in ("LeNet-5, modern", "LeNet-5, 1998"):
            recipe, final = first["recipe"] | {"seed": seed}, first["final"] | {"accuracy": accuracy}
            records.append(checkout.file, first | {"name": name, "seed": seed, "recipe": recipe, "final": final})
    mean = sum((first["final"]["accuracy"], 0.7, 0.8)) / 3
    (root / "README.md").write_text(f"LeNet-5 reaches {100 * mean:.1f} % <!-- claim: small-lenet -->.\n")
    assert any(line.startswith("kept") for line in train(checkout.project, RUN))
    return checkout


@pytest.fixture
def checkout(built, tmp_path, monkeypatch):
    """A checkout of one's own, which is the current directory, with claims of each kind."""
    root = tmp_path / "checkout"
    shutil.copytree(built.project.root, root)
    monkeypatch.chdir(root)
    facts = [
        Fact("small-lenet", evidence=lambda: mean("study-lenet-fair/LeNet-5, modern")),
        Fact("small-1998", evidence=lambda: mean("study-lenet-fair/LeNet-5, 1998")),
        Fact("small-seconds", evidence=lambda: mean("study-lenet-fair/LeNet-5, modern", "seconds")),
        Fact("small-difference", evidence=lambda: difference(RUN, OTHER)),
        Fact("small-sum", evidence=lambda: 1 + 1),
        Fact("small-paper", source="7.3 %", cite=("paper2000",)),
    ]
    both = Claim("A.1", [facts[0], facts[1]])
    claims = {fact.claim: Claim(fact.claim, [fact]) for fact in facts} | {"A.1": both}
    monkeypatch.setattr(ledger, "read", lambda project: claims)
    return Checkout(Project(root))


@pytest.fixture
def keep_weights(checkout):
    """Put a file of weights in the place of that of LeNet-5, with checksum and metadata to one's liking."""
    import hashlib

    import safetensors.torch

    def keep(tensors, file=None, **facts):
        before = {"run": RUN, "seed": 0, "record": checkout.record["sha256"], "network": "lenet5"}
        content = safetensors.torch.save(tensors, {"run": json.dumps(before | facts)})
        file = checkout.weights.with_name(file or checkout.weights.name)
        file.write_bytes(content)
        line = f"{hashlib.sha256(content).hexdigest()}  {file.name}\n"
        with file.with_name("SHA256SUMS").open("r+") as table:
            others = [other for other in table if not other.endswith(f"  {file.name}\n")]
            table.seek(0)
            table.writelines([*others, line])

    return keep
