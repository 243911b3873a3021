"""Measure a network and look inside it: costs, receptive fields, memory, signals, predictions."""

from course_lib.analysis.inspection import Source, feature_maps, filters
from course_lib.analysis.layers import count_multiply_adds, count_parameters, layer_table
from course_lib.analysis.memory import TrainingMemory, tensors_of_size, training_memory
from course_lib.analysis.predictions import Predictions, class_report, confusion_matrix, worst_mistakes
from course_lib.analysis.receptive_field import receptive_field, receptive_field_by_gradient
from course_lib.analysis.signals import Signals, signals, watch
from course_lib.analysis.tracing import Step, Trace, trace
