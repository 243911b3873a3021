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
        (_ACCURACY, "return 100 * (logits.argmax(dim=1) == labels).double().mean().item()", "not for percent"),
        (_ACCURACY, "return (logits.argmax(dim=1) == labels).sum().item()", "how many are right"),
        (_ACCURACY, "return (logits.argmax(dim=0) == labels).double().mean().item()", "which dimension"),
        (
            _ACCURACY,
            """right = logits.argmax(dim=1) == labels
    return torch.stack([right[labels == one].double().mean() for one in labels.unique()]).mean().item()""",
            "Every image counts the same",
        ),
        (
            _ACCURACY,
            "return (logits.topk(2, dim=1).indices == labels[:, None]).any(dim=1).double().mean().item()",
            "To be second does not count",
        ),
    ),
    *mistakes_in(
        "confusion_matrix",
        (_MATRIX, _MATRIX + ".T", "exchanged"),
        (
            _MATRIX,
            """counts = counts.reshape(num_classes, num_classes).double()
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)""",
            "not a share of them",
        ),
        (_COUNTS, "counts = torch.zeros(num_classes**2, dtype=torch.int64)\n    counts[pairs] += 1", "counted once"),
        (_MATRIX, _MATRIX + ".float()", "asks for int64"),
        (
            _MATRIX,
            """matrix = counts.reshape(num_classes, num_classes)
    there = labels.unique()
    return matrix[there][:, there]""",
            "whichever classes stand in the labels",
        ),
        (_MATRIX, "return counts.reshape(num_classes, num_classes).fill_diagonal_(0)", "on the diagonal"),
    ),
    *mistakes_in(
        "macro_f1",
        (_MEAN, "return (predicted == labels).double().mean().item()", "all images pooled"),
        (
            _MEAN,
            """images = torch.bincount(labels, minlength=num_classes).tolist()
    return sum(score * count for score, count in zip(scores, images)) / len(labels)""",
            "every class counts the same",
        ),
        (_MEAN, "return 100 * sum(scores) / num_classes", "not for percent"),
        ("scores.append(2 * precision * recall / both if both else 0.0)", "scores.append(both / 2)", "harmonic mean"),
        (
            """        both = precision + recall
        scores.append(2 * precision * recall / both if both else 0.0)
    return sum(scores) / num_classes""",
            """        scores.append((precision, recall))
    precision, recall = (sum(score) / num_classes for score in zip(*scores))
    return 2 * precision * recall / (precision + recall)""",
            "The mean over classes comes last",
        ),
        ("scores.append(2 * precision * recall / both if both else 0.0)", "scores.append(precision)", "harmonic mean"),
        (
            "scores.append(2 * precision * recall / both if both else 0.0)",
            'scores.append(2 * precision * recall / both if both else float("nan"))',
            "no prediction of it is right",
        ),
        (
            "precision = right / max((predicted == one).sum().item(), 1)",
            'precision = right / (predicted == one).sum().item() if (predicted == one).any() else float("nan")',
            "never predicted: its precision is 0 of 0",
        ),
        (_MEAN, "return sum(scores) / len(labels.unique())", "its recall is 0 of 0"),
        (_MEAN, "return sum(scores) / len(torch.cat([labels, predicted]).unique())", "is never predicted. Its F1 is 0"),
    ),
    *mistakes_in(
        "generalisation_gap",
        (_GAP, "return 100 * (val - train).item()", "above zero where the network is worse"),
        (_GAP, "return (train - val).item()", "percentage points"),
        (_GAP, "return 100 * (train - val).abs().item()", "below zero"),
        (_GAP, "return 100 * ((train - val) / train).item()", "one accuracy minus the other"),
    ),
]
