"""Running totals of one epoch."""

import torch


class Sums:
    """Loss, right answers and images so far, kept on the device so that no step waits for them."""

    def __init__(self, device: torch.device, loss: float = 0.0, right: int = 0, count: int = 0, seconds: float = 0.0):
        exact = torch.float32 if device.type == "mps" else torch.float64
        self._loss = torch.tensor(loss, dtype=exact, device=device)
        self._right = torch.tensor(right, dtype=torch.int64, device=device)
        self.count = count
        self.seconds = seconds

    def add(self, batch_loss: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> None:
        """Take in one batch: its mean loss, logits (N, K) and labels (N,)."""
        self._loss.add_(batch_loss.detach().to(self._loss.dtype), alpha=len(labels))
        self._right += (logits.detach().argmax(dim=1) == labels).sum()
        self.count += len(labels)

    def mean_loss(self) -> float:
        """The mean over images, not over batches: the last batch may be smaller."""
        return self._loss.item() / self.count

    def accuracy(self) -> float:
        """The share of right answers, in [0, 1]."""
        return self._right.item() / self.count

    def state(self) -> dict[str, float]:
        """What the constructor takes to go on from here."""
        return {"loss": self._loss.item(), "right": self._right.item(), "count": self.count, "seconds": self.seconds}
