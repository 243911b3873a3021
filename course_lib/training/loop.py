"""The training loop of the course. It depends on no particular network, data set or device."""

from dataclasses import replace
from functools import partial

import torch

from course_lib.analysis.predictions import Predictions
from course_lib.data import Split
from course_lib.training.checkpoints import Checkpoint
from course_lib.training.checks import check_augmented
from course_lib.training.diagnosis import diagnose
from course_lib.training.display import Display
from course_lib.training.memory import halve_until_it_fits
from course_lib.training.predict import BATCH, Score, predict, score
from course_lib.training.run import Run


def training_loop(run: Run, val: Split | None, display: Display, checkpoint: Checkpoint | None) -> None:
    """Train ``run`` from where it stands to its last epoch, and validate each epoch on ``val``.

    No step waits for the device: losses and counts stay there until the epoch ends, so an accelerator never idles.
    """
    setup, recipe, network, optimizer, scaler = run.setup, run.recipe, run.network, run.optimizer, run.scaler
    processes = setup.processes

    def backpropagate(
        weight: float, images: torch.Tensor, labels: torch.Tensor, size: int
    ) -> list[tuple[torch.Tensor, ...]]:
        """Forward and backward pass of a batch, in equal parts of at most ``size`` images whose gradients add up.

        ``weight`` is that of the batch, where it is one process's share of a larger one; else 1.
        """
        outputs, parts = [], -(-len(images) // size)
        for x, y in zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True):
            with setup.autocast():
                logits = network(x)
                loss = recipe.loss(logits, y)
            if not outputs:
                optimizer.zero_grad(set_to_none=True)
            part = len(y) / len(labels)  # the loss is a mean: a part counts by its images
            scaler.scale(loss * (part * weight)).backward()
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
                batch = len(labels)
                images, labels, counted = processes.share_of_batch(images, labels)
                images = images.contiguous(memory_format=setup.memory_format)
                weight = processes.count * counted / batch  # for the gradients are averaged over processes
                with processes.own_random_stream(setup.device, recipe.seed, run.epoch * len(run.batches) + run.step):
                    outputs = run.in_parts_that_fit(partial(backpropagate, weight), images, labels)
                for loss, logits, y in outputs:
                    run.totals.add(loss, logits[:counted], y[:counted])
                scaler.step(optimizer)
                scaler.update()
                run.step += 1
                display.step(run.history, run.epoch * len(run.batches) + run.step)
                if checkpoint is not None:
                    checkpoint.save_if_due()
        processes.take_first(run.model.buffers())  # batch norms have averaged each process's own images
        run.end_epoch(validate(run, val) if val is not None else None)
        diagnose(run)
        display.epoch(run.history)
        if checkpoint is not None:
            checkpoint.save()


def validate(run: Run, val: Split) -> Score:
    """The score of the network as it is; fewer images at a time where the device is short of memory.

    Several processes predict a share of the images each, and all of them score all predictions.
    """
    setup = run.setup
    share = val.select(range(len(val))[setup.processes.share(len(val))]) if setup.processes.count > 1 else val

    def predictions(batch_size: int) -> Predictions:
        return predict(run.model, share, device=setup.device, batch_size=batch_size, precision=setup.precision)

    mine = halve_until_it_fits(predictions, BATCH, setup.device)[0]
    logits = torch.cat(setup.processes.gather(mine.logits))
    return score(replace(mine, logits=logits, labels=val.labels.cpu()), run.recipe.loss, setup.device)
