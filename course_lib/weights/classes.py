"""What the 1000 outputs of a network trained on ImageNet mean."""


def imagenet_classes() -> list[str]:
    """The names of the 1000 classes, in the order of the logits, from torchvision (``"tench"``, ``"goldfish"`` …)."""
    from course_lib.torchvision_mend import import_torchvision

    return list(import_torchvision().models.MobileNet_V2_Weights.IMAGENET1K_V1.meta["categories"])
