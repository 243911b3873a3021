"""The course's figures. Each function returns a figure that shows itself in a notebook and carries alt text."""

from course_lib.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "architecture": ["architecture_drawing"],
        "costs": ["accuracy_against_cost", "layer_bars", "parameter_pie", "share_bars"],
        "curves": ["compare_curves", "learning_curves"],
        "diagrams": ["unit_diagram"],
        "figure": ["BLUE", "GREEN", "ORANGE", "DescribedFigure", "finish", "new_figure"],
        "growth": ["channel_progression", "receptive_growth"],
        "ladders": ["speed_ladder"],
        "matrices": ["confusion_heatmap"],
        "pictures": ["feature_map_grid", "filter_grid", "image_grid", "mistake_grid", "weight_grid"],
        "signal_lines": ["signal_chain", "signals_over_steps"],
        "windows": ["receptive_field_boxes", "window_comparison"],
    },
)
