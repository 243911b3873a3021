"""Instruments: look at a network, at its predictions, at the code that runs."""

from course_lib.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "tracing": ["Step", "Trace", "trace"],
        "layers": ["count_multiply_adds", "count_parameters", "layer_table"],
        "predictions": ["Predictions", "class_report", "confusion_matrix", "worst_mistakes"],
        "receptive": ["receptive_field", "receptive_field_by_gradient"],
        "inside": ["feature_maps", "filters"],
        "signal_flow": ["Signals", "signals", "watch"],
        "memory": ["TrainingMemory", "training_memory"],
        "source": ["Source"],
    },
)
