"""Task 6, answered wrong in the ways in which it is answered wrong. RESULTS needs logits: its mistakes are tests."""

from known_mistakes import Mistake

_ACCURACY = "return (logits.argmax(dim=1) == labels).double().mean().item()"
_MATRIX = "return counts.reshape(num_classes, num_classes)"
_MEAN = "return sum(scores) / num_classes"
_GAP = "return 100 * (train - val).item()"
_COUNTS = "counts = torch.bincount(pairs, minlength=num_classes**2)"

MISTAKES = [
    Mistake(
        "accuracy in percent",
        part="accuracy",
        old=_ACCURACY,
        new="return 100 * (logits.argmax(dim=1) == labels).double().mean().item()",
        hint="not for percent",
    ),
    Mistake(
        "number of right predictions",
        part="accuracy",
        old=_ACCURACY,
        new="return (logits.argmax(dim=1) == labels).sum().item()",
        hint="how many are right",
    ),
    Mistake(
        "largest logit of a class instead of an image",
        part="accuracy",
        old=_ACCURACY,
        new="return (logits.argmax(dim=0) == labels).double().mean().item()",
        hint="which dimension",
    ),
    Mistake(
        "accuracy as the mean over classes",
        part="accuracy",
        old=_ACCURACY,
        new="""right = logits.argmax(dim=1) == labels
    return torch.stack([right[labels == one].double().mean() for one in labels.unique()]).mean().item()""",
        hint="Every image counts the same",
    ),
    Mistake(
        "two guesses an image",
        part="accuracy",
        old=_ACCURACY,
        new="return (logits.topk(2, dim=1).indices == labels[:, None]).any(dim=1).double().mean().item()",
        hint="To be second does not count",
    ),
    Mistake("matrix transposed", part="confusion_matrix", old=_MATRIX, new=_MATRIX + ".T", hint="exchanged"),
    Mistake(
        "matrix of shares",
        part="confusion_matrix",
        old=_MATRIX,
        new="""counts = counts.reshape(num_classes, num_classes).double()
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)""",
        hint="not a share of them",
    ),
    Mistake(
        "each pair of classes counted once",
        part="confusion_matrix",
        old=_COUNTS,
        new="counts = torch.zeros(num_classes**2, dtype=torch.int64)\n    counts[pairs] += 1",
        hint="counted once only",
    ),
    Mistake(
        "counts as floats",
        part="confusion_matrix",
        old=_MATRIX,
        new=_MATRIX + ".float()",
        hint="asks for int64",
    ),
    Mistake(
        "matrix of the classes that stand in the labels",
        part="confusion_matrix",
        old=_MATRIX,
        new="""matrix = counts.reshape(num_classes, num_classes)
    there = labels.unique()
    return matrix[there][:, there]""",
        hint="whichever classes stand in the labels",
    ),
    Mistake(
        "right predictions left out of the matrix",
        part="confusion_matrix",
        old=_MATRIX,
        new="return counts.reshape(num_classes, num_classes).fill_diagonal_(0)",
        hint="on the diagonal",
    ),
    Mistake(
        "micro F1",
        part="macro_f1",
        old=_MEAN,
        new="return (predicted == labels).double().mean().item()",
        hint="all images pooled",
    ),
    Mistake(
        "weighted F1",
        part="macro_f1",
        old=_MEAN,
        new="""images = torch.bincount(labels, minlength=num_classes).tolist()
    return sum(score * count for score, count in zip(scores, images)) / len(labels)""",
        hint="every class counts the same",
    ),
    Mistake(
        "F1 in percent",
        part="macro_f1",
        old=_MEAN,
        new="return 100 * sum(scores) / num_classes",
        hint="not for percent",
    ),
    Mistake(
        "arithmetic mean of precision and recall",
        part="macro_f1",
        old="scores.append(2 * precision * recall / both if both else 0.0)",
        new="scores.append(both / 2)",
        hint="harmonic mean",
    ),
    Mistake(
        "F1 of mean precision and mean recall",
        part="macro_f1",
        old="""        both = precision + recall
        scores.append(2 * precision * recall / both if both else 0.0)
    return sum(scores) / num_classes""",
        new="""        scores.append((precision, recall))
    precision, recall = (sum(score) / num_classes for score in zip(*scores))
    return 2 * precision * recall / (precision + recall)""",
        hint="The mean over classes comes last",
    ),
    Mistake(
        "precision alone",
        part="macro_f1",
        old="scores.append(2 * precision * recall / both if both else 0.0)",
        new="scores.append(precision)",
        hint="harmonic mean",
    ),
    Mistake(
        "NaN for a class that is never right",
        part="macro_f1",
        old="scores.append(2 * precision * recall / both if both else 0.0)",
        new='scores.append(2 * precision * recall / both if both else float("nan"))',
        hint="no prediction of it is right",
    ),
    Mistake(
        "NaN for a class that is never predicted",
        part="macro_f1",
        old="precision = right / max((predicted == one).sum().item(), 1)",
        new='precision = right / (predicted == one).sum().item() if (predicted == one).any() else float("nan")',
        hint="never predicted: its precision is 0 of 0",
    ),
    Mistake(
        "class without images left out of the mean",
        part="macro_f1",
        old=_MEAN,
        new="return sum(scores) / len(labels.unique())",
        hint="its recall is 0 of 0",
    ),
    Mistake(
        "absent class left out of the mean",
        part="macro_f1",
        old=_MEAN,
        new="return sum(scores) / len(torch.cat([labels, predicted]).unique())",
        hint="is never predicted. Its F1 is 0",
    ),
    Mistake(
        "gap reversed",
        part="generalisation_gap",
        old=_GAP,
        new="return 100 * (val - train).item()",
        hint="above zero where the network is worse",
    ),
    Mistake(
        "gap as a share",
        part="generalisation_gap",
        old=_GAP,
        new="return (train - val).item()",
        hint="percentage points",
    ),
    Mistake(
        "gap without its sign",
        part="generalisation_gap",
        old=_GAP,
        new="return 100 * (train - val).abs().item()",
        hint="below zero",
    ),
    Mistake(
        "gap relative to training accuracy",
        part="generalisation_gap",
        old=_GAP,
        new="return 100 * ((train - val) / train).item()",
        hint="one accuracy minus the other",
    ),
]
