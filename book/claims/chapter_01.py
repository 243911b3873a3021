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
def mlp_parameters():
    """Parameters of the perceptron of chapter 1."""
    return analysis.count_parameters(models.mlp())


@claim
def mlp_first_layer():
    """Three quarters of the perceptron's parameters are in its first layer."""
    network = models.mlp()
    share = analysis.count_parameters(network.features[0]) / analysis.count_parameters(network)
    return round(100 * share) == 75


@claim
def mlp_more_epochs():
    """What twelve epochs add to two."""
    return difference("study-mlp-recipes/twelve epochs", "study-mlp-recipes/two epochs", split="validation")


@claim
def mlp_falling_rate():
    """What a falling rate adds to that."""
    return difference("study-mlp-recipes/and a falling rate", "study-mlp-recipes/twelve epochs", split="validation")


@claim
def mlp_dropout():
    """What dropout adds to that."""
    return difference("study-mlp-recipes/and dropout", "study-mlp-recipes/and a falling rate", split="validation")


@claim
def mlp_best_recipe():
    """Twelve epochs beat two, a falling rate beats a steady one, and of dropout five seeds do not decide."""
    dropout = difference("study-mlp-recipes/and dropout", "study-mlp-recipes/and a falling rate", split="validation")
    ranked = higher(
        "study-mlp-recipes/and a falling rate",
        "study-mlp-recipes/twelve epochs",
        "study-mlp-recipes/two epochs",
        split="validation",
    )
    return ranked.value is True and abs(dropout.value) <= dropout.spread


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
def mnist_paper():
    """What normalisation makes of a pixel of paper."""
    return -MNIST.mean[0] / MNIST.std[0]


@claim
def mlp_with_relu():
    """Validation accuracy with ReLU, exercise 3 of chapter 1, one seed."""
    return printed("01-mlp", "with ReLU    ")


@claim
def mlp_without_relu():
    """Validation accuracy without ReLU, exercise 3 of chapter 1, one seed."""
    return printed("01-mlp", "without ReLU ")


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
def mlp_equal_weights():
    """Weights that differ between chapter 1's own loop and the library's, after two epochs."""
    return printed("01-mlp", "weights that differ: ")


@claim
def mlp_training_accuracy():
    """Training accuracy of chapter 1's last recipe with dropout off, seed 0."""
    return printed("01-mlp", "training images: ")


@claim
def mlp_validation_of_one():
    """Validation accuracy of that network."""
    return printed("01-mlp", "validation images: ")


@claim
def mlp_shifted_by_1():
    """Validation accuracy of chapter 1's perceptron on digits shifted by 1 pixel, mean over seeds."""
    return printed("01-mlp", "moved by 1 pixels: ")


@claim
def mlp_shifted_by_4():
    """Validation accuracy of chapter 1's perceptron on digits shifted by 4 pixels, mean over seeds."""
    return printed("01-mlp", "moved by 4 pixels: ")


@claim
def mlp_absence():
    """Of the 24 strongest first-layer templates, those whose strongest weight is negative."""
    return printed("01-mlp", "strongest weight is blue in ")


@claim
def mlp_rim_positive():
    """Of these, those whose weights at pixels that never hold ink have a mean above zero."""
    return printed("01-mlp", "the mean of their weights is positive in ")


@claim
def mlp_remembered_loss():
    """Loss of the batch at step 20 with `zero_grad`, exercise 4 of chapter 1, one seed."""
    return printed("01-mlp", "with zero_grad    ")


@claim
def mlp_forgotten_loss():
    """Loss of the batch at step 20 without `zero_grad`, exercise 4 of chapter 1, one seed."""
    return printed("01-mlp", "without zero_grad ")


@claim
def mlp_plain_at_3():
    """Validation accuracy on digits moved by 3 pixels, exercise 6 of chapter 1, one seed."""
    return printed("01-mlp", "plain training images, moved by 3: ")


@claim
def mlp_shifted_at_3():
    """The same after training on shifted images."""
    return printed("01-mlp", "shifted training images, moved by 3: ")


@claim
def mlp_untrained_loss():
    """Validation loss of chapter 1's perceptron before any training, seed 0."""
    return float(re.search(r"untrained: accuracy [\d.]+%, loss ([\d.]+)", output("01-mlp"))[1])


@claim
def mlp_raw_loss():
    """The same on pixels from 0 to 255, the first 1,000 validation images."""
    return printed("01-mlp", "pixels from 0 to 255: loss ")


@claim
def mlp_sure_on_validation():
    """Mean probability of chapter 1's answers on validation images, seed 0."""
    return float(re.search(r"validation images: [\d.]+% right, ([\d.]+)% sure", output("01-mlp"))[1]) / 100


@claim
def mlp_neighbours_learned():
    """Pixels whose most similar pixel, by first-layer weights, is next door after training, exercise 6 of chapter 1."""
    return printed("01-mlp", "next door, trained: ")


@claim
def mlp_neighbours_before():
    """The same before training."""
    return printed("01-mlp", "next door, untrained: ")


@claim
def mlp_inked_pixels():
    """How many pixels often hold ink, exercise 6 of chapter 1."""
    return printed("01-mlp", "pixels with ink: ")


@claim
def mlp_blue_paper_zero():
    """Of the 24 strongest templates, those whose strongest weight is negative, trained with paper at zero."""
    return printed("01-mlp", "blue, paper 0: ")


@claim
def mlp_shuffled_reads_nearly_all():
    """The perceptron reads more than 98 % of shuffled test digits."""
    return mean("01-mlp/shuffled").value > 0.98


@claim
def recipe_adam():
    """Adam at a falling rate, each recipe at its best of seven rates."""
    return mean("study-first-recipes/Adam, falling rate")


@claim
def recipe_momentum():
    """Gradient descent with momentum at a falling rate."""
    return mean("study-first-recipes/SGD with momentum, falling rate")


@claim
def recipe_sgd():
    """Gradient descent at a falling rate."""
    return mean("study-first-recipes/SGD, falling rate")


@claim
def adam_over_sgd():
    """Adam less gradient descent, both at a falling rate."""
    return difference("study-first-recipes/Adam, falling rate", "study-first-recipes/SGD, falling rate")


@claim
def adam_over_momentum():
    """Adam less gradient descent with momentum, both at a falling rate."""
    return difference("study-first-recipes/Adam, falling rate", "study-first-recipes/SGD with momentum, falling rate")


@claim
def adam_falling():
    """What a falling rate adds to Adam, each at its best of seven rates."""
    return difference("study-first-recipes/Adam, falling rate", "study-first-recipes/Adam, constant rate")


@claim
def sgd_falling():
    """What a falling rate adds to gradient descent, each at its best of seven rates."""
    return difference("study-first-recipes/SGD, falling rate", "study-first-recipes/SGD, constant rate")
