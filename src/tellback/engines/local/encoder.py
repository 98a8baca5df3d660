"""Turns texts into vectors with the cached model."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from tellback.engines.local.model import load_tokenizer
from tellback.sdk.engine import Vectors

#: So many tokens go into a run at most, unless one text has more.
RUN_TOKENS = 96


class Encoder:
    """A loaded sentence model. Safe to call from several threads."""

    def __init__(self, *, model: Path, tokenizer: Path, hidden: int, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Spinning threads would burn a core while the worker waits.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The fused form of normalising a sum is three times as slow as its two parts.
        slower = ["SkipLayerNormFusion"]
        self._session = ort.InferenceSession(
            model, options, providers=["CPUExecutionProvider"], disabled_optimizers=slower
        )
        self._tokenizer = load_tokenizer(tokenizer)
        self.dimensions = hidden
        self.width = int(self._session.get_outputs()[0].shape[1])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row for each text: its mean in every layer, side by side, each of length one, float32.

        The last `dimensions` columns are the sentence's vector. Texts are cut at 128 tokens. Those of one length run
        together, so nothing is padded, and a text's bytes are the same whatever runs beside it.
        """
        alike: dict[int, list[int]] = defaultdict(list)
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch([text or " " for text in texts])]
        for row, tokens in enumerate(ids):
            alike[len(tokens)].append(row)
        result = np.zeros((len(texts), self.width), dtype=np.float32)
        for length, rows in alike.items():
            most = max(RUN_TOKENS // length, 1)
            for some in (rows[start : start + most] for start in range(0, len(rows), most)):
                batch = np.array([ids[row] for row in some], dtype=np.int64)
                result[some] = self._session.run(["layers"], {"input_ids": batch})[0]
        return result
