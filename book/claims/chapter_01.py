"""Chapter 1, the perceptron."""

import math
import re

from course_lib import analysis, models, records
from course_lib.data.catalog import MNIST
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, higher, level, mean
from course_tools.claims.published import memory, output, printed, seconds


@claim
def mlp_time():
    """What chapter 1's published run took."""
    return seconds("01-mlp")


@claim
def mlp_memory():
    """The most memory that chapter 1's published run held."""
    return memory("01-mlp")


@claim
def mlp_first_layer():
    """Three quarters of the perceptron's parameters are in its first layer."""
    network = models.mlp()
    share = analysis.count_parameters(network.features[0]) / analysis.count_parameters(network)
    return round(100 * share) == 75


@claim
def fit_beats_loop_by_hand():
    """Our fit takes less time for a step than the loop of most tutorials, for each network of the benchmark."""
    steps = records.bench("step")
    return min(one["least"] for one in steps[steps["loop"] == "fit"]["speedup"]) > 1


@claim
def mlp_loss_before():
    """Loss of the first batch before chapter 1's step by hand."""
    return printed("01-mlp", "loss on this batch: ")


@claim
def mlp_loss_after():
    """Loss of that batch after the step."""
    return printed("01-mlp", "before the step, ")


@claim
def mlp_seconds_by_hand():
    """Seconds of two epochs with chapter 1's loop by hand, one run."""
    return printed("01-mlp", "seconds: ")


@claim
def mlp_seconds_by_library():
    """Seconds of the same two epochs with the library's loop, one run."""
    return printed("01-mlp", " by hand, ")


@claim
def mlp_more_epochs():
    """What twelve epochs add to two."""
    return difference("01-mlp/more epochs", "01-mlp/two epochs", split="validation")


@claim
def mlp_falling_rate():
    """What a falling rate adds to that."""
    return difference("01-mlp/and a falling rate", "01-mlp/more epochs", split="validation")


@claim
def mlp_dropout():
    """What dropout adds to that."""
    return difference("01-mlp/and dropout", "01-mlp/and a falling rate", split="validation")


@claim
def mlp_two_epochs():
    """Validation accuracy of the perceptron after two epochs."""
    return mean("01-mlp/two epochs", split="validation")


@claim
def mlp_best_recipe():
    """The last recipe of chapter 1 has the highest validation accuracy."""
    return higher(
        "01-mlp/and dropout", "01-mlp/and a falling rate", "01-mlp/more epochs", "01-mlp/two epochs", split="validation"
    )


@claim
def mlp_last_training_accuracy():
    """The perceptron's training accuracy in its last epoch."""
    return mean("01-mlp/and dropout", "train_accuracy", epoch=-1, split="validation")


@claim
def mlp_validation():
    """The perceptron's validation accuracy."""
    return mean("01-mlp/and dropout", split="validation")


@claim
def mlp_larger_error():
    """For the perceptron, the error from the choice of test images is larger than the spread over seeds."""
    runs = records.table("01-mlp")
    scores = runs[(runs["name"] == "perceptron") & (runs["split"] == "test")]["accuracy"]
    return bool(math.sqrt(scores.mean() * (1 - scores.mean()) / 10_000) > scores.std())


@claim
def mlp_reads_shuffled_digits():
    """The perceptron reads shuffled digits as well as whole ones, within a tenth of a point."""
    return level("01-mlp/perceptron", "01-mlp/shuffled", within=0.001)


@claim
def mlp_shuffled():
    """The perceptron's test accuracy, trained and tested on shuffled digits."""
    return mean("01-mlp/shuffled")


@claim
def mlp_shuffled_difference():
    """The perceptron's accuracy on shuffled digits, less that on digits in place."""
    return difference("01-mlp/shuffled", "01-mlp/perceptron")


@claim
def mlp_4_for_9():
    """Test digits 4 taken for a 9 by the perceptron with seed 0."""
    runs = records.read(records.results_folder() / "01-mlp.jsonl")
    return next(one for one in runs if one["name"] == "perceptron" and one["seed"] == 0)["confusion"][4][9]


