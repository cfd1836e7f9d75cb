# SPDX-License-Identifier: Apache-2.0
"""What an edit is asked to do: prompts, words, editors and their numbers."""

from flowanchor_daemon.errors.entry import of_input

TITLE = "Prompts and settings"
ENTRIES = (
    of_input(
        "prompt-empty",
        "A prompt is empty.",
        "Say in a few words what the clip shows and what it should show.",
    ),
    of_input(
        "prompts-equal",
        "The source and the target prompt are the same: they ask for no change, yet the region would be "
        "repainted.",
        "Say in the target prompt what should be different.",
    ),
    of_input("prompt-too-long", "A prompt has more tokens than the model takes.", "Shorten it."),
    of_input(
        "words-empty",
        "No target word was given.",
        "Name words of the target prompt, or leave the option out.",
    ),
    of_input(
        "target-word-missing", "A target word is not in the target prompt.", "Name words as they stand in it."
    ),
    of_input(
        "target-word-without-token",
        "The model's tokenizer has no token for a target word.",
        "Use another word.",
    ),
    of_input("unknown-editor", "There is no such editor.", "Use one that GetInfo lists."),
    of_input(
        "unknown-parameter", "The editor has no such parameter.", "Use those that GetInfo lists for it."
    ),
    of_input(
        "parameter-value", "The value of an editor's parameter cannot be used.", "Keep to its type and range."
    ),
    of_input("param-syntax", "A parameter cannot be read.", "Give it as name=value."),
    of_input("unknown-preset", "There is no such preset.", "Use draft, standard or final."),
    of_input("seed-out-of-range", "The seed is out of range.", "Use 0 to 9223372036854775807."),
    of_input("steps-out-of-range", "The number of steps is out of range.", "Use 1 to 1000."),
    of_input(
        "skip-out-of-range",
        "The number of skipped steps is out of range.",
        "Use 0 up to one less than the steps.",
    ),
    of_input(
        "shift-out-of-range", "The schedule's shift is out of range.", "Use a number above 0, up to 100."
    ),
    of_input("frames-syntax", "The range of frames cannot be read.", "Give it as first-last."),
    of_input(
        "rate-syntax",
        "The frame rate cannot be read.",
        "Give it as a number or a fraction such as 30000/1001.",
    ),
    of_input("no-device", "There is no such device.", "Use auto or cpu."),
)
