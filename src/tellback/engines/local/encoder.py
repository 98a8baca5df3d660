"""Turns texts into vectors with the cached model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from tellback.sdk.engine import Vectors

MAX_TOKENS = 128


class Encoder:
    """A loaded sentence model. Safe to call from several threads."""

    def __init__(self, *, model: Path, tokenizer: Path, hidden: int, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        # Spinning threads would burn a core while the worker waits.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self.dimensions = hidden
        self.width = int(self._session.get_outputs()[0].shape[1])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row for each text: its mean in every layer, side by side, each of length one, float32.

        The last `dimensions` columns are the sentence's vector. Texts are cut at 128 tokens. Each text runs by itself:
        dynamic quantisation takes its scale from everything in a run, so a text's vector would depend on its
        neighbours. With no padding this is as fast as batches are on a processor.
        """
        result = np.zeros((len(texts), self.width), dtype=np.float32)
        for row, encoding in enumerate(self._tokenizer.encode_batch([text or " " for text in texts])):
            ids = np.array([encoding.ids], dtype=np.int64)
            mask = np.ones(ids.shape, dtype=np.float32)
            result[row] = self._session.run(["layers"], {"input_ids": ids, "attention_mask": mask})[0][0]
        return result
