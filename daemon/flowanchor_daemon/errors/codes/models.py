# SPDX-License-Identifier: Apache-2.0
"""Models: getting them, reading them, running them."""

from grpc import StatusCode

from flowanchor_daemon.errors.entry import of_model, of_run

TITLE = "Models"
ENTRIES = (
    of_model(
        "model-unknown",
        "There is no model of that name.",
        "List the models with `flowanchor models list`.",
        StatusCode.NOT_FOUND,
    ),
    of_model(
        "unknown-model",
        "There is no model of that name and no such folder.",
        "List the models with `flowanchor models list`.",
        StatusCode.NOT_FOUND,
    ),
    of_model(
        "pull-failed",
        "The model could not be downloaded.",
        "Pull it again: it goes on where it broke off.",
        StatusCode.UNAVAILABLE,
        10.0,
    ),
    of_model(
        "pull-offline",
        "The model hub cannot be reached from here.",
        "Check the network, or import the model from a folder.",
        StatusCode.UNAVAILABLE,
    ),
    of_model(
        "task-unknown",
        "There is no such download or check; the daemon has started anew since, or never had it.",
        "Begin it again: a download goes on where it was.",
        StatusCode.NOT_FOUND,
    ),
    of_model(
        "model-name",
        "This cannot be the name of a model.",
        "Use up to 64 lower-case letters, digits, dots, dashes and underscores.",
        StatusCode.INVALID_ARGUMENT,
    ),
    of_model(
        "model-exists",
        "There is a model of that name already.",
        "Choose another name.",
        StatusCode.ALREADY_EXISTS,
    ),
    of_model("model-import", "The model could not be copied.", "Check the disk, then try again."),
    of_model("model-link", "The link to a model's folder cannot be used.", "Import or link the model again."),
    of_model(
        "verify-failed",
        "Files of the model differ from its manifest.",
        "Pull the model again.",
        StatusCode.DATA_LOSS,
    ),
    of_model(
        "model-incomplete",
        "The model lacks some of its parts.",
        "Pull it again, or give a folder in the diffusers layout with all parts.",
    ),
    of_model(
        "model-card",
        "The model's card holds something unusable.",
        "Correct flowanchor.json or remove it to get Wan2.1's values.",
    ),
    of_model("model-file-missing", "A file of the model is missing.", "Pull or copy the model again."),
    of_model(
        "model-file-damaged",
        "A file of the model does not match its own header.",
        "Pull or copy the model again.",
    ),
    of_model("model-file-truncated", "A file of the model is cut off.", "Pull or copy the model again."),
    of_model("model-files-ambiguous", "There are two sets of weights.", "Remove one of them."),
    of_model(
        "pickled-weights",
        "The weights are pickled, which can run code when opened.",
        "Use the model's safetensors files.",
    ),
    of_model(
        "not-safetensors", "A file of weights is not a safetensors file.", "Pull or copy the model again."
    ),
    of_model("model-tensor-missing", "The weights lack a tensor.", "Pull or copy the model again."),
    of_model(
        "model-tensor-shape",
        "A tensor of the weights has another shape than the model.",
        "Use weights and configuration of one release.",
    ),
    of_model(
        "model-tensor-surplus",
        "The weights hold a tensor that the model has no place for.",
        "Use weights and configuration of one release.",
    ),
    of_model(
        "model-class",
        "A part of the model is of another kind than its place asks for.",
        "Use a Wan2.1 text-to-video model.",
    ),
    of_model(
        "model-config",
        "A part of the model is configured in a way that is not supported.",
        "Use the model as its publisher released it.",
    ),
    of_model("model-kind", "The model is not a Wan2.1 text-to-video model.", "Use one that is."),
    of_model("model-load", "A part of the model cannot be loaded.", "Pull or copy the model again."),
    of_run(
        "model-failed",
        "The model failed while it computed.",
        "Retry the job; if it happens again, report it.",
    ),
    of_run(
        "model-not-finite",
        "The model produced values that are no numbers.",
        "Retry with another preset or lower guidance.",
    ),
)
