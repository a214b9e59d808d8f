from types import SimpleNamespace

import keras
import pytest

from tests.trainer_module.test_history import EPOCHS
from trainer_module.backup import Backup
