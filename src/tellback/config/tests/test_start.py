"""What every process loads when it starts."""

import subprocess
import sys

#: Each is a tenth of a second and tens of megabytes, and needed by a few jobs alone: they load it themselves.
HEAVY = ("onnx", "onnxruntime", "scipy", "sklearn", "sknetwork", "tokenizers", "PIL", "faststream")


def test_a_process_starts_without_what_few_jobs_need() -> None:
    code = (
        "import sys, django; django.setup(); import tellback.config.urls;"
        f"print(sorted({set(HEAVY)!r} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