@claim
def mlp_9_for_4():
    """Test digits 9 taken for a 4 by the perceptron with seed 0."""
    runs = records.read(records.results_folder() / "01-mlp.jsonl")
    return next(one for one in runs if one["name"] == "perceptron" and one["seed"] == 0)["confusion"][9][4]


@claim
def mnist_paper():
    """What normalisation makes of a pixel of paper."""
    return -MNIST.mean[0] / MNIST.std[0]


@claim
def mlp_with_relu():
    """Validation accuracy with ReLU, exercise 2 of chapter 1, one seed."""
    return printed("01-mlp", "with ReLU    ")


@claim
def mlp_without_relu():
    """Validation accuracy without ReLU, exercise 2 of chapter 1, one seed."""
    return printed("01-mlp", "without ReLU ")


@claim
def mlp_forgotten_loss():
    """Loss of the batch at step 20 without `zero_grad`, exercise 3 of chapter 1, one seed."""
    page = output("01-mlp")
    return float(re.search(r"ends at [\d.]+ with zero_grad, ([\d.]+) without", page)[1])


@claim
def mlp_remembered_loss():
    """Loss of the batch at step 20 with `zero_grad`, exercise 3 of chapter 1, one seed."""
    page = output("01-mlp")
    return float(re.search(r"ends at ([\d.]+) with zero_grad", page)[1])


@claim
def mlp_mean_over_images():
    """Accuracy over all validation images, exercise 4 of chapter 1."""
    return printed("01-mlp", "over all images ")


@claim
def mlp_mean_of_means():
    """Mean of the batches' accuracies, exercise 4 of chapter 1."""
    return printed("01-mlp", "mean of batches ")


@claim
def mlp_short_steps_loss():
    """Validation loss of the linear classifier at rate 0.001, exercise 5 of chapter 1, one seed."""
    return printed("01-mlp", "rate 0.001  validation loss")


@claim
def mlp_middle_steps_loss():
    """Validation loss of the linear classifier at rate 0.1, exercise 5 of chapter 1, one seed."""
    return printed("01-mlp", "rate 0.1    validation loss")


@claim
def mlp_long_steps_loss():
    """Validation loss of the linear classifier at rate 10, exercise 5 of chapter 1, one seed."""
    return printed("01-mlp", "rate 10     validation loss")


@claim
def mlp_short_steps():
    """Validation accuracy of the linear classifier at rate 0.001, exercise 5 of chapter 1, one seed."""
    page = output("01-mlp")
    return float(re.search(r"rate 0.001 +validation loss +[\d.]+, accuracy ([\d.]+)%", page)[1]) / 100


@claim
def mlp_long_steps():
    """Validation accuracy of the linear classifier at rate 10, exercise 5 of chapter 1, one seed."""
    page = output("01-mlp")
    return float(re.search(r"rate 10 +validation loss +[\d.]+, accuracy ([\d.]+)%", page)[1]) / 100


@claim
def mlp_cost_of_a_mistake():
    """Loss for each wrong answer of the linear classifier at rate 10, if right answers cost nothing."""
    page = output("01-mlp")
    loss, accuracy = re.search(r"rate 10 +validation loss +([\d.]+), accuracy ([\d.]+)%", page).groups()
    return float(loss) / (1 - float(accuracy) / 100)


@claim
def mlp_shifted_by_1():
    """Validation accuracy of chapter 1's perceptron on digits shifted by 1 pixel, one seed."""
    page = output("01-mlp")
    return float(re.search(r"accuracy by shift in pixels: [^\n]*1: ([\d.]+)%", page)[1]) / 100


@claim
def mlp_shifted_by_4():
    """Validation accuracy of chapter 1's perceptron on digits shifted by 4 pixels, one seed."""
    page = output("01-mlp")
    return float(re.search(r"accuracy by shift in pixels: [^\n]*4: ([\d.]+)%", page)[1]) / 100
