# SPDX-License-Identifier: Apache-2.0
"""The tokenizer of the embedded model: T5's class over a hand-set Unigram vocabulary.

Each word of the grammar is one token; any other word falls apart into letters, so that sub-word pieces,
offsets and words outside the model's world go through the same code as with UMT5's 256 thousand pieces.
"""

from __future__ import annotations

import string

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import T5TokenizerFast

from flowanchor_core.shapes.captions import WORDS

PAD, EOS, UNK = "<pad>", "</s>", "<unk>"


def build_tokenizer() -> T5TokenizerFast:
    """The tokenizer, ready for `save_pretrained`. Ids: 0 pad, 1 end of sentence, 2 unknown, then pieces."""
    vocabulary = [(PAD, 0.0), (EOS, 0.0), (UNK, -50.0), ("▁", -2.0), ("▁,", -1.0)]
    vocabulary += [(f"▁{word}", -1.0) for word in WORDS]
    rest = string.ascii_letters + string.digits + ".;:!?'\"-()/&%+,"
    vocabulary += [(character, -12.0) for character in rest]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=2, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Split(Regex(","), behavior="isolated"),
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {EOS}", pair=f"$A {EOS} $B {EOS}", special_tokens=[(EOS, 1)]
    )
    return T5TokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNK,
        extra_ids=0,
        model_max_length=512,
    )
