"""A network's predictions, and what they show: accuracy, confusion matrix, class report, worst mistakes."""

import warnings
from dataclasses import dataclass

import pandas as pd
import torch

from course_lib.data.splits import class_numbers
from course_lib.models.classifier import logits_in


@dataclass(frozen=True)
class Predictions:
    """Logits and labels of one split, in the split's own order.

    ``logits`` are floats, shape (N, K), and ``labels`` whole numbers, shape (N,), kept as int64; both are kept on the
    CPU. ``classes`` are K names. A warning is issued where logits are NaN: of such an image, ``predicted`` is the first
    class that has NaN.

    Raises: ValueError for another type, shape or length, and for labels without a class.
    """

    logits: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...]

    def __post_init__(self):
        count = len(self.classes)
        labels = class_numbers(self.labels, count, "predictions").cpu()
        logits = logits_in(self.logits, len(labels), "a network")
        if logits.shape[1] != count:
            raise ValueError(f"logits of {logits.shape[1]} classes, but there are {count} names of classes")
        object.__setattr__(self, "logits", logits.cpu())
        if broken := int(logits.isnan().any(dim=1).sum()):
            text = f"logits of {broken:,} of {len(labels):,} images are not numbers: check the weights and the images"
            warnings.warn(text, stacklevel=3)
        object.__setattr__(self, "labels", labels)

    @property
    def probabilities(self) -> torch.Tensor:
        """Softmax of the logits, shape (N, K)."""
        return self.logits.softmax(dim=1)

    @property
    def predicted(self) -> torch.Tensor:
        """The class with the largest logit, shape (N,)."""
        return self.logits.argmax(dim=1)

    @property
    def accuracy(self) -> float:
        """Share of correct predictions, in [0, 1]."""
        return (self.predicted == self.labels).double().mean().item()


def confusion_matrix(predictions: Predictions) -> pd.DataFrame:
    """Count true class (rows) against predicted class (columns), shape (K, K)."""
    size = len(predictions.classes)
    counts = torch.bincount(predictions.labels * size + predictions.predicted, minlength=size**2)
    names = list(predictions.classes)
    return pd.DataFrame(
        counts.reshape(size, size).numpy(), pd.Index(names, name="true"), pd.Index(names, name="predicted")
    )


def class_report(predictions: Predictions) -> pd.DataFrame:
    """Precision, recall, F1 and number of images of each class, and their unweighted means in a row ``macro``.

    As in scikit-learn: what would be a division by zero is 0, such as the precision of a class that is never predicted
    or the recall of one without images (``zero_division=0``). The means are over the classes that occur, among labels
    or predictions: one that is neither has a row of zeros and no part in them (``average="macro"`` without ``labels``).
    """
    matrix = torch.from_numpy(confusion_matrix(predictions).to_numpy().copy()).double()
    correct = matrix.diag()
    precision = correct / matrix.sum(dim=0).clamp(min=1)
    recall = correct / matrix.sum(dim=1).clamp(min=1)
    f1 = 2 * precision * recall / (precision + recall).clamp(min=1e-12)
    report = pd.DataFrame(
        {"precision": precision.numpy(), "recall": recall.numpy(), "f1": f1.numpy()},
        index=pd.Index(list(predictions.classes), name="class"),
    )
    occurs = (matrix.sum(dim=0) + matrix.sum(dim=1) > 0).numpy()
    macro = report[occurs].mean().to_frame("macro").T
    report = pd.concat([report, macro])  # a class may have any name, "macro" too
    report.index.name = "class"
    report["images"] = [*matrix.sum(dim=1).int().tolist(), int(matrix.sum())]
    return report


def worst_mistakes(predictions: Predictions, count: int = 16) -> pd.DataFrame:
    """The wrong predictions with the highest confidence, the most confident first.

    Returns: a row a mistake with ``index`` (its place in the split), ``true``, ``predicted`` (class names) and
        ``confidence`` (the probability of the predicted class); fewer than ``count`` rows where there are fewer.
    """
    confidence, predicted = predictions.probabilities.max(dim=1)
    wrong = (predicted != predictions.labels).nonzero().flatten()
    wrong = wrong[confidence[wrong].argsort(descending=True, stable=True)][:count]
    names = predictions.classes
    return pd.DataFrame(
        {
            "index": wrong.tolist(),
            "true": [names[label] for label in predictions.labels[wrong].tolist()],
            "predicted": [names[label] for label in predicted[wrong].tolist()],
            "confidence": confidence[wrong].tolist(),
        }
    )
