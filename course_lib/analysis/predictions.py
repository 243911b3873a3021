"""A network's predictions, and what they show: accuracy, confusion matrix, class report, worst mistakes."""

from dataclasses import dataclass

import pandas as pd
import torch


@dataclass(frozen=True)
class Predictions:
    """Logits and labels of one split, in the split's own order.

    ``logits`` is float32, shape (N, K), and ``labels`` int64, shape (N,), both on the CPU. ``classes`` are K names.
    """

    logits: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...]

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

    A class that is never predicted has precision 0, as one with no images has recall 0.
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
    report.loc["macro"] = report.mean()
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
