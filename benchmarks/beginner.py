"""The training loop of most tutorials, written out in full: the peer that ``fit`` is measured against."""

import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from course_lib.data import DatasetView, Split
from course_lib.torchvision_fix import import_torchvision

transforms = import_torchvision().transforms


def train(model: nn.Module, split: Split, epochs: int = 1, device: str = "cpu") -> float:
    """Train with Adam at 0.001 and batches of 128, and return the seconds that it took."""
    prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize(split.mean, split.std)])
    dataset = DatasetView(split, transform=prepare)  # one PIL image at a time, as torchvision's own data sets
    loader = DataLoader(dataset, batch_size=128, shuffle=True)
    model.to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    began = time.perf_counter()
    for _ in range(epochs):
        running_loss, right = 0.0, 0
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad()
            logits = model(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
            right += (logits.argmax(dim=1) == labels).sum().item()
    return time.perf_counter() - began
