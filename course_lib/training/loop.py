"""The training loop of the course. It depends on no particular network, data set or device."""

import torch

from course_lib.data import Split
from course_lib.training.checkpoints import Checkpoint
from course_lib.training.checks import check_augmented
from course_lib.training.diagnosis import diagnose
from course_lib.training.display import Display
from course_lib.training.memory import halve_until_it_fits
from course_lib.training.predict import BATCH, Score, evaluate
from course_lib.training.run import Run


def training_loop(run: Run, val: Split | None, display: Display, checkpoint: Checkpoint | None) -> None:
    """Train ``run`` from where it stands to its last epoch, and validate each epoch on ``val``.

    No step waits for the device: losses and counts stay there until the epoch ends, so an accelerator never idles.
    """
    setup, recipe, network, optimizer, scaler = run.setup, run.recipe, run.network, run.optimizer, run.scaler

    def backpropagate(images: torch.Tensor, labels: torch.Tensor, size: int) -> list[tuple[torch.Tensor, ...]]:
        """Forward and backward pass of a batch, in equal parts of at most ``size`` images whose gradients add up."""
        outputs, parts = [], -(-len(images) // size)
        for x, y in zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True):
            with setup.autocast():
                logits = network(x)
                loss = recipe.loss(logits, y)
            if not outputs:
                optimizer.zero_grad(set_to_none=True)
            scaler.scale(loss * (len(y) / len(labels))).backward()  # the loss is a mean: a part counts by its images
            outputs.append((loss.detach(), logits.detach(), y))
        return outputs

    while run.epoch < recipe.epochs:
        run.enter_training_mode()
        with run.measured():
            for images, labels in run.batches.along(run.batches.draw_order(), first_batch=run.step):
                run.set_learning_rate()
                if recipe.augment is not None:
                    images = recipe.augment(images)
                    check_augmented(images, labels)
                images = images.contiguous(memory_format=setup.memory_format)
                for loss, logits, y in run.in_parts_that_fit(backpropagate, images, labels):
                    run.totals.add(loss, logits, y)
                scaler.step(optimizer)
                scaler.update()
                run.step += 1
                display.step(run.history, run.epoch * len(run.batches) + run.step)
                if checkpoint is not None:
                    checkpoint.save_if_due()
        run.end_epoch(validate(run, val) if val is not None else None)
        diagnose(run)
        display.epoch(run.history)
        if checkpoint is not None:
            checkpoint.save()


def validate(run: Run, val: Split) -> Score:
    """The score of the network as it is; fewer images at a time where the device is short of memory."""

    def score(batch_size: int) -> Score:
        options = {"device": run.setup.device, "loss": run.recipe.loss, "precision": run.setup.precision}
        return evaluate(run.model, val, batch_size=batch_size, **options)

    return halve_until_it_fits(score, BATCH, run.setup.device)[0]
