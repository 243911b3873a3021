"""Task 6, answered wrong in the ways in which it is answered wrong. RESULTS needs logits: its mistakes are tests."""

from known_mistakes import mistakes_in

_ACCURACY = "return (logits.argmax(dim=1) == labels).double().mean().item()"
_MATRIX = "return counts.reshape(num_classes, num_classes)"
_MEAN = "return sum(scores) / num_classes"
_GAP = "return 100 * (train - val).item()"
_COUNTS = "counts = torch.bincount(pairs, minlength=num_classes**2)"

MISTAKES = [
    *mistakes_in(
        "accuracy",
        (
            "accuracy in percent",
            _ACCURACY,
            "return 100 * (logits.argmax(dim=1) == labels).double().mean().item()",
            "not for percent",
        ),
        (
            "number of right predictions",
            _ACCURACY,
            "return (logits.argmax(dim=1) == labels).sum().item()",
            "how many are right",
        ),
        (
            "largest logit of a class instead of an image",
            _ACCURACY,
            "return (logits.argmax(dim=0) == labels).double().mean().item()",
            "which dimension",
        ),
        (
            "accuracy as the mean over classes",
            _ACCURACY,
            """right = logits.argmax(dim=1) == labels
    return torch.stack([right[labels == one].double().mean() for one in labels.unique()]).mean().item()""",
            "Every image counts the same",
        ),
        (
            "two guesses an image",
            _ACCURACY,
            "return (logits.topk(2, dim=1).indices == labels[:, None]).any(dim=1).double().mean().item()",
            "To be second does not count",
        ),
    ),
    *mistakes_in(
        "confusion_matrix",
        ("matrix transposed", _MATRIX, _MATRIX + ".T", "exchanged"),
        (
            "matrix of shares",
            _MATRIX,
            """counts = counts.reshape(num_classes, num_classes).double()
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)""",
            "not a share of them",
        ),
        (
            "each pair of classes counted once",
            _COUNTS,
            "counts = torch.zeros(num_classes**2, dtype=torch.int64)\n    counts[pairs] += 1",
            "counted once only",
        ),
        ("counts as floats", _MATRIX, _MATRIX + ".float()", "asks for int64"),
        (
            "matrix of the classes that stand in the labels",
            _MATRIX,
            """matrix = counts.reshape(num_classes, num_classes)
    there = labels.unique()
    return matrix[there][:, there]""",
            "whichever classes stand in the labels",
        ),
        (
            "right predictions left out of the matrix",
            _MATRIX,
            "return counts.reshape(num_classes, num_classes).fill_diagonal_(0)",
            "on the diagonal",
        ),
    ),
    *mistakes_in(
        "macro_f1",
        ("micro F1", _MEAN, "return (predicted == labels).double().mean().item()", "all images pooled"),
        (
            "weighted F1",
            _MEAN,
            """images = torch.bincount(labels, minlength=num_classes).tolist()
    return sum(score * count for score, count in zip(scores, images)) / len(labels)""",
            "every class counts the same",
        ),
        ("F1 in percent", _MEAN, "return 100 * sum(scores) / num_classes", "not for percent"),
        (
            "arithmetic mean of precision and recall",
            "scores.append(2 * precision * recall / both if both else 0.0)",
            "scores.append(both / 2)",
            "harmonic mean",
        ),
        (
            "F1 of mean precision and mean recall",
            """        both = precision + recall
        scores.append(2 * precision * recall / both if both else 0.0)
    return sum(scores) / num_classes""",
            """        scores.append((precision, recall))
    precision, recall = (sum(score) / num_classes for score in zip(*scores))
    return 2 * precision * recall / (precision + recall)""",
            "The mean over classes comes last",
        ),
        (
            "precision alone",
            "scores.append(2 * precision * recall / both if both else 0.0)",
            "scores.append(precision)",
            "harmonic mean",
        ),
        (
            "NaN for a class that is never right",
            "scores.append(2 * precision * recall / both if both else 0.0)",
            'scores.append(2 * precision * recall / both if both else float("nan"))',
            "no prediction of it is right",
        ),
        (
            "NaN for a class that is never predicted",
            "precision = right / max((predicted == one).sum().item(), 1)",
            'precision = right / (predicted == one).sum().item() if (predicted == one).any() else float("nan")',
            "never predicted: its precision is 0 of 0",
        ),
        (
            "class without images left out of the mean",
            _MEAN,
            "return sum(scores) / len(labels.unique())",
            "its recall is 0 of 0",
        ),
        (
            "absent class left out of the mean",
            _MEAN,
            "return sum(scores) / len(torch.cat([labels, predicted]).unique())",
            "is never predicted. Its F1 is 0",
        ),
    ),
    *mistakes_in(
        "generalisation_gap",
        ("gap reversed", _GAP, "return 100 * (val - train).item()", "above zero where the network is worse"),
        ("gap as a share", _GAP, "return (train - val).item()", "percentage points"),
        ("gap without its sign", _GAP, "return 100 * (train - val).abs().item()", "below zero"),
        (
            "gap relative to training accuracy",
            _GAP,
            "return 100 * ((train - val) / train).item()",
            "one accuracy minus the other",
        ),
    ),
]
