"""The front page, the data, conformance."""

from course_lib import analysis, models
from course_lib.data.catalog import CIFAR10, MNIST
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import mean
from course_tools.grading import judge


@claim
def mlp_mnist():
    """Test accuracy of chapter 1's perceptron on MNIST."""
    return mean("01-mlp/perceptron")


@claim
def lenet5_mnist():
    """Test accuracy of LeNet-5, modern form, on MNIST."""
    return mean("02-lenet/LeNet-5, modern")


@claim
def alexnet_mnist():
    """Test accuracy of the small AlexNet on MNIST."""
    return mean("03-alexnet/AlexNet, small")


@claim
def readme_vgg8():
    """Test accuracy of VGG8 with batch norm on CIFAR-10."""
    return mean("study-vgg8/VGG8-BN, half width")


@claim
def readme_minivgg():
    """Test accuracy of MiniVGG on MNIST."""
    return mean("study-mnist-small/MiniVGG")


@claim
def readme_resnet():
    """Test accuracy of the small ResNet on MNIST."""
    return mean("study-mnist-small/ResNet, small")


@claim
def readme_mnist_99():
    """Test accuracy of the recipe mnist-99."""
    return mean("10-speed/mnist-99")


@claim
def mnist_validation_images():
    """MNIST's validation images."""
    return MNIST.validation


@claim
def cifar10_training_images():
    """CIFAR-10's training images, validation among them."""
    return CIFAR10.train


@claim
def cifar10_validation_images():
    """CIFAR-10's validation images."""
    return CIFAR10.validation


@claim
def batch_norm_adds_no_work():
    """Batch norm adds nothing to the count of multiply-adds."""
    image = (3, 224, 224)
    return analysis.count_multiply_adds(models.vgg16(), image) == analysis.count_multiply_adds(models.vgg16_bn(), image)


@claim
def grading_total():
    """Seconds that all answers of a submission have together, in each of two tries."""
    return judge.TOTAL
