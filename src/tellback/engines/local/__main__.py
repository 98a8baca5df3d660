"""`python -m tellback.engines.local CACHE_DIR [MODEL_DIR]`: build the model's file, in a process that then ends.

Building needs libraries that the running product should not keep in memory.
"""

import sys
from pathlib import Path

from tellback.engines.local.model import ensure_model, find_model_files

ensure_model(find_model_files(Path(sys.argv[2]) if len(sys.argv) > 2 else None), cache_dir=Path(sys.argv[1]))
