"""The names that every package shares: features, labels, splits and signatures.

Each of them is a literal here and nowhere else.
"""

from typing import Final

IMAGE: Final = "image"
LABEL: Final = "label"
LABEL_NAME: Final = "label_name"
FILENAME: Final = "filename"
PATIENT_ID: Final = "patient_id"
SUBTYPE: Final = "subtype"
FORMAT: Final = "format"
WIDTH: Final = "width"
HEIGHT: Final = "height"
SHA256: Final = "sha256"

IMAGE_XF: Final = "image_xf"
LABEL_XF: Final = "label_xf"
PATIENT_XF: Final = "patient_xf"

LABELS: Final = ("NORMAL", "PNEUMONIA")
"""Label names by label: an example's ``label`` is the index of its name."""

TRAIN: Final = "train"
EVAL: Final = "eval"
TEST: Final = "test"
SPLITS: Final = (TRAIN, EVAL, TEST)

SERVING_DEFAULT: Final = "serving_default"
SERVE_EXAMPLES: Final = "serve_examples"
TRANSFORM_FEATURES: Final = "transform_features"
EXPLAIN: Final = "explain"
SERVE_PIXELS: Final = "serve_pixels"

IMAGE_BYTES: Final = "image_bytes"
EXAMPLES: Final = "examples"
PROBABILITY: Final = "probability"
PREDICTED_LABEL: Final = "label"
VALID: Final = "valid"
IN_DOMAIN: Final = "in_domain"
DOMAIN_DISTANCE: Final = "domain_distance"
TRIAGE: Final = "triage"
HEATMAP: Final = "heatmap"

IMAGE_SIZE: Final = 160
"""Side in pixels of the square image that the model sees."""

MINIMUM_SIDE: Final = 32
"""An image with a shorter side than this many pixels is not an X-ray."""

THUMBNAIL_SIDE: Final = 32
"""Width and height in pixels of the image in small, by which it is compared and found blank."""

LEAST_DEVIATION: Final = 4.0
"""An image is blank whose thumbnail has a smaller standard deviation, in grey levels of 255.

Those of 5,232 X-rays of Kermany et al. 2018 and of 120 of adults have at least 13.8.
"""

MAXIMUM_PIXELS: Final = 50_000_000
"""An image with more pixels than this is refused before it is decoded (a decompression bomb)."""

MAXIMUM_BYTES: Final = 256 * 1024 * 1024
"""A larger file is not read into memory: 50 million pixels of 24 bits, raw, are 143 MiB."""

INVALID: Final = "INVALID"
"""The predicted label where ``valid`` is false."""

REVIEW: Final = "REVIEW"
"""The triage of an image that is to be looked at; all others have one of LABELS."""

MODEL_RECORD: Final = "assets.extra/model.json"
"""What a model records about itself, within its folder, readable without TensorFlow."""

ARCHITECTURE: Final = "assets.extra/architecture.json"
"""The network as layers of Keras, within a model's folder; earlier models have none.

``model``, as ``keras.Model.to_json`` writes it; ``variables``, for each of its weights the key in
the SavedModel's checkpoint; ``keras``, the version that wrote it.
"""

TRAINING_STATISTICS: Final = "assets.extra/training_statistics.json"
"""How what a model was trained on is spread, within its folder; models of before have none."""

REFERENCE_SCORES: Final = "assets.extra/reference_scores.json"
"""Scores of the held-out images that a model was calibrated on, within its folder, by their labels.

For each of LABELS: ``logits`` of the calibrated probability; ``patients``, a number each;
``out_of_domain``, how many patients' worth of the images of the split `eval` are, and
``domain_patients``, of how many. Earlier models have none.
"""

SERVING_BATCH_SIZES: Final = (1, 2, 4, 8, 16, 32)
"""The batch sizes that a server runs, ascending; smaller batches are filled up to the next.

The model's warm-up requests, the embedded server and TensorFlow Serving's batching file have them
from here.
"""

WARMUP_REQUESTS: Final = "assets.extra/tf_serving_warmup_requests"
"""Requests that a server runs before it serves a version (TensorFlow Serving's name for them)."""
