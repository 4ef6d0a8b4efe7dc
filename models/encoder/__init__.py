"""Text to unit vectors: one encoder for every model, the same numbers while training and while serving.

`runtime` answers, with onnxruntime and tokenizers alone; `export` writes the ONNX file it reads, once per machine.
"""

from models.encoder.export import default_encoder
from models.encoder.runtime import Encoder

__all__ = ["Encoder", "default_encoder"]
